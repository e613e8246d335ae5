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

/// What begins and parts a failure within the text of another error.
const MARK: char = '\u{1f}';

impl Failure {
    /// The failure within the text of an error: DataFusion keeps only the text of what goes wrong
    /// while a function's arguments get their types.
    ///
    /// ```
    /// use vonk_functions::Failure;
    /// let failure = Failure::new("DIVIDE_BY_ZERO", "division by zero").hint("use `try_divide`");
    /// let error = failure.clone().into_text();
    /// assert_eq!(Failure::in_text(&error.to_string(), &["DIVIDE_BY_ZERO"]), Some(failure));
    /// ```
    pub fn into_text(self) -> DataFusionError {
        let Self { condition, message, hint } = self;
        let hint = hint.unwrap_or_default();
        DataFusionError::Plan(format!("{MARK}{condition}{MARK}{message}{MARK}{hint}{MARK}"))
    }

    /// The failure that [`Failure::into_text`] put into a text, if its condition is a known one.
    pub fn in_text(text: &str, conditions: &[&'static str]) -> Option<Self> {
        let mut parts = text.split(MARK).skip(1);
        let (condition, message, hint) = (parts.next()?, parts.next()?, parts.next()?);
        let condition = conditions.iter().find(|known| **known == condition)?;
        let failure = Failure::new(condition, message);
        Some(if hint.is_empty() { failure } else { failure.hint(hint) })
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
