//! Where, and whether, a text stands in another.

use arrow::array::{Array, ArrayRef, Int32Array};
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PAIR: Parameters = Parameters::exact(&[Kind::TextOrBytes, Kind::TextOrBytes]);

/// Spark's `contains`.
pub(super) fn contains() -> ScalarUDF {
    Kernel::new("contains", PAIR, rows::boolean, |call| {
        compare(call, |text, part| memchr::memmem::find(text, part).is_some())
    })
    .udf()
}

/// Spark's `startswith`.
pub(super) fn startswith() -> ScalarUDF {
    Kernel::new("startswith", PAIR, rows::boolean, |call| {
        compare(call, |text, part| text.starts_with(part))
    })
    .udf()
}

/// Spark's `endswith`.
pub(super) fn endswith() -> ScalarUDF {
    Kernel::new("endswith", PAIR, rows::boolean, |call| {
        compare(call, |text, part| text.ends_with(part))
    })
    .udf()
}

fn compare(call: &Call<'_>, holds: fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    let (texts, parts) = (call.raw(0)?, call.raw(1)?);
    rows::booleans(call, |row| Ok(Some(holds(texts.value(row), parts.value(row)))))
}

/// Spark's `instr(text, part[, position[, occurrence]])`; from a negative position it goes back.
pub(super) fn instr() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text, Kind::Text], &[Kind::Int, Kind::Int]);
    Kernel::new("instr", parameters, rows::int, |call| {
        let (texts, parts) = (call.text(0)?, call.text(1)?);
        let (positions, occurrences) =
            (call.optional::<Int32Type>(2)?, call.optional::<Int32Type>(3)?);
        rows::numbers::<Int32Type>(call, |row| {
            let position = positions.as_ref().map_or(1, |positions| positions.value(row));
            let occurrence = occurrences.as_ref().map_or(1, |counts| counts.value(row));
            if occurrence < 1 {
                let message = format!("`instr` counts occurrences from 1, not {occurrence}");
                return Err(Failure::new("INVALID_PARAMETER_VALUE.ZERO_INDEX", message).into());
            }
            Ok(Some(occurrence_of(texts.value(row), parts.value(row), position, occurrence)))
        })
    })
    .udf()
}

/// The position, from 1, where a part stands for the so-manieth time from a position on.
fn occurrence_of(text: &str, part: &str, position: i32, occurrence: i32) -> i32 {
    let wanted = occurrence as usize - 1;
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let is_here = |(_, at): &(usize, &usize)| text[**at..].starts_with(part);
    let found = match position {
        0 => None,
        1.. => starts.iter().enumerate().skip(position as usize - 1).filter(is_here).nth(wanted),
        _ => {
            let last = starts.len().saturating_sub(position.unsigned_abs() as usize + 1);
            let is_inside = starts.len() > position.unsigned_abs() as usize;
            starts
                .iter()
                .enumerate()
                .take(if is_inside { last + 1 } else { 0 })
                .rev()
                .filter(is_here)
                .nth(wanted)
        }
    };
    found.map_or(0, |(index, _)| index as i32 + 1)
}

/// Spark's `locate(part, text[, position])`; without a position there is no answer but 0.
pub(super) fn locate() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text, Kind::Text], &[Kind::Int]);
    Kernel::new("locate", parameters, rows::int, |call| {
        let (parts, texts) = (call.text(0)?, call.text(1)?);
        let positions = call.optional::<Int32Type>(2)?;
        let mut found = Int32Array::builder(call.rows);
        for row in 0..call.rows {
            let position = match &positions {
                Some(positions) => positions.is_valid(row).then(|| positions.value(row)),
                None => Some(1),
            };
            found.append_option(match position {
                None => Some(0),
                Some(_) if texts.is_null(row) || parts.is_null(row) => None,
                Some(position) if position < 1 => Some(0),
                Some(position) => Some(place_of(parts.value(row), texts.value(row), position)),
            });
        }
        Ok(std::sync::Arc::new(found.finish()))
    })
    .udf()
}

fn place_of(part: &str, text: &str, position: i32) -> i32 {
    if part.is_empty() {
        return 1;
    }
    let skipped = position as usize - 1;
    let Some((start, _)) = text.char_indices().nth(skipped) else { return 0 };
    match text[start..].find(part) {
        Some(at) => (skipped + text[start..start + at].chars().count() + 1) as i32,
        None => 0,
    }
}

/// Spark's `find_in_set(text, list)`, where commas part the texts of the list.
pub(super) fn find_in_set() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text]);
    Kernel::new("find_in_set", parameters, rows::int, |call| {
        let (texts, lists) = (call.text(0)?, call.text(1)?);
        rows::numbers::<Int32Type>(call, |row| {
            let text = texts.value(row);
            let place = lists.value(row).split(',').position(|item| item == text);
            Ok(Some(place.map_or(0, |place| place as i32 + 1)))
        })
    })
    .udf()
}
