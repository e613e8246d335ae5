//! Calls of functions: Spark's names are vonk's, but for a few that plans spell in their own way.

use spark_connect_proto::Expression;
use spark_connect_proto::expression::{ExprType, UnresolvedFunction};
use vonk::dataframe::{Column, col, expr, lit};
use vonk::{Result, functions};

use super::{attribute_name, last_part, literal_text, quoted, structure};
use crate::relation::{Scope, row_number};
use crate::types;

/// The call of a function or operator.
///
/// # Errors
/// Those of its arguments.
pub(super) fn column(scope: &Scope<'_>, function: &UnresolvedFunction) -> Result<Column> {
    let name = function.function_name.as_str();
    match (name, function.arguments.as_slice()) {
        ("distributed_sequence_id", _) => {
            return Ok(row_number().cast_unnamed("bigint") - lit(1i64));
        }
        ("product", [value]) => return Ok(product(super::column(scope, value)?)),
        ("timestampadd" | "timestampdiff", [unit, rest @ ..]) => {
            if let Some(unit) = literal_text(unit) {
                return of_unit(scope, name, unit, rest);
            }
        }
        _ => {}
    }
    let mut args = Vec::new();
    for argument in &function.arguments {
        args.extend(self::arguments(scope, name, argument)?);
    }
    if name.eq_ignore_ascii_case("struct") && function.arguments.iter().any(has_name) {
        return Ok(named_struct(&function.arguments, args));
    }
    Ok(match function.is_distinct {
        true => functions::call_distinct(name, args),
        false => functions::call(name, args),
    })
}

/// `timestampadd` and `timestampdiff`, whose unit SQL writes as a word.
fn of_unit(scope: &Scope<'_>, name: &str, unit: &str, rest: &[Expression]) -> Result<Column> {
    let mut args = vec![col(unit)];
    args.extend(super::columns(scope, rest)?);
    Ok(functions::call(name, args))
}

/// The product of a group's values, which SQL has no function for: NULL if there are none.
fn product(value: Column) -> Column {
    let name = format!("product({})", value);
    let values = functions::call("collect_list", [value.clone().cast("double")]);
    let times = functions::lambda_of(["left", "right"], col("left") * col("right"));
    let product = functions::call("aggregate", [values, lit(1.0f64), times]);
    let any = functions::call("count", [value]).gt(lit(0i64));
    functions::call("if", [any, product, expr("NULL")]).alias(&name)
}

/// What one argument stands for: a star is all columns, but for `count`.
fn arguments(scope: &Scope<'_>, function: &str, argument: &Expression) -> Result<Vec<Column>> {
    let is_star = match &argument.expr_type {
        Some(ExprType::UnresolvedStar(star)) => star.unparsed_target.is_none(),
        _ => false,
    };
    if is_star && !function.eq_ignore_ascii_case("count") {
        return Ok(scope.names().map(|name| col(&quoted(name))).collect());
    }
    // PySpark gives a schema that is an object as JSON, which SQL has no place for.
    if READS_SCHEMA.contains(&function)
        && let Some(text) = literal_text(argument)
        && text.trim_start().starts_with('{')
        && let Ok(ddl) = types::ddl_of_json(text)
    {
        return Ok(vec![lit(ddl)]);
    }
    Ok(vec![super::column(scope, argument)?])
}

/// Functions whose second argument is a schema.
const READS_SCHEMA: &[&str] = &["from_csv", "from_json", "from_xml"];

fn has_name(expression: &Expression) -> bool {
    matches!(expression.expr_type, Some(ExprType::Alias(_)))
}

/// `struct` of values with names of their own, which a call of SQL has no place for.
fn named_struct(arguments: &[Expression], values: Vec<Column>) -> Column {
    let names = arguments.iter().enumerate().map(|(at, argument)| {
        let name = match &argument.expr_type {
            Some(ExprType::Alias(alias)) => alias.name.first().cloned(),
            _ => attribute_name(argument).map(|name| last_part(name).to_owned()),
        };
        name.unwrap_or_else(|| format!("col{}", at + 1))
    });
    structure(names.zip(values))
}
