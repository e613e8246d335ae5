//! `map_filter`, `transform_keys`, `transform_values`, `map_zip_with`: a lambda over every entry of maps.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, concat, take};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::HigherOrderUDF;

use super::{Call, Kernel, all_maps, condition, only, places, rows_of};
use crate::collections::keys::Keys;
use crate::collections::maps::{Entries, Maps, build};
use crate::collections::types::{common, entry_of, map_of};
use crate::failure::Failure;

/// The entries of all rows behind each other, and what the lambda gives for each.
struct Applied {
    maps: Maps,
    indices: Vec<usize>,
    keys: ArrayRef,
    values: ArrayRef,
    made: ArrayRef,
    lengths: Vec<usize>,
}

fn apply(call: &Call<'_>) -> Result<Applied> {
    let maps = Maps::new(&call.values[0])?;
    let ranges = (0..call.rows).map(|row| maps.range(row));
    let lengths: Vec<usize> = ranges.clone().map(|range| range.len()).collect();
    let indices: Vec<usize> = ranges.flatten().collect();
    let keys = take(maps.keys(), &places(&indices), None)?;
    let values = take(maps.values(), &places(&indices), None)?;
    let made = call.apply(0, &[&keys, &values], &rows_of(&lengths))?;
    Ok(Applied { maps, indices, keys, values, made, lengths })
}

fn over_entries(
    name: &'static str,
    returns: fn(&[DataType], &[DataType]) -> Result<DataType>,
    call: fn(&Call<'_>) -> Result<ArrayRef>,
) -> HigherOrderUDF {
    let parameters = |values: &[DataType]| {
        let (key, value) = entry_of(&values[0]);
        vec![vec![key, value]]
    };
    Kernel { name, values: 1, lambdas: (1, 1), coerce: all_maps, parameters, returns, call }.udf()
}

/// `map_filter(map, (key, value) -> …)`
pub(super) fn filter() -> HigherOrderUDF {
    let returns = |values: &[DataType], given: &[DataType]| {
        condition("map_filter", &only(given)?)?;
        Ok(values[0].clone())
    };
    over_entries("map_filter", returns, |call| {
        let applied = apply(call)?;
        let holds = cast(&applied.made, &DataType::Boolean)?;
        let holds = holds.as_boolean();
        let mut entries = Entries::default();
        let mut at = 0;
        for length in &applied.lengths {
            for place in at..at + length {
                if holds.is_valid(place) && holds.value(place) {
                    entries.push(applied.indices[place], applied.indices[place]);
                }
            }
            at += length;
            entries.end();
        }
        let (maps, nulls) = (&applied.maps, applied.maps.nulls().cloned());
        entries.finish(maps.keys(), maps.values(), nulls, call.returns)
    })
}

/// `transform_keys(map, (key, value) -> …)`
pub(super) fn transform_keys() -> HigherOrderUDF {
    let returns =
        |values: &[DataType], given: &[DataType]| Ok(map_of(only(given)?, entry_of(&values[0]).1));
    over_entries("transform_keys", returns, |call| {
        let made = apply(call)?;
        let nulls = made.maps.nulls().cloned();
        build(&made.made, &made.values, &made.lengths, nulls, call.returns)
    })
}

/// `transform_values(map, (key, value) -> …)`
pub(super) fn transform_values() -> HigherOrderUDF {
    let returns =
        |values: &[DataType], given: &[DataType]| Ok(map_of(entry_of(&values[0]).0, only(given)?));
    over_entries("transform_values", returns, |call| {
        let made = apply(call)?;
        let nulls = made.maps.nulls().cloned();
        build(&made.keys, &made.made, &made.lengths, nulls, call.returns)
    })
}

/// `map_zip_with(map, map, (key, left, right) -> …)`
pub(super) fn zip_with() -> HigherOrderUDF {
    Kernel {
        name: "map_zip_with",
        values: 2,
        lambdas: (1, 1),
        coerce: maps_of_one_key,
        parameters: |values| {
            let ((key, left), (_, right)) = (entry_of(&values[0]), entry_of(&values[1]));
            vec![vec![key, left, right]]
        },
        returns: |values, given| Ok(map_of(entry_of(&values[0]).0, only(given)?)),
        call: zip,
    }
    .udf()
}

fn maps_of_one_key(name: &'static str, arguments: &[DataType]) -> Result<Vec<DataType>> {
    let types = all_maps(name, arguments)?;
    let entries: Vec<(DataType, DataType)> = types.iter().map(entry_of).collect();
    let keys: Vec<DataType> = entries.iter().map(|(key, _)| key.clone()).collect();
    match common(&keys) {
        Some(key) => Ok(entries.into_iter().map(|(_, value)| map_of(key.clone(), value)).collect()),
        None => {
            let condition = "DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES";
            let message = format!("the maps of `{name}` have keys of different types");
            Err(Failure::new(condition, message).into())
        }
    }
}

/// The keys of the first map, then those of the second alone; NULL for a value that a map has not.
fn zip(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (Maps::new(&call.values[0])?, Maps::new(&call.values[1])?);
    let [left_keys, right_keys] = Keys::of([left.keys(), right.keys()])?;
    let nulls = NullBuffer::union(left.nulls(), right.nulls());
    let right_begin = left.keys().len();
    let (mut keys, mut lefts, mut rights) = (Vec::new(), Vec::new(), Vec::new());
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let before = keys.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let mut others: HashMap<_, usize> =
                right.range(row).map(|index| (right_keys.get(index), index)).collect();
            for index in left.range(row) {
                keys.push(index as u64);
                lefts.push(Some(index as u64));
                rights.push(others.remove(&left_keys.get(index)).map(|index| index as u64));
            }
            let is_left = |index: &usize| others.contains_key(&right_keys.get(*index));
            for index in right.range(row).filter(is_left) {
                keys.push((right_begin + index) as u64);
                lefts.push(None);
                rights.push(Some(index as u64));
            }
        }
        lengths.push(keys.len() - before);
    }
    let pool = concat(&[left.keys().as_ref(), right.keys().as_ref()])?;
    let keys = take(&pool, &UInt64Array::from(keys), None)?;
    let lefts = take(left.values(), &UInt64Array::from(lefts), None)?;
    let rights = take(right.values(), &UInt64Array::from(rights), None)?;
    let made = call.apply(0, &[&keys, &lefts, &rights], &rows_of(&lengths))?;
    build(&keys, &made, &lengths, nulls, call.returns)
}
