//! What goes wrong while a function runs, by Spark's name for it.

use std::fmt;

use datafusion::common::DataFusionError;

/// A value that a function cannot take or make: Spark's condition, a message, and what to do.
///
/// It travels as [`DataFusionError::External`] and becomes the engine's error there.
///
/// ```
/// use vonk_functions::Failure;
/// let failure = Failure::new("DIVIDE_BY_ZERO", "division by zero").hint("use `try_divide`");
/// assert_eq!(failure.to_string(), "division by zero (hint: use `try_divide`)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Spark's error condition, such as `ARITHMETIC_OVERFLOW`.
    pub condition: &'static str,
    /// Lower case, no full stop, names in backticks.
    pub message: String,
    /// What to do, as an action.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of this condition without a hint.
    pub fn new(condition: &'static str, message: impl Into<String>) -> Self {
        Self { condition, message: message.into(), hint: None }
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for DataFusionError {
    fn from(failure: Failure) -> Self {
        DataFusionError::External(Box::new(failure))
    }
}
