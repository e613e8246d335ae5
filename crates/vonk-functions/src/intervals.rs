//! Functions of intervals.

use crate::function::Function;

mod make;

/// Every function of intervals that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["make_dt_interval"],
        "make_dt_interval([days[, hours[, minutes[, seconds]]]])",
        "Puts an interval of days and time together.",
        make::make_dt_interval,
    ),
    Function::scalar(
        &["make_interval"],
        "make_interval([years[, months[, weeks[, days[, hours[, minutes[, seconds]]]]]]])",
        "Puts an interval of months, days and time together.",
        make::make_interval,
    ),
    Function::scalar(
        &["make_ym_interval"],
        "make_ym_interval([years[, months]])",
        "Puts an interval of years and months together.",
        make::make_ym_interval,
    ),
    Function::scalar(
        &["try_make_interval"],
        "try_make_interval([years[, months[, weeks[, days[, hours[, minutes[, seconds]]]]]]])",
        "Puts an interval together as `make_interval`, or gives NULL if it is too long.",
        make::try_make_interval,
    ),
];
