//! Keeps conditions that can fail from rows that the conditions before them exclude.
//!
//! The expression is that of `operators/guarded.rs`; sql/queries/guarded_conditions.slt proves it.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder,
};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

use super::upwards::{Rewrite, Rewritten};
use crate::operators::conjunction::Conjunction;
use crate::operators::guarded::Guarded;

/// Puts a guard where a condition that can fail stands behind another: in filters, projections, the
/// arguments and conditions of aggregates, and the conditions of joins.
#[derive(Debug)]
pub(super) struct WhereConditionsFail;

impl Rewrite for WhereConditionsFail {
    fn name(&self) -> &'static str {
        "guarded_conditions"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        let guarded = if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            of_filter(filter)?
        } else if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            of_projection(projection)?
        } else if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            of_aggregate(aggregate)?
        } else if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            match of_join(join.filter())? {
                Some(filter) => Some(join.builder().with_filter(Some(filter)).build_exec()?),
                None => None,
            }
        } else if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
            match of_join(join.filter())? {
                Some(filter) => {
                    let join = NestedLoopJoinExecBuilder::from(join).with_filter(Some(filter));
                    Some(Arc::new(join.build()?) as Arc<dyn ExecutionPlan>)
                }
                None => None,
            }
        } else {
            None
        };
        Ok(guarded.map_or_else(|| Transformed::no(plan), Transformed::yes))
    }
}

/// The operator with guards; `None` if it needs none.
type Guarding = DfResult<Option<Arc<dyn ExecutionPlan>>>;

fn of_filter(filter: &FilterExec) -> Guarding {
    let predicate = guard_filter(filter.predicate())?;
    if !predicate.transformed {
        return Ok(None);
    }
    let filter = FilterExecBuilder::from(filter).with_predicate(predicate.data).build()?;
    Ok(Some(Arc::new(filter)))
}

fn of_projection(projection: &ProjectionExec) -> Guarding {
    let mut changed = false;
    let columns = projection.expr().iter().map(|column| {
        let expr = guard(Arc::clone(&column.expr))?;
        changed |= expr.transformed;
        Ok(ProjectionExpr { expr: expr.data, alias: column.alias.clone() })
    });
    let columns = columns.collect::<DfResult<Vec<_>>>()?;
    if !changed {
        return Ok(None);
    }
    Ok(Some(Arc::new(ProjectionExec::try_new(columns, Arc::clone(projection.input()))?)))
}

fn of_aggregate(aggregate: &AggregateExec) -> Guarding {
    let mut changed = false;
    let mut guarded = |expr: &Arc<dyn PhysicalExpr>| {
        let expr = guard(Arc::clone(expr))?;
        changed |= expr.transformed;
        DfResult::Ok(expr.data)
    };
    let filters = aggregate.filter_expr().iter();
    let filters = filters.map(|filter| filter.as_ref().map(&mut guarded).transpose());
    let filters = filters.collect::<DfResult<Vec<_>>>()?;
    let calls = aggregate.aggr_expr().iter().map(|call| {
        let args = call.expressions().iter().map(&mut guarded).collect::<DfResult<Vec<_>>>()?;
        let keys = call.order_bys().iter().map(|key| Arc::clone(&key.expr)).collect();
        // Called with other arguments, one that goes from the last row to the first forgets it.
        let call = (!call.is_reversed())
            .then(|| call.with_new_expressions(args, keys))
            .flatten()
            .map_or_else(|| Arc::clone(call), Arc::new);
        Ok(call)
    });
    let calls = calls.collect::<DfResult<Vec<_>>>()?;
    if !changed {
        return Ok(None);
    }
    let changed = AggregateExec::try_new(
        *aggregate.mode(),
        aggregate.group_expr().clone(),
        calls,
        filters,
        Arc::clone(aggregate.input()),
        aggregate.input_schema(),
    )?;
    Ok(Some(Arc::new(changed.with_limit_options(aggregate.limit_options()))))
}

fn of_join(filter: Option<&JoinFilter>) -> DfResult<Option<JoinFilter>> {
    let Some(filter) = filter else { return Ok(None) };
    let condition = guard_filter(filter.expression())?;
    let (columns, schema) = (filter.column_indices().to_vec(), Arc::clone(filter.schema()));
    let guarded = || JoinFilter::new(condition.data, columns, schema);
    Ok(condition.transformed.then(guarded))
}

/// The condition of a filter: each of its parts, and all of them together.
fn guard_filter(predicate: &Arc<dyn PhysicalExpr>) -> DfResult<Transformed<Arc<dyn PhysicalExpr>>> {
    let mut changed = false;
    let conditions = split_conjunction(predicate).into_iter().map(|condition| {
        let guarded = guard(Arc::clone(condition))?;
        changed |= guarded.transformed;
        Ok(guarded.data)
    });
    let conditions = conditions.collect::<DfResult<Vec<_>>>()?;
    if conditions.iter().skip(1).any(can_fail) {
        let is_known = |condition: &&_| is_equality(condition) && !can_fail(condition);
        let equalities = conditions.iter().filter(is_known);
        let equalities: Vec<_> = equalities.cloned().collect();
        let all: Arc<dyn PhysicalExpr> = Arc::new(Conjunction::new(conditions, can_fail)?);
        // What is known to be one value is known by these: operators above were planned with it.
        let known = equalities.into_iter().reduce(and);
        return Ok(Transformed::yes(match known {
            Some(known) => and(known, all),
            None => all,
        }));
    }
    Ok(match conditions.into_iter().reduce(and) {
        Some(all) if changed => Transformed::yes(all),
        _ => Transformed::no(Arc::clone(predicate)),
    })
}

/// Both conditions as one.
pub(super) fn and(
    left: Arc<dyn PhysicalExpr>,
    right: Arc<dyn PhysicalExpr>,
) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(left, Operator::And, right))
}

/// Whether a condition tells that two expressions, or an expression and a constant, are the same.
pub(super) fn is_equality(condition: &Arc<dyn PhysicalExpr>) -> bool {
    condition.downcast_ref::<BinaryExpr>().is_some_and(|condition| {
        matches!(condition.op(), Operator::Eq | Operator::IsNotDistinctFrom)
    })
}

fn guard(expr: Arc<dyn PhysicalExpr>) -> DfResult<Transformed<Arc<dyn PhysicalExpr>>> {
    expr.transform_up(|expr| {
        let guarded = expr.downcast_ref::<BinaryExpr>().and_then(|condition| {
            let right = condition.right();
            let guard =
                || Guarded::of(Arc::clone(condition.left()), *condition.op(), Arc::clone(right));
            can_fail(right).then(guard).flatten()
        });
        Ok(match guarded {
            Some(guarded) => Transformed::yes(Arc::new(guarded) as Arc<dyn PhysicalExpr>),
            None => Transformed::no(expr),
        })
    })
}

/// Whether an expression gives an error for some values.
pub(super) fn can_fail(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let mut found = false;
    // The walk itself cannot fail.
    let _ = expr.apply(|expr| {
        let call = expr.downcast_ref::<ScalarFunctionExpr>();
        found = call.is_some_and(|call| vonk_functions::can_fail(call.fun().name()));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}
