//! Queries that a statement holds several times, as those of WITH that it names twice, are run once.
//!
//! Each place reads the rows of a [`SharedTable`]. When all places are known, after the rules for logical
//! plans, [`prepare`] plans the query with the columns and rows that any of them takes.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

use datafusion::common::alias::AliasGenerator;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion, TreeNodeVisitor};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Subquery, SubqueryAlias, TableScan,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

mod prepare;
mod table;

pub(super) use prepare::prepare;
use table::SharedTable;

/// What scans of shared tables are called, with a number.
const NAME: &str = "__shared";

/// What the rule is called.
const RULE: &str = "common_subplans";

/// Whether a scan reads what is shared.
pub(super) fn is_shared(scan: &TableScan) -> bool {
    SharedTable::of(scan).is_some()
}

/// Reads what repeats from one place.
#[derive(Debug)]
pub(super) struct WhereQueriesRepeat;

impl OptimizerRule for WhereQueriesRepeat {
    fn name(&self) -> &str {
        RULE
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        None
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        let mut shapes = Shapes::default();
        let _whole = plan.visit_with_subqueries(&mut shapes)?;
        let mut repeated = Repeated::among(shapes, config)?;
        if repeated.found.is_empty() {
            return Ok(Transformed::no(plan));
        }
        repeated.count(&plan)?;
        repeated.found.retain(|found| found.count > 1);
        repeated.replace(plan)
    }
}

/// The queries under a name, by a number that equal ones have in common.
///
/// The number of a plan is made of those of its inputs and of what is quick to see of itself: to hash whole
/// plans would visit each of them once for every name above it.
#[derive(Default)]
struct Shapes {
    above: Vec<DefaultHasher>,
    named: HashMap<u64, Vec<Arc<LogicalPlan>>>,
    last: u64,
}

impl TreeNodeVisitor<'_> for Shapes {
    type Node = LogicalPlan;

    fn f_down(&mut self, plan: &LogicalPlan) -> DfResult<TreeNodeRecursion> {
        let mut shape = DefaultHasher::new();
        discriminant(plan).hash(&mut shape);
        plan.schema().fields().len().hash(&mut shape);
        if let LogicalPlan::TableScan(scan) = plan {
            scan.table_name.hash(&mut shape);
        }
        self.above.push(shape);
        Ok(TreeNodeRecursion::Continue)
    }

    fn f_up(&mut self, plan: &LogicalPlan) -> DfResult<TreeNodeRecursion> {
        if let LogicalPlan::SubqueryAlias(alias) = plan {
            // Its one input was the last that was left.
            self.named.entry(self.last).or_default().push(Arc::clone(&alias.input));
        }
        self.last = self.above.pop().map_or(0, |shape| shape.finish());
        if let Some(above) = self.above.last_mut() {
            self.last.hash(above);
        }
        Ok(TreeNodeRecursion::Continue)
    }
}

/// A query that stands at several places.
struct Found {
    plan: Arc<LogicalPlan>,
    /// How often, where the places within a repeated query count once.
    count: usize,
    table: Option<SharedTable>,
}

struct Repeated {
    found: Vec<Found>,
    /// Makes names that no other table of the statement has, in whichever pass of the rules.
    names: Arc<AliasGenerator>,
}

impl Repeated {
    /// Those that may be shared and are equal to another.
    fn among(shapes: Shapes, config: &dyn OptimizerConfig) -> DfResult<Self> {
        let mut found: Vec<Found> = Vec::new();
        for alike in shapes.named.into_values().filter(|alike| alike.len() > 1) {
            let mut different: Vec<(Arc<LogicalPlan>, usize)> = Vec::new();
            for plan in alike {
                match different.iter_mut().find(|(known, _)| is_same(known, &plan)) {
                    Some((_, count)) => *count += 1,
                    None => different.push((plan, 1)),
                }
            }
            for (plan, _) in different.into_iter().filter(|(_, count)| *count > 1) {
                if pays(&plan) && may_be_shared(&plan)? {
                    found.push(Found { plan, count: 0, table: None });
                }
            }
        }
        Ok(Self { found, names: Arc::clone(config.alias_generator()) })
    }

    /// Counts the places of each.
    fn count(&mut self, plan: &LogicalPlan) -> DfResult<()> {
        plan.apply_with_subqueries(|plan| match plan {
            // What is in it is run once for each of its levels.
            LogicalPlan::RecursiveQuery(_) => Ok(TreeNodeRecursion::Jump),
            LogicalPlan::SubqueryAlias(alias) => Ok(match self.of(&alias.input) {
                Some(index) => {
                    self.found[index].count += 1;
                    match self.found[index].count {
                        1 => TreeNodeRecursion::Continue,
                        _ => TreeNodeRecursion::Jump,
                    }
                }
                None => TreeNodeRecursion::Continue,
            }),
            _ => Ok(TreeNodeRecursion::Continue),
        })?;
        Ok(())
    }

