//! Calls of functions: Spark's names are vonk's, but for a few that plans spell in their own way.

use spark_connect_proto::Expression;
use spark_connect_proto::expression::{ExprType, UnresolvedFunction};
use vonk::dataframe::{Column, lit};
use vonk::{Result, functions};

use super::{attribute_name, columns};
use crate::relation::Scope;

/// The call of a function or operator.
///
/// # Errors
/// Those of its arguments.
pub(super) fn column(scope: &Scope<'_>, function: &UnresolvedFunction) -> Result<Column> {
    let name = function.function_name.as_str();
    let args = columns(scope, &function.arguments)?;
    if name.eq_ignore_ascii_case("struct") && function.arguments.iter().any(has_name) {
        return Ok(named_struct(&function.arguments, args));
    }
    Ok(match function.is_distinct {
        true => functions::call_distinct(name, args),
        false => functions::call(name, args),
    })
}

fn has_name(expression: &Expression) -> bool {
    matches!(expression.expr_type, Some(ExprType::Alias(_)))
}

/// `struct` of values with names of their own, which a call of SQL has no place for.
fn named_struct(arguments: &[Expression], values: Vec<Column>) -> Column {
    let mut parts = Vec::new();
    for (at, (argument, value)) in arguments.iter().zip(values).enumerate() {
        let name = match &argument.expr_type {
            Some(ExprType::Alias(alias)) => alias.name.first().cloned(),
            _ => attribute_name(argument).map(last_part),
        };
        parts.push(lit(name.unwrap_or_else(|| format!("col{}", at + 1))));
        parts.push(value);
    }
    functions::call("named_struct", parts)
}

fn last_part(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).trim_matches('`').to_owned()
}
