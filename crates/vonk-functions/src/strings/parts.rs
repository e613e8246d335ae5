//! Texts put together from parts, and parts taken by a separator.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, ListArray, StringArray, StringBuilder, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat as concat_arrays, take};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `split_part(text, separator, index)`, from 1 or, with a negative index, from the end.
pub(super) fn split_part() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text, Kind::Int]);
    Kernel::new("split_part", parameters, rows::text, |call| {
        let (texts, separators) = (call.text(0)?, call.text(1)?);
        let indices = call.primitive::<Int32Type>(2)?;
        rows::texts(call, |row, output| {
            let (text, separator) = (texts.value(row), separators.value(row));
            let parts: Vec<&str> = match separator.is_empty() {
                true => vec![text],
                false => text.split(separator).collect(),
            };
            let index = match indices.value(row) {
                0 => return Err(index_of_zero()),
                index if index > 0 => Some(index as usize - 1),
                index => parts.len().checked_sub(index.unsigned_abs() as usize),
            };
            output.push_str(index.and_then(|index| parts.get(index)).unwrap_or(&""));
            Ok(true)
        })
    })
    .udf()
}

fn index_of_zero() -> datafusion::common::DataFusionError {
    Failure::new("INVALID_INDEX_OF_ZERO", "the index 0 is invalid")
        .hint("count from 1, or from -1 for the end")
        .into()
}

/// Spark's `substring_index(text, separator, count)`: what stands before the so-manieth separator,
/// or with a negative count behind the so-manieth from the end.
pub(super) fn substring_index() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text, Kind::Int]);
    Kernel::new("substring_index", parameters, rows::text, |call| {
        let (texts, separators) = (call.text(0)?, call.text(1)?);
        let counts = call.primitive::<Int32Type>(2)?;
        rows::texts(call, |row, output| {
            let (text, separator) = (texts.value(row), separators.value(row));
            output.push_str(before(text, separator, counts.value(row)));
            Ok(true)
        })
    })
    .udf()
}

fn before<'a>(text: &'a str, separator: &str, count: i32) -> &'a str {
    if separator.is_empty() || count == 0 {
        return "";
    }
    // Separators may overlap, as in Spark: `aa` stands twice in `aaa`.
    let is_here = |at: &usize| text.as_bytes()[*at..].starts_with(separator.as_bytes());
    let wanted = count.unsigned_abs() as usize - 1;
    match count > 0 {
        true => (0..text.len()).filter(is_here).nth(wanted).map_or(text, |at| &text[..at]),
        false => (0..text.len())
            .rev()
            .filter(is_here)
            .nth(wanted)
            .map_or(text, |at| &text[at + separator.len()..]),
    }
}

/// Spark's `elt(index, value, …)`.
pub(super) fn elt() -> ScalarUDF {
    let parameters =
        Parameters::with_any_number(&[Kind::Int, Kind::TextOrBytes], Kind::TextOrBytes);
    let returns = |types: &[DataType]| rows::like_first(&types[1..]);
    Kernel::new("elt", parameters, returns, |call| {
        let indices = call.primitive::<Int32Type>(0)?;
        let values = (1..call.count()).map(|at| call.raw(at)).collect::<Result<Vec<_>>>()?;
        let mut chosen = BinaryBuilder::new();
        for (row, index) in indices.iter().enumerate() {
            let Some(index) = index else {
                chosen.append_null();
                continue;
            };
            let at = usize::try_from(index).ok().filter(|at| (1..=values.len()).contains(at));
            match at {
                Some(at) => {
                    let column = &values[at - 1];
                    chosen.append_option(column.is_valid(row).then(|| column.value(row)));
                }
                None if call.is_ansi() => return Err(out_of_bounds(index, values.len())),
                None => chosen.append_null(),
            }
        }
        as_returned(call, chosen)
    })
    .udf()
}

fn out_of_bounds(index: i32, count: usize) -> datafusion::common::DataFusionError {
    let message = format!("the index {index} is out of bounds: there are {count} values");
    Failure::new("INVALID_ARRAY_INDEX", message).hint("count from 1").into()
}

fn as_returned(call: &Call<'_>, mut values: BinaryBuilder) -> Result<ArrayRef> {
    let values = values.finish();
    Ok(match call.returns {
        DataType::Binary => Arc::new(values),
        _ => Arc::new(StringArray::try_from_binary(values)?),
    })
}

