//! Plans the queries that are shared, by what all places read of them.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result as DfResult};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::utils::{conjunction, disjunction, split_conjunction};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScan};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use super::super::join_order;
use super::super::plain::is_plain;
use super::RULE;
use super::table::{Prepared, SharedTable};
use crate::operators::interrupt::Interrupt;
use crate::operators::shared::Shared;

/// Plans the queries whose tables a plan reads, so that it can be planned itself.
pub(in super::super) async fn prepare(plan: &LogicalPlan, state: &SessionState) -> DfResult<()> {
    let mut tables = Vec::new();
    tables_of(plan, &mut tables)?;
    if tables.is_empty() {
        return Ok(());
    }
    let planner = DefaultPhysicalPlanner::default();
    // A plan that is shared is read whole: what repeats within it now is run twice.
    let state = &without_sharing(state);
    // Those that are read come behind those that read them.
    tables.reverse();
    let mut readers = vec![plan.clone()];
    let mut columns = Vec::with_capacity(tables.len());
    for table in &tables {
        let wanted = Wanted::of(table, &readers)?;
        readers.push(state.optimize(&wanted.plan(table)?)?);
        columns.push(wanted.columns.into_iter().collect());
    }
    let plans = tables.iter().zip(columns).zip(&readers[1..]).rev();
    for (number, ((table, columns), plan)) in (1..).zip(plans) {
        let ordered = join_order::of_least_work(plan, state).await?;
        let plan = ordered.as_ref().unwrap_or(plan);
        let mut plan = planner.create_physical_plan(plan, state).await?;
        if let Some(interrupt) = state.config_options().extensions.get::<Interrupt>() {
            plan = interrupt.reach(plan)?;
        }
        table.prepare(Prepared { shared: Shared::new(number, plan), columns });
    }
    Ok(())
}

fn without_sharing(state: &SessionState) -> SessionState {
    let rules = state.optimizers().iter().filter(|rule| rule.name() != RULE);
    let rules = rules.cloned().collect();
    SessionStateBuilder::new_from_existing(state.clone()).with_optimizer_rules(rules).build()
}

/// Adds the tables that a plan reads, each behind those that it reads itself.
fn tables_of(plan: &LogicalPlan, tables: &mut Vec<SharedTable>) -> DfResult<()> {
    plan.apply_with_subqueries(|plan| {
        if let LogicalPlan::TableScan(scan) = plan
            && let Some(table) = SharedTable::of(scan)
            && !tables.iter().any(|known| known.is(&table))
        {
            tables_of(table.plan(), tables)?;
            tables.push(table);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// What the places of a query take of it.
struct Wanted {
    columns: BTreeSet<usize>,
    /// The rows of each place; nothing if one takes all.
    rows: Option<Vec<Expr>>,
}

impl Wanted {
    fn of(table: &SharedTable, readers: &[LogicalPlan]) -> DfResult<Self> {
        let schema = table.plan().schema();
        let mut wanted = Self { columns: BTreeSet::new(), rows: Some(Vec::new()) };
        for reader in readers {
            reader.apply_with_subqueries(|plan| {
                if let LogicalPlan::TableScan(scan) = plan
                    && SharedTable::of(scan).is_some_and(|read| read.is(table))
                {
                    wanted.add(scan, schema.fields().len());
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        if wanted.columns.is_empty() {
            let _is_new = wanted.columns.insert(0);
        }
        Ok(wanted)
    }

    fn add(&mut self, scan: &TableScan, width: usize) {
        match &scan.projection {
            Some(columns) => self.columns.extend(columns),
            None => self.columns.extend(0..width),
        }
        let rows = conjunction(scan.filters.iter().filter(|told| is_of_row(told)).cloned());
        self.rows = match (self.rows.take(), rows) {
            (Some(mut all), Some(rows)) => {
                if !all.contains(&rows) {
                    all.push(rows);
                }
                Some(all)
            }
            _ => None,
        };
    }

    /// The query for only that.
    fn plan(&self, table: &SharedTable) -> DfResult<LogicalPlan> {
        let name = table.name();
        let query = LogicalPlanBuilder::from(table.plan().clone()).alias(name)?;
        let query = match self.rows.as_deref().and_then(rows_of_any) {
            Some(rows) => query.filter(rows)?,
            None => query,
        };
        let schema = table.plan().schema();
        let columns = self
            .columns
            .iter()
            .map(|column| Expr::Column(Column::new(Some(name), schema.field(*column).name())));
        query.project(columns)?.build()
    }
}

/// Whether a condition asks a row of nothing but its own columns.
fn is_of_row(condition: &Expr) -> bool {
    let looks_elsewhere = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::OuterReferenceColumn(..)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
        ))
    };
    !condition.is_volatile() && condition.exists(looks_elsewhere).is_ok_and(|looks| !looks)
}

/// The rows that one of several places takes at least.
///
/// What is told of a column alone stands apart as well: of `(a = 1 AND sum > 0) OR a = 2`, only
/// `a = 1 OR a = 2` can be asked below the groups.
fn rows_of_any(places: &[Expr]) -> Option<Expr> {
    let any = disjunction(places.iter().cloned())?;
    let [first, others @ ..] = places else { return Some(any) };
    let mut told = told_of_columns(first);
    for place in others {
        let mut here = told_of_columns(place);
        let both = told.into_iter().filter_map(|(column, told)| {
            let index = here.iter().position(|(known, _)| *known == column)?;
            Some((column, told.or(here.swap_remove(index).1)))
        });
        told = both.collect();
    }
    let told = told.into_iter().map(|(_, told)| told);
    conjunction(told.filter(|told| *told != any).chain([any.clone()]))
}

/// What a condition tells of each column alone.
fn told_of_columns(condition: &Expr) -> Vec<(Column, Expr)> {
    let mut told: Vec<(Column, Expr)> = Vec::new();
    for part in split_conjunction(condition) {
        let columns = part.column_refs();
        let mut columns = columns.into_iter();
        let (Some(column), None) = (columns.next(), columns.next()) else { continue };
        // What stands before it may be what keeps it from failing.
        if !is_plain(part) {
            continue;
        }
        match told.iter_mut().find(|(known, _)| known == column) {
            Some((_, all)) => *all = all.clone().and(part.clone()),
            None => told.push((column.clone(), part.clone())),
        }
    }
    told
}
