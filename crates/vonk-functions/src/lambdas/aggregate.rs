//! `aggregate(array, start, merge[, finish])`: a sum over the items of each array, all rows at once.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::{can_cast_types, cast, concat, take};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::HigherOrderUDF;

use super::{Call, Kernel, all_lists};
use crate::collections::lists::item_of;
use crate::failure::Failure;

/// Spark's `aggregate`, by its other name `reduce`.
pub(super) fn udf() -> HigherOrderUDF {
    Kernel {
        name: "aggregate",
        values: 2,
        lambdas: (1, 2),
        coerce: |name, arguments| {
            let mut types = all_lists(name, &arguments[..1])?;
            types.push(arguments[1].clone());
            Ok(types)
        },
        parameters: |values| {
            let sum = &values[1];
            vec![vec![sum.clone(), item_of(&values[0])], vec![sum.clone()]]
        },
        returns,
        call: aggregate,
    }
    .udf()
}

fn returns(values: &[DataType], given: &[DataType]) -> Result<DataType> {
    let start = &values[1];
    if let Some(merged) = given.first()
        && !is_alike(start, merged)
    {
        let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
        let message = format!(
            "the lambda of `aggregate` gives a value of {merged}, but its start is of {start}"
        );
        return Err(Failure::new(condition, message).hint("cast the start").into());
    }
    Ok(given.get(1).unwrap_or(start).clone())
}

/// Whether types differ in no more than layout or nullability.
fn is_alike(left: &DataType, right: &DataType) -> bool {
    left.equals_datatype(right)
        || right.is_null()
        || (left.is_integer() && right.is_integer())
        || (left.is_string() && right.is_string())
        || (left.is_nested() && right.is_nested() && can_cast_types(right, left))
}

/// Takes the first items of all rows into their sums, then the second.
fn aggregate(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let mut sums = Arc::clone(&call.values[1]);
    let longest = (0..call.rows).map(|row| lists.range(row).len()).max().unwrap_or_default();
    for place in 0..longest {
        let rows: Vec<usize> =
            (0..call.rows).filter(|row| place < lists.range(*row).len()).collect();
        let indices = rows.iter().map(|row| (lists.range(*row).start + place) as u64);
        let items = take(lists.items(), &indices.collect::<UInt64Array>(), None)?;
        let row_indices: UInt64Array = rows.iter().map(|row| *row as u64).collect();
        let before = take(&sums, &row_indices, None)?;
        let merged = call.apply(0, &[&before, &items], &row_indices)?;
        let merged = cast(&merged, sums.data_type())?;
        sums = match rows.len() == call.rows {
            true => merged,
            false => replaced(&sums, &merged, &rows)?,
        };
    }
    let nulls: UInt64Array =
        (0..call.rows).map(|row| (!lists.is_null(row)).then_some(row as u64)).collect();
    match call.lambdas.len() {
        1 => Ok(take(&sums, &nulls, None)?),
        _ => {
            let every: UInt64Array = (0..call.rows as u64).map(Some).collect();
            Ok(take(&call.apply(1, &[&sums], &every)?, &nulls, None)?)
        }
    }
}

/// The column with other values in some rows.
fn replaced(column: &ArrayRef, values: &ArrayRef, rows: &[usize]) -> Result<ArrayRef> {
    let mut indices: Vec<u64> = (0..column.len() as u64).collect();
    for (at, row) in rows.iter().enumerate() {
        indices[*row] = (column.len() + at) as u64;
    }
    let pool = concat(&[column.as_ref(), values.as_ref()])?;
    Ok(take(&pool, &UInt64Array::from(indices), None)?)
}
