//! `array_sort(array[, comparator])`: by the order of values with NULL last, or by a lambda.

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::HigherOrderUDF;

use super::{Call, Kernel, all_lists};
use crate::collections::keys::Keys;
use crate::collections::lists::{Picker, item_of};
use crate::failure::Failure;

/// Spark's `array_sort`.
pub(super) fn udf() -> HigherOrderUDF {
    Kernel {
        name: "array_sort",
        values: 1,
        lambdas: (0, 1),
        coerce: all_lists,
        parameters: |values| vec![vec![item_of(&values[0]); 2]],
        returns: |values, given| match given.first() {
            Some(compared) if !compared.is_integer() && !compared.is_null() => {
                let condition = "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE";
                let message = format!(
                    "the comparator of `array_sort` gives a value of {compared}, no number"
                );
                Err(Failure::new(condition, message).into())
            }
            _ => Ok(values[0].clone()),
        },
        call: sort,
    }
    .udf()
}

fn sort(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let keys = Keys::new(lists.items())?;
    let mut picker = Picker::default();
    for row in 0..call.rows {
        if lists.is_null(row) {
            picker.end_null();
            continue;
        }
        let mut indices: Vec<usize> = lists.range(row).collect();
        if call.lambdas.is_empty() {
            indices.sort_by(|a, b| {
                let by_null = keys.is_null(*a).cmp(&keys.is_null(*b));
                by_null.then_with(|| keys.get(*a).cmp(&keys.get(*b)))
            });
        } else {
            indices = merge_sorted(&indices, &|left, right| {
                Ok(compare(call, lists.items(), row, left, right)? <= 0)
            })?;
        }
        indices.into_iter().for_each(|index| picker.push(index));
        picker.end();
    }
    picker.finish(&[lists.items()], call.returns)
}

/// What the comparator says of two items of a row.
fn compare(
    call: &Call<'_>,
    items: &ArrayRef,
    row: usize,
    left: usize,
    right: usize,
) -> Result<i64> {
    let item = |index: usize| take(items, &UInt64Array::from(vec![index as u64]), None);
    let compared =
        call.apply(0, &[&item(left)?, &item(right)?], &UInt64Array::from(vec![row as u64]))?;
    let compared = cast(&compared, &DataType::Int64)?;
    let compared = compared.as_primitive::<Int64Type>();
    if compared.is_null(0) {
        let message = "the comparator of `array_sort` gives NULL for two items";
        let failure = Failure::new("COMPARATOR_RETURNS_NULL", message);
        return Err(failure.hint("give -1, 0 or 1 for all items, NULL among them").into());
    }
    Ok(compared.value(0))
}

/// A stable sort whose comparison can fail.
fn merge_sorted(
    items: &[usize],
    is_in_order: &dyn Fn(usize, usize) -> Result<bool>,
) -> Result<Vec<usize>> {
    if items.len() < 2 {
        return Ok(items.to_vec());
    }
    let (left, right) = items.split_at(items.len() / 2);
    let (left, right) = (merge_sorted(left, is_in_order)?, merge_sorted(right, is_in_order)?);
    let mut sorted = Vec::with_capacity(items.len());
    let (mut l, mut r) = (0, 0);
    while l < left.len() && r < right.len() {
        if is_in_order(left[l], right[r])? {
            sorted.push(left[l]);
            l += 1;
        } else {
            sorted.push(right[r]);
            r += 1;
        }
    }
    sorted.extend_from_slice(&left[l..]);
    sorted.extend_from_slice(&right[r..]);
    Ok(sorted)
}
