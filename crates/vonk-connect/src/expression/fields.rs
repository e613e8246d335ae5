//! Structs with fields put in, replaced or dropped.

use arrow::datatypes::DataType;
use spark_connect_proto::Expression;
use spark_connect_proto::expression::{ExprType, UpdateFields};
use vonk::dataframe::{Column, lit};
use vonk::{Result, functions};

use super::column;
use crate::errors::{self, required};
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

fn changed(base: Column, data_type: &DataType, changes: &[Change]) -> Result<Column> {
    let DataType::Struct(fields) = data_type else {
        return Err(errors::unsupported("changes of the fields of what is no struct"));
    };
    let mut parts: Vec<(String, Column, Option<DataType>)> = fields
        .iter()
        .map(|field| {
            let value = base.clone().get_field(field.name());
            (field.name().clone(), value, Some(field.data_type().clone()))
        })
        .collect();
    for change in changes {
        let Some((name, rest)) = change.path.split_first() else { continue };
        let at = parts.iter().position(|(field, ..)| field.eq_ignore_ascii_case(name));
        match (rest.is_empty(), &change.value, at) {
            (true, Some(value), Some(at)) => parts[at] = (parts[at].0.clone(), value.clone(), None),
            (true, Some(value), None) => parts.push((name.clone(), value.clone(), None)),
            (true, None, Some(at)) => {
                parts.remove(at);
            }
            (true, None, None) => {}
            (false, value, Some(at)) => {
                let inner = [Change { path: rest.to_vec(), value: value.clone() }];
                let (field, column, data_type) = parts[at].clone();
                let unknown = || errors::unsupported("two changes of one nested struct");
                let data_type = data_type.ok_or_else(unknown)?;
                parts[at] = (field, changed(column, &data_type, &inner)?, None);
            }
            (false, _, None) => {
                return Err(errors::unsupported(&format!(
                    "changes of a field `{name}` that is not there"
                )));
            }
        }
    }
    let named = parts.into_iter().flat_map(|(name, value, _)| [lit(name), value]);
    let whole = functions::call("named_struct", named.collect::<Vec<Column>>());
    Ok(functions::when(base.is_not_null(), whole))
}
