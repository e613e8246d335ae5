//! `mask(text[, upper, lower, digit, other])`: characters of a class become the one given for it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// What stands for large letters, small letters, digits and all else; NULL lets them stay.
const DEFAULTS: [Option<char>; 4] = [Some('X'), Some('x'), Some('n'), None];

/// The parameters that [`DEFAULTS`] are for.
const NAMES: [&str; 4] = ["upperChar", "lowerChar", "digitChar", "otherChar"];

/// Spark's `mask`.
pub(super) fn udf() -> ScalarUDF {
    let parameters =
        Parameters::with_optional(&[Kind::Text], &[Kind::Text, Kind::Text, Kind::Text, Kind::Text]);
    Kernel::new("mask", parameters, rows::text, masked).udf()
}

fn masked(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    let given = (1..call.count()).map(|at| call.text(at)).collect::<Result<Vec<_>>>()?;
    let mut masked = StringBuilder::new();
    let mut text = String::new();
    for row in 0..call.rows {
        if texts.is_null(row) {
            masked.append_null();
            continue;
        }
        let mut signs = DEFAULTS;
        for (at, column) in given.iter().enumerate() {
            let sign = column.is_valid(row).then(|| column.value(row));
            signs[at] = sign.map(|sign| one_character(sign, NAMES[at])).transpose()?;
        }
        text.clear();
        text.extend(texts.value(row).chars().map(|letter| {
            let class = match letter {
                _ if letter.is_uppercase() => 0,
                _ if letter.is_lowercase() => 1,
                _ if letter.is_numeric() => 2,
                _ => 3,
            };
            signs[class].unwrap_or(letter)
        }));
        masked.append_value(&text);
    }
    Ok(Arc::new(masked.finish()))
}

fn one_character(text: &str, name: &str) -> Result<char> {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Ok(letter),
        _ => {
            let message = format!("`{name}` of `mask` is one character, not `{text}`");
            Err(Failure::new("DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE", message).into())
        }
    }
}
