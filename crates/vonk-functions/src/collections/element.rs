//! `element_at(container, key)`: an item of an array by its place from one, or a value of a map by its key.

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::edit::zero_index;
use super::keys::Keys;
use super::lists::item_of;
use super::maps::Maps;
use super::types::{self, entry_of};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

/// Outside of ANSI, a place that an array does not have gives NULL.
pub(crate) fn element_at() -> ScalarUDF {
    kernel("element_at", |call| elements(call, call.is_ansi()))
}

/// `try_element_at(container, key)`: a place that an array does not have gives NULL.
pub(super) fn try_element_at() -> ScalarUDF {
    kernel("try_element_at", |call| elements(call, false))
}

fn kernel(name: &'static str, call: fn(&Call<'_>) -> Result<ArrayRef>) -> ScalarUDF {
    Kernel::new(name, Parameters::exact(&[Kind::Any, Kind::Any]), element_type, call)
        .unifying(container_and_key)
        .udf()
}

fn container_and_key(name: &str, mut types: Vec<DataType>) -> Result<Vec<DataType>> {
    if matches!(types[0], DataType::Map(..)) {
        return types::map_and_key(name, types);
    }
    let is_list = matches!(
        types[0],
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::Null
    );
    if !is_list || !(types[1].is_integer() || types[1].is_null()) {
        let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
        let message = format!("`{name}` takes an array and a place, or a map and a key");
        return Err(Failure::new(condition, message).into_text());
    }
    types[0] = super::lists::list_of(item_of(&types[0]));
    types[1] = DataType::Int64;
    Ok(types)
}

fn element_type(types: &[DataType]) -> Result<DataType> {
    Ok(match &types[0] {
        map @ DataType::Map(..) => entry_of(map).1,
        list => item_of(list),
    })
}

fn elements(call: &Call<'_>, is_strict: bool) -> Result<ArrayRef> {
    let container = call.array(0)?;
    if matches!(container.data_type(), DataType::Map(..)) {
        return values_of_keys(&container, &call.array(1)?);
    }
    let lists = call.lists(0)?;
    let places = call.primitive::<Int64Type>(1)?;
    let mut indices = UInt64Array::builder(call.rows);
    for row in 0..call.rows {
        if lists.is_null(row) || places.is_null(row) {
            indices.append_null();
            continue;
        }
        let (range, place) = (lists.range(row), places.value(row));
        let distance = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
        if distance == 0 {
            return Err(zero_index().into());
        }
        if distance <= range.len() {
            let index = if place > 0 { range.start + distance - 1 } else { range.end - distance };
            indices.append_value(index as u64);
        } else if is_strict {
            return Err(out_of_bounds(place, range.len()).into());
        } else {
            indices.append_null();
        }
    }
    Ok(take(lists.items(), &indices.finish(), None)?)
}

fn out_of_bounds(place: i64, length: usize) -> Failure {
    let message = format!("the index {place} is out of bounds: the array has {length} elements");
    Failure::new("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", message)
        .hint("use `try_element_at` to get NULL instead")
}

/// The values of keys, NULL for a key that a map does not have.
pub(crate) fn values_of_keys(container: &ArrayRef, wanted: &ArrayRef) -> Result<ArrayRef> {
    let maps = Maps::new(container)?;
    let [keys, wanted] = Keys::of([maps.keys(), wanted])?;
    let find = |row: usize| {
        let found = match wanted.is_null(row) {
            true => None,
            false => maps.range(row).find(|index| keys.get(*index) == wanted.get(row)),
        };
        found.map(|index| index as u64)
    };
    let indices: UInt64Array = (0..container.len()).map(find).collect();
    Ok(take(maps.values(), &indices, None)?)
}
