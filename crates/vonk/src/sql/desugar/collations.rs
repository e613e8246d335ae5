//! `COLLATE`: texts are compared byte by byte, which is Spark's `UTF8_BINARY`; others are refused.

use sqlparser::ast::Expr;

use crate::error::{Condition, Error, Result};

/// The collation of every text.
const BINARY: &str = "UTF8_BINARY";

/// Collations of Spark that compare otherwise; languages such as `de_CI` are others.
const OTHERS: &[&str] = &["UTF8_LCASE", "UNICODE", "UNICODE_CI", "UNICODE_AI", "UNICODE_CI_AI"];

/// Takes the collation that every text has off an expression.
pub(super) fn spell_out(expr: &mut Expr) -> Result<()> {
    let Expr::Collate { expr: inner, collation } = expr else { return Ok(()) };
    check(&collation.to_string())?;
    let inner = std::mem::replace(inner.as_mut(), Expr::value(sqlparser::ast::Value::Null));
    *expr = Expr::Nested(Box::new(inner));
    Ok(())
}

/// Refuses a collation that is not the one of every text.
///
/// # Errors
/// `COLLATION_INVALID_NAME` for what is no collation of Spark's, else `UNSUPPORTED_FEATURE`.
pub(in crate::sql) fn check(name: &str) -> Result<()> {
    let bare = name.rsplit('.').next().unwrap_or(name).trim_matches('`').to_uppercase();
    if bare == BINARY {
        return Ok(());
    }
    let is_language = bare.split('_').next().is_some_and(|first| (2..=3).contains(&first.len()));
    if OTHERS.contains(&bare.as_str()) || is_language {
        return Err(Error::unsupported(format!("the collation `{name}`"))
            .hint("compare `lower(…)` of both sides, or use UTF8_BINARY"));
    }
    let message = format!("the collation `{name}` does not exist");
    Err(Error::new(Condition::COLLATION_INVALID_NAME, message)
        .did_you_mean(&bare, OTHERS.iter().copied().chain([BINARY])))
}
