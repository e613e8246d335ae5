//! IN lists of floating numbers hold both zeros and both signs of NaN.
//!
//! DataFusion 55 looks for values in long lists, and in what it makes of `a = 1 OR a = 0 OR …`, by their
//! bits: `0.0 IN (1, 2, 3, -0.0)` comes out false. sql/queries/filters.slt has queries that tell.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Adds to lists what is equal to one of their numbers and has other bits.
#[derive(Debug)]
pub(super) struct WithTwins;

impl OptimizerRule for WithTwins {
    fn name(&self) -> &str {
        "zeros_in_lists"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            if !expr.exists(|expr| Ok(matches!(expr, Expr::InList(_))))? {
                return Ok(Transformed::no(expr));
            }
            let name = names.save(&expr);
            let changed = expr.transform_up(|expr| Ok(with_twins(expr)))?;
            Ok(changed.update_data(|expr| name.restore(expr)))
        })
    }
}

fn with_twins(expr: Expr) -> Transformed<Expr> {
    let Expr::InList(mut list) = expr else { return Transformed::no(expr) };
    let mut twins: Vec<Expr> = Vec::new();
    for item in &list.list {
        if let Expr::Literal(value, metadata) = item
            && let Some(twin) = twin(value)
        {
            let twin = Expr::Literal(twin, metadata.clone());
            if !list.list.contains(&twin) && !twins.contains(&twin) {
                twins.push(twin);
            }
        }
    }
    let has_twins = !twins.is_empty();
    list.list.extend(twins);
    Transformed::new_transformed(Expr::InList(list), has_twins)
}

/// The number of the other sign, if it is equal to this one.
fn twin(value: &ScalarValue) -> Option<ScalarValue> {
    match value {
        ScalarValue::Float64(Some(number)) if *number == 0.0 || number.is_nan() => {
            Some(ScalarValue::Float64(Some(-number)))
        }
        ScalarValue::Float32(Some(number)) if *number == 0.0 || number.is_nan() => {
            Some(ScalarValue::Float32(Some(-number)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn zeros_and_nan_get_their_twins_once() {
        let list = col("a").in_list(vec![lit(1.5), lit(0.0), lit(f64::NAN)], false);
        let once = with_twins(list);
        assert!(once.transformed);
        let Expr::InList(list) = &once.data else { unreachable!() };
        assert_eq!(list.list.len(), 5, "{list:?}");
        assert!(!with_twins(once.data).transformed);
        assert!(!with_twins(col("a").in_list(vec![lit(0), lit(1)], true)).transformed);
    }
}
