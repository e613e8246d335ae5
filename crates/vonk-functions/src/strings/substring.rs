//! `substring`, `left` and `right`: parts of a text by characters, of bytes by bytes.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `substring(text, position[, length])`.
pub(super) fn substring() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::TextOrBytes, Kind::Int], &[Kind::Int]);
    Kernel::new("substring", parameters, rows::like_first, |call| {
        let positions = call.primitive::<Int32Type>(1)?;
        let lengths = call.optional::<Int32Type>(2)?;
        parts(call, |row| {
            let length = lengths.as_ref().map_or(i32::MAX, |lengths| lengths.value(row));
            (positions.value(row), length)
        })
    })
    .udf()
}

/// Spark's `left(text, length)`.
pub(super) fn left() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::TextOrBytes, Kind::Int]);
    Kernel::new("left", parameters, rows::like_first, |call| {
        let lengths = call.primitive::<Int32Type>(1)?;
        parts(call, |row| (1, lengths.value(row)))
    })
    .udf()
}

/// Spark's `right(text, length)`.
pub(super) fn right() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Int]);
    Kernel::new("right", parameters, rows::text, |call| {
        let lengths = call.primitive::<Int32Type>(1)?;
        parts(call, |row| match lengths.value(row) {
            length if length <= 0 => (1, 0),
            length => (-length, i32::MAX),
        })
    })
    .udf()
}

/// The parts of the first argument from a position for a length.
fn parts(call: &Call<'_>, place: impl Fn(usize) -> (i32, i32)) -> Result<ArrayRef> {
    let inputs = call.raw(0)?;
    let is_text = *call.returns == DataType::Utf8;
    rows::bytes(call, |row, output| {
        let (position, length) = place(row);
        let input = inputs.value(row);
        output.extend_from_slice(match is_text && !input.is_ascii() {
            true => characters(input, position, length),
            false => {
                let (start, end) = range(input.len(), position, length);
                &input[start..end]
            }
        });
        Ok(true)
    })
}

fn characters(input: &[u8], position: i32, length: i32) -> &[u8] {
    let is_start = |byte: &u8| (*byte as i8) >= -0x40;
    let count = input.iter().filter(|byte| is_start(byte)).count();
    let (start, end) = range(count, position, length);
    let starts = || input.iter().enumerate().filter(|(_, byte)| is_start(byte)).map(|(at, _)| at);
    let at = |index: usize| starts().nth(index).unwrap_or(input.len());
    if start == end { &[] } else { &input[at(start)..at(end)] }
}

/// From where to where a part of so many units goes: positions count from 1, negative ones from the
/// end, and zero is as one.
pub(super) fn range(count: usize, position: i32, length: i32) -> (usize, usize) {
    let count = count as i64;
    let start = match i64::from(position) {
        position if position > 0 => position - 1,
        position if position < 0 => count + position,
        _ => 0,
    };
    let end = (start + i64::from(length)).clamp(0, count);
    let start = start.clamp(0, count);
    (start as usize, end.max(start) as usize)
}

#[cfg(test)]
mod tests {
    use super::characters;

    #[test]
    fn places_are_those_of_spark() {
        let cut = |position, length| {
            String::from_utf8(characters("äbcdé".as_bytes(), position, length).to_vec()).unwrap()
        };
        assert_eq!(cut(1, 2), "äb");
        assert_eq!(cut(0, 2), "äb");
        assert_eq!(cut(-2, 5), "dé");
        assert_eq!(cut(-7, 3), "ä");
        assert_eq!(cut(2, -1), "");
        assert_eq!(cut(9, 1), "");
    }
}
