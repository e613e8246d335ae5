//! Expressions of the protocol as columns of vonk: syntax whose names the query gives their meaning.

use arrow::datatypes::DataType;
use spark_connect_proto as proto;
use spark_connect_proto::Expression;
use spark_connect_proto::expression::cast::{CastToType, EvalMode};
use spark_connect_proto::expression::sort_order::{NullOrdering, SortDirection};
use spark_connect_proto::expression::window::window_frame::frame_boundary::Boundary;
use spark_connect_proto::expression::window::window_frame::{FrameBoundary, FrameType};
use spark_connect_proto::expression::{self, ExprType, SortOrder};
use vonk::dataframe::{Column, WindowSpec, col, expr, lit};
use vonk::{Result, Window, functions};

use crate::errors::{self, required};
use crate::relation::Scope;
use crate::{literal, python, types};

mod fields;
mod function;
mod subquery;

/// An expression over the columns of a scope.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if it lacks a part, `UNSUPPORTED_FEATURE` for a kind that vonk has not.
pub(crate) fn column(scope: &Scope<'_>, expression: &Expression) -> Result<Column> {
    use ExprType as Type;
    match required(expression.expr_type.as_ref(), "expression")? {
        Type::Literal(value) => literal::column(scope.session(), value),
        Type::UnresolvedAttribute(attribute) => scope.attribute(attribute),
        Type::UnresolvedFunction(function) => function::column(scope, function),
        Type::ExpressionString(text) => Ok(expr(&text.expression)),
        Type::UnresolvedStar(star) => Ok(col(star.unparsed_target.as_deref().unwrap_or("*"))),
        Type::Alias(alias) => aliased(scope, alias),
        Type::Cast(cast) => self::cast(scope, cast),
        Type::SortOrder(order) => sort_order(scope, order),
        Type::LambdaFunction(lambda) => {
            let body = column(scope, required(lambda.function.as_deref(), "body of a lambda")?)?;
            let names = lambda.arguments.iter().map(variable);
            Ok(functions::lambda_of(names, body))
        }
        Type::UnresolvedNamedLambdaVariable(name) => Ok(col(&quoted(&variable(name)))),
        Type::Window(window) => self::window(scope, window),
        Type::UnresolvedExtractValue(extract) => extracted(scope, extract),
        Type::CallFunction(call) => {
            let args = columns(scope, &call.arguments)?;
            Ok(functions::call(&unquoted(&call.function_name), args))
        }
        Type::NamedArgumentExpression(named) => {
            let value = column(scope, required(named.value.as_deref(), "value of an argument")?)?;
            Ok(functions::named(&named.key, value))
        }
        Type::CommonInlineUserDefinedFunction(call) => python::column(scope, call),
        Type::UpdateFields(update) => fields::updated(scope, update),
        Type::SubqueryExpression(subquery) => subquery::column(scope, subquery),
        Type::UnresolvedRegex(_) => Err(errors::unsupported("columns by a pattern here")),
        Type::MergeAction(_) => Err(errors::unsupported("MERGE")),
        Type::DirectShufflePartitionId(_) => Err(errors::unsupported("partitions by their number")),
        Type::TypedAggregateExpression(_) => Err(errors::unsupported("functions of Scala")),
        Type::Extension(_) => Err(errors::unsupported("extensions of the protocol")),
    }
}

/// Many expressions.
///
/// # Errors
/// Those of [`column`].
pub(crate) fn columns(scope: &Scope<'_>, expressions: &[Expression]) -> Result<Vec<Column>> {
    expressions.iter().map(|expression| column(scope, expression)).collect()
}

/// The name of an expression that is a column and nothing more.
pub(crate) fn attribute_name(expression: &Expression) -> Option<&str> {
    match expression.expr_type.as_ref()? {
        ExprType::UnresolvedAttribute(attribute) => Some(&attribute.unparsed_identifier),
        _ => None,
    }
}

/// An expression with the names of its output.
pub(crate) fn aliased(scope: &Scope<'_>, alias: &expression::Alias) -> Result<Column> {
    let value = column(scope, required(alias.expr.as_deref(), "value of an alias")?)?;
    Ok(match alias.name.as_slice() {
        [name] => value.alias(name),
        names => value.aliases(names),
    })
}

fn cast(scope: &Scope<'_>, cast: &expression::Cast) -> Result<Column> {
    let value = column(scope, required(cast.expr.as_deref(), "value of a cast")?)?;
    let name = match required(cast.cast_to_type.as_ref(), "type of a cast")? {
        CastToType::Type(data_type) => types::ddl(data_type)?,
        CastToType::TypeStr(text) => text.clone(),
    };
    Ok(match cast.eval_mode() {
        EvalMode::Try => value.try_cast(&name),
        _ => value.cast(&name),
    })
}

/// An expression as an item of a SELECT list: the cast of a column keeps the name of the column.
pub(crate) fn item(scope: &Scope<'_>, expression: &Expression) -> Result<Column> {
    let item = column(scope, expression)?;
    let name = match &expression.expr_type {
        Some(ExprType::Cast(cast)) => cast.expr.as_deref().and_then(attribute_name).map(last_part),
        _ => None,
    };
    Ok(match name.map(str::to_owned).or_else(|| field_path(scope, expression)) {
        Some(name) => item.alias(&name),
        None => item,
    })
}

