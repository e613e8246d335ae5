//! Functions on their way to other processes: by name, where the library of every process has the
//! same one under it.

use std::sync::{Arc, LazyLock};

use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use serde::{Deserialize, Serialize};
use vonk_functions::arithmetic::Mode;
use vonk_functions::{Library, item, only};

use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::{limits, udf};

static ANSI: LazyLock<Library> = LazyLock::new(|| Library::new(Mode::Ansi));
static LEGACY: LazyLock<Library> = LazyLock::new(|| Library::new(Mode::Legacy));

/// What no statement can name, and our own rules put into plans.
static RULES: LazyLock<Rules> = LazyLock::new(|| Rules {
    scalars: vec![Arc::new(only::udf()), Arc::new(item::value_of_key())],
    aggregates: vec![sum_udaf()],
});

struct Rules {
    scalars: Vec<Arc<ScalarUDF>>,
    aggregates: Vec<Arc<AggregateUDF>>,
}

/// The functions of a session, by what it wrote them down.
#[derive(Debug, Clone, Copy)]
pub struct Functions {
    is_ansi: bool,
}

/// Where a function is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Home {
    Ansi,
    Legacy,
    Rules,
    /// Its code travels behind its name, after a line's end.
    Outside,
}

/// How a function is found again.
#[derive(Debug, Serialize, Deserialize)]
struct Name {
    name: String,
    home: Home,
    /// The bytes that it may make at once.
    limit: Option<u64>,
}

impl Home {
    /// The function of this home that `of_library` or `of_rules` finds.
    fn find<T>(
        self,
        of_library: impl Fn(&Library) -> Option<T>,
        of_rules: impl Fn(&Rules) -> Option<T>,
    ) -> Option<T> {
        match self {
            Self::Ansi => of_library(&ANSI),
            Self::Legacy => of_library(&LEGACY),
            Self::Rules => of_rules(&RULES),
            Self::Outside => None,
        }
    }
}

impl Rules {
    fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.iter().find(|function| function.name() == name).cloned()
    }

    fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.iter().find(|function| function.name() == name).cloned()
    }
}

impl Functions {
    /// Those of a session with these options.
    pub fn of(config: &Config) -> Self {
        Self { is_ansi: config.is_on(config::ANSI) }
    }

    /// What stands for a function of values.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it is not the library's and its code does not travel.
    pub fn scalar(self, function: &ScalarUDF) -> Result<Vec<u8>> {
        let (inner, limit) = match limits::unbounded(function) {
            Some((inner, limit)) => (inner.as_ref(), Some(limit)),
            None => (function, None),
        };
        if let Some(code) = udf::write_outside(inner) {
            let mut written = write(inner.name(), Some(Home::Outside), limit)?;
            written.push(b'\n');
            written.extend(code?);
            return Ok(written);
        }
        let home = self.home(scalar_at, inner.name(), inner);
        if home.is_none() && !udf::is_outside(inner) {
            let name = inner.name();
            let message = format!(
                "function `{name}` is of this process only, unless `vonk::udf::offer_udf` makes it"
            );
            return Err(Error::unsupported(message));
        }
        write(inner.name(), home, limit)
    }

    /// What stands for a function of groups.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it is not the library's.
    pub fn aggregate(self, function: &AggregateUDF) -> Result<Vec<u8>> {
        write(function.name(), self.home(aggregate_at, function.name(), function), None)
    }

    /// What stands for a function of the rows around a row.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it is not the library's.
    pub fn window(self, function: &WindowUDF) -> Result<Vec<u8>> {
        write(function.name(), self.home(window_at, function.name(), function), None)
    }

    /// What stands for a function that takes lambdas.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it is not the library's.
    pub fn higher_order(self, function: &HigherOrderUDF) -> Result<Vec<u8>> {
        write(function.name(), self.home(higher_order_at, function.name(), function), None)
    }

    /// The first home of a session's functions where `find` finds this one by its name.
    fn home<T: PartialEq>(
        self,
        find: impl Fn(Home, &str) -> Option<Arc<T>>,
        name: &str,
        function: &T,
    ) -> Option<Home> {
        let library = if self.is_ansi { Home::Ansi } else { Home::Legacy };
        let has = |home: &Home| find(*home, name).is_some_and(|known| *known == *function);
        [library, Home::Rules].into_iter().find(has)
    }
}

fn write(name: &str, home: Option<Home>, limit: Option<u64>) -> Result<Vec<u8>> {
    let home = home
        .ok_or_else(|| Error::unsupported(format!("function `{name}` is of this process only")))?;
    let written = Name { name: name.to_owned(), home, limit };
    serde_json::to_vec(&written).map_err(|error| Error::internal(error.to_string()))
}

fn scalar_at(home: Home, name: &str) -> Option<Arc<ScalarUDF>> {
    home.find(|library| library.scalar(name), |rules| rules.scalar(name))
}

fn aggregate_at(home: Home, name: &str) -> Option<Arc<AggregateUDF>> {
    home.find(|library| library.aggregate(name), |rules| rules.aggregate(name))
}

fn window_at(home: Home, name: &str) -> Option<Arc<WindowUDF>> {
    home.find(|library| library.window(name), |_| None)
}

fn higher_order_at(home: Home, name: &str) -> Option<Arc<HigherOrderUDF>> {
    home.find(|library| library.higher_order(name), |_| None)
}

fn parsed(written: &[u8]) -> Result<Name> {
    serde_json::from_slice(written).map_err(|error| Error::internal(error.to_string()))
}

fn find<T>(written: &[u8], find: impl Fn(Home, &str) -> Option<T>) -> Result<(T, Name)> {
    let name = parsed(written)?;
    match find(name.home, &name.name) {
        Some(found) => Ok((found, name)),
        None => Err(Error::internal(format!("function `{}` does not exist here", name.name))),
    }
}

/// The function of values that [`Functions::scalar`] wrote down.
///
/// # Errors
/// If there is none of that name.
pub fn scalar_of(written: &[u8]) -> Result<Arc<ScalarUDF>> {
    let end = written.iter().position(|byte| *byte == b'\n');
    let (head, code) = written.split_at(end.unwrap_or(written.len()));
    let (found, name) = match code.get(1..) {
        Some(code) => (udf::read_outside(code)?, parsed(head)?),
        None => find(head, scalar_at)?,
    };
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
    find(written, aggregate_at).map(|(found, _)| found)
}

/// The function of rows around a row that [`Functions::window`] wrote down.
///
/// # Errors
/// If there is none of that name.
pub fn window_of(written: &[u8]) -> Result<Arc<WindowUDF>> {
    find(written, window_at).map(|(found, _)| found)
}

/// The function that takes lambdas that [`Functions::higher_order`] wrote down.
///
/// # Errors
/// If there is none of that name.
pub fn higher_order_of(written: &[u8]) -> Result<Arc<HigherOrderUDF>> {
    find(written, higher_order_at).map(|(found, _)| found)
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
        let sum = sum_udaf();
        assert_eq!(aggregate_of(&functions.aggregate(&sum).unwrap()).unwrap(), sum);
        let only = only::udf();
        assert_eq!(*scalar_of(&functions.scalar(&only).unwrap()).unwrap(), only);
        let strange = ANSI.scalar("upper").unwrap().as_ref().clone().with_aliases(["other"]);
        assert!(functions.scalar(&strange).is_err());
    }
}
