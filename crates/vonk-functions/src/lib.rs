//! Spark's SQL functions for vonk: which of the foundation's are used, and our own where it differs.

mod aggregates;
pub mod arithmetic;
pub mod bounded_text;
pub mod cast;
mod civil;
pub mod coercion;
pub mod collation;
mod collections;
mod dates;
pub mod datetime;
pub mod ddl;
mod documents;
mod failure;
mod function;
pub mod generators;
mod hashes;
pub mod interval;
mod intervals;
pub mod item;
mod java_regex;
mod lambdas;
mod library;
pub mod literals;
mod math;
mod mersenne;
mod misc;
pub mod only;
mod parameters;
mod regexps;
pub mod render;
mod rows;
mod sketches;
mod strings;
pub mod tables;
mod times;
mod timestamps;
pub mod types;
mod windows;

pub use documents::schema_of;
pub use failure::Failure;
pub use function::{Function, Make, MapKeys, Partition};
pub use java_regex::NamePattern;
pub use library::{Description, Library};
pub use strings::split::Splitter;

/// The categories of functions, each with a table of its own.
const CATEGORIES: &[&[Function]] = &[
    aggregates::FUNCTIONS,
    collections::FUNCTIONS,
    dates::FUNCTIONS,
    documents::FUNCTIONS,
    hashes::FUNCTIONS,
    intervals::FUNCTIONS,
    lambdas::FUNCTIONS,
    math::FUNCTIONS,
    math::OF_ONE_DOUBLE,
    misc::FUNCTIONS,
    regexps::FUNCTIONS,
    sketches::FUNCTIONS,
    strings::FUNCTIONS,
    times::FUNCTIONS,
    timestamps::FUNCTIONS,
    windows::FUNCTIONS,
];

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
    "exact +",
    "exact -",
    "exact *",
    "exact /",
    "exact div",
    "exact %",
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