/// The name of a field that is taken out of a struct, which tells of the struct.
fn field_path(scope: &Scope<'_>, expression: &Expression) -> Option<String> {
    let ExprType::UnresolvedExtractValue(extract) = expression.expr_type.as_ref()? else {
        return None;
    };
    let (from, field) = (extract.child.as_deref()?, extract.extraction.as_deref()?);
    let DataType::Struct(_) = scope.type_of(from)? else { return None };
    let outer = match attribute_name(from) {
        Some(name) => last_part(name).to_owned(),
        None => field_path(scope, from)?,
    };
    Some(format!("{outer}.{}", literal_text(field)?))
}

/// The part of a name behind its last dot.
pub(crate) fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name).trim_matches('`')
}

/// The item of an array, the value of a map, or the field of a struct, which is worded with a dot.
fn extracted(scope: &Scope<'_>, extract: &expression::UnresolvedExtractValue) -> Result<Column> {
    let from = required(extract.child.as_deref(), "value to extract from")?;
    let what = required(extract.extraction.as_deref(), "what to extract")?;
    let child = column(scope, from)?;
    match (scope.type_of(from), literal_text(what)) {
        (Some(DataType::Struct(_)), Some(name)) => Ok(child.get_field(name)),
        _ => Ok(child.get_item(column(scope, what)?)),
    }
}

/// A sort key.
pub(crate) fn sort_order(scope: &Scope<'_>, order: &SortOrder) -> Result<Column> {
    let key = column(scope, required(order.child.as_deref(), "key of an order")?)?;
    let is_ascending = order.direction() != SortDirection::Descending;
    let has_nulls_first = match order.null_ordering() {
        NullOrdering::SortNullsFirst => true,
        NullOrdering::SortNullsLast => false,
        NullOrdering::SortNullsUnspecified => is_ascending,
    };
    Ok(sorted(key, Order { is_ascending, has_nulls_first }))
}

/// The sort keys of a list.
pub(crate) fn sort_orders(scope: &Scope<'_>, orders: &[SortOrder]) -> Result<Vec<Column>> {
    orders.iter().map(|order| sort_order(scope, order)).collect()
}

/// Which way a key sorts.
pub(crate) struct Order {
    pub(crate) is_ascending: bool,
    pub(crate) has_nulls_first: bool,
}

/// A key that sorts this way.
pub(crate) fn sorted(key: Column, order: Order) -> Column {
    match (order.is_ascending, order.has_nulls_first) {
        (true, true) => key.asc_nulls_first(),
        (true, false) => key.asc_nulls_last(),
        (false, true) => key.desc_nulls_first(),
        (false, false) => key.desc_nulls_last(),
    }
}

/// A struct of values by their names.
pub(crate) fn structure<N: AsRef<str>>(parts: impl IntoIterator<Item = (N, Column)>) -> Column {
    let parts = parts.into_iter().flat_map(|(name, value)| [lit(name.as_ref()), value]);
    functions::call("named_struct", parts.collect::<Vec<_>>())
}

fn window(scope: &Scope<'_>, window: &expression::Window) -> Result<Column> {
    let function = required(window.window_function.as_deref(), "function of a window")?;
    let keys = columns(scope, &window.partition_spec)?;
    let order = sort_orders(scope, &window.order_spec)?;
    let mut spec = WindowSpec::default();
    if !keys.is_empty() {
        spec = spec.partition_by(keys);
    }
    if !order.is_empty() {
        spec = spec.order_by(order);
    }
    if let Some(frame) = &window.frame_spec {
        let lower = boundary(frame.lower.as_deref(), Window::UNBOUNDED_PRECEDING)?;
        let upper = boundary(frame.upper.as_deref(), Window::UNBOUNDED_FOLLOWING)?;
        spec = match frame.frame_type() {
            FrameType::Range => spec.range_between(lower, upper),
            _ => spec.rows_between(lower, upper),
        };
    }
    match python::over(scope, function, &spec)? {
        Some(value) => Ok(value),
        None => Ok(column(scope, function)?.over(&spec)),
    }
}

fn boundary(boundary: Option<&FrameBoundary>, unbounded: i64) -> Result<i64> {
    let boundary = required(boundary.and_then(|one| one.boundary.as_ref()), "frame's boundary")?;
    match boundary {
        Boundary::CurrentRow(_) => Ok(Window::CURRENT_ROW),
        Boundary::Unbounded(_) => Ok(unbounded),
        Boundary::Value(value) => match literal_number(value) {
            Some(number) => Ok(number),
            None => {
                Err(errors::unsupported("frames of windows whose boundaries are no whole numbers"))
            }
        },
    }
}

/// The whole number that a literal is.
pub(crate) fn literal_number(expression: &Expression) -> Option<i64> {
    use expression::literal::LiteralType as Type;
    let ExprType::Literal(literal) = expression.expr_type.as_ref()? else { return None };
    Some(match literal.literal_type.as_ref()? {
        Type::Byte(value) | Type::Short(value) | Type::Integer(value) => i64::from(*value),
        Type::Long(value) => *value,
        _ => return None,
    })
}

/// The text that a literal is.
pub(crate) fn literal_text(expression: &Expression) -> Option<&str> {
    use expression::literal::LiteralType as Type;
    let ExprType::Literal(literal) = expression.expr_type.as_ref()? else { return None };
    match literal.literal_type.as_ref()? {
        Type::String(text) => Some(text),
        _ => None,
    }
}

fn variable(name: &proto::expression::UnresolvedNamedLambdaVariable) -> String {
    name.name_parts.join(".")
}

/// A name that stands for itself, in the words of [`col`].
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn unquoted(name: &str) -> String {
    name.trim_matches('`').to_owned()
}
