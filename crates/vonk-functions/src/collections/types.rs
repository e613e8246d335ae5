//! What the arguments of functions of arrays and maps become, so that items and values fit each other.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;

use super::lists::{item_of, list_of};
use crate::arithmetic::Mode;
use crate::coercion::common_of;
use crate::failure::Failure;

/// The type that values of all these types become.
pub(crate) fn common(types: &[DataType]) -> Option<DataType> {
    let fields: Vec<Field> =
        types.iter().map(|data_type| Field::new("", data_type.clone(), true)).collect();
    common_of(&fields, Mode::Ansi).map(|field| field.data_type().clone())
}

/// As [`common`], but texts stay texts: an array of numbers has no place for one.
fn common_but_texts(types: &[DataType]) -> Option<DataType> {
    let has_text = types.iter().any(DataType::is_string);
    let has_other = types.iter().any(|found| !found.is_string() && !found.is_null());
    if has_text && has_other { None } else { common(types) }
}

fn different(name: &str, condition: &'static str, types: &[DataType]) -> Failure {
    let types: Vec<String> = types.iter().map(ToString::to_string).collect();
    let message = format!("`{name}` takes values of one type, not of {}", types.join(" and "));
    Failure::new(condition, message).hint("cast them to one type")
}

/// An array and a value of its items' type; what follows keeps its type.
pub(crate) fn list_and_item(name: &str, arguments: Vec<DataType>) -> Result<Vec<DataType>> {
    list_and_value(name, arguments, 1)
}

/// An array and, in the third place, a value of its items' type.
pub(crate) fn list_and_third(name: &str, arguments: Vec<DataType>) -> Result<Vec<DataType>> {
    list_and_value(name, arguments, 2)
}

fn list_and_value(name: &str, mut types: Vec<DataType>, at: usize) -> Result<Vec<DataType>> {
    let own = [item_of(&types[0]), types[at].clone()];
    let Some(item) = common_but_texts(&own) else {
        let condition = "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES";
        return Err(different(name, condition, &[types[0].clone(), types[at].clone()]).into_text());
    };
    types[0] = list_of(item.clone());
    types[at] = item;
    Ok(types)
}

/// Arrays of one type.
pub(crate) fn lists_alike(name: &str, arguments: Vec<DataType>) -> Result<Vec<DataType>> {
    let items: Vec<DataType> = arguments.iter().map(item_of).collect();
    let Some(item) = common_but_texts(&items) else {
        let condition = "DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES";
        return Err(different(name, condition, &arguments).into_text());
    };
    Ok(vec![list_of(item); arguments.len()])
}

/// Values of one type.
pub(crate) fn values_alike(name: &str, arguments: Vec<DataType>) -> Result<Vec<DataType>> {
    if arguments.is_empty() {
        return Ok(arguments);
    }
    let Some(value) = common(&arguments) else {
        let condition = "DATATYPE_MISMATCH.DATA_DIFF_TYPES";
        return Err(different(name, condition, &arguments).into_text());
    };
    Ok(vec![value; arguments.len()])
}

/// Keys of one type and values of one type, in turns.
pub(crate) fn keys_and_values(name: &str, mut types: Vec<DataType>) -> Result<Vec<DataType>> {
    if types.len() % 2 == 1 {
        let message = format!("`{name}` takes keys and values in turns, not {}", types.len());
        return Err(Failure::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", message).into_text());
    }
    for at in 0..types.len().min(2) {
        let own: Vec<DataType> = types.iter().skip(at).step_by(2).cloned().collect();
        let condition = match at {
            0 => "DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES",
            _ => "DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES",
        };
        let one = common(&own).ok_or_else(|| different(name, condition, &own).into_text())?;
        types.iter_mut().skip(at).step_by(2).for_each(|slot| *slot = one.clone());
    }
    Ok(types)
}

/// Maps of one type.
pub(crate) fn maps_alike(name: &str, arguments: Vec<DataType>) -> Result<Vec<DataType>> {
    let parts: Vec<(DataType, DataType)> = arguments.iter().map(entry_of).collect();
    let keys: Vec<DataType> = parts.iter().map(|(key, _)| key.clone()).collect();
    let values: Vec<DataType> = parts.into_iter().map(|(_, value)| value).collect();
    match (common(&keys), common(&values)) {
        (Some(key), Some(value)) => Ok(vec![map_of(key, value); arguments.len()]),
        _ => Err(different(name, "DATATYPE_MISMATCH.DATA_DIFF_TYPES", &arguments).into_text()),
    }
}

/// A map and a value of its keys' type.
pub(crate) fn map_and_key(name: &str, arguments: Vec<DataType>) -> Result<Vec<DataType>> {
    let (key, value) = entry_of(&arguments[0]);
    let given = arguments[1].clone();
    match common_but_texts(&[key, given]) {
        Some(key) => Ok(vec![map_of(key.clone(), value), key]),
        None => {
            let condition = "DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES";
            Err(different(name, condition, &arguments).into_text())
        }
    }
}

/// The type of maps from one type to another; values may be NULL.
pub(crate) fn map_of(key: DataType, value: DataType) -> DataType {
    let fields =
        Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

/// The types of a map's keys and values.
pub(crate) fn entry_of(data_type: &DataType) -> (DataType, DataType) {
    if let DataType::Map(entries, _) = data_type
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        return (key.data_type().clone(), value.data_type().clone());
    }
    (DataType::Null, DataType::Null)
}
