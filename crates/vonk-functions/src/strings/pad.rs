//! `lpad` and `rpad`: text to so many characters, bytes to so many bytes.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::substring::range;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PARAMETERS: Parameters =
    Parameters::with_optional(&[Kind::TextOrBytes, Kind::Int], &[Kind::TextOrBytes]);

/// Spark's `lpad`.
pub(super) fn lpad() -> ScalarUDF {
    Kernel::new("lpad", PARAMETERS, rows::like_first, |call| pad(call, true)).udf()
}

/// Spark's `rpad`.
pub(super) fn rpad() -> ScalarUDF {
    Kernel::new("rpad", PARAMETERS, rows::like_first, |call| pad(call, false)).udf()
}

/// Without a filling, text is filled with spaces and bytes with zeros.
fn pad(call: &Call<'_>, is_left: bool) -> Result<ArrayRef> {
    let (inputs, lengths) = (call.raw(0)?, call.primitive::<Int32Type>(1)?);
    let fillings = if call.count() > 2 { Some(call.raw(2)?) } else { None };
    let is_text = *call.returns == DataType::Utf8;
    rows::bytes(call, |row, output| {
        let default: &[u8] = if is_text { b" " } else { &[0] };
        let filling = fillings.as_ref().map_or(default, |fillings| fillings.value(row));
        let input = units(inputs.value(row), is_text);
        let length = lengths.value(row);
        let (_, kept) = range(input.len(), 1, length);
        let missing = usize::try_from(length).unwrap_or(0) - kept;
        let filling = units(filling, is_text);
        let filled = filling.iter().cycle().take(missing);
        match is_left {
            true => filled.chain(&input[..kept]).for_each(|unit| output.extend_from_slice(unit)),
            false => {
                input[..kept].iter().chain(filled).for_each(|unit| output.extend_from_slice(unit))
            }
        }
        Ok(true)
    })
}

/// The characters of a text, or the bytes of bytes.
fn units(input: &[u8], is_text: bool) -> Vec<&[u8]> {
    match std::str::from_utf8(input) {
        Ok(text) if is_text => {
            text.char_indices().map(|(at, unit)| &input[at..at + unit.len_utf8()]).collect()
        }
        _ => input.chunks(1).collect(),
    }
}
