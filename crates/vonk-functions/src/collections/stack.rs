//! `stack(rows, value, …)`: values laid out in so many rows, as an array of structs.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray, new_null_array};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::construct::interleaved;
use super::lists::{fit, list, list_of};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

/// Spark's `stack`, before its rows are taken apart.
pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::with_any_number(&[Kind::Int, Kind::Any], Kind::Any);
    Kernel::by_value("stack", parameters, rows_type, lay_out).udf()
}

fn rows_type(types: &[DataType], values: &[Option<&ScalarValue>]) -> Result<DataType> {
    let rows = match values[0] {
        Some(ScalarValue::Int32(Some(rows))) => i64::from(*rows),
        Some(ScalarValue::Int64(Some(rows))) => *rows,
        Some(value) if value.is_null() => {
            let message = "the number of rows of `stack` is NULL";
            return Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_NULL", message).into());
        }
        _ => {
            let message = "the number of rows of `stack` is no literal";
            return Err(Failure::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", message).into());
        }
    };
    let Some(rows) = usize::try_from(rows).ok().filter(|rows| *rows > 0) else {
        let message = format!("the number of rows of `stack` is {rows}, which is not above 0");
        return Err(Failure::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", message).into());
    };
    let width = (types.len() - 1).div_ceil(rows);
    let column = |at: usize| {
        let own: Vec<DataType> = types[1..].iter().skip(at).step_by(width).cloned().collect();
        match only_type(own) {
            Some(data_type) => Ok(Field::new(format!("col{at}"), data_type, true)),
            None => {
                let condition = "DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES";
                let message = format!("the values of column {at} of `stack` differ in type");
                Err(Failure::new(condition, message).hint("cast them to one type").into())
            }
        }
    };
    let columns = (0..width).map(column).collect::<Result<Fields>>()?;
    Ok(list_of(DataType::Struct(columns)))
}

/// The type that all values have, but for those that are NULL.
fn only_type(types: Vec<DataType>) -> Option<DataType> {
    let layout = |data_type: DataType| match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        other => other,
    };
    let mut known = types.into_iter().map(layout).filter(|data_type| !data_type.is_null());
    let Some(first) = known.next() else { return Some(DataType::Null) };
    let is_alike = |other: DataType| other.equals_datatype(&first);
    known.all(is_alike).then_some(first)
}

/// The last row has NULLs where there are no values left.
fn lay_out(call: &Call<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = call.returns else {
        return exec_err!("an array is made, not a value of {}", call.returns);
    };
    let DataType::Struct(fields) = item.data_type() else {
        return exec_err!("rows are made, not values of {}", item.data_type());
    };
    let width = fields.len();
    let rows = match call.constant(0) {
        Some(ScalarValue::Int32(Some(rows))) => usize::try_from(*rows).unwrap_or_default(),
        _ => (call.count() - 1).div_ceil(width),
    };
    let columns = fields.iter().enumerate().map(|(at, field)| {
        let cells = (0..rows).map(|row| match 1 + row * width + at {
            place if place < call.count() => fit(&call.array(place)?, field.data_type()),
            _ => Ok(new_null_array(field.data_type(), call.rows)),
        });
        interleaved(&cells.collect::<Result<Vec<_>>>()?, field.data_type(), call.rows)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let items = StructArray::try_new(fields.clone(), columns, None)?;
    list(item, std::iter::repeat_n(rows, call.rows), Arc::new(items), None)
}
