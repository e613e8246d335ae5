//! Files that may be left out when they cannot be read: Spark's `ignoreCorruptFiles` and
//! `ignoreMissingFiles`.

use datafusion::execution::SessionState;
use serde::{Deserialize, Serialize};

use super::ReadOptions;
use crate::config::Config;
use crate::error::{Condition, Error, Result};

/// Which errors of a file end its rows instead of the query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tolerance {
    corrupt: bool,
    missing: bool,
}

impl Tolerance {
    /// What the options of the reader say, or else those of the session.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for anything but `true` and `false`.
    pub(super) fn find(state: &SessionState, options: &ReadOptions) -> Result<Self> {
        let either = |name: &str, option: &str| session_flag(state, options, name, option);
        Ok(Self {
            corrupt: either("ignoreCorruptFiles", "spark.sql.files.ignoreCorruptFiles")?,
            missing: either("ignoreMissingFiles", "spark.sql.files.ignoreMissingFiles")?,
        })
    }

    pub(super) fn is_any(self) -> bool {
        self != Self::default()
    }

    /// Whether the file is to be left out, from where this error is on.
    ///
    /// A record that does not fit its mode is no corrupt file, and a full memory is none either.
    pub(super) fn allows(self, error: &Error) -> bool {
        let condition = error.condition();
        let is_corrupt = [Condition::CANNOT_PARSE_FILE, Condition::CANNOT_READ_FILE];
        (self.corrupt && is_corrupt.contains(&condition))
            || (self.missing && condition == Condition::PATH_NOT_FOUND)
    }
}

/// A flag that the reader's option gives, or else the session's.
pub(super) fn session_flag(
    state: &SessionState,
    options: &ReadOptions,
    name: &str,
    option: &str,
) -> Result<bool> {
    match options.get(name) {
        Some(_) => options.flag(name),
        None => {
            let config = state.config().get_extension::<Config>();
            Ok(config.is_some_and(|config| config.is_on(option)))
        }
    }
}
