//! The order in which tables are joined: what makes least work, by the rows that statistics tell of.
//!
//! DataFusion joins in the order that a query is written in. docs/decisions/join-order.md tells more.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{
    Column, ColumnStatistics, JoinConstraint, JoinType, NullEquality, Result as DfResult,
    ScalarValue, Statistics,
};
use datafusion::datasource::source_as_provider;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Projection};
use datafusion::optimizer::Optimizer;
use datafusion::physical_plan::{StatisticsArgs, StatisticsContext};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use super::common_subplans;
use super::plain::is_plain;
use crate::config::{self, Config};
use crate::sources;

mod graph;

use graph::{Class, Graph, Order, Set};

/// The most tables that are joined in another order than they are written in.
const RELATIONS_MAX: usize = 64;

/// The share of the cost of the written order that another one may have at most.
const GAIN: f64 = 0.7;

/// The plan with its inner joins in the order that makes least work; `None` if they are in it.
///
/// # Errors
/// Those of rewriting plans. What cannot be planned alone has no statistics.
pub(super) async fn of_least_work(
    plan: &LogicalPlan,
    state: &SessionState,
) -> DfResult<Option<LogicalPlan>> {
    let config = state.config().get_extension::<Config>();
    if !config.is_some_and(|config| config.is_on(config::JOIN_ORDER)) {
        return Ok(None);
    }
    let mut relations = HashMap::new();
    relations_of(plan, &mut relations)?;
    if relations.is_empty() {
        return Ok(None);
    }
    let bare = SessionStateBuilder::new_from_existing(state.clone())
        .with_physical_optimizer_rules(Vec::new())
        .build();
    for (relation, statistics) in &mut relations {
        *statistics = statistics_of(relation, &bare).await;
    }
    let ordered = ordered(plan.clone(), &relations)?;
    if !ordered.transformed {
        return Ok(None);
    }
    // Columns that a join above takes no more are left out again.
    let rules = state.optimizers().iter();
    let rules =
        rules.filter(|rule| ["equal_projections", "optimize_projections"].contains(&rule.name()));
    let optimizer = Optimizer::with_rules(rules.cloned().collect());
    Ok(Some(optimizer.optimize(ordered.data, state, |_, _| {})?))
}

type Known = HashMap<LogicalPlan, Option<Arc<Statistics>>>;

/// Adds what is joined in groups of three and more.
fn relations_of(plan: &LogicalPlan, relations: &mut Known) -> DfResult<()> {
    plan.apply_with_subqueries(|plan| {
        let Some(joins) = Joins::of(plan) else { return Ok(TreeNodeRecursion::Continue) };
        let tells_rows = joins.relations.iter().map(tells_rows);
        let tells_rows = tells_rows.collect::<DfResult<Vec<_>>>()?.into_iter().all(|tells| tells);
        for relation in joins.relations {
            relations_of(&relation, relations)?;
            if tells_rows {
                let _known = relations.insert(relation, None);
            }
        }
        Ok(TreeNodeRecursion::Jump)
    })?;
    Ok(())
}

