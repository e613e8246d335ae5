//! Functions of text.

use crate::function::Function;

mod rlike;
mod split;

/// Every function of text that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["rlike", "regexp", "regexp_like"],
        "rlike(text, pattern)",
        "Tells whether a regular expression of Java matches a part of a text.",
        rlike::udf,
    ),
    Function::scalar(
        &["split"],
        "split(text, pattern[, limit])",
        "Gives the parts of a text between the matches of a regular expression of Java.",
        split::udf,
    ),
];