/// Spark's `concat_ws(separator, value, …)` of texts and arrays of texts, without those that are NULL.
pub(super) fn concat_ws() -> ScalarUDF {
    let parameters = Parameters::with_any_number(&[Kind::Text], Kind::TextOrTexts);
    Kernel::new("concat_ws", parameters, rows::text, |call| {
        let separators = call.text(0)?;
        let columns = (1..call.count()).map(|at| call.array(at)).collect::<Result<Vec<_>>>()?;
        let mut joined = StringBuilder::new();
        let mut text = String::new();
        for row in 0..call.rows {
            if separators.is_null(row) {
                joined.append_null();
                continue;
            }
            text.clear();
            let mut is_first = true;
            let mut push = |part: &str| {
                if !std::mem::take(&mut is_first) {
                    text.push_str(separators.value(row));
                }
                text.push_str(part);
            };
            for column in columns.iter().filter(|column| column.is_valid(row)) {
                match column.as_list_opt::<i32>() {
                    Some(lists) => {
                        let items = lists.value(row);
                        items.as_string_view().iter().flatten().for_each(&mut push);
                    }
                    None => push(column.as_string_view().value(row)),
                }
            }
            joined.append_value(&text);
        }
        Ok(Arc::new(joined.finish()))
    })
    .udf()
}

/// Spark's `concat(value, …)` of texts, of bytes, or of arrays.
pub(super) fn concat() -> ScalarUDF {
    let parameters = Parameters::with_any_number(&[], Kind::TextBytesOrList);
    let returns = |types: &[DataType]| match types.iter().find(|given| !given.is_null()) {
        Some(list @ DataType::List(_)) => Ok(list.clone()),
        _ => rows::like_first(types),
    };
    Kernel::new("concat", parameters, returns, |call| {
        if matches!(call.returns, DataType::List(_)) {
            return concat_lists(call);
        }
        let columns = (0..call.count()).map(|at| call.raw(at)).collect::<Result<Vec<_>>>()?;
        rows::bytes(call, |row, output| {
            columns.iter().for_each(|column| output.extend_from_slice(column.value(row)));
            Ok(true)
        })
    })
    .udf()
}

fn concat_lists(call: &Call<'_>) -> Result<ArrayRef> {
    let arrays = call.arrays()?;
    let lists: Vec<_> = arrays.iter().filter_map(|array| array.as_list_opt::<i32>()).collect();
    if lists.len() != arrays.len() {
        return Ok(arrow::array::new_null_array(call.returns, call.rows));
    }
    let nulls = rows::valid(call)?;
    let values: Vec<&dyn Array> = lists.iter().map(|list| list.values().as_ref()).collect();
    let joined = concat_arrays(&values)?;
    let mut starts = vec![0_u64];
    values.iter().for_each(|values| starts.push(starts[starts.len() - 1] + values.len() as u64));
    let (mut indices, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = indices.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            for (list, start) in lists.iter().zip(&starts) {
                let offsets = list.value_offsets();
                let own = offsets[row] as u64..offsets[row + 1] as u64;
                indices.extend(own.map(|at| at + start));
            }
        }
        lengths.push(indices.len() - before);
    }
    let DataType::List(item) = call.returns else {
        return plan_err!("`concat` of arrays gives an array");
    };
    let values = take(&joined, &UInt64Array::from(indices), None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = ListArray::try_new(Arc::clone(item), offsets, values, nulls)?;
    Ok(Arc::new(list))
}

const TEXT_OR_BYTES: Parameters = Parameters::exact(&[Kind::TextOrBytes]);

/// Spark's `length` of a text in characters, of bytes in bytes.
pub(super) fn length() -> ScalarUDF {
    Kernel::new("length", TEXT_OR_BYTES, rows::int, |call| {
        let is_text = call.array(0)?.data_type().is_string();
        let is_counted = |byte: &&u8| !is_text || (**byte as i8) >= -0x40;
        measure(call, |input| input.iter().filter(is_counted).count())
    })
    .udf()
}

/// Spark's `bit_length`.
pub(super) fn bit_length() -> ScalarUDF {
    Kernel::new("bit_length", TEXT_OR_BYTES, rows::int, |call| {
        measure(call, |input| input.len() * 8)
    })
    .udf()
}

/// Spark's `octet_length`.
pub(super) fn octet_length() -> ScalarUDF {
    Kernel::new("octet_length", TEXT_OR_BYTES, rows::int, |call| measure(call, <[u8]>::len)).udf()
}

fn measure(call: &Call<'_>, length: impl Fn(&[u8]) -> usize) -> Result<ArrayRef> {
    let inputs = call.raw(0)?;
    rows::numbers::<Int32Type>(call, |row| Ok(Some(length(inputs.value(row)) as i32)))
}
