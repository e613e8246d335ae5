//! Functions of windows: of time and of sessions, which of them a moment lies in; of the rows before and behind.

use crate::function::{Function, Make};

mod bucket;
mod sessions;
mod shift;
mod time;

/// Every function of windows that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["time_bucket"],
        "time_bucket(width, timestamp[, origin])",
        "Gives the beginning of the bucket of time that a timestamp lies in.",
        bucket::udf,
    ),
    Function {
        names: &["lag"],
        usage: "lag(value[, offset[, default]]) OVER (… ORDER BY key)",
        doc: "Gives the value some rows before, 1 unless told; IGNORE NULLS counts rows with a value.",
        make: Make::Window(shift::lag),
    },
    Function {
        names: &["lead"],
        usage: "lead(value[, offset[, default]]) OVER (… ORDER BY key)",
        doc: "Gives the value some rows behind, 1 unless told; IGNORE NULLS counts rows with a value.",
        make: Make::Window(shift::lead),
    },
    Function::scalar(
        &["window_time"],
        "window_time(window)",
        "Gives the last moment of a window of time.",
        time::window_time,
    ),
    Function {
        names: &["merge_sessions"],
        usage: "merge_sessions(session) OVER (… ORDER BY session.start)",
        doc: "Makes one of the sessions that touch each other, for `session_window`.",
        make: Make::Window(sessions::merge_sessions),
    },
    Function::scalar(
        &["sessions_of"],
        "sessions_of(timestamp, gap)",
        "Gives the session that a timestamp begins, of which `session_window` makes a row.",
        sessions::sessions_of,
    ),
    Function::scalar(
        &["windows_of"],
        "windows_of(timestamp, duration[, slide[, start]])",
        "Gives the windows of time that a timestamp lies in, of which `window` makes a row each.",
        time::windows_of,
    ),
];
