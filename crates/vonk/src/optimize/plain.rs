//! Which conditions may be asked of other rows than they were written for.

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::Expr;

/// Whether nothing is computed in a condition that could fail for other rows.
pub(super) fn is_plain(condition: &Expr) -> bool {
    let computes = |expr: &Expr| {
        Ok(match expr {
            Expr::BinaryExpr(binary) => {
                !binary.op.is_logic_operator() && binary.op.negate().is_none()
            }
            Expr::Column(_)
            | Expr::Literal(..)
            | Expr::Between(_)
            | Expr::InList(_)
            | Expr::IsNotNull(_)
            | Expr::IsNull(_)
            | Expr::Not(_) => false,
            _ => true,
        })
    };
    condition.exists(computes).is_ok_and(|computes| !computes)
}
