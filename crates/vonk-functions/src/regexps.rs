//! Functions of regular expressions, and of the patterns of LIKE.

use crate::function::Function;

mod extract;
mod like;
mod replace;

/// Every function of patterns that is ours, but for `rlike` and `split`.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["regexp_count"],
        "regexp_count(text, pattern)",
        "Counts the matches of a regular expression.",
        extract::count,
    ),
    Function::scalar(
        &["regexp_extract"],
        "regexp_extract(text, pattern[, group])",
        "Gives a group of the first match of a regular expression.",
        extract::extract,
    ),
    Function::scalar(
        &["regexp_extract_all"],
        "regexp_extract_all(text, pattern[, group])",
        "Gives a group of every match of a regular expression.",
        extract::extract_all,
    ),
    Function::scalar(
        &["regexp_instr"],
        "regexp_instr(text, pattern)",
        "Gives the position of the first match of a regular expression, 0 without one.",
        extract::instr,
    ),
    Function::scalar(
        &["regexp_substr"],
        "regexp_substr(text, pattern)",
        "Gives the first match of a regular expression.",
        extract::substr,
    ),
    Function::scalar(
        &["regexp_replace"],
        "regexp_replace(text, pattern, replacement[, position])",
        "Replaces the matches of a regular expression.",
        replace::udf,
    ),
    Function::scalar(
        &["like"],
        "like(text, pattern[, escape])",
        "Tells whether a text has the form of a pattern.",
        like::like,
    ),
    Function::scalar(
        &["ilike"],
        "ilike(text, pattern[, escape])",
        "Tells whether a text has the form of a pattern, in large or small letters.",
        like::ilike,
    ),
];
