//! Functions of times of the day.

use crate::function::Function;
use crate::timestamps;

mod count;
mod epoch;
mod make;
mod parse;

/// Every function of times of the day that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["current_time", "localtime"],
        "current_time([digits])",
        "Gives the time of the day at the start of the query.",
        timestamps::current_time,
    ),
    Function::scalar(
        &["make_time"],
        "make_time(hour, minute, second)",
        "Puts a time of the day together.",
        make::make_time,
    ),
    Function::scalar(
        &["time_diff"],
        "time_diff(unit, start, end)",
        "Counts the whole units from one time of the day to another.",
        count::time_diff,
    ),
    Function::scalar(
        &["time_from_micros"],
        "time_from_micros(microseconds)",
        "Gives the time so many microseconds after midnight.",
        epoch::time_from_micros,
    ),
    Function::scalar(
        &["time_from_millis"],
        "time_from_millis(milliseconds)",
        "Gives the time so many milliseconds after midnight.",
        epoch::time_from_millis,
    ),
    Function::scalar(
        &["time_from_seconds"],
        "time_from_seconds(seconds)",
        "Gives the time so many seconds after midnight.",
        epoch::time_from_seconds,
    ),
    Function::scalar(
        &["time_to_micros"],
        "time_to_micros(time)",
        "Counts the microseconds after midnight.",
        epoch::time_to_micros,
    ),
    Function::scalar(
        &["time_to_millis"],
        "time_to_millis(time)",
        "Counts the milliseconds after midnight.",
        epoch::time_to_millis,
    ),
    Function::scalar(
        &["time_to_seconds"],
        "time_to_seconds(time)",
        "Counts the seconds after midnight.",
        epoch::time_to_seconds,
    ),
    Function::scalar(
        &["time_trunc"],
        "time_trunc(unit, time)",
        "Cuts a time of the day to the beginning of a unit.",
        count::time_trunc,
    ),
    Function::scalar(
        &["to_time"],
        "to_time(text[, pattern])",
        "Reads a time of the day, by a datetime pattern.",
        parse::to_time,
    ),
    Function::scalar(
        &["try_to_time"],
        "try_to_time(text[, pattern])",
        "Reads a time of the day as `to_time`, or gives NULL if that is not possible.",
        parse::try_to_time,
    ),
];
