//! `like` and `ilike`: `_` is any character, `%` any text, and the escape character takes both as
//! they are.

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use regex::{Regex, RegexBuilder};

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PARAMETERS: Parameters = Parameters::with_optional(&[Kind::Text, Kind::Text], &[Kind::Text]);

/// Spark's `like`.
pub(super) fn like() -> ScalarUDF {
    Kernel::new("like", PARAMETERS, rows::boolean, |call| matches(call, false)).udf()
}

/// Spark's `ilike`.
pub(super) fn ilike() -> ScalarUDF {
    Kernel::new("ilike", PARAMETERS, rows::boolean, |call| matches(call, true)).udf()
}

fn matches(call: &Call<'_>, ignores_case: bool) -> Result<ArrayRef> {
    let (texts, patterns) = (call.text(0)?, call.text(1)?);
    let escapes = call.optional_text(2)?;
    let mut last: Option<(&str, Regex)> = None;
    rows::booleans(call, |row| {
        let pattern = patterns.value(row);
        if last.as_ref().is_none_or(|(known, _)| *known != pattern) || escapes.is_some() {
            let escape = escapes.as_ref().map_or("\\", |escapes| escapes.value(row));
            last = Some((pattern, compile(pattern, escape, ignores_case)?));
        }
        Ok(last.as_ref().map(|(_, regex)| regex.is_match(texts.value(row))))
    })
}

fn compile(pattern: &str, escape: &str, ignores_case: bool) -> Result<Regex> {
    let mut letters = escape.chars();
    let (Some(escape), None) = (letters.next(), letters.next()) else {
        let message = format!("the escape of LIKE is one character, not `{escape}`");
        return Err(Failure::new("INVALID_ESCAPE_CHAR", message).into());
    };
    let mut regex = String::from("^(?s:");
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            _ if letter == escape => match letters.next() {
                Some(next) if next == '_' || next == '%' || next == escape => {
                    push(next, &mut regex)
                }
                Some(next) => return Err(misplaced(pattern, escape, next).into()),
                None => return Err(at_end(pattern).into()),
            },
            '_' => regex.push('.'),
            '%' => regex.push_str(".*"),
            letter => push(letter, &mut regex),
        }
    }
    regex.push_str(")$");
    let regex = RegexBuilder::new(&regex).case_insensitive(ignores_case).build();
    regex.map_err(|error| {
        let message = format!("`{pattern}` is no pattern of LIKE: {error}");
        Failure::new("INVALID_PARAMETER_VALUE.PATTERN", message).into()
    })
}

fn push(letter: char, regex: &mut String) {
    regex.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
}

fn misplaced(pattern: &str, escape: char, next: char) -> Failure {
    let message =
        format!("in the pattern `{pattern}` the escape `{escape}` stands before `{next}`");
    Failure::new("INVALID_FORMAT.ESC_IN_THE_MIDDLE", message)
        .hint("it may stand before `_`, `%` and itself")
}

fn at_end(pattern: &str) -> Failure {
    let message = format!("the pattern `{pattern}` ends in its escape character");
    Failure::new("INVALID_FORMAT.ESC_AT_THE_END", message).hint("double it")
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn escapes_take_signs_as_they_are() {
        let like = |text: &str, pattern| compile(pattern, "\\", false).unwrap().is_match(text);
        assert!(like("a%b", r"a\%b") && !like("axb", r"a\%b"));
        assert!(like("a\nb", "a_b") && like("a.b", "a.b") && !like("axb", "a.b"));
        assert!(compile(r"a\b", "\\", false).is_err() && compile("a\\", "\\", false).is_err());
    }
}
