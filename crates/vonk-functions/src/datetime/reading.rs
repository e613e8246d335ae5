//! Texts read as dates and timestamps by datetime patterns.

use datafusion::common::Result;

use super::pattern::{Parsed, Pattern};
use super::rows::Memo;
use crate::failure::Failure;

/// Reads texts by patterns, for a function.
pub(crate) struct Reading {
    patterns: Memo<Pattern>,
    /// The function that gives NULL instead of an error.
    trying: &'static str,
    is_strict: bool,
}

impl Reading {
    /// Texts that do not fit are errors, or NULL if it is not strict.
    pub(crate) fn new(trying: &'static str, is_strict: bool) -> Self {
        Self { patterns: Memo::new(Pattern::for_parsing), trying, is_strict }
    }

    /// What a text says by a pattern.
    pub(crate) fn parse(&mut self, text: &str, pattern: &str) -> Result<Option<Parsed>> {
        match self.patterns.get(pattern)?.parse(text) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(_) if !self.is_strict => Ok(None),
            Err(message) => Err(Failure::new("CANNOT_PARSE_TIMESTAMP", message)
                .hint(format!("use `{}` to get NULL instead", self.trying))
                .into()),
        }
    }
}