/// Whether a plan reads only what tells how many rows it has. To plan anything else may be work of its own.
fn tells_rows(plan: &LogicalPlan) -> DfResult<bool> {
    let mut tells = true;
    plan.apply_with_subqueries(|plan| {
        if let LogicalPlan::TableScan(scan) = plan {
            let table = source_as_provider(&scan.source)?;
            tells &= common_subplans::is_shared(scan) || sources::tells_rows(table.as_ref());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(tells)
}

/// What is known of the rows of a plan before any of it runs.
async fn statistics_of(plan: &LogicalPlan, state: &SessionState) -> Option<Arc<Statistics>> {
    let planned = DefaultPhysicalPlanner::default().create_physical_plan(plan, state).await.ok()?;
    StatisticsContext::new().compute(planned.as_ref(), &StatisticsArgs::new()).ok()
}

fn ordered(plan: LogicalPlan, known: &Known) -> DfResult<Transformed<LogicalPlan>> {
    plan.transform_down_with_subqueries(|plan| {
        // Parts of joins of which too little is known may be put in order alone.
        let Some(mut joins) = Joins::of(&plan) else { return Ok(Transformed::no(plan)) };
        let Some(order) = joins.order_of_least_work(known) else {
            return Ok(Transformed::no(plan));
        };
        let Some(order) = order else {
            let mut plan = ordered_within(plan, known)?;
            plan.tnr = TreeNodeRecursion::Jump;
            return Ok(plan);
        };
        for relation in &mut joins.relations {
            *relation = ordered(std::mem::take(relation), known)?.data;
        }
        let data = joins.in_order(&order, &plan)?;
        Ok(Transformed::new(data, true, TreeNodeRecursion::Jump))
    })
}

/// The joins of a plan as they are, and what they join in order.
fn ordered_within(plan: LogicalPlan, known: &Known) -> DfResult<Transformed<LogicalPlan>> {
    if !is_joined(&plan) {
        return ordered(plan, known);
    }
    plan.map_children(|input| ordered_within(input, known))
}

/// Inner joins, one within the other.
struct Joins {
    relations: Vec<LogicalPlan>,
    /// Columns that are equal in all rows.
    equal: Vec<[Column; 2]>,
    conditions: Vec<Expr>,
    written: Order,
}

impl Joins {
    /// The joins of three or more relations that a plan is.
    fn of(plan: &LogicalPlan) -> Option<Self> {
        if !is_joined(plan) {
            return None;
        }
        let mut joins = Self {
            relations: Vec::new(),
            equal: Vec::new(),
            conditions: Vec::new(),
            written: Order::Relation(0),
        };
        joins.written = joins.add(plan);
        (3..=RELATIONS_MAX).contains(&joins.relations.len()).then_some(joins)
    }

    fn add(&mut self, plan: &LogicalPlan) -> Order {
        match plan {
            LogicalPlan::Projection(projection) if is_joined(plan) => self.add(&projection.input),
            LogicalPlan::Join(join) if is_joined(plan) => {
                self.equal.extend(join.on.iter().filter_map(|(left, right)| {
                    Some([left.try_as_col()?.clone(), right.try_as_col()?.clone()])
                }));
                let conditions = join.filter.iter().flat_map(split_conjunction);
                self.conditions.extend(conditions.cloned());
                Order::Join(Box::new(self.add(&join.left)), Box::new(self.add(&join.right)))
            }
            relation => {
                self.relations.push(relation.clone());
                Order::Relation(self.relations.len() - 1)
            }
        }
    }

    /// The relation that a column is of, if it is of only one.
    fn relation_of(&self, column: &Column) -> Option<usize> {
        let relations = self.relations.iter().enumerate();
        let mut having = relations.filter(|(_, plan)| plan.schema().has_column(column));
        match (having.next(), having.next()) {
            (Some((relation, _)), None) => Some(relation),
            _ => None,
        }
    }

    /// The columns that are equal, in groups, each with its relation. `None` where that does not tell all: for
    /// two of one relation, and for values of several types.
    fn classes(&self) -> Option<Vec<Vec<(usize, &Column)>>> {
        let mut classes: Vec<Vec<(usize, &Column)>> = Vec::new();
        for [left, right] in &self.equal {
            let pair = [(self.relation_of(left)?, left), (self.relation_of(right)?, right)];
            let (mut joined, others): (Vec<_>, Vec<_>) = classes
                .into_iter()
                .partition(|class| class.iter().any(|member| pair.contains(member)));
            joined.push(pair.to_vec());
            classes = others;
            let mut class: Vec<(usize, &Column)> = joined.concat();
            class.sort_by(|(one, first), (other, second)| (one, first).cmp(&(other, second)));
            class.dedup();
            classes.push(class);
        }
        let is_sure = |class: &Vec<(usize, &Column)>| {
            let types = class.iter().map(|(relation, column)| self.type_of(*relation, column));
            let types = types.collect::<Option<Vec<_>>>();
            types.is_some_and(|types| types.windows(2).all(|pair| pair[0] == pair[1]))
                && class.windows(2).all(|pair| pair[0].0 != pair[1].0)
        };
        classes.iter().all(is_sure).then_some(classes)
    }

    /// Whether the columns of all relations can stand beside each other.
    fn are_names_apart(&self) -> bool {
        let mut schemas = self.relations.iter().map(|plan| plan.schema().as_ref().clone());
        let Some(first) = schemas.next() else { return false };
        schemas.try_fold(first, |all, schema| all.join(&schema)).is_ok()
    }

    fn type_of(&self, relation: usize, column: &Column) -> Option<&DataType> {
        let schema = self.relations[relation].schema();
        Some(schema.field(schema.maybe_index_of_column(column)?).data_type())
    }

    /// The relations that a condition is about. What might fail is asked of what is left at the end.
    fn relations_of(&self, condition: &Expr) -> Option<Set> {
        let columns = condition.column_refs();
        let all = columns.iter().map(|column| self.relation_of(column));
        let about = all.collect::<Option<Vec<usize>>>()?;
        if !is_plain(condition) {
            return Some(self.all());
        }
        Some(about.iter().fold(0, |set, relation| set | 1 << relation))
    }

    fn all(&self) -> Set {
        Set::MAX >> (Set::BITS as usize - self.relations.len())
    }

    /// An order that makes much less work than the written one, if one does; `None` if too little is known.
    fn order_of_least_work(&self, known: &Known) -> Option<Option<Order>> {
        let classes = self.classes().filter(|_| self.are_names_apart())?;
        let conditions = self.conditions.iter().map(|condition| self.relations_of(condition));
        let conditions = conditions.collect::<Option<Vec<_>>>()?;
        let statistics = self.relations.iter().map(|plan| known.get(plan)?.as_ref());
        let statistics = statistics.collect::<Option<Vec<_>>>()?;
        let rows = statistics.iter().map(|statistics| number_of(&statistics.num_rows));
        let rows = rows.collect::<Option<Vec<_>>>()?;
        let classes = classes.iter().map(|class| {
            let members = class.iter().map(|(relation, column)| {
                let schema = self.relations[*relation].schema();
                let index = schema.maybe_index_of_column(column)?;
                let column = statistics[*relation].column_statistics.get(index)?;
                Some((*relation, distinct(column, rows[*relation])))
            });
            Some(Class::new(&members.collect::<Option<Vec<_>>>()?))
        });
        let classes = classes.collect::<Option<Vec<_>>>()?;
        let graph = Graph::new(rows, classes, conditions);
        let (order, cost) = graph.best();
        Some((cost < GAIN * graph.cost(&self.written)).then_some(order))
    }

    /// The joins in an order, with the columns of the plan that they were.
    fn in_order(&self, order: &Order, plan: &LogicalPlan) -> DfResult<LogicalPlan> {
        let mut left: Vec<(Set, &Expr)> = Vec::with_capacity(self.conditions.len());
        for condition in &self.conditions {
            left.push((self.relations_of(condition).unwrap_or(self.all()), condition));
        }
        let classes = self.classes().unwrap_or_default();
        let joined = self.joined(order, &classes, &mut left)?;
        let columns = plan.schema().columns().into_iter().map(Expr::Column).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(joined))?))
    }

    /// The joins in an order; takes the conditions that are asked in them.
    fn joined(
        &self,
        order: &Order,
        classes: &[Vec<(usize, &Column)>],
        conditions: &mut Vec<(Set, &Expr)>,
    ) -> DfResult<LogicalPlan> {
        let (one, other) = match order {
            Order::Relation(relation) => return Ok(self.relations[*relation].clone()),
            Order::Join(one, other) => (one, other),
        };
        let left = Arc::new(self.joined(one, classes, conditions)?);
        let right = Arc::new(self.joined(other, classes, conditions)?);
        let member = |class: &[(usize, &Column)], set: Set| {
            let column = class.iter().find(|(relation, _)| set & 1 << relation != 0)?.1;
            Some(Expr::Column(column.clone()))
        };
        let keys = classes.iter().filter_map(|class| {
            Some((member(class, one.relations())?, member(class, other.relations())?))
        });
        let outside = !order.relations();
        let here = conditions.extract_if(.., |(about, _)| *about & outside == 0);
        let filter = conjunction(here.map(|(_, condition)| condition.clone()));
        Ok(LogicalPlan::Join(Join::try_new(
            left,
            right,
            keys.collect(),
            filter,
            JoinType::Inner,
            JoinConstraint::On,
            NullEquality::NullEqualsNothing,
            false,
        )?))
    }
}

