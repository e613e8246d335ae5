//! Keys of groups that are or hold maps: two maps are equal in whichever order their entries stand.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan};
use vonk_functions::types::has_map;

use super::Functions;
use super::decorrelate::named;

/// Puts the maps in the keys of groups in order.
pub(super) fn sort(plan: LogicalPlan, functions: &Functions<'_>) -> DfResult<LogicalPlan> {
    let sorted = plan.transform_up_with_subqueries(|plan| match &plan {
        LogicalPlan::Aggregate(aggregate) if groups_by_map(aggregate)? => {
            let keys = aggregate.group_expr.iter().map(|key| sorted_key(key, aggregate, functions));
            let keys = keys.collect::<DfResult<Vec<_>>>()?;
            let (input, calls) = (Arc::clone(&aggregate.input), aggregate.aggr_expr.clone());
            let aggregate = Aggregate::try_new(input, keys, calls)?;
            Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
        }
        _ => Ok(Transformed::no(plan)),
    })?;
    Ok(sorted.data)
}

fn groups_by_map(aggregate: &Aggregate) -> DfResult<bool> {
    for key in &aggregate.group_expr {
        if is_unsorted(key, aggregate)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a key holds maps that are not put in order yet; those of sets stay as they are.
fn is_unsorted(key: &Expr, aggregate: &Aggregate) -> DfResult<bool> {
    if matches!(key, Expr::GroupingSet(_)) {
        return Ok(false);
    }
    let is_sorted = matches!(
        key.clone().unalias(),
        Expr::ScalarFunction(call) if call.func.name() == "map_sort"
    );
    Ok(!is_sorted && has_map(&key.get_type(aggregate.input.schema())?))
}

fn sorted_key(key: &Expr, aggregate: &Aggregate, functions: &Functions<'_>) -> DfResult<Expr> {
    let Some(function) = functions.scalar("map_sort") else { return Ok(key.clone()) };
    if !is_unsorted(key, aggregate)? {
        return Ok(key.clone());
    }
    let (qualifier, name) = key.qualified_name();
    Ok(named(function.call(vec![key.clone().unalias()]), qualifier.as_ref(), &name))
}
