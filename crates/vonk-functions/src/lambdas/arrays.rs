//! `transform`, `filter`, `exists`, `forall`, `zip_with`: a lambda over every item of arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, UInt64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::HigherOrderUDF;

use super::{Call, Items, Kernel, all_lists, condition, only, rows_of};
use crate::collections::lists::{Lists, Picker, item_of, list, list_of};

/// The item and its place from zero.
fn item_and_place(values: &[DataType]) -> Vec<Vec<DataType>> {
    vec![vec![item_of(&values[0]), DataType::Int32]]
}

fn over_items(
    name: &'static str,
    returns: fn(&[DataType], &[DataType]) -> Result<DataType>,
    call: fn(&Call<'_>) -> Result<ArrayRef>,
) -> HigherOrderUDF {
    Kernel {
        name,
        values: 1,
        lambdas: (1, 1),
        coerce: all_lists,
        parameters: item_and_place,
        returns,
        call,
    }
    .udf()
}

/// `transform(array, (item[, place]) -> …)`
pub(super) fn transform() -> HigherOrderUDF {
    over_items(
        "transform",
        |_, given| Ok(list_of(only(given)?)),
        |call| {
            let lists = call.lists(0)?;
            let items = Items::of(&lists, call.rows)?;
            let made = apply(call, &items)?;
            rebuild(call, items.lengths, made, lists.nulls().cloned())
        },
    )
}

fn rebuild(
    call: &Call<'_>,
    lengths: Vec<usize>,
    items: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    match call.returns {
        DataType::List(item) => list(item, lengths, items, nulls),
        other => exec_err!("an array is made, not a value of {other}"),
    }
}

/// What the lambda gives for every item.
fn apply(call: &Call<'_>, items: &Items) -> Result<ArrayRef> {
    let places = items.lengths.iter().flat_map(|length| 0..*length);
    let places: Int32Array = places.map(|place| i32::try_from(place).ok()).collect();
    let places: ArrayRef = Arc::new(places);
    call.apply(0, &[&items.values, &places], &items.rows)
}

/// What the condition gives for every item.
fn holds(call: &Call<'_>, items: &Items) -> Result<BooleanArray> {
    Ok(cast(&apply(call, items)?, &DataType::Boolean)?.as_boolean().clone())
}

/// `filter(array, (item[, place]) -> …)`
pub(super) fn filter() -> HigherOrderUDF {
    let returns = |values: &[DataType], given: &[DataType]| {
        condition("filter", &only(given)?)?;
        Ok(values[0].clone())
    };
    over_items("filter", returns, |call| {
        let lists = call.lists(0)?;
        let items = Items::of(&lists, call.rows)?;
        let holds = holds(call, &items)?;
        let mut picker = Picker::default();
        let mut at = 0;
        for (row, length) in items.lengths.iter().enumerate() {
            for place in at..at + length {
                if holds.is_valid(place) && holds.value(place) {
                    picker.push(items.indices[place]);
                }
            }
            at += length;
            if lists.is_null(row) { picker.end_null() } else { picker.end() }
        }
        picker.finish(&[lists.items()], call.returns)
    })
}

/// `exists(array, item -> …)`
pub(super) fn exists() -> HigherOrderUDF {
    let returns = |_: &[DataType], given: &[DataType]| {
        condition("exists", &only(given)?)?;
        Ok(DataType::Boolean)
    };
    over_items("exists", returns, |call| decide(call, true))
}

/// `forall(array, item -> …)`
pub(super) fn forall() -> HigherOrderUDF {
    let returns = |_: &[DataType], given: &[DataType]| {
        condition("forall", &only(given)?)?;
        Ok(DataType::Boolean)
    };
    over_items("forall", returns, |call| decide(call, false))
}

/// `decisive` for a row where the condition gives that once; else NULL where it gives that once.
fn decide(call: &Call<'_>, decisive: bool) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let items = Items::of(&lists, call.rows)?;
    let holds = holds(call, &items)?;
    let mut decided = BooleanArray::builder(call.rows);
    let mut at = 0;
    for (row, length) in items.lengths.iter().enumerate() {
        let mut own = at..at + length;
        at += length;
        let is_open = own.clone().any(|place| holds.is_null(place));
        let is_decided = own.any(|place| holds.is_valid(place) && holds.value(place) == decisive);
        decided.append_option(match () {
            () if lists.is_null(row) => None,
            () if is_decided => Some(decisive),
            () if is_open => None,
            () => Some(!decisive),
        });
    }
    Ok(Arc::new(decided.finish()))
}

/// `zip_with(array, array, (left, right) -> …)`
pub(super) fn zip_with() -> HigherOrderUDF {
    Kernel {
        name: "zip_with",
        values: 2,
        lambdas: (1, 1),
        coerce: all_lists,
        parameters: |values| vec![vec![item_of(&values[0]), item_of(&values[1])]],
        returns: |_, given| Ok(list_of(only(given)?)),
        call: zip,
    }
    .udf()
}

/// The shorter array has NULLs at its end.
fn zip(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.lists(0)?, call.lists(1)?);
    let nulls = NullBuffer::union(left.nulls(), right.nulls());
    let length = |row: usize| match left.is_null(row) || right.is_null(row) {
        true => 0,
        false => left.range(row).len().max(right.range(row).len()),
    };
    let lengths: Vec<usize> = (0..call.rows).map(length).collect();
    let (lefts, rights) = (padded(&left, &lengths)?, padded(&right, &lengths)?);
    let made = call.apply(0, &[&lefts, &rights], &rows_of(&lengths))?;
    rebuild(call, lengths, made, nulls)
}

fn padded(lists: &Lists, lengths: &[usize]) -> Result<ArrayRef> {
    let indices = lengths.iter().enumerate().flat_map(|(row, length)| {
        let range = lists.range(row);
        (0..*length).map(move |at| (at < range.len()).then_some((range.start + at) as u64))
    });
    Ok(take(lists.items(), &indices.collect::<UInt64Array>(), None)?)
}
