//! Dates and times put together from numbers, with Spark's errors for numbers that are none.

use chrono::NaiveDate;

use super::calendar::{self, MICROS_PER_SECOND};
use crate::failure::Failure;

/// The day of a year, month and day.
pub(crate) fn date(year: i32, month: i32, day: i32) -> Result<i32, Failure> {
    within("MonthOfYear", i64::from(month), 1, 12)?;
    within("DayOfMonth", i64::from(day), 1, 31)?;
    let date = NaiveDate::from_ymd_opt(year, month as u32, day as u32);
    date.map(calendar::days_of).ok_or_else(|| {
        let message = format!("there is no day {day} of month {month} in the year {year}");
        Failure::new("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", message)
    })
}

/// Microseconds since midnight of an hour, a minute, and a second in microseconds.
pub(crate) fn time(hour: i32, minute: i32, second_micros: i64) -> Result<i64, Failure> {
    within("HourOfDay", i64::from(hour), 0, 23)?;
    within("MinuteOfHour", i64::from(minute), 0, 59)?;
    within("SecondOfMinute", second_micros.div_euclid(MICROS_PER_SECOND), 0, 59)?;
    let minutes = i64::from(hour) * 60 + i64::from(minute);
    Ok(minutes * 60 * MICROS_PER_SECOND + second_micros)
}

/// As [`time`], where the second 60 is the first of the next minute.
pub(crate) fn time_of_day(hour: i32, minute: i32, second_micros: i64) -> Result<i64, Failure> {
    const MINUTE: i64 = 60 * MICROS_PER_SECOND;
    if second_micros == MINUTE {
        return Ok(time(hour, minute, 0)? + MINUTE);
    }
    if second_micros.div_euclid(MICROS_PER_SECOND) == 60 {
        let fraction = second_micros % MICROS_PER_SECOND;
        let message =
            format!("the second 60.{fraction:06} has a fraction, which only one below 60 may");
        return Err(Failure::new("INVALID_FRACTION_OF_SECOND", message)
            .hint("use a second from 0 to 60, and 60 without a fraction"));
    }
    time(hour, minute, second_micros)
}

fn within(field: &str, value: i64, least: i64, most: i64) -> Result<(), Failure> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(out_of_bounds(format!(
        "invalid value for {field} (valid values {least} - {most}): {value}"
    )))
}

fn out_of_bounds(message: String) -> Failure {
    Failure::new("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", message)
        .hint("set `spark.sql.ansi.enabled` to `false` to get NULL instead")
}