/// Whether a plan is a join whose sides may be joined in any order, or columns of one.
fn is_joined(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => {
            projection.expr.iter().all(|expr| matches!(expr, Expr::Column(_)))
                && is_joined(&projection.input)
        }
        LogicalPlan::Join(join) => {
            let is_column = |expr: &Expr| matches!(expr, Expr::Column(_));
            join.join_type == JoinType::Inner
                && join.null_equality == NullEquality::NullEqualsNothing
                && join.on.iter().all(|(left, right)| is_column(left) && is_column(right))
                && join.filter.as_ref().is_none_or(|filter| !filter.is_volatile())
        }
        _ => false,
    }
}

fn number_of(count: &Precision<usize>) -> Option<f64> {
    count.get_value().map(|count| (*count as f64).max(1.0))
}

/// How many distinct values a column has at most.
fn distinct(column: &ColumnStatistics, rows: f64) -> f64 {
    if let Some(count) = number_of(&column.distinct_count) {
        return count.min(rows);
    }
    let bounds = column.min_value.get_value().zip(column.max_value.get_value());
    let range = bounds.and_then(|(least, most)| Some(whole(most)? - whole(least)? + 1.0));
    range.map_or(rows, |range| range.clamp(1.0, rows))
}

/// A value of a type whose values have whole steps between them.
fn whole(value: &ScalarValue) -> Option<f64> {
    let data_type = value.data_type();
    let days = match data_type {
        DataType::Date32 => value.cast_to(&DataType::Int32).ok()?,
        _ if data_type.is_integer() => value.clone(),
        _ => return None,
    };
    match days.cast_to(&DataType::Float64).ok()? {
        ScalarValue::Float64(number) => number,
        _ => None,
    }
}
