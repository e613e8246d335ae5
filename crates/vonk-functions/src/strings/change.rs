//! Texts made from others: other letters, other parts, other order.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::substring::range;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const TEXT: Parameters = Parameters::exact(&[Kind::Text]);

/// Spark's `upper`.
pub(super) fn upper() -> ScalarUDF {
    Kernel::new("upper", TEXT, rows::text, |call| map(call, |text, out| *out = text.to_uppercase()))
        .udf()
}

/// Spark's `lower`.
pub(super) fn lower() -> ScalarUDF {
    Kernel::new("lower", TEXT, rows::text, |call| map(call, |text, out| *out = text.to_lowercase()))
        .udf()
}

/// Spark's `initcap`: only a space begins a new word.
pub(super) fn initcap() -> ScalarUDF {
    Kernel::new("initcap", TEXT, rows::text, |call| {
        map(call, |text, out| {
            let mut is_first = true;
            for letter in text.chars() {
                match is_first {
                    true => out.extend(letter.to_uppercase()),
                    false => out.extend(letter.to_lowercase()),
                }
                is_first = letter == ' ';
            }
        })
    })
    .udf()
}

/// Spark's `quote`: the text in single quotes, with a backslash before those within.
pub(super) fn quote() -> ScalarUDF {
    Kernel::new("quote", TEXT, rows::text, |call| {
        map(call, |text, out| {
            out.push('\'');
            out.push_str(&text.replace('\'', "\\'"));
            out.push('\'');
        })
    })
    .udf()
}

fn map(call: &Call<'_>, write: fn(&str, &mut String)) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    rows::texts(call, |row, output| {
        write(texts.value(row), output);
        Ok(true)
    })
}

/// Spark's `replace(text, search[, replacement])`; an empty search replaces nothing.
pub(super) fn replace() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text, Kind::Text], &[Kind::Text]);
    Kernel::new("replace", parameters, rows::text, |call| {
        let (texts, searches) = (call.text(0)?, call.text(1)?);
        let replacements = call.optional_text(2)?;
        rows::texts(call, |row, output| {
            let (text, search) = (texts.value(row), searches.value(row));
            let replacement = replacements.as_ref().map_or("", |texts| texts.value(row));
            let mut rest = text;
            while let Some(at) = rest.find(search).filter(|_| !search.is_empty()) {
                output.push_str(&rest[..at]);
                output.push_str(replacement);
                rest = &rest[at + search.len()..];
            }
            output.push_str(rest);
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `translate(text, from, to)`: letter by letter; those without a partner go.
pub(super) fn translate() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text, Kind::Text]);
    Kernel::new("translate", parameters, rows::text, |call| {
        let (texts, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
        let mut last: Option<(&str, &str)> = None;
        let mut partners: HashMap<char, Option<char>> = HashMap::new();
        rows::texts(call, |row, output| {
            let pair = (from.value(row), to.value(row));
            if last != Some(pair) {
                partners.clear();
                let mut replacements = pair.1.chars();
                for letter in pair.0.chars() {
                    let replacement = replacements.next();
                    partners.entry(letter).or_insert(replacement);
                }
                last = Some(pair);
            }
            let letters = texts.value(row).chars();
            output.extend(letters.filter_map(|c| partners.get(&c).copied().unwrap_or(Some(c))));
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `overlay(text, replacement, position[, length])`.
pub(super) fn overlay() -> ScalarUDF {
    let parameters =
        Parameters::with_optional(&[Kind::TextOrBytes, Kind::TextOrBytes, Kind::Int], &[Kind::Int]);
    Kernel::new("overlay", parameters, rows::like_first, |call| {
        let (inputs, replacements) = (call.raw(0)?, call.raw(1)?);
        let (positions, lengths) =
            (call.primitive::<Int32Type>(2)?, call.optional::<Int32Type>(3)?);
        let is_text = *call.returns == DataType::Utf8;
        rows::bytes(call, |row, output| {
            let (input, replacement) = (inputs.value(row), replacements.value(row));
            let position = positions.value(row);
            let own = unit_starts(replacement, is_text).len() as i32 - 1;
            let length = lengths.as_ref().map(|lengths| lengths.value(row));
            let length = length.filter(|length| *length >= 0).unwrap_or(own);
            let starts = unit_starts(input, is_text);
            let (start, end) = range(starts.len() - 1, 1, position.saturating_sub(1));
            output.extend_from_slice(&input[starts[start]..starts[end]]);
            output.extend_from_slice(replacement);
            let (start, end) = range(starts.len() - 1, position.saturating_add(length), i32::MAX);
            output.extend_from_slice(&input[starts[start]..starts[end]]);
            Ok(true)
        })
    })
    .udf()
}

/// Where each character, or byte, begins, and behind them the end.
fn unit_starts(input: &[u8], is_text: bool) -> Vec<usize> {
    match std::str::from_utf8(input) {
        Ok(text) if is_text => text.char_indices().map(|(at, _)| at).chain([input.len()]).collect(),
        _ => (0..=input.len()).collect(),
    }
}

/// Spark's `repeat(text, times)`.
pub(super) fn repeat() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Int]);
    Kernel::new("repeat", parameters, rows::text, |call| {
        let (texts, times) = (call.text(0)?, call.primitive::<Int32Type>(1)?);
        rows::texts(call, |row, output| {
            for _ in 0..times.value(row) {
                output.push_str(texts.value(row));
            }
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `space(count)`.
pub(super) fn space() -> ScalarUDF {
    Kernel::new("space", Parameters::exact(&[Kind::Int]), rows::text, |call| {
        let counts = call.primitive::<Int32Type>(0)?;
        rows::texts(call, |row, output| {
            output.extend((0..counts.value(row)).map(|_| ' '));
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `reverse` of a text or an array.
pub(super) fn reverse() -> ScalarUDF {
    let returns = |types: &[DataType]| {
        Ok(match &types[0] {
            list @ DataType::List(_) => list.clone(),
            _ => DataType::Utf8,
        })
    };
    Kernel::new("reverse", Parameters::exact(&[Kind::TextOrList]), returns, |call| {
        let input = call.array(0)?;
        if let Some(lists) = input.as_list_opt::<i32>() {
            return reversed(lists);
        }
        let texts = call.text(0)?;
        rows::texts(call, |row, output| {
            output.extend(texts.value(row).chars().rev());
            Ok(true)
        })
    })
    .udf()
}

fn reversed(lists: &ListArray) -> Result<ArrayRef> {
    let offsets = lists.value_offsets();
    let mut indices = Vec::with_capacity(lists.values().len());
    for pair in offsets.windows(2) {
        indices.extend((pair[0]..pair[1]).rev().map(|at| at as u64));
    }
    let first = offsets[0];
    let values = take(lists.values(), &UInt64Array::from(indices), None)?;
    let offsets: Vec<i32> = offsets.iter().map(|offset| offset - first).collect();
    let DataType::List(item) = lists.data_type() else {
        return Ok(Arc::new(lists.clone()));
    };
    let nulls = lists.nulls().cloned();
    let reversed = ListArray::try_new(Arc::clone(item), offsets_of(offsets), values, nulls)?;
    Ok(Arc::new(reversed))
}

fn offsets_of(offsets: Vec<i32>) -> arrow::buffer::OffsetBuffer<i32> {
    arrow::buffer::OffsetBuffer::new(offsets.into())
}
