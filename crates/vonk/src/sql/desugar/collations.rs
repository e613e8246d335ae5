//! `COLLATE`: a call that sees whether texts can be compared so.

use sqlparser::ast::{Expr, Value};

use crate::analyze::call;

/// `text COLLATE name` is `collate(text, 'name')`.
pub(super) fn spell_out(expr: &mut Expr) {
    let Expr::Collate { expr: text, collation } = expr else { return };
    let name = collation.0.last().map_or_else(String::new, |part| match part.as_ident() {
        Some(ident) => ident.value.clone(),
        None => part.to_string(),
    });
    let text = std::mem::replace(text.as_mut(), Expr::value(Value::Null));
    *expr = call("collate", vec![text, Expr::value(Value::SingleQuotedString(name))]);
}
