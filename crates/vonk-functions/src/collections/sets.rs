//! Arrays as sets: `array_distinct`, `array_union`, `array_intersect`, `array_except`, `arrays_overlap`.
//!
//! NULL is a member like any other, and of equal members the first stays.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use arrow::row::Row;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::keys::Keys;
use super::lists::{Lists, Picker};
use super::{first_type, types};
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

const TWO_LISTS: Parameters = Parameters::exact(&[Kind::List, Kind::List]);

/// `array_distinct(array)`
pub(super) fn distinct() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List]);
    Kernel::new("array_distinct", parameters, first_type, |call| {
        let lists = call.lists(0)?;
        let keys = Keys::new(lists.items())?;
        let mut picker = Picker::default();
        for row in 0..call.rows {
            if lists.is_null(row) {
                picker.end_null();
                continue;
            }
            let mut seen = HashSet::new();
            let is_new = |index: &usize| seen.insert(keys.get(*index));
            lists.range(row).filter(is_new).for_each(|index| picker.push(index));
            picker.end();
        }
        picker.finish(&[lists.items()], call.returns)
    })
    .udf()
}

/// `array_union(array, array)`
pub(super) fn union() -> ScalarUDF {
    Kernel::new("array_union", TWO_LISTS, first_type, |call| {
        combine(call, |left, right, picker| {
            let mut seen = HashSet::new();
            for (index, key) in left.into_iter().chain(right) {
                if seen.insert(key) {
                    picker.push(index);
                }
            }
        })
    })
    .unifying(types::lists_alike)
    .udf()
}

/// `array_intersect(array, array)`
pub(super) fn intersect() -> ScalarUDF {
    Kernel::new("array_intersect", TWO_LISTS, first_type, |call| {
        combine(call, |left, right, picker| {
            let mut wanted: HashSet<Row<'_>> = right.into_iter().map(|(_, key)| key).collect();
            for (index, key) in left {
                if wanted.remove(&key) {
                    picker.push(index);
                }
            }
        })
    })
    .unifying(types::lists_alike)
    .udf()
}

/// `array_except(array, array)`
pub(super) fn except() -> ScalarUDF {
    Kernel::new("array_except", TWO_LISTS, first_type, |call| {
        combine(call, |left, right, picker| {
            let mut seen: HashSet<Row<'_>> = right.into_iter().map(|(_, key)| key).collect();
            for (index, key) in left {
                if seen.insert(key) {
                    picker.push(index);
                }
            }
        })
    })
    .unifying(types::lists_alike)
    .udf()
}

/// The members of one array: where they stand in the pool of items, and their keys.
type Members<'a> = Vec<(usize, Row<'a>)>;

fn combine(
    call: &Call<'_>,
    pick: impl Fn(Members<'_>, Members<'_>, &mut Picker),
) -> Result<ArrayRef> {
    let (left, right) = (call.lists(0)?, call.lists(1)?);
    let [left_keys, right_keys] = Keys::of([left.items(), right.items()])?;
    let right_begin = left.items().len();
    let mut picker = Picker::default();
    for row in 0..call.rows {
        if left.is_null(row) || right.is_null(row) {
            picker.end_null();
            continue;
        }
        let members = left.range(row).map(|index| (index, left_keys.get(index))).collect();
        let others =
            right.range(row).map(|index| (right_begin + index, right_keys.get(index))).collect();
        pick(members, others, &mut picker);
        picker.end();
    }
    picker.finish(&[left.items(), right.items()], call.returns)
}

/// `arrays_overlap(array, array)`
pub(super) fn overlap() -> ScalarUDF {
    Kernel::new("arrays_overlap", TWO_LISTS, |_| Ok(DataType::Boolean), overlaps)
        .unifying(types::lists_alike)
        .udf()
}

/// A NULL among the items leaves it open whether arrays without a common item overlap.
fn overlaps(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.lists(0)?, call.lists(1)?);
    let [left_keys, right_keys] = Keys::of([left.items(), right.items()])?;
    let mut overlaps = BooleanArray::builder(call.rows);
    for row in 0..call.rows {
        if left.is_null(row) || right.is_null(row) {
            overlaps.append_null();
            continue;
        }
        let (members, left_null) = values(&left, &left_keys, row);
        let (others, right_null) = values(&right, &right_keys, row);
        let is_open = (left_null || right_null)
            && !left.range(row).is_empty()
            && !right.range(row).is_empty();
        overlaps.append_option(match members.is_disjoint(&others) {
            false => Some(true),
            true if is_open => None,
            true => Some(false),
        });
    }
    Ok(Arc::new(overlaps.finish()))
}

/// The members of a row that are not NULL, and whether one is.
fn values<'a>(lists: &Lists, keys: &'a Keys, row: usize) -> (HashSet<Row<'a>>, bool) {
    let range = lists.range(row);
    let count = range.len();
    let mut nulls = 0;
    let mut members = HashSet::with_capacity(count);
    for index in range {
        match keys.is_null(index) {
            true => nulls += 1,
            false => {
                members.insert(keys.get(index));
            }
        }
    }
    (members, nulls > 0)
}
