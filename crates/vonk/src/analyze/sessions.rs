//! `session_window(time, gap)` as a key of groups: sessions that touch each other become one.
//!
//! LATERAL VIEW gives every row the session that it would begin alone. Below the groups, a window over
//! the other keys merges them, in the order of their starts.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result as DfResult, TableReference};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionDefinition};
use datafusion::logical_expr::{
    Aggregate, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, WindowUDF,
};
use vonk_functions::Failure;

use super::Functions;

/// What the column of sessions is called.
pub(super) const COLUMN: &str = "session_window";

/// What the relation is called that has it.
pub(super) const RELATION: &str = "__sessions";

/// The merged sessions, before they take the place of those of single rows.
const MERGED: &str = "__merged_session";

/// Merges the sessions below every node that groups by them.
pub(super) fn merge(plan: LogicalPlan, functions: &Functions<'_>) -> DfResult<LogicalPlan> {
    let merged = plan.transform_up_with_subqueries(|plan| {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let Some(session) = session_of(aggregate) else { return Ok(Transformed::no(plan)) };
        match functions.window("merge_sessions") {
            Some(function) => Ok(Transformed::yes(merged_below(aggregate, session, function)?)),
            None => Ok(Transformed::no(plan)),
        }
    })?;
    Ok(merged.data)
}

/// The column of sessions that a node groups by, unless they are merged.
fn session_of(aggregate: &Aggregate) -> Option<Column> {
    // A DataFrame's plan is part of the next one and comes by again.
    if let LogicalPlan::Projection(projection) = aggregate.input.as_ref()
        && projection.input.schema().has_column_with_unqualified_name(MERGED)
    {
        return None;
    }
    let columns = aggregate.group_expr.iter().flat_map(Expr::column_refs);
    let mut sessions = columns.filter(|column| {
        column.name == COLUMN
            && column.relation.as_ref().map(TableReference::table) == Some(RELATION)
    });
    sessions.next().cloned()
}

fn merged_below(
    aggregate: &Aggregate,
    session: Column,
    function: Arc<WindowUDF>,
) -> DfResult<LogicalPlan> {
    let is_session = |key: &Expr| key.column_refs().contains(&session);
    if aggregate.group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_))) {
        let message = "`session_window` cannot be a key of ROLLUP, CUBE or GROUPING SETS";
        return Err(Failure::new("UNSUPPORTED_FEATURE", message)
            .hint("group by the sessions first, and by the sets in a query over that")
            .into());
    }
    let keys = aggregate.group_expr.iter().filter(|key| !is_session(key)).cloned();
    let value = Expr::Column(session.clone());
    let start = get_field(value.clone(), "start").sort(true, true);
    let call = WindowFunction::new(WindowFunctionDefinition::WindowUDF(function), vec![value]);
    let call = Expr::from(call).partition_by(keys.collect()).order_by(vec![start]).build()?;
    let own =
        aggregate.input.schema().columns().into_iter().map(|column| match column == session {
            true => Expr::Column(Column::from_name(MERGED))
                .alias_qualified(session.relation.clone(), session.name.as_str()),
            false => Expr::Column(column),
        });
    let own: Vec<Expr> = own.collect();
    let input = LogicalPlanBuilder::from(aggregate.input.as_ref().clone());
    let input = input.window([call.alias(MERGED)])?.project(own)?.build()?;
    let (keys, calls) = (aggregate.group_expr.clone(), aggregate.aggr_expr.clone());
    Ok(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), keys, calls)?))
}
