//! Arrays with an item more or less: `array_append`, `array_prepend`, `array_insert`, `array_remove`,
//! `array_compact`.

use arrow::array::{Array, ArrayRef, Int32Array};
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::keys::Keys;
use super::lists::{Lists, Picker};
use super::{LENGTH_MAX, first_type, types};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

const LIST_AND_ITEM: Parameters = Parameters::exact(&[Kind::List, Kind::Any]);

/// `array_append(array, value)`
pub(super) fn append() -> ScalarUDF {
    Kernel::new("array_append", LIST_AND_ITEM, first_type, |call| with_value(call, false))
        .unifying(types::list_and_item)
        .udf()
}

/// `array_prepend(array, value)`
pub(super) fn prepend() -> ScalarUDF {
    Kernel::new("array_prepend", LIST_AND_ITEM, first_type, |call| with_value(call, true))
        .unifying(types::list_and_item)
        .udf()
}

fn with_value(call: &Call<'_>, in_front: bool) -> Result<ArrayRef> {
    let (lists, values) = (call.lists(0)?, call.array(1)?);
    let values_begin = lists.items().len();
    let mut picker = Picker::default();
    for row in 0..call.rows {
        if lists.is_null(row) {
            picker.end_null();
            continue;
        }
        if in_front {
            picker.push(values_begin + row);
        }
        picker.extend(lists.range(row));
        if !in_front {
            picker.push(values_begin + row);
        }
        picker.end();
    }
    picker.finish(&[lists.items(), &values], call.returns)
}

/// `array_insert(array, position, value)`
pub(super) fn insert() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List, Kind::Int, Kind::Any]);
    Kernel::new("array_insert", parameters, first_type, insert_values)
        .unifying(types::list_and_third)
        .udf()
}

fn insert_values(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let places: Int32Array = call.primitive::<Int32Type>(1)?;
    let values = call.array(2)?;
    let values_begin = lists.items().len();
    let mut picker = Picker::default();
    for row in 0..call.rows {
        if lists.is_null(row) || places.is_null(row) {
            picker.end_null();
            continue;
        }
        insert_value(&mut picker, &lists, row, places.value(row), values_begin + row)?;
    }
    picker.finish(&[lists.items(), &values], call.returns)
}

/// A place before the first item or behind the last leaves NULLs between.
fn insert_value(
    picker: &mut Picker,
    lists: &Lists,
    row: usize,
    place: i32,
    value: usize,
) -> Result<()> {
    let range = lists.range(row);
    let distance = place.unsigned_abs() as usize;
    if distance == 0 {
        return Err(zero_index().into());
    }
    if distance > LENGTH_MAX {
        return Err(too_long("array_insert", distance).into());
    }
    match place > 0 {
        true => {
            let before = (distance - 1).min(range.len());
            picker.extend(range.start..range.start + before);
            (range.len()..distance - 1).for_each(|_| picker.push_null());
            picker.push(value);
            picker.extend(range.start + before..range.end);
        }
        false => {
            let behind = (distance - 1).min(range.len());
            picker.extend(range.start..range.end - behind);
            picker.push(value);
            (range.len()..distance - 1).for_each(|_| picker.push_null());
            picker.extend(range.end - behind..range.end);
        }
    }
    picker.end();
    Ok(())
}

/// The place zero, which counting from one does not have.
pub(super) fn zero_index() -> Failure {
    Failure::new("INVALID_INDEX_OF_ZERO", "the index 0 is invalid: items count from 1")
        .hint("count from 1, or from -1 at the end")
}

/// An array with more items than any array may have.
pub(super) fn too_long(function: &str, length: usize) -> Failure {
    let message = format!("`{function}` would make an array of {length} items: {LENGTH_MAX} fit");
    Failure::new("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", message)
}

/// `array_remove(array, value)`
pub(super) fn remove() -> ScalarUDF {
    Kernel::new("array_remove", LIST_AND_ITEM, first_type, remove_values)
        .unifying(types::list_and_item)
        .udf()
}

fn remove_values(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, values) = (call.lists(0)?, call.array(1)?);
    let [items, wanted] = Keys::of([lists.items(), &values])?;
    let mut picker = Picker::default();
    for row in 0..call.rows {
        if lists.is_null(row) || wanted.is_null(row) {
            picker.end_null();
            continue;
        }
        let unlike = |index: &usize| items.get(*index) != wanted.get(row);
        lists.range(row).filter(unlike).for_each(|index| picker.push(index));
        picker.end();
    }
    picker.finish(&[lists.items()], call.returns)
}

/// `array_compact(array)`
pub(super) fn compact() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List]);
    Kernel::new("array_compact", parameters, first_type, |call| {
        let lists = call.lists(0)?;
        let nulls = lists.items().logical_nulls();
        let mut picker = Picker::default();
        for row in 0..call.rows {
            if lists.is_null(row) {
                picker.end_null();
                continue;
            }
            let valid = |index: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*index));
            lists.range(row).filter(valid).for_each(|index| picker.push(index));
            picker.end();
        }
        picker.finish(&[lists.items()], call.returns)
    })
    .udf()
}
