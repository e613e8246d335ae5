//! How a statement can fail to reach its end, and the exit code that tells so.

use std::io;
use std::process::ExitCode;

use arrow::error::ArrowError;
use vonk::error::Kind;

/// Why the command ends early; the reason has been told on standard error already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Whoever read the results went away, as `head` does: not an error.
    ClosedPipe,
    /// A statement failed.
    Query,
    /// The command was called wrongly.
    Usage,
    /// A file or stream could not be read or written.
    Io,
    /// The user ended the statement.
    Interrupted,
}

impl Exit {
    /// The code that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::ClosedPipe => 0,
            Self::Query => 1,
            Self::Usage => 2,
            Self::Io => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The end that an error of the engine brings.
pub(crate) fn of_kind(kind: Kind) -> Exit {
    match kind {
        Kind::Io => Exit::Io,
        Kind::Interrupted => Exit::Interrupted,
        _ => Exit::Query,
    }
}

/// Why a statement did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine refused the statement or its data.
    Engine(vonk::Error),
    /// The results could not be written.
    Output(io::Error),
    /// The results do not fit the format of the output.
    Format(String),
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl Failure {
    /// What the process would say about this failure.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Engine(error) => of_kind(error.condition().kind),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::ClosedPipe,
            Self::Output(_) => Exit::Io,
            Self::Format(_) => Exit::Usage,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

impl From<vonk::Error> for Failure {
    fn from(error: vonk::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Output(error),
            other => Self::Format(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use vonk::{Condition, Error};

    use super::*;

    #[test]
    fn kinds_of_errors_give_the_documented_codes() {
        let code = |failure: Failure| failure.exit().code();
        let engine = |condition| Failure::Engine(Error::new(condition, "x"));
        assert_eq!(code(engine(Condition::UNRESOLVED_COLUMN)), 1);
        assert_eq!(code(engine(Condition::PATH_NOT_FOUND)), 3);
        assert_eq!(code(engine(Condition::OPERATION_CANCELED)), 130);
        assert_eq!(code(Failure::Interrupted), 130);
        assert_eq!(code(io::Error::from(io::ErrorKind::BrokenPipe).into()), 0);
        assert_eq!(code(io::Error::from(io::ErrorKind::StorageFull).into()), 3);
    }
}
