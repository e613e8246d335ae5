//! The methods of Python's texts that compiled steps know.

use crate::numbers::is_space;
use crate::redo::{Redo, Result};
use crate::value::Value;

/// Letters up to here have kept their upper and lower case in all versions of Unicode that Pythons know.
const STABLE_CASES_END: char = '\u{590}';

/// A method of `str`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Split,
    Strip,
    Lstrip,
    Rstrip,
    Lower,
    Upper,
    Startswith,
    Endswith,
    Replace,
    Find,
    Count,
    Isdigit,
    Isalpha,
    Isalnum,
    Isspace,
}

impl Method {
    /// By its name in Python.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "split" => Self::Split,
            "strip" => Self::Strip,
            "lstrip" => Self::Lstrip,
            "rstrip" => Self::Rstrip,
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "startswith" => Self::Startswith,
            "endswith" => Self::Endswith,
            "replace" => Self::Replace,
            "find" => Self::Find,
            "count" => Self::Count,
            "isdigit" => Self::Isdigit,
            "isalpha" => Self::Isalpha,
            "isalnum" => Self::Isalnum,
            "isspace" => Self::Isspace,
            _ => return None,
        })
    }

    /// Python's `text.method(*arguments)`.
    pub(crate) fn call<'a>(self, text: &'a str, arguments: &[Value<'a>]) -> Result<Value<'a>> {
        match (self, arguments) {
            (Self::Split, _) => {
                let mut parts = Vec::new();
                split(text, arguments, |part| {
                    parts.push(Value::borrowed(part));
                    Ok::<_, Redo>(())
                })?;
                Ok(Value::List(parts.into()))
            }
            (Self::Strip | Self::Lstrip | Self::Rstrip, [] | [Value::None]) => {
                Ok(self.stripped(text, is_space))
            }
            (Self::Strip | Self::Lstrip | Self::Rstrip, [Value::Str(set)]) => {
                Ok(self.stripped(text, |character| set.contains(character)))
            }
            (Self::Lower | Self::Upper, []) => self.cased(text).map(Value::owned),
            (Self::Startswith, [prefix]) => any(prefix, |part| text.starts_with(part)),
            (Self::Endswith, [suffix]) => any(suffix, |part| text.ends_with(part)),
            (Self::Replace, [Value::Str(from), Value::Str(to)]) => {
                Ok(Value::owned(text.replace(from.as_ref(), to)))
            }
            (Self::Find, [Value::Str(part)]) => Ok(Value::Int(place(text, part))),
            (Self::Count, [Value::Str(part)]) => length(text.matches(part.as_ref()).count()),
            (Self::Isdigit | Self::Isalpha | Self::Isalnum | Self::Isspace, []) => self.is(text),
            _ => Err(Redo("a method with other arguments")),
        }
    }

    fn stripped<'a>(self, text: &'a str, is_meant: impl Fn(char) -> bool) -> Value<'a> {
        Value::borrowed(match self {
            Self::Lstrip => text.trim_start_matches(is_meant),
            Self::Rstrip => text.trim_end_matches(is_meant),
            _ => text.trim_start_matches(&is_meant).trim_end_matches(&is_meant),
        })
    }

    fn cased(self, text: &str) -> Result<String> {
        let lower = self == Self::Lower;
        if text.is_ascii() {
            return Ok(if lower { text.to_ascii_lowercase() } else { text.to_ascii_uppercase() });
        }
        if text.chars().any(|character| character >= STABLE_CASES_END) {
            return Err(Redo("the case of letters that Unicode may still change"));
        }
        Ok(if lower { text.to_lowercase() } else { text.to_uppercase() })
    }

    /// Whether a text is not empty and all of one kind.
    fn is<'a>(self, text: &str) -> Result<Value<'a>> {
        if !text.is_ascii() {
            return Err(Redo("the kind of letters beyond ASCII"));
        }
        let is_kind = |byte: u8| match self {
            Self::Isdigit => byte.is_ascii_digit(),
            Self::Isalpha => byte.is_ascii_alphabetic(),
            Self::Isalnum => byte.is_ascii_alphanumeric(),
            _ => is_space(char::from(byte)),
        };
        Ok(Value::Bool(!text.is_empty() && text.bytes().all(is_kind)))
    }
}

/// Gives each part of `text.split(*arguments)`.
pub(crate) fn split<'a, E: From<Redo>>(
    text: &'a str,
    arguments: &[Value<'_>],
    mut give: impl FnMut(&'a str) -> Result<(), E>,
) -> Result<(), E> {
    match arguments {
        [] | [Value::None] => {
            text.split(is_space).filter(|part| !part.is_empty()).try_for_each(give)
        }
        [Value::Str(separator)] => match separator.as_bytes() {
            [] => Err(Redo("a split at nothing").into()),
            [byte] => {
                // Words are short: a plain loop finds their ends sooner than a search does.
                let mut start = 0;
                for (at, found) in text.bytes().enumerate() {
                    if found == *byte {
                        give(&text[start..at])?;
                        start = at + 1;
                    }
                }
                give(&text[start..])
            }
            _ => text.split(separator.as_ref()).try_for_each(give),
        },
        _ => Err(Redo("a split with other arguments").into()),
    }
}

fn any<'a>(parts: &Value<'_>, is: impl Fn(&str) -> bool) -> Result<Value<'a>> {
    let one = |part: &Value<'_>| match part {
        Value::Str(part) => Ok(is(part)),
        _ => Err(Redo("a part that is no text")),
    };
    let found = match parts {
        Value::Tuple(parts) => {
            let found: Vec<_> = parts.iter().map(one).collect::<Result<_>>()?;
            found.contains(&true)
        }
        part => one(part)?,
    };
    Ok(Value::Bool(found))
}

/// Where a part begins, in characters; -1 if it is not there.
fn place(text: &str, part: &str) -> i64 {
    let found = text.find(part).map(|at| text[..at].chars().count());
    found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
}

/// A length as a value.
pub(crate) fn length<'a>(count: usize) -> Result<Value<'a>> {
    i64::try_from(count).map(Value::Int).map_err(|_| Redo("a very long value"))
}
