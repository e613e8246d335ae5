//! Casts of lists, structs and maps, which are casts of what they hold.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::Caster;
use crate::cast::rules::item;

/// Casts one nested column to another, if both are of the same kind.
pub(super) fn cast(
    caster: &Caster,
    array: &ArrayRef,
    to: &arrow::datatypes::Field,
) -> Result<Option<ArrayRef>> {
    Ok(Some(match (array.data_type(), to.data_type()) {
        (DataType::Null, to) => new_null_array(to, array.len()),
        (from, DataType::List(to_item)) if item(from).is_some() => {
            let from_item = item(from).cloned().map(Arc::new);
            let list = match from_item {
                Some(from_item) => arrow_cast(array, &DataType::List(from_item))?,
                None => return Ok(None),
            };
            let list = list.as_list::<i32>();
            let from_item = match list.data_type() {
                DataType::List(from_item) => Arc::clone(from_item),
                _ => return Ok(None),
            };
            let values = caster.cast(list.values(), &from_item, to_item)?;
            let nulls = list.nulls().cloned();
            Arc::new(ListArray::try_new(
                Arc::clone(to_item),
                list.offsets().clone(),
                values,
                nulls,
            )?)
        }
        (DataType::Struct(from), DataType::Struct(to)) => {
            let structure = array.as_struct();
            let parts = structure.columns().iter().zip(from.iter().zip(to));
            let columns = parts.map(|(column, (from, to))| caster.cast(column, from, to));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let nulls = structure.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(to.clone(), columns, nulls, array.len())?)
        }
        (DataType::Map(from, _), DataType::Map(to, sorted)) => {
            let map = array.as_map();
            let entries = Arc::new(map.entries().clone()) as ArrayRef;
            let entries = caster.cast(&entries, from, to)?.as_struct().clone();
            let nulls = map.nulls().cloned();
            Arc::new(MapArray::try_new(
                Arc::clone(to),
                map.offsets().clone(),
                entries,
                nulls,
                *sorted,
            )?)
        }
        _ => return Ok(None),
    }))
}
