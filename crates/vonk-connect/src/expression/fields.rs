//! Structs with fields put in, replaced or dropped.

use arrow::datatypes::{DataType, FieldRef};
use spark_connect_proto::Expression;
use spark_connect_proto::expression::{ExprType, UpdateFields};
use vonk::dataframe::Column;
use vonk::{Error, Result, functions};

use super::{column, quoted, structure};
use crate::errors::{self, FIELD_NOT_FOUND, required};
use crate::relation::Scope;

/// A change of one field; without a value it is dropped.
struct Change {
    path: Vec<String>,
    value: Option<Column>,
}

/// The struct with its changes, which come one around the other.
pub(super) fn updated(scope: &Scope<'_>, update: &UpdateFields) -> Result<Column> {
    let mut changes = Vec::new();
    let mut update = update;
    let base: &Expression = loop {
        let value = update.value_expression.as_deref();
        let value = value.map(|value| column(scope, value)).transpose()?;
        let path = update.field_name.split('.').map(|part| part.trim_matches('`').to_owned());
        changes.push(Change { path: path.collect(), value });
        let inner = required(update.struct_expression.as_deref(), "struct to change")?;
        match &inner.expr_type {
            Some(ExprType::UpdateFields(next)) => update = next,
            _ => break inner,
        }
    };
    changes.reverse();
    let unknown = || errors::unsupported("changes of the fields of a struct that is computed");
    let data_type = scope.type_of(base).ok_or_else(unknown)?;
    changed(column(scope, base)?, &data_type, &changes)
}

/// A struct whose fields change, or a value that stands in a field.
enum Part {
    /// A field as it is.
    Kept(Column, DataType),
    /// A new value.
    New(Column),
    /// A struct of which fields changed.
    Changed(Column, Vec<(String, Part)>),
}

fn changed(base: Column, data_type: &DataType, changes: &[Change]) -> Result<Column> {
    let mut part = Part::Kept(base, data_type.clone());
    for change in changes {
        part.change(&change.path, change.value.as_ref())?;
    }
    Ok(part.column())
}

impl Part {
    /// The fields, of which some change; a new value tells nobody its fields.
    fn fields(&mut self) -> Result<&mut Vec<(String, Part)>> {
        if let Part::Kept(value, DataType::Struct(fields)) = self {
            let field = |field: &FieldRef| {
                let value = value.clone().get_field(field.name());
                (field.name().clone(), Part::Kept(value, field.data_type().clone()))
            };
            *self = Part::Changed(value.clone(), fields.iter().map(field).collect());
        }
        match self {
            Part::Changed(_, fields) => Ok(fields),
            _ => Err(errors::unsupported("changes of the fields of what is no struct")),
        }
    }

    fn change(&mut self, path: &[String], value: Option<&Column>) -> Result<()> {
        let Some((name, rest)) = path.split_first() else { return Ok(()) };
        let fields = self.fields()?;
        let at = fields.iter().position(|(field, _)| field.eq_ignore_ascii_case(name));
        match (rest, value, at) {
            ([], Some(value), Some(at)) => fields[at].1 = Part::New(value.clone()),
            ([], Some(value), None) => fields.push((name.clone(), Part::New(value.clone()))),
            ([], None, Some(at)) => drop(fields.remove(at)),
            ([], None, None) => {}
            (rest, value, Some(at)) => fields[at].1.change(rest, value)?,
            (_, _, None) => {
                let message = format!("the struct has no field `{name}`");
                return Err(
                    Error::new(FIELD_NOT_FOUND, message).parameter("fieldName", quoted(name))
                );
            }
        }
        Ok(())
    }

    fn column(self) -> Column {
        match self {
            Part::Kept(value, _) | Part::New(value) => value,
            Part::Changed(base, fields) => {
                let named = fields.into_iter().map(|(name, part)| (name, part.column()));
                functions::when(base.is_not_null(), structure(named))
            }
        }
    }
}
