//! From the fields that a text gave to a point in time; what is missing is that of 1970-01-01.

use chrono::{Datelike, NaiveDate};

use super::{Field, Parsed, Values};
use crate::datetime::calendar;
use crate::datetime::zone::Zone;

/// The names and ranges by which Java checks fields.
const RANGES: &[(Field, &str, i64, i64)] = &[
    (Field::Month, "MonthOfYear", 1, 12),
    (Field::DayOfMonth, "DayOfMonth", 1, 31),
    (Field::DayOfYear, "DayOfYear", 1, 366),
    (Field::HourOfDay, "HourOfDay", 0, 23),
    (Field::ClockHourOfDay, "ClockHourOfDay", 1, 24),
    (Field::HourOfAmPm, "HourOfAmPm", 0, 11),
    (Field::ClockHourOfAmPm, "ClockHourOfAmPm", 1, 12),
    (Field::Minute, "MinuteOfHour", 0, 59),
    (Field::Second, "SecondOfMinute", 0, 59),
];

pub(super) fn resolve(values: &Values) -> Result<Parsed, String> {
    for (field, name, least, most) in RANGES {
        if let Some(value) = values.get(*field)
            && !(*least..=*most).contains(&value)
        {
            return Err(format!(
                "invalid value for {name} (valid values {least} - {most}): {value}"
            ));
        }
    }
    let days = date(values)?;
    let local_micros = calendar::midnight(days) + time(values)?;
    let zone = values.zone.or(values.offset.map(Zone::Fixed));
    Ok(Parsed { local_micros, zone })
}

fn date(values: &Values) -> Result<i32, String> {
    let year = year(values)?.unwrap_or(1970);
    let narrow = |field: Field| values.get(field).and_then(|value| u32::try_from(value).ok());
    let (month, day) = (narrow(Field::Month), narrow(Field::DayOfMonth));
    let date = match narrow(Field::DayOfYear) {
        Some(ordinal) => {
            let date = NaiveDate::from_yo_opt(year, ordinal);
            let conflicts = |date: &NaiveDate| {
                month.is_some_and(|month| month != date.month())
                    || day.is_some_and(|day| day != date.day())
            };
            if date.as_ref().is_some_and(conflicts) {
                return Err(format!("day {ordinal} of year {year} conflicts with month and day"));
            }
            date
        }
        None => NaiveDate::from_ymd_opt(year, month.unwrap_or(1), day.unwrap_or(1)),
    };
    let no_such_day = || {
        let (month, day) = (month.unwrap_or(1), day.unwrap_or(1));
        format!("there is no day {day} of month {month} in the year {year}")
    };
    date.map(calendar::days_of).ok_or_else(no_such_day)
}

/// The year, counted down before the first if an era says so.
fn year(values: &Values) -> Result<Option<i32>, String> {
    let year = match (values.get(Field::YearOfEra), values.get(Field::Era)) {
        (Some(year), Some(0)) => Some(1 - year),
        (Some(year), _) => Some(year),
        (None, _) => values.get(Field::Year),
    };
    let narrow = |year: i64| i32::try_from(year).map_err(|_| format!("invalid year {year}"));
    year.map(narrow).transpose()
}

/// Microseconds since midnight.
fn time(values: &Values) -> Result<i64, String> {
    let half = values.get(Field::AmPm);
    let of_day = values.get(Field::HourOfDay);
    let of_day = of_day.or(values.get(Field::ClockHourOfDay).map(|hour| hour % 24));
    let of_half = values.get(Field::HourOfAmPm);
    let of_half = of_half.or(values.get(Field::ClockHourOfAmPm).map(|hour| hour % 12));
    let hour = match (of_day, of_half) {
        (Some(hour), _) => hour,
        (None, hour) => half.unwrap_or(0) * 12 + hour.unwrap_or(0),
    };
    let conflicts = half.is_some_and(|half| half != hour / 12)
        || of_half.is_some_and(|of_half| of_half != hour % 12);
    if conflicts {
        return Err(format!("hour {hour} conflicts with another of its fields"));
    }
    let get = |field: Field| values.get(field).unwrap_or(0);
    let seconds = hour * 3600 + get(Field::Minute) * 60 + get(Field::Second);
    Ok(seconds * calendar::MICROS_PER_SECOND + get(Field::Nano) / 1000)
}
