//! Spark's SQL functions for vonk: which of the foundation's are used, and our own where it differs.

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion_spark::SessionStateBuilderSpark;

mod aggregates;
pub mod arithmetic;
pub mod datetime;
mod failure;
mod function;
pub mod generators;
pub mod item;
mod java_regex;
mod parameters;
mod strings;

use arithmetic::Mode;
pub use failure::Failure;
pub use function::{Function, Make};

/// The categories of functions, each with a table of its own.
const CATEGORIES: &[&[Function]] = &[aggregates::FUNCTIONS, strings::FUNCTIONS];

/// Every function of ours that is called by a name.
///
/// ```
/// let split = vonk_functions::functions().find(|function| function.names[0] == "split");
/// assert_eq!(split.unwrap().usage, "split(text, pattern[, limit])");
/// ```
pub fn functions() -> impl Iterator<Item = &'static Function> {
    CATEGORIES.iter().copied().flatten()
}

/// The functions that fail for some values of their types, and that people guard by a condition before.
const FALLIBLE: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "div",
    "%",
    "cast",
    "item",
    "negative",
    "element_at",
    "to_number",
    "to_date",
    "to_timestamp",
    "to_binary",
    "make_date",
    "make_timestamp",
    "raise_error",
    "assert_true",
];

/// Whether a function, by its name in plans, gives errors for some values of its types.
///
/// ```
/// assert!(vonk_functions::can_fail("div"));
/// assert!(!vonk_functions::can_fail("rlike"));
/// ```
pub fn can_fail(name: &str) -> bool {
    FALLIBLE.contains(&name)
}

/// Adds Spark's functions to a state under assembly, over DataFusion's functions of the same name.
///
/// `mode` is what `sum` does when its total does not fit.
///
/// ```
/// use datafusion::execution::session_state::SessionStateBuilder;
/// use vonk_functions::arithmetic::Mode;
/// let builder = SessionStateBuilder::new().with_default_features();
/// let state = vonk_functions::register(builder, Mode::Ansi).build();
/// assert!(state.scalar_functions().contains_key("split"));
/// ```
pub fn register(builder: SessionStateBuilder, mode: Mode) -> SessionStateBuilder {
    let mut builder = builder.with_spark_features();
    let operators = arithmetic::functions().into_iter().map(Arc::new);
    builder.scalar_functions().get_or_insert_default().extend(operators);
    for function in functions() {
        let aliases = function.names[1..].iter().copied();
        match function.make {
            Make::Scalar(make) => {
                let udf = Arc::new(make().with_aliases(aliases));
                builder.scalar_functions().get_or_insert_default().push(udf);
            }
            Make::ScalarIn(make) => {
                let udf = Arc::new(make(mode).with_aliases(aliases));
                builder.scalar_functions().get_or_insert_default().push(udf);
            }
            Make::Aggregate(make) => {
                let udaf = Arc::new(make(mode).with_aliases(aliases));
                builder.aggregate_functions().get_or_insert_default().push(udaf);
            }
            Make::Window(make) => {
                let udwf = Arc::new(make().with_aliases(aliases));
                builder.window_functions().get_or_insert_default().push(udwf);
            }
            Make::HigherOrder(make) => {
                let function = Arc::new(make());
                builder.higher_order_functions().get_or_insert_default().push(function);
            }
        }
    }
    builder
}
