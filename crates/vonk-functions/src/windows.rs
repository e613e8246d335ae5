//! Functions of windows of time: which of them a moment lies in.

use crate::function::Function;

mod bucket;
mod time;

/// Every function of windows of time that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["time_bucket"],
        "time_bucket(width, timestamp[, origin])",
        "Gives the beginning of the bucket of time that a timestamp lies in.",
        bucket::udf,
    ),
    Function::scalar(
        &["window_time"],
        "window_time(window)",
        "Gives the last moment of a window of time.",
        time::window_time,
    ),
    Function::scalar(
        &["windows_of"],
        "windows_of(timestamp, duration[, slide[, start]])",
        "Gives the windows of time that a timestamp lies in, of which `window` makes a row each.",
        time::windows_of,
    ),
];
