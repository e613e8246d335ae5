//! Functions by name, each made when a query first asks for it.
//!
//! A session knows some five hundred functions and a query uses three. To make all of them at the
//! start takes a third of the memory of a small query.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};

use crate::arithmetic::{self, Mode};
use crate::cast;
use crate::function::{Function, Make};
use crate::functions;

/// What help says of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name and, behind it, its other names, all in lower case.
    pub names: Vec<String>,
    /// How it is called.
    pub usage: String,
    /// A sentence or two.
    pub doc: String,
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The functions that a session has, in its mode: Spark's, and those of the foundation that mean
/// the same or have no namesake.
///
/// ```
/// use vonk_functions::{Library, arithmetic::Mode};
/// let library = Library::new(Mode::Ansi);
/// assert_eq!(library.scalar("regexp").unwrap().name(), "rlike");
/// assert!(library.aggregate("sum").is_some());
/// assert!(library.scalar("sum").is_none());
/// ```
pub struct Library {
    mode: Mode,
    /// The functions of ours that were asked for, in the order of the tables.
    made: Box<[OnceLock<Made>]>,
}

#[derive(Clone)]
enum Made {
    Scalar(Arc<ScalarUDF>),
    Aggregate(Arc<AggregateUDF>),
    Window(Arc<WindowUDF>),
    HigherOrder(Arc<HigherOrderUDF>),
}

/// The rows of the tables by name, and where they stand.
static ROWS: LazyLock<HashMap<&'static str, (usize, &'static Function)>> = LazyLock::new(|| {
    let rows = functions().enumerate();
    rows.flat_map(|(at, row)| row.names.iter().map(move |name| (*name, (at, row)))).collect()
});

type ByName<T> = LazyLock<HashMap<String, Arc<T>>>;

/// The operators, which are called by no name, and their forms that are.
static OPERATORS: ByName<ScalarUDF> = LazyLock::new(|| {
    let operators =
        arithmetic::functions().into_iter().chain(cast::functions()).map(Arc::new).collect();
    by_name(operators, ScalarUDF::name, ScalarUDF::aliases)
});

/// Spark's of the foundation come last, so that they take the place of its own.
static FOUNDATION_SCALARS: ByName<ScalarUDF> = LazyLock::new(|| {
    let own = SessionStateDefaults::default_scalar_functions();
    let all = own.into_iter().chain(datafusion_spark::all_default_scalar_functions()).collect();
    by_name(all, ScalarUDF::name, ScalarUDF::aliases)
});

static FOUNDATION_AGGREGATES: ByName<AggregateUDF> = LazyLock::new(|| {
    let own = SessionStateDefaults::default_aggregate_functions();
    let all = own.into_iter().chain(datafusion_spark::all_default_aggregate_functions()).collect();
    by_name(all, AggregateUDF::name, AggregateUDF::aliases)
});

static FOUNDATION_WINDOWS: ByName<WindowUDF> = LazyLock::new(|| {
    let own = SessionStateDefaults::default_window_functions();
    let all = own.into_iter().chain(datafusion_spark::all_default_window_functions()).collect();
    by_name(all, WindowUDF::name, WindowUDF::aliases)
});

static FOUNDATION_HIGHER_ORDER: ByName<HigherOrderUDF> = LazyLock::new(|| {
    let all = SessionStateDefaults::default_higher_order_functions();
    by_name(all, HigherOrderUDF::name, HigherOrderUDF::aliases)
});

/// Functions by all of their names; of two with one name the later is meant.
fn by_name<T>(
    functions: Vec<Arc<T>>,
    name: impl Fn(&T) -> &str,
    aliases: impl Fn(&T) -> &[String],
) -> HashMap<String, Arc<T>> {
    let mut named = HashMap::with_capacity(functions.len() * 2);
    for function in functions {
        for alias in aliases(&function) {
            named.insert(alias.clone(), Arc::clone(&function));
        }
        named.insert(name(&function).to_owned(), function);
    }
    named
}

impl Library {
    /// The functions as they are in a mode; none is made yet.
    pub fn new(mode: Mode) -> Self {
        Self { mode, made: functions().map(|_| OnceLock::new()).collect() }
    }

