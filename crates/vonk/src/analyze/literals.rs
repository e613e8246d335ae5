//! A whole number is an INT where it fits, as in Spark; DataFusion's parser makes it a BIGINT.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Values};
use datafusion::scalar::ScalarValue;

/// Makes the whole numbers of a new plan as narrow as Spark's, and all types that follow from them.
pub(super) fn narrow(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    // The types of a recursive query are those of its first part, and fixed by now.
    let mut is_recursive = false;
    plan.apply_with_subqueries(|node| {
        is_recursive |= matches!(node, LogicalPlan::RecursiveQuery(_));
        Ok(if is_recursive { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if is_recursive {
        return Ok(plan);
    }
    Ok(plan.transform_up_with_subqueries(narrow_node)?.data)
}

fn narrow_node(plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    match plan {
        // Counts of rows, not values.
        LogicalPlan::Limit(_) => Ok(Transformed::no(plan)),
        LogicalPlan::Values(values) => narrow_values(values).map(Transformed::yes),
        plan => {
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let narrowed = expr.transform_down(narrow_expr)?;
                Ok(narrowed.update_data(|expr| name.restore(expr)))
            })?
            .map_data(LogicalPlan::recompute_schema)
        }
    }
}

fn narrow_expr(expr: Expr) -> DfResult<Transformed<Expr>> {
    match expr {
        // `count(1)` is how rows are counted without looking at them.
        Expr::AggregateFunction(call) if call.func.name() == "count" => {
            Ok(Transformed::new(Expr::AggregateFunction(call), false, TreeNodeRecursion::Jump))
        }
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata) => {
            Ok(match i32::try_from(value) {
                Ok(value) => {
                    Transformed::yes(Expr::Literal(ScalarValue::Int32(Some(value)), metadata))
                }
                Err(_) => Transformed::no(Expr::Literal(ScalarValue::Int64(Some(value)), metadata)),
            })
        }
        other => Ok(Transformed::no(other)),
    }
}

/// The rows of a VALUES find their common types anew.
fn narrow_values(values: Values) -> DfResult<LogicalPlan> {
    let rows: DfResult<Vec<Vec<Expr>>> = values
        .values
        .iter()
        .map(|row| {
            row.iter().map(|expr| Ok(expr.clone().transform_down(narrow_expr)?.data)).collect()
        })
        .collect();
    let narrowed = LogicalPlanBuilder::values(rows?)?.build()?;
    let names = |schema: &datafusion::common::DFSchema| -> Vec<String> {
        schema.fields().iter().map(|field| field.name().clone()).collect()
    };
    if names(narrowed.schema()) == names(&values.schema) {
        return Ok(narrowed);
    }
    Ok(LogicalPlan::Values(values))
}
