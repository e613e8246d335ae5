//! Dates moved and compared: `date_add`, `date_sub`, `datediff`, `add_months`, `last_day`, `next_day`.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::{calendar, rows as moments};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// `date_add(date, days)`
pub(super) fn date_add() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date, Kind::Small]);
    Kernel::new("date_add", parameters, moments::date, |call| moved(call, i32::wrapping_add)).udf()
}

/// `date_sub(date, days)`
pub(super) fn date_sub() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date, Kind::Small]);
    Kernel::new("date_sub", parameters, moments::date, |call| moved(call, i32::wrapping_sub)).udf()
}

/// `datediff(end, start)`
pub(super) fn datediff() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date, Kind::Date]);
    Kernel::new("datediff", parameters, rows::int, |call| {
        let (ends, starts) = (call.primitive::<Date32Type>(0)?, call.primitive::<Date32Type>(1)?);
        rows::numbers::<Int32Type>(call, |row| {
            Ok(Some(ends.value(row).wrapping_sub(starts.value(row))))
        })
    })
    .udf()
}

/// `add_months(date, months)`
pub(super) fn add_months() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date, Kind::Int]);
    Kernel::new("add_months", parameters, moments::date, |call| {
        let (days, months) = (call.primitive::<Date32Type>(0)?, call.primitive::<Int32Type>(1)?);
        rows::numbers::<Date32Type>(call, |row| {
            let moved = calendar::add_months(days.value(row), months.value(row));
            moved.map(Some).ok_or_else(|| out_of_calendar("add_months").into())
        })
    })
    .udf()
}

/// `last_day(date)`
pub(super) fn last_day() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date]);
    Kernel::new("last_day", parameters, moments::date, |call| {
        let days = call.primitive::<Date32Type>(0)?;
        Ok(Arc::new(days.unary::<_, Date32Type>(calendar::last_day)))
    })
    .udf()
}

/// `next_day(date, weekday)`
pub(super) fn next_day() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date, Kind::Text]);
    Kernel::new("next_day", parameters, moments::date, |call| {
        let (days, names) = (call.primitive::<Date32Type>(0)?, call.text(1)?);
        rows::numbers::<Date32Type>(call, |row| {
            let weekday = moments::settle(call, weekday_named(names.value(row)))?;
            Ok(weekday.map(|weekday| {
                let days = days.value(row);
                // 1970-01-01 was a Thursday, the third day from Monday.
                let today = (days + 3).rem_euclid(7);
                days + 1 + (weekday - today - 1).rem_euclid(7)
            }))
        })
    })
    .udf()
}

fn moved(call: &Call<'_>, by: fn(i32, i32) -> i32) -> Result<ArrayRef> {
    let (days, counts) = (call.primitive::<Date32Type>(0)?, call.primitive::<Int32Type>(1)?);
    rows::numbers::<Date32Type>(call, |row| Ok(Some(by(days.value(row), counts.value(row)))))
}

fn out_of_calendar(function: &str) -> Failure {
    Failure::new("DATETIME_OVERFLOW", format!("the result of `{function}` is not in the calendar"))
        .hint("use dates of the years 1 to 9999")
}

/// The number of a day of the week from Monday, by its name of two or three letters or in full.
fn weekday_named(name: &str) -> Result<i32, Failure> {
    const NAMES: [&str; 7] =
        ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
    let given = name.to_ascii_uppercase();
    let is_named = |full: &&str| given == **full || given == full[..3] || given == full[..2];
    let weekday = (0..).zip(&NAMES).find(|(_, full)| is_named(full)).map(|(weekday, _)| weekday);
    weekday.ok_or_else(|| {
        Failure::new("ILLEGAL_DAY_OF_WEEK", format!("`{name}` is not a day of the week"))
            .hint("write a day such as `Mon` or `Monday`")
    })
}
