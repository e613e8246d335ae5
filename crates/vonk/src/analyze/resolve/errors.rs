//! Errors about names: what does not exist, what could be two things, what stands where it cannot.

use datafusion::arrow::datatypes::{DataType, Fields};
use sqlparser::ast::{Expr, Ident, Spanned};

use super::scope::{Column, Env};
use crate::display::type_name;
use crate::error::{Condition, Error, closest};

/// The words of a path, as they were written.
pub(super) fn words(path: &[Ident]) -> String {
    path.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".")
}

/// An error with the place of the words that it is about.
pub(super) fn at(error: Error, path: &[Ident]) -> Error {
    let (Some(first), Some(last)) = (path.first(), path.last()) else { return error };
    error.at_span(first.span.union(&last.span))
}

/// An error with the place of an expression.
pub(super) fn at_expr(error: Error, expr: &Expr) -> Error {
    error.at_span(expr.span())
}

/// No column is called so.
pub(super) fn unresolved(path: &[Ident], env: &Env<'_>) -> Error {
    let columns: Vec<&Column> = env.from.visible().collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let condition = match names.is_empty() {
        true => Condition::UNRESOLVED_COLUMN_WITHOUT_SUGGESTION,
        false => Condition::UNRESOLVED_COLUMN,
    };
    let name = words(path);
    let mut shown: Vec<&str> = Vec::new();
    for name in &names {
        if !shown.contains(name) {
            shown.push(name);
        }
    }
    let error = Error::new(condition, format!("column `{name}` not found"))
        .parameter("objectName", name.as_str())
        .parameter("proposal", shown.join(", "));
    let last = path.last().map_or("", |part| part.value.as_str());
    let error = match closest(last, shown.iter().copied()) {
        Some(found) => error.hint(format!("did you mean `{found}`?")),
        None if shown.is_empty() => error.hint("there is no table in scope"),
        None => error.hint(format!("the columns are {}", shown.join(", "))),
    };
    at(error, path)
}

/// More than one column is called so.
pub(super) fn ambiguous(path: &[Ident], found: &[&Column]) -> Error {
    let names: Vec<String> = found
        .iter()
        .map(|column| match column.qualifier.last() {
            Some(table) => format!("{table}.{}", column.name),
            None => column.name.clone(),
        })
        .collect();
    ambiguous_names(path, &names)
}

/// More than one thing is called so.
pub(super) fn ambiguous_names(path: &[Ident], names: &[String]) -> Error {
    let name = words(path);
    let error = Error::new(Condition::AMBIGUOUS_REFERENCE, format!("column `{name}` is ambiguous"))
        .parameter("name", name)
        .parameter("referenceNames", names.join(", "))
        .hint("put the table's name or alias before it");
    at(error, path)
}

/// A struct has no such field, or several.
pub(super) fn no_field(field: &Ident, known: &Fields, found: usize) -> Error {
    let names: Vec<&str> = known.iter().map(|field| field.name().as_str()).collect();
    let error = match found {
        0 => Error::new(
            Condition::FIELD_NOT_FOUND,
            format!("there is no field `{}` among {}", field.value, names.join(", ")),
        )
        .did_you_mean(&field.value, names.iter().copied()),
        _ => Error::new(
            Condition::AMBIGUOUS_FIELD,
            format!("there are {found} fields called `{}`", field.value),
        ),
    };
    at(error.parameter("fieldName", field.value.as_str()), std::slice::from_ref(field))
}

/// Something that has no fields at all.
pub(super) fn no_fields(field: &Ident, data_type: &DataType) -> Error {
    let message =
        format!("`{}` cannot be a field of a value of type {}", field.value, type_name(data_type));
    at(Error::new(Condition::INVALID_EXTRACT_BASE, message), std::slice::from_ref(field))
}
