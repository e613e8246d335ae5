//! Functions on their way to other processes: by name, where the library of every process has the
//! same one under it.

use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use serde::{Deserialize, Serialize};
use vonk_functions::Library;
use vonk_functions::arithmetic::Mode;

use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::limits;

static ANSI: LazyLock<Library> = LazyLock::new(|| Library::new(Mode::Ansi));
static LEGACY: LazyLock<Library> = LazyLock::new(|| Library::new(Mode::Legacy));

/// The functions of a session, by what it wrote them down.
#[derive(Debug, Clone, Copy)]
pub struct Functions {
    is_ansi: bool,
}

/// How a function is found again.
#[derive(Debug, Serialize, Deserialize)]
struct Name {
    name: String,
    is_ansi: bool,
    /// The bytes that it may make at once.
    limit: Option<u64>,
}

fn library(is_ansi: bool) -> &'static Library {
    if is_ansi { &ANSI } else { &LEGACY }
}

impl Functions {
    /// Those of a session with these options.
    pub fn of(config: &Config) -> Self {
        Self { is_ansi: config.is_on(config::ANSI) }
    }

    /// What stands for a function of values.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it is not the library's.
    pub fn scalar(self, function: &ScalarUDF) -> Result<Vec<u8>> {
        let (inner, limit) = match limits::unbounded(function) {
            Some((inner, limit)) => (inner.as_ref(), Some(limit)),
            None => (function, None),
        };
        let known = library(self.is_ansi).scalar(inner.name());
        let is_known = known.is_some_and(|known| known.as_ref() == inner);
        self.write(inner.name(), is_known, limit)
    }

    /// What stands for a function of groups.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it is not the library's.
    pub fn aggregate(self, function: &AggregateUDF) -> Result<Vec<u8>> {
        let known = library(self.is_ansi).aggregate(function.name());
        let is_known = known.is_some_and(|known| known.as_ref() == function);
        self.write(function.name(), is_known, None)
    }

    /// What stands for a function of the rows around a row.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it is not the library's.
    pub fn window(self, function: &WindowUDF) -> Result<Vec<u8>> {
        let known = library(self.is_ansi).window(function.name());
        let is_known = known.is_some_and(|known| known.as_ref() == function);
        self.write(function.name(), is_known, None)
    }

    /// What stands for a function that takes lambdas.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it is not the library's.
    pub fn higher_order(self, function: &HigherOrderUDF) -> Result<Vec<u8>> {
        let known = library(self.is_ansi).higher_order(function.name());
        let is_known = known.is_some_and(|known| known.as_ref() == function);
        self.write(function.name(), is_known, None)
    }

    fn write(self, name: &str, is_known: bool, limit: Option<u64>) -> Result<Vec<u8>> {
        if !is_known {
            let message = format!("function `{name}` is of this process only");
            return Err(Error::unsupported(message));
        }
        let written = Name { name: name.to_owned(), is_ansi: self.is_ansi, limit };
        serde_json::to_vec(&written).map_err(|error| Error::internal(error.to_string()))
    }
}

fn find<T>(written: &[u8], find: impl Fn(&Library, &str) -> Option<T>) -> Result<(T, Name)> {
    let name: Name =
        serde_json::from_slice(written).map_err(|error| Error::internal(error.to_string()))?;
    match find(library(name.is_ansi), &name.name) {
        Some(found) => Ok((found, name)),
        None => Err(Error::internal(format!("function `{}` does not exist here", name.name))),
    }
}

/// The function of values that [`Functions::scalar`] wrote down.
///
/// # Errors
/// If there is none of that name.
pub fn scalar_of(written: &[u8]) -> Result<Arc<ScalarUDF>> {
    let (found, name) = find(written, Library::scalar)?;
    Ok(match name.limit {
        Some(limit) => limits::bounded_at(found, limit),
        None => found,
    })
}

/// The function of groups that [`Functions::aggregate`] wrote down.
///
/// # Errors
/// If there is none of that name.
pub fn aggregate_of(written: &[u8]) -> Result<Arc<AggregateUDF>> {
    find(written, Library::aggregate).map(|(found, _)| found)
}

/// The function of rows around a row that [`Functions::window`] wrote down.
///
/// # Errors
/// If there is none of that name.
pub fn window_of(written: &[u8]) -> Result<Arc<WindowUDF>> {
    find(written, Library::window).map(|(found, _)| found)
}

/// The function that takes lambdas that [`Functions::higher_order`] wrote down.
///
/// # Errors
/// If there is none of that name.
pub fn higher_order_of(written: &[u8]) -> Result<Arc<HigherOrderUDF>> {
    find(written, Library::higher_order).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_the_library_come_back_and_others_do_not_leave() {
        let functions = Functions { is_ansi: true };
        for name in ["upper", "regexp_replace", "date_trunc", "+", "cast", "concat"] {
            let function = ANSI.scalar(name).unwrap();
            let back = scalar_of(&functions.scalar(&function).unwrap()).unwrap();
            assert_eq!(back, function, "{name}");
        }
        let strange = ANSI.scalar("upper").unwrap().as_ref().clone().with_aliases(["other"]);
        assert!(functions.scalar(&strange).is_err());
    }
}
