//! The English words of dates: months, days of the week, quarters, eras and halves of the day.

use super::Field;

/// The months in full.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days of the week in full, from Monday.
pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONTHS_SHORT: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const WEEKDAYS_SHORT: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The words of a field, and the value of the first.
pub(super) fn of(field: Field, in_full: bool) -> (&'static [&'static str], i64) {
    match (field, in_full) {
        (Field::Month, true) => (&MONTHS, 1),
        (Field::Month, false) => (&MONTHS_SHORT, 1),
        (Field::DayOfWeek, true) => (&WEEKDAYS, 1),
        (Field::DayOfWeek, false) => (&WEEKDAYS_SHORT, 1),
        (Field::Quarter, true) => {
            (&["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"], 1)
        }
        (Field::Quarter, false) => (&["Q1", "Q2", "Q3", "Q4"], 1),
        (Field::Era, true) => (&["Before Christ", "Anno Domini"], 0),
        (Field::Era, false) => (&["BC", "AD"], 0),
        (Field::AmPm, _) => (&["AM", "PM"], 0),
        _ => (&[], 0),
    }
}

/// The word of a value of a field.
pub(super) fn word(field: Field, in_full: bool, value: i64) -> &'static str {
    let (words, first) = of(field, in_full);
    usize::try_from(value - first).ok().and_then(|at| words.get(at)).copied().unwrap_or_default()
}
