//! The one error of compiled steps: Python has to do it, for its answer or its exception.

use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::PyException;

create_exception!(
    _vonk,
    RedoInPython,
    PyException,
    "Compiled steps met a value whose meaning only Python keeps."
);

/// Why Python has to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redo(pub(crate) &'static str);

pub(crate) type Result<T, E = Redo> = std::result::Result<T, E>;

impl From<Redo> for PyErr {
    fn from(redo: Redo) -> Self {
        RedoInPython::new_err(redo.0)
    }
}

/// What ends a run.
#[derive(Debug)]
pub(crate) enum Stop {
    Redo(Redo),
    Cancelled,
}

impl From<Redo> for Stop {
    fn from(redo: Redo) -> Self {
        Self::Redo(redo)
    }
}

impl From<Stop> for PyErr {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Redo(redo) => redo.into(),
            Stop::Cancelled => pyo3::exceptions::PyKeyboardInterrupt::new_err(()),
        }
    }
}
