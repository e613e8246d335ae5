//! What arrays hold: `array_contains`, `array_position`, `array_max`, `array_min`, `size`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::keys::Keys;
use super::lists::item_of;
use super::types;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

const LIST_AND_ITEM: Parameters = Parameters::exact(&[Kind::List, Kind::Any]);

/// `array_contains(array, value)`
pub(super) fn contains() -> ScalarUDF {
    Kernel::new(
        "array_contains",
        LIST_AND_ITEM,
        |_| Ok(DataType::Boolean),
        |call| {
            let found = find(call)?.into_iter().map(|found| match found {
                Found::At(_) => Some(true),
                Found::Nowhere => Some(false),
                Found::Unknown | Found::PerhapsAtNull => None,
            });
            Ok(Arc::new(found.collect::<BooleanArray>()))
        },
    )
    .unifying(types::list_and_item)
    .udf()
}

/// `array_position(array, value)`
pub(super) fn position() -> ScalarUDF {
    Kernel::new(
        "array_position",
        LIST_AND_ITEM,
        |_| Ok(DataType::Int64),
        |call| {
            let found = find(call)?.into_iter().map(|found| match found {
                Found::At(place) => i64::try_from(place + 1).ok(),
                Found::Nowhere | Found::PerhapsAtNull => Some(0),
                Found::Unknown => None,
            });
            Ok(Arc::new(found.collect::<Int64Array>()))
        },
    )
    .unifying(types::list_and_item)
    .udf()
}

/// Where a value stands in an array.
enum Found {
    /// At this place, from zero.
    At(usize),
    Nowhere,
    /// Nowhere, but the array has a NULL.
    PerhapsAtNull,
    /// The array or the value is NULL.
    Unknown,
}

fn find(call: &Call<'_>) -> Result<Vec<Found>> {
    let (lists, values) = (call.lists(0)?, call.array(1)?);
    let [items, wanted] = Keys::of([lists.items(), &values])?;
    let find = |row: usize| {
        if lists.is_null(row) || wanted.is_null(row) {
            return Found::Unknown;
        }
        let key = wanted.get(row);
        match lists.range(row).position(|index| items.get(index) == key) {
            Some(place) => Found::At(place),
            None if lists.range(row).any(|index| items.is_null(index)) => Found::PerhapsAtNull,
            None => Found::Nowhere,
        }
    };
    Ok((0..call.rows).map(find).collect())
}

/// `array_max(array)`
pub(super) fn max() -> ScalarUDF {
    extreme("array_max", |call| pick_extreme(call, |keys, a, b| keys.get(b) > keys.get(a)))
}

/// `array_min(array)`
pub(super) fn min() -> ScalarUDF {
    extreme("array_min", |call| pick_extreme(call, |keys, a, b| keys.get(b) < keys.get(a)))
}

fn extreme(name: &'static str, call: fn(&Call<'_>) -> Result<ArrayRef>) -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List]);
    Kernel::new(name, parameters, |types| Ok(item_of(&types[0])), call).udf()
}

/// The first of the items that none replaces; NULLs are no items.
fn pick_extreme(
    call: &Call<'_>,
    replaces: impl Fn(&Keys, usize, usize) -> bool,
) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let keys = Keys::new(lists.items())?;
    let best = |row: usize| {
        let items = lists.range(row).filter(|index| !keys.is_null(*index));
        let best = items.reduce(|best, next| if replaces(&keys, best, next) { next } else { best });
        best.map(|index| index as u64)
    };
    let indices: UInt64Array = (0..call.rows).map(best).collect();
    Ok(take(lists.items(), &indices, None)?)
}

/// `size(array or map)`; outside of ANSI the size of NULL is -1.
pub(super) fn size() -> ScalarUDF {
    Kernel::new("size", Parameters::exact(&[Kind::Any]), size_type, |call| {
        let sizes = sizes(call)?;
        if call.is_ansi() {
            return Ok(Arc::new(sizes));
        }
        Ok(Arc::new(sizes.iter().map(|size| Some(size.unwrap_or(-1))).collect::<Int32Array>()))
    })
    .udf()
}

/// `array_size(array)`
pub(super) fn array_size() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List]);
    Kernel::new(
        "array_size",
        parameters,
        |_| Ok(DataType::Int32),
        |call| Ok(Arc::new(sizes(call)?)),
    )
    .udf()
}

fn size_type(types: &[DataType]) -> Result<DataType> {
    match &types[0] {
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Map(..)
        | DataType::Null => Ok(DataType::Int32),
        other => {
            let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
            let message = format!("`size` takes an array or a map, not a value of {other}");
            Err(Failure::new(condition, message).into())
        }
    }
}

fn sizes(call: &Call<'_>) -> Result<Int32Array> {
    let array = call.array(0)?;
    if let DataType::Map(..) = array.data_type() {
        let map = array.as_map();
        let size = |row: usize| map.is_valid(row).then(|| map.value_length(row));
        return Ok((0..call.rows).map(size).collect());
    }
    let lists = call.lists(0)?;
    let size = |row: usize| {
        (!lists.is_null(row)).then(|| i32::try_from(lists.range(row).len()).unwrap_or(i32::MAX))
    };
    Ok((0..call.rows).map(size).collect())
}
