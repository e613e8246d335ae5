//! INTERSECT ALL and EXCEPT ALL count how often each row is there.
//!
//! DataFusion plans them as joins that only look whether the other side has a row at all
//! (`VALUES (1), (1) EXCEPT ALL VALUES (1)` gives nothing). Equal rows are numbered here, which makes
//! them distinct, and the numbers join too.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, NullEquality, Result as DfResult};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, Join, JoinType, LogicalPlan, LogicalPlanBuilder,
};

/// The column with the number of a row among those equal to it.
const OCCURRENCE: &str = "__occurrence";

/// Makes the set operations with ALL of a new plan right.
///
/// Only set operations hold NULL equal to NULL in a plan that no rule has seen; the left side of
/// those without ALL is a DISTINCT, where a row occurs once anyway.
pub(crate) fn count(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let counted = plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Join(join) if is_set_operation(&join) && !is_distinct(&join.left) => {
            Ok(Transformed::yes(by_occurrence(join)?))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(counted.data)
}

fn is_set_operation(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
        && join.null_equality == NullEquality::NullEqualsNull
        // A DataFrame's plan is part of the next one and comes by again.
        && !join.left.schema().has_column_with_unqualified_name(OCCURRENCE)
}

fn is_distinct(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Distinct(_) => true,
        LogicalPlan::SubqueryAlias(aliased) => is_distinct(&aliased.input),
        _ => false,
    }
}

fn by_occurrence(mut join: Join) -> DfResult<LogicalPlan> {
    let columns = join.left.schema().columns();
    let number = Expr::Column(Column::from_name(OCCURRENCE));
    join.on.push((number.clone(), number));
    let joined = LogicalPlan::Join(Join::try_new(
        Arc::new(numbered(&join.left)?),
        Arc::new(numbered(&join.right)?),
        join.on,
        join.filter,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?);
    LogicalPlanBuilder::from(joined).project(columns.into_iter().map(Expr::Column))?.build()
}

/// The rows with their number among those equal to them.
fn numbered(plan: &LogicalPlan) -> DfResult<LogicalPlan> {
    let columns: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
    let number = row_number().partition_by(columns.clone()).build()?;
    let number_column = Expr::Column(Column::from_name(number.schema_name().to_string()));
    let plan = LogicalPlanBuilder::from(plan.clone()).window([number])?;
    let outputs = columns.into_iter().chain([number_column.alias(OCCURRENCE)]);
    plan.project(outputs)?.build()
}
