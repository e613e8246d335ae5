//! `trim`, `ltrim`, `rtrim` and `btrim`: without spaces, or some characters, at one or both ends.

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PARAMETERS: Parameters = Parameters::with_optional(&[Kind::Text], &[Kind::Text]);

/// Which ends are trimmed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Both,
    Left,
    Right,
}

/// Spark's `trim([characters, ]text)`.
pub(super) fn trim() -> ScalarUDF {
    Kernel::new("trim", PARAMETERS, rows::text, |call| cut_characters_first(call, Ends::Both)).udf()
}

/// Spark's `ltrim([characters, ]text)`.
pub(super) fn ltrim() -> ScalarUDF {
    Kernel::new("ltrim", PARAMETERS, rows::text, |call| cut_characters_first(call, Ends::Left))
        .udf()
}

/// Spark's `rtrim([characters, ]text)`.
pub(super) fn rtrim() -> ScalarUDF {
    Kernel::new("rtrim", PARAMETERS, rows::text, |call| cut_characters_first(call, Ends::Right))
        .udf()
}

/// Spark's `btrim(text[, characters])`.
pub(super) fn btrim() -> ScalarUDF {
    Kernel::new("btrim", PARAMETERS, rows::text, |call| cut(call, Ends::Both, 0, 1)).udf()
}

/// With two arguments the characters come first: `ltrim('x', 'xxabc')`.
fn cut_characters_first(call: &Call<'_>, ends: Ends) -> Result<ArrayRef> {
    match call.count() {
        1 => cut(call, ends, 0, 1),
        _ => cut(call, ends, 1, 0),
    }
}

fn cut(call: &Call<'_>, ends: Ends, text: usize, characters: usize) -> Result<ArrayRef> {
    let texts = call.text(text)?;
    let characters = if call.count() > 1 { Some(call.text(characters)?) } else { None };
    rows::texts(call, |row, output| {
        let characters = characters.as_ref().map_or(" ", |given| given.value(row));
        let is_cut = |c: char| characters.contains(c);
        let text = texts.value(row);
        let text = if ends == Ends::Right { text } else { text.trim_start_matches(is_cut) };
        let text = if ends == Ends::Left { text } else { text.trim_end_matches(is_cut) };
        output.push_str(text);
        Ok(true)
    })
}
