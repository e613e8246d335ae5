//! Which calls an expression holds, outside of its subqueries.

use sqlparser::ast::{self, Expr};

use super::refusals::finds;

/// Whether an expression brings rows together, where `is_aggregate` says which calls do so.
pub(crate) fn has_aggregate(expr: &Expr, is_aggregate: &dyn Fn(&ast::Function) -> bool) -> bool {
    finds(expr, &|call| call.over.is_none() && is_aggregate(call))
}

/// Whether an expression calls a window function.
pub(crate) fn has_window(expr: &Expr) -> bool {
    finds(expr, &|call| call.over.is_some())
}
