//! The types of lambdas' parameters, which follow from the arrays and maps beside them.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::Expr;

/// Gives the variables of every lambda the types that they have after arguments were cast.
pub(super) fn settle(expr: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    match expr.exists(|part| Ok(matches!(part, Expr::HigherOrderFunction(_))))? {
        true => expr.resolve_lambda_variables(schema),
        false => Ok(Transformed::no(expr)),
    }
}
