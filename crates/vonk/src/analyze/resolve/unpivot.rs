//! The values of one column of UNPIVOT: their types have to fit together, text only with text.

use datafusion::arrow::datatypes::Field;
use sqlparser::ast::Expr;
use vonk_functions::{coercion, types};

use super::scope::Env;
use super::{Resolver, errors};
use crate::error::{Condition, Error, Result};

/// The first of the expressions, which is the value; the others are all of its column.
///
/// # Errors
/// `UNPIVOT_VALUE_DATA_TYPE_MISMATCH` if they have no common type.
pub(super) fn value(resolver: &Resolver<'_>, all: Vec<Expr>, env: &Env<'_>) -> Result<Expr> {
    let mut all = all.into_iter();
    let Some(value) = all.next() else { return Err(Error::internal("UNPIVOT without a value")) };
    let field = |expr: &Expr| Field::new("", resolver.type_of(expr, env), true);
    let mut common: Option<Field> = None;
    let mode = resolver.config.arithmetic();
    for other in all {
        let next = field(&other);
        common = Some(match common {
            None => next,
            Some(before) => match coercion::widened(&before, &next, mode) {
                Some(wider) => wider,
                None => {
                    let (one, two) = (types::sql_name(&before), types::sql_name(&next));
                    let message = format!("UNPIVOT puts {one} and {two} into one column");
                    let error = Error::new(Condition::UNPIVOT_TYPE_MISMATCH, message)
                        .parameter("types", format!("\"{one}\", \"{two}\""))
                        .hint("cast the columns to one type");
                    return Err(errors::at_expr(error, &other));
                }
            },
        });
    }
    Ok(value)
}
