//! `map_sort(value)`: maps with their entries in the order of the keys, by which equal ones are alike.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take_arrays;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::first_type;
use super::keys::Keys;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};

/// What Spark puts around keys of groups that are or hold maps.
pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Any]);
    Kernel::new("map_sort", parameters, first_type, |call| sorted(&call.array(0)?)).udf()
}

fn sorted(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Map(field, is_sorted) => {
            let maps = array.as_map();
            let (keys, values) = (sorted(maps.keys())?, sorted(maps.values())?);
            let order = Keys::new(&keys)?;
            let mut indices: Vec<u64> = Vec::with_capacity(keys.len());
            let mut lengths = Vec::with_capacity(maps.len());
            for bounds in maps.offsets().windows(2) {
                let mut entries: Vec<usize> = (bounds[0] as usize..bounds[1] as usize).collect();
                entries.sort_by(|a, b| order.get(*a).cmp(&order.get(*b)));
                lengths.push(entries.len());
                indices.extend(entries.into_iter().map(|entry| entry as u64));
            }
            let columns = take_arrays(&[keys, values], &UInt64Array::from(indices), None)?;
            let entries = StructArray::try_new(maps.entries().fields().clone(), columns, None)?;
            let offsets = OffsetBuffer::from_lengths(lengths);
            let nulls = maps.nulls().cloned();
            Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *is_sorted)?)
        }
        DataType::List(field) => {
            let lists = array.as_list::<i32>();
            let items = sorted(lists.values())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(field), offsets, items, nulls)?)
        }
        DataType::Struct(fields) => {
            let structs = array.as_struct();
            let columns = structs.columns().iter().map(sorted).collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new(fields.clone(), columns, structs.nulls().cloned())?)
        }
        _ => Arc::clone(array),
    })
}