    /// The plan with tables in their places.
    fn replace(&mut self, plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
        plan.transform_down_with_subqueries(|plan| match plan {
            LogicalPlan::RecursiveQuery(_) => {
                Ok(Transformed::new(plan, false, TreeNodeRecursion::Jump))
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let Some(index) = self.of(&alias.input) else {
                    return Ok(Transformed::no(LogicalPlan::SubqueryAlias(alias)));
                };
                let table = self.table(index)?;
                let name = table.name().to_owned();
                let scan =
                    LogicalPlanBuilder::scan(name, provider_as_source(Arc::new(table)), None)?;
                let alias = SubqueryAlias::try_new(Arc::new(scan.build()?), alias.alias)?;
                let plan = LogicalPlan::SubqueryAlias(alias);
                Ok(Transformed::new(plan, true, TreeNodeRecursion::Jump))
            }
            _ => Ok(Transformed::no(plan)),
        })
    }

    fn table(&mut self, index: usize) -> DfResult<SharedTable> {
        if let Some(table) = &self.found[index].table {
            return Ok(table.clone());
        }
        let plan = self.found[index].plan.as_ref().clone();
        let plan = self.replace(plan)?.data;
        let table = SharedTable::new(self.names.next(NAME), plan);
        self.found[index].table = Some(table.clone());
        Ok(table)
    }

    fn of(&self, plan: &LogicalPlan) -> Option<usize> {
        self.found.iter().position(|found| is_same(&found.plan, plan))
    }
}

/// Whether two plans are equal and read the same tables, which may have other names elsewhere.
fn is_same(left: &LogicalPlan, right: &LogicalPlan) -> bool {
    std::ptr::eq(left, right)
        || left == right
            && matches!((sources(left), sources(right)), (Ok(left), Ok(right)) if left == right)
}

/// What the scans of a plan read, by address.
fn sources(plan: &LogicalPlan) -> DfResult<Vec<usize>> {
    let mut sources = Vec::new();
    plan.apply_with_subqueries(|plan| {
        if let LogicalPlan::TableScan(scan) = plan {
            let provider = source_as_provider(&scan.source);
            sources.push(match provider {
                Ok(provider) => Arc::as_ptr(&provider).cast::<()>().addr(),
                Err(_) => Arc::as_ptr(&scan.source).cast::<()>().addr(),
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(sources)
}

/// Whether to run a plan costs more than to keep its rows: it puts rows together.
fn pays(plan: &LogicalPlan) -> bool {
    let puts_together = |plan: &LogicalPlan| {
        Ok(matches!(
            plan,
            LogicalPlan::Aggregate(_)
                | LogicalPlan::Distinct(_)
                | LogicalPlan::Join(_)
                | LogicalPlan::RecursiveQuery(_)
                | LogicalPlan::Window(_)
        ))
    };
    plan.exists(puts_together).unwrap_or(false)
}

/// Whether a plan gives the same rows wherever it stands.
fn may_be_shared(plan: &LogicalPlan) -> DfResult<bool> {
    let fields = plan.schema().fields();
    let names: HashSet<_> = fields.iter().map(|field| field.name()).collect();
    if names.is_empty() || names.len() < fields.len() {
        return Ok(false);
    }
    let mut is_sure = true;
    plan.apply_with_subqueries(|plan| {
        plan.apply_expressions(|expr| {
            is_sure &= !expr.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    plan.apply(|plan| {
        plan.apply_expressions(|expr| {
            expr.apply(|expr| {
                is_sure &= match expr {
                    Expr::OuterReferenceColumn(..) => false,
                    Expr::ScalarSubquery(subquery) => stands_within(subquery, plan),
                    Expr::Exists(exists) => stands_within(&exists.subquery, plan),
                    Expr::InSubquery(within) => stands_within(&within.subquery, plan),
                    Expr::SetComparison(compared) => stands_within(&compared.subquery, plan),
                    _ => true,
                };
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(is_sure)
}

/// Whether a subquery uses only columns of the plan that it is in.
fn stands_within(subquery: &Subquery, plan: &LogicalPlan) -> bool {
    let inputs: Vec<&DFSchema> = plan.inputs().iter().map(|input| &**input.schema()).collect();
    subquery.outer_ref_columns.iter().all(|outer| match outer {
        Expr::OuterReferenceColumn(_, column) => {
            inputs.iter().any(|input| input.has_column(column))
        }
        _ => false,
    })
}
