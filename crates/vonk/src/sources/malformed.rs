//! What the text formats do with records that do not fit: Spark's modes, and the errors.

use super::ReadOptions;
use crate::error::{Condition, Error, Result};

/// The option `mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// No mode was given and the schema was found by ourselves: what does not fit is an error,
    /// because a NULL where the file has a value would be a wrong answer.
    Strict,
    /// What does not fit is NULL; the whole record goes to the column of corrupt records.
    Permissive,
    /// Records that do not fit are left out.
    DropMalformed,
    /// What does not fit is an error.
    FailFast,
}

impl Mode {
    pub(super) fn from_options(options: &ReadOptions) -> Result<Option<Self>> {
        match options.get("mode").map(str::to_uppercase).as_deref() {
            None => Ok(None),
            Some("PERMISSIVE") => Ok(Some(Self::Permissive)),
            Some("DROPMALFORMED") => Ok(Some(Self::DropMalformed)),
            Some("FAILFAST") => Ok(Some(Self::FailFast)),
            Some(other) => {
                Err(super::bad_option("mode", other, "`PERMISSIVE`, `DROPMALFORMED` or `FAILFAST`"))
            }
        }
    }

    pub(super) fn is_error(self) -> bool {
        matches!(self, Self::Strict | Self::FailFast)
    }
}

/// A record that does not fit; the line counts from the beginning of what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    /// 1-based line within the part of the file that was read.
    pub(super) line: u64,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Malformed {
    /// The error, for a part of `file` that begins after `lines_before` lines.
    pub(super) fn into_error(self, file: &str, lines_before: u64) -> Error {
        let line = self.line + lines_before;
        Error::new(Condition::MALFORMED_RECORD, format!("line {line}: {}", self.message))
            .hint(self.hint)
            .file(file)
    }
}

/// Text from a file for a message: short, on one line.
pub(super) fn excerpt(text: &str) -> String {
    const LENGTH: usize = 60;
    let mut short: String = text.chars().take(LENGTH).flat_map(char::escape_debug).collect();
    if text.chars().nth(LENGTH).is_some() {
        short.push('…');
    }
    short
}
