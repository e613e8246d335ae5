//! Arrays in another order: `sort_array`, `slice`; and of another depth: `flatten`.

use arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::first_type;
use super::keys::Keys;
use super::lists::{Lists, Picker, item_of};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::types;

/// `sort_array(array[, ascending])`
pub(super) fn sort_array() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::List], &[Kind::Boolean]);
    Kernel::new("sort_array", parameters, ordered_type, |call| {
        let lists = call.lists(0)?;
        let keys = Keys::new(lists.items())?;
        let ascending = match call.count() {
            1 => None,
            _ => Some(call.array(1)?),
        };
        let mut picker = Picker::default();
        for row in 0..call.rows {
            if lists.is_null(row) || ascending.as_ref().is_some_and(|flags| flags.is_null(row)) {
                picker.end_null();
                continue;
            }
            let mut indices: Vec<usize> = lists.range(row).collect();
            indices.sort_by(|a, b| keys.get(*a).cmp(&keys.get(*b)));
            if ascending.as_ref().is_some_and(|flags| !flags.as_boolean().value(row)) {
                indices.reverse();
            }
            indices.into_iter().for_each(|index| picker.push(index));
            picker.end();
        }
        picker.finish(&[lists.items()], call.returns)
    })
    .udf()
}

/// The type of an array whose items have an order.
fn ordered_type(types: &[DataType]) -> Result<DataType> {
    if types::has_map(&types[0]) {
        let message = "`sort_array` orders items, and maps have no order";
        return Err(Failure::new("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", message).into());
    }
    first_type(types)
}

/// `slice(array, start, length)`
pub(super) fn slice() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List, Kind::Int, Kind::Int]);
    Kernel::new("slice", parameters, first_type, |call| {
        let lists = call.lists(0)?;
        let starts: Int32Array = call.primitive::<Int32Type>(1)?;
        let lengths: Int32Array = call.primitive::<Int32Type>(2)?;
        let mut picker = Picker::default();
        for row in 0..call.rows {
            if lists.is_null(row) || starts.is_null(row) || lengths.is_null(row) {
                picker.end_null();
                continue;
            }
            let range = lists.range(row);
            let (begin, count) = cut(range.len(), starts.value(row), lengths.value(row))?;
            picker.extend(range.start + begin..range.start + begin + count);
            picker.end();
        }
        picker.finish(&[lists.items()], call.returns)
    })
    .udf()
}

/// Where a slice of so many items begins, and how many it has.
fn cut(items: usize, start: i32, length: i32) -> Result<(usize, usize)> {
    let distance = start.unsigned_abs() as usize;
    if distance == 0 {
        let message = "the start of a slice is 0: items count from 1";
        let failure = Failure::new("INVALID_PARAMETER_VALUE.START", message);
        return Err(failure.hint("count from 1, or from -1 at the end").into());
    }
    let Ok(length) = usize::try_from(length) else {
        let message = format!("the length of a slice is {length}, which is negative");
        return Err(Failure::new("INVALID_PARAMETER_VALUE.LENGTH", message).into());
    };
    let begin = match start > 0 {
        true => distance - 1,
        false if distance > items => return Ok((0, 0)),
        false => items - distance,
    };
    Ok(if begin >= items { (0, 0) } else { (begin, length.min(items - begin)) })
}

/// `flatten(array of arrays)`
pub(super) fn flatten() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List]);
    Kernel::new("flatten", parameters, flat_type, |call| {
        let outer = call.lists(0)?;
        let inner = Lists::new(outer.items())?;
        let mut picker = Picker::default();
        for row in 0..call.rows {
            if outer.is_null(row) || outer.range(row).any(|index| inner.is_null(index)) {
                picker.end_null();
                continue;
            }
            outer.range(row).for_each(|index| picker.extend(inner.range(index)));
            picker.end();
        }
        picker.finish(&[inner.items()], call.returns)
    })
    .udf()
}

fn flat_type(types: &[DataType]) -> Result<DataType> {
    match item_of(&types[0]) {
        list @ DataType::List(_) => Ok(list),
        other => {
            let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
            let message = format!("`flatten` takes an array of arrays, not one of {other}");
            Err(Failure::new(condition, message).into())
        }
    }
}

/// `array_repeat(value, count)`
pub(super) fn repeat() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Any, Kind::Int]);
    let returns = |types: &[DataType]| Ok(super::lists::list_of(types[0].clone()));
    Kernel::new("array_repeat", parameters, returns, repeat_values).udf()
}

fn repeat_values(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.array(0)?;
    let counts: Int32Array = call.primitive::<Int32Type>(1)?;
    let mut picker = Picker::default();
    for row in 0..call.rows {
        if counts.is_null(row) {
            picker.end_null();
            continue;
        }
        let count = usize::try_from(counts.value(row)).unwrap_or_default();
        if count > super::LENGTH_MAX {
            return Err(super::edit::too_long("array_repeat", count).into());
        }
        (0..count).for_each(|_| picker.push(row));
        picker.end();
    }
    picker.finish(&[&values], call.returns)
}

/// `get(array, index)`, whose index counts from zero
pub(super) fn get() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List, Kind::Long]);
    Kernel::new(
        "get",
        parameters,
        |types| Ok(item_of(&types[0])),
        |call| {
            let lists = call.lists(0)?;
            let places = call.primitive::<Int64Type>(1)?;
            let pick = |row: usize| {
                let range = lists.range(row);
                let place = places.is_valid(row).then(|| usize::try_from(places.value(row)).ok());
                let place = place.flatten().filter(|place| *place < range.len())?;
                Some((range.start + place) as u64)
            };
            let indices: arrow::array::UInt64Array = (0..call.rows).map(pick).collect();
            Ok(arrow::compute::take(lists.items(), &indices, None)?)
        },
    )
    .udf()
}
