//! Functions of dates.

use crate::function::Function;

mod arithmetic;
mod fields;
mod make;
mod to_date;
mod trunc;

/// Every function of dates that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["add_months"],
        "add_months(date, months)",
        "Gives the date so many months later, on the last day of a month that is too short.",
        arithmetic::add_months,
    ),
    Function::scalar(
        &["date_add", "dateadd"],
        "date_add(date, days)",
        "Gives the date so many days later.",
        arithmetic::date_add,
    ),
    Function::scalar(
        &["date_from_unix_date"],
        "date_from_unix_date(days)",
        "Gives the date so many days after 1970-01-01.",
        make::date_from_unix_date,
    ),
    Function::scalar(
        &["date_sub"],
        "date_sub(date, days)",
        "Gives the date so many days earlier.",
        arithmetic::date_sub,
    ),
    Function::scalar(
        &["datediff", "date_diff"],
        "datediff(end, start)",
        "Counts the days from one date to another.",
        arithmetic::datediff,
    ),
    Function::scalar(
        &["day", "dayofmonth"],
        "day(date)",
        "Gives the day of the month.",
        fields::day,
    ),
    Function::scalar(
        &["dayname"],
        "dayname(date)",
        "Gives the day of the week as three letters.",
        fields::dayname,
    ),
    Function::scalar(
        &["dayofweek"],
        "dayofweek(date)",
        "Gives the day of the week, from 1 for Sunday to 7.",
        fields::dayofweek,
    ),
    Function::scalar(
        &["dayofyear"],
        "dayofyear(date)",
        "Gives the day of the year.",
        fields::dayofyear,
    ),
    Function::scalar(
        &["last_day"],
        "last_day(date)",
        "Gives the last day of the month.",
        arithmetic::last_day,
    ),
    Function::scalar(
        &["make_date"],
        "make_date(year, month, day)",
        "Puts a date together.",
        make::make_date,
    ),
    Function::scalar(&["month"], "month(date)", "Gives the month.", fields::month),
    Function::scalar(
        &["monthname"],
        "monthname(date)",
        "Gives the month as three letters.",
        fields::monthname,
    ),
    Function::scalar(
        &["next_day"],
        "next_day(date, weekday)",
        "Gives the first date after another that is a given day of the week.",
        arithmetic::next_day,
    ),
    Function::scalar(&["quarter"], "quarter(date)", "Gives the quarter.", fields::quarter),
    Function::scalar(
        &["to_date"],
        "to_date(value[, pattern])",
        "Makes a date of a value, of text by a datetime pattern.",
        to_date::to_date,
    ),
    Function::scalar(
        &["trunc"],
        "trunc(date, unit)",
        "Cuts a date to the first day of its week, month, quarter or year.",
        trunc::udf,
    ),
    Function::scalar(
        &["try_to_date"],
        "try_to_date(value[, pattern])",
        "Makes a date of a value as `to_date`, or NULL if that is not possible.",
        to_date::try_to_date,
    ),
    Function::scalar(
        &["unix_date"],
        "unix_date(date)",
        "Counts the days from 1970-01-01.",
        make::unix_date,
    ),
    Function::scalar(
        &["weekday"],
        "weekday(date)",
        "Gives the day of the week, from 0 for Monday to 6.",
        fields::weekday,
    ),
    Function::scalar(
        &["weekofyear"],
        "weekofyear(date)",
        "Gives the week of the year by ISO 8601.",
        fields::weekofyear,
    ),
    Function::scalar(&["year"], "year(date)", "Gives the year.", fields::year),
];
