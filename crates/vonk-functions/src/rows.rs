//! Loops over the rows of a call, where a row with NULL in any argument gives NULL.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringArray, StringBuilder,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{ArrowPrimitiveType, DataType};
use datafusion::common::Result;

use crate::function::Call;

/// Which rows have no NULL in any argument; `None` if all have none.
pub(crate) fn valid(call: &Call<'_>) -> Result<Option<NullBuffer>> {
    let mut nulls = None;
    for at in 0..call.count() {
        let own = match call.constant(at) {
            Some(constant) if constant.is_null() => Some(NullBuffer::new_null(call.rows)),
            Some(_) => None,
            None => call.array(at)?.logical_nulls(),
        };
        nulls = NullBuffer::union(nulls.as_ref(), own.as_ref());
    }
    Ok(nulls)
}

fn is_valid(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(row))
}

/// Numbers, one for each row.
pub(crate) fn numbers<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    mut value: impl FnMut(usize) -> Result<Option<T::Native>>,
) -> Result<ArrayRef> {
    let nulls = valid(call)?;
    let mut values = PrimitiveBuilder::<T>::with_capacity(call.rows);
    for row in 0..call.rows {
        values.append_option(if is_valid(nulls.as_ref(), row) { value(row)? } else { None });
    }
    Ok(Arc::new(values.finish().with_data_type(call.returns.clone())))
}

/// Truth values, one for each row.
pub(crate) fn booleans(
    call: &Call<'_>,
    mut value: impl FnMut(usize) -> Result<Option<bool>>,
) -> Result<ArrayRef> {
    let nulls = valid(call)?;
    let mut values = BooleanBuilder::with_capacity(call.rows);
    for row in 0..call.rows {
        values.append_option(if is_valid(nulls.as_ref(), row) { value(row)? } else { None });
    }
    Ok(Arc::new(values.finish()))
}

/// Texts: `write` puts a row's text into the empty buffer, or tells that there is none.
pub(crate) fn texts(
    call: &Call<'_>,
    mut write: impl FnMut(usize, &mut String) -> Result<bool>,
) -> Result<ArrayRef> {
    let nulls = valid(call)?;
    let mut values = StringBuilder::with_capacity(call.rows, call.rows * 8);
    let mut text = String::new();
    for row in 0..call.rows {
        text.clear();
        match is_valid(nulls.as_ref(), row) && write(row, &mut text)? {
            true => values.append_value(&text),
            false => values.append_null(),
        }
    }
    Ok(Arc::new(values.finish()))
}

/// Bytes, or text where that is what the call returns, written as by [`texts`].
pub(crate) fn bytes(
    call: &Call<'_>,
    mut write: impl FnMut(usize, &mut Vec<u8>) -> Result<bool>,
) -> Result<ArrayRef> {
    let nulls = valid(call)?;
    let mut values = BinaryBuilder::with_capacity(call.rows, call.rows * 8);
    let mut buffer = Vec::new();
    for row in 0..call.rows {
        buffer.clear();
        match is_valid(nulls.as_ref(), row) && write(row, &mut buffer)? {
            true => values.append_value(&buffer),
            false => values.append_null(),
        }
    }
    let values = values.finish();
    Ok(match call.returns {
        DataType::Binary => Arc::new(values),
        _ => Arc::new(StringArray::try_from_binary(values)?),
    })
}

/// The type of what is cut from, or made of, the first argument: text or bytes as it is.
pub(crate) fn like_first(types: &[DataType]) -> Result<DataType> {
    Ok(match types.first() {
        Some(DataType::BinaryView) => DataType::Binary,
        _ => DataType::Utf8,
    })
}

/// Text, whatever the arguments are.
pub(crate) fn text(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Utf8)
}

/// Bytes, whatever the arguments are.
pub(crate) fn binary(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Binary)
}

/// A truth value, whatever the arguments are.
pub(crate) fn boolean(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Boolean)
}

/// `INT`, whatever the arguments are.
pub(crate) fn int(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Int32)
}

/// `BIGINT`, whatever the arguments are.
pub(crate) fn long(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Int64)
}

/// `DOUBLE`, whatever the arguments are.
pub(crate) fn double(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Float64)
}