    /// A function of values, by one of its names in lower case.
    pub fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        match self.ours(name) {
            Some(Made::Scalar(function)) => Some(function),
            Some(_) => None,
            None => OPERATORS.get(name).or_else(|| FOUNDATION_SCALARS.get(name)).cloned(),
        }
    }

    /// A function of groups, by one of its names in lower case.
    pub fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        match self.ours(name) {
            Some(Made::Aggregate(function)) => Some(function),
            Some(_) => None,
            None => FOUNDATION_AGGREGATES.get(name).cloned(),
        }
    }

    /// A function of the rows around a row, by one of its names in lower case.
    pub fn window(&self, name: &str) -> Option<Arc<WindowUDF>> {
        match self.ours(name) {
            Some(Made::Window(function)) => Some(function),
            Some(_) => None,
            None => FOUNDATION_WINDOWS.get(name).cloned(),
        }
    }

    /// A function that takes lambdas, by one of its names in lower case.
    pub fn higher_order(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        match self.ours(name) {
            Some(Made::HigherOrder(function)) => Some(function),
            Some(_) => None,
            None => FOUNDATION_HIGHER_ORDER.get(name).cloned(),
        }
    }

    /// All names, sorted, each once.
    pub fn names(&self) -> Vec<String> {
        let scalars = FOUNDATION_SCALARS.keys().chain(OPERATORS.keys());
        let foundation = scalars
            .chain(FOUNDATION_AGGREGATES.keys())
            .chain(FOUNDATION_WINDOWS.keys())
            .chain(FOUNDATION_HIGHER_ORDER.keys());
        let mut names: Vec<String> =
            foundation.cloned().chain(ROWS.keys().map(|name| (*name).to_owned())).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What help says of every function that is called by a name: ours, and then those of the
    /// foundation that none of ours takes the place of.
    ///
    /// ```
    /// let all = vonk_functions::Library::descriptions();
    /// let split = all.iter().find(|row| row.names[0] == "split").unwrap();
    /// assert_eq!(split.usage, "split(text, pattern[, limit])");
    /// ```
    pub fn descriptions() -> Vec<Description> {
        let ours = functions().map(|row| Description {
            names: row.names.iter().map(|name| (*name).to_owned()).collect(),
            usage: row.usage.to_owned(),
            doc: row.doc.to_owned(),
        });
        let mut all: Vec<Description> = ours.collect();
        let scalars = FOUNDATION_SCALARS.iter().map(|(name, udf)| (name, udf.documentation()));
        let groups = FOUNDATION_AGGREGATES.iter().map(|(name, udf)| (name, udf.documentation()));
        let windows = FOUNDATION_WINDOWS.iter().map(|(name, udf)| (name, udf.documentation()));
        let lambdas = FOUNDATION_HIGHER_ORDER.keys().map(|name| (name, None));
        let foundation = scalars.chain(groups).chain(windows).chain(lambdas);
        let mut foundation: Vec<_> =
            foundation.filter(|(name, _)| !ROWS.contains_key(name.as_str())).collect();
        foundation.sort_by_key(|(name, _)| *name);
        foundation.dedup_by_key(|(name, _)| *name);
        all.extend(foundation.into_iter().map(|(name, help)| Description {
            names: vec![name.clone()],
            usage: help.map_or_else(|| format!("{name}(…)"), |help| one_line(&help.syntax_example)),
            doc: help.map_or_else(String::new, |help| one_line(&help.description)),
        }));
        all
    }

    fn ours(&self, name: &str) -> Option<Made> {
        let (at, row) = *ROWS.get(name)?;
        let aliases = row.names[1..].iter().copied();
        let make = || match row.make {
            Make::Scalar(make) => Made::Scalar(Arc::new(make().with_aliases(aliases))),
            Make::ScalarIn(make) => Made::Scalar(Arc::new(make(self.mode).with_aliases(aliases))),
            // DataFusion forgets how a function with aliases follows the frame of a window.
            Make::Aggregate(make) if aliases.len() == 0 => {
                Made::Aggregate(Arc::new(make(self.mode)))
            }
            Make::Aggregate(make) => {
                Made::Aggregate(Arc::new(make(self.mode).with_aliases(aliases)))
            }
            Make::Window(make) => Made::Window(Arc::new(make().with_aliases(aliases))),
            Make::HigherOrder(make) => Made::HigherOrder(Arc::new(make())),
        };
        Some(self.made[at].get_or_init(make).clone())
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} functions of ours, {:?}", self.made.len(), self.mode)
    }
}
