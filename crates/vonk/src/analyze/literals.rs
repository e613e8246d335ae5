//! A whole number is an INT where it fits, as in Spark; DataFusion's parser makes it a BIGINT.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;
use vonk_functions::Failure;

use super::lambdas;

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
        // Its columns have names of their own, and get their types when all rows are known.
        LogicalPlan::Values(_) => plan.map_expressions(|expr| expr.transform_down(narrow_expr)),
        plan => {
            let names = NamePreserver::new(&plan);
            let schema = merge_schema(&plan.inputs());
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let narrowed = expr.transform_down(narrow_expr)?;
                let narrowed = narrowed.transform_data(|expr| lambdas::settle(expr, &schema))?;
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
        // Past the longs, a whole number is a decimal of as many digits as it has.
        Expr::Literal(ScalarValue::UInt64(Some(value)), metadata) => {
            let digits = value.max(1).ilog10() as u8 + 1;
            let decimal = ScalarValue::Decimal128(Some(i128::from(value)), digits, 0);
            Ok(Transformed::yes(Expr::Literal(decimal, metadata)))
        }
        Expr::Literal(ScalarValue::Decimal256(_, precision, _), _) => {
            let message = format!("a decimal has at most 38 digits, not {precision}");
            Err(Failure::new("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", message).into())
        }
        other => Ok(Transformed::no(other)),
    }
}
