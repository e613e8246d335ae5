//! `split(text, pattern[, limit])`: the parts of a text between the matches of a pattern.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, Int32Array, ListArray, StringViewArray,
    StringViewBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::failure::Failure;
use crate::java_regex::{self, Pattern};

/// Spark's `split`, whose pattern is a regular expression of Java.
pub(super) fn udf() -> ScalarUDF {
    ScalarUDF::new_from_impl(Split { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Split {
    signature: Signature,
}

impl ScalarUDFImpl for Split {
    fn name(&self) -> &str {
        "split"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let types = [DataType::Utf8View, DataType::Utf8View, DataType::Int32];
        if let Some(at) = arguments.iter().position(DataType::is_nested) {
            let message = format!("argument {} of `split` is no text", at + 1);
            return Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", message).into());
        }
        match arguments.len() {
            2 | 3 => Ok(types[..arguments.len()].to_vec()),
            count => {
                plan_err!("`split` takes a text, a pattern and a limit, not {count} arguments")
            }
        }
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let texts = args.args[0].to_array(rows)?;
        let texts = texts.as_string_view();
        let limits = match args.args.get(2) {
            Some(limit) => limit.to_array(rows)?,
            None => Arc::new(Int32Array::from_value(-1, rows)) as ArrayRef,
        };
        let limits = limits.as_primitive::<Int32Type>();
        let list = match &args.args[1] {
            ColumnarValue::Scalar(pattern) => match pattern.try_as_str().flatten() {
                Some(pattern) => {
                    let splitter = Splitter::new(pattern)?;
                    split_rows(texts, limits, None, |_| Ok(&splitter))?
                }
                None => return Ok(ColumnarValue::Scalar((&self.return_type(&[])?).try_into()?)),
            },
            ColumnarValue::Array(patterns) => {
                let patterns = patterns.as_string_view();
                let splitters = distinct_splitters(patterns)?;
                split_rows(texts, limits, patterns.nulls(), |row| {
                    match splitters.get(patterns.value(row)) {
                        Some(splitter) => Ok(splitter),
                        None => exec_err!("the pattern of row {row} is not compiled"),
                    }
                })?
            }
        };
        Ok(ColumnarValue::Array(Arc::new(list)))
    }
}

fn item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Utf8View, true))
}

fn distinct_splitters(
    patterns: &StringViewArray,
) -> Result<std::collections::HashMap<&str, Splitter>> {
    let mut splitters = std::collections::HashMap::new();
    for pattern in patterns.iter().flatten() {
        if !splitters.contains_key(pattern) {
            splitters.insert(pattern, Splitter::new(pattern)?);
        }
    }
    Ok(splitters)
}

/// Splits every row; a row where any argument is NULL gives NULL.
fn split_rows<'a>(
    texts: &StringViewArray,
    limits: &Int32Array,
    pattern_nulls: Option<&NullBuffer>,
    splitter: impl Fn(usize) -> Result<&'a Splitter>,
) -> Result<ListArray> {
    let nulls = NullBuffer::union(texts.nulls(), limits.nulls());
    let nulls = NullBuffer::union(nulls.as_ref(), pattern_nulls);
    let mut parts = StringViewBuilder::with_capacity(texts.len());
    let mut lengths = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        let before = parts.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let limit = usize::try_from(limits.value(row)).ok().filter(|limit| *limit > 0);
            splitter(row)?.split(texts.value(row), limit, |part| parts.append_value(part))?;
        }
        lengths.push(parts.len() - before);
    }
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(ListArray::try_new(item(), offsets, Arc::new(parts.finish()), nulls)?)
}

/// What separates the parts of a text, by a regular expression of Java; one without operators is
/// compared, not matched.
///
/// ```
/// use vonk_functions::Splitter;
/// let mut parts = Vec::new();
/// Splitter::new(r"\s+")?.split("to be", None, |part| parts.push(part.to_owned()))?;
/// assert_eq!(parts, ["to", "be"]);
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// ```
#[derive(Debug)]
pub enum Splitter {
    /// Every character is a part.
    Nothing,
    /// One byte of ASCII.
    Byte(u8),
    /// A longer text.
    Text(String),
    /// What matches.
    Pattern(Separator),
}

impl Splitter {
    /// The separator that a pattern stands for.
    ///
    /// # Errors
    /// If it is no regular expression.
    pub fn new(pattern: &str) -> Result<Self> {
        Ok(match java_regex::literal(pattern) {
            Some(text) if text.is_empty() => Splitter::Nothing,
            Some(text) if text.len() == 1 => Splitter::Byte(text.as_bytes()[0]),
            Some(text) => Splitter::Text(text),
            None => Splitter::Pattern(Separator(Pattern::new("split", pattern)?)),
        })
    }

    /// Gives at most `limit` parts; the last one is all that is left.
    ///
    /// # Errors
    /// If finding the separator was given up: some patterns take too many tries.
    pub fn split(
        &self,
        text: &str,
        limit: Option<usize>,
        mut part: impl FnMut(&str),
    ) -> Result<()> {
        let limit = limit.unwrap_or(usize::MAX);
        match self {
            Splitter::Nothing if text.is_empty() => part(text),
            Splitter::Nothing => {
                let mut rest = text;
                for _ in 1..limit {
                    let Some(first) = rest.chars().next() else { return Ok(()) };
                    let (head, tail) = rest.split_at(first.len_utf8());
                    part(head);
                    rest = tail;
                }
                if !rest.is_empty() {
                    part(rest);
                }
            }
            Splitter::Byte(separator) => text.splitn(limit, char::from(*separator)).for_each(part),
            Splitter::Text(separator) => text.splitn(limit, separator.as_str()).for_each(part),
            Splitter::Pattern(Separator(pattern)) => return pattern.split(text, limit, part),
        }
        Ok(())
    }
}

/// A regular expression between parts.
#[derive(Debug)]
pub struct Separator(Pattern);

#[cfg(test)]
mod tests {
    use super::Splitter;

    fn split(text: &str, pattern: &str, limit: Option<usize>) -> Vec<String> {
        let mut parts = Vec::new();
        let splitter = Splitter::new(pattern).unwrap();
        splitter.split(text, limit, |part| parts.push(part.to_owned())).unwrap();
        parts
    }

    #[test]
    fn the_examples_of_sparks_documentation_hold() {
        assert_eq!(split("oneAtwoBthreeC", "[ABC]", None), ["one", "two", "three", ""]);
        assert_eq!(split("oneAtwoBthreeC", "[ABC]", Some(2)), ["one", "twoBthreeC"]);
    }

    #[test]
    fn texts_and_escaped_signs_are_compared() {
        assert_eq!(split("to be  or", " ", None), ["to", "be", "", "or"]);
        assert_eq!(split("a.b.c", r"\.", None), ["a", "b", "c"]);
        assert_eq!(split("a||b", r"\|\|", None), ["a", "b"]);
        assert_eq!(split("", ",", None), [""]);
    }

    #[test]
    fn an_empty_pattern_gives_the_characters() {
        assert_eq!(split("häh", "", None), ["h", "ä", "h"]);
        assert_eq!(split("abc", "", Some(2)), ["a", "bc"]);
        assert_eq!(split("", "", None), [""]);
    }

    #[test]
    fn white_space_is_what_java_says() {
        assert_eq!(split("a \t b\u{a0}c", r"\s+", None), ["a", "b\u{a0}c"]);
    }
}
