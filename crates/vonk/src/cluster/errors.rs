//! Errors on their way between processes: condition, message, place and hint arrive as they left.

use std::fmt::Write as _;

use datafusion::common::DataFusionError;
use serde::{Deserialize, Serialize};

use crate::error::{Condition, Error, Place};

/// What a text begins with that holds an error.
const MARK: &str = "vonk error: ";

/// An error as text that [`error_of`] reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TravellingError {
    condition: String,
    message: String,
    hint: Option<String>,
    file: Option<String>,
    place: Option<(u64, u64, u64)>,
    parameters: Vec<(String, String)>,
}

impl TravellingError {
    /// The error as it leaves.
    pub fn new(error: &Error) -> Self {
        Self {
            condition: error.condition().name.to_owned(),
            message: error.message().to_owned(),
            hint: error.hint_text().map(str::to_owned),
            file: error.file_path().map(|path| path.display().to_string()),
            place: error.place().map(|place| (place.line, place.column, place.length)),
            parameters: error.parameters().to_vec(),
        }
    }

    /// The text that travels.
    pub fn to_text(&self) -> String {
        let mut text = MARK.to_owned();
        // Strings, numbers and lists always have a form in JSON.
        let _written = write!(text, "{}", serde_json::to_string(self).unwrap_or_default());
        text
    }

    fn arrive(self) -> Error {
        let known = Condition::ALL.iter().find(|condition| condition.name == self.condition);
        let mut error = Error::new(*known.unwrap_or(&Condition::INTERNAL_ERROR), self.message);
        if let Some(hint) = self.hint {
            error = error.hint(hint);
        }
        if let Some(file) = self.file {
            error = error.file(file);
        }
        if let Some((line, column, length)) = self.place {
            error = error.at(Place { line, column, length });
        }
        for (name, value) in self.parameters {
            error = error.parameter(&name, value);
        }
        error
    }
}

/// The error of another process that an error holds, if it holds one.
pub fn error_of(error: &DataFusionError) -> Option<Error> {
    let text = error.to_string();
    let (_, json) = text.split_once(MARK)?;
    // The text may have been put into others.
    let mut read = serde_json::Deserializer::from_str(json).into_iter::<TravellingError>();
    read.next()?.ok().map(TravellingError::arrive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_arrives_as_it_left_however_it_was_wrapped() {
        let left = Error::new(Condition::DIVIDE_BY_ZERO, "division by \"zero\"")
            .hint("use `try_divide`")
            .file("/a/b.csv")
            .parameter("config", "ansi");
        let text = TravellingError::new(&left).to_text();
        let wrapped = DataFusionError::Execution(text).context("a stage").context("another");
        assert_eq!(error_of(&wrapped).unwrap().to_string(), left.to_string());
        assert!(error_of(&DataFusionError::Execution("else".to_owned())).is_none());
    }
}
