//! Days and microseconds since 1970-01-01, and the fields of the calendar that they stand for.

use chrono::{DateTime, Datelike, Months, NaiveDate};

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Seconds in a day without changes of the clock.
pub const SECONDS_PER_DAY: i64 = 86_400;
/// Microseconds in a day without changes of the clock.
pub const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;

/// The day 1970-01-01 in the count of `chrono`, which begins with the year 1.
const EPOCH_FROM_COMMON_ERA: i32 = 719_163;

/// The date so many days after 1970-01-01; days beyond the calendar's end are its last or first.
///
/// ```
/// use vonk_functions::datetime::calendar;
/// assert_eq!(calendar::date_of(-1).to_string(), "1969-12-31");
/// ```
pub fn date_of(days: i32) -> NaiveDate {
    let end = if days < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
    let from_common_era = days.checked_add(EPOCH_FROM_COMMON_ERA);
    from_common_era.and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or(end)
}

/// The days from 1970-01-01 to a date.
pub fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - EPOCH_FROM_COMMON_ERA
}

/// The day on which a point of local time lies.
pub fn day_of_micros(micros: i64) -> i32 {
    micros.div_euclid(MICROS_PER_DAY) as i32
}

/// The microseconds since midnight of a point of local time.
pub fn time_of_micros(micros: i64) -> i64 {
    micros.rem_euclid(MICROS_PER_DAY)
}

/// The midnight with which a day begins.
pub fn midnight(days: i32) -> i64 {
    i64::from(days) * MICROS_PER_DAY
}

/// A day so many months later, or the last of its month if that is shorter; `None` past the
/// calendar's end.
///
/// ```
/// use vonk_functions::datetime::calendar::{add_months, days_of};
/// let day = |text: &str| days_of(text.parse().unwrap());
/// assert_eq!(add_months(day("2016-08-31"), 1), Some(day("2016-09-30")));
/// ```
pub fn add_months(days: i32, months: i32) -> Option<i32> {
    let date = date_of(days);
    let count = Months::new(months.unsigned_abs());
    let moved =
        if months < 0 { date.checked_sub_months(count) } else { date.checked_add_months(count) };
    moved.map(days_of)
}

/// A point of local time so many months later, at the same time of the day.
pub fn add_months_to_micros(micros: i64, months: i32) -> Option<i64> {
    let days = add_months(day_of_micros(micros), months)?;
    Some(midnight(days) + time_of_micros(micros))
}

/// The last day of a day's month.
pub fn last_day(days: i32) -> i32 {
    let date = date_of(days);
    days + i32::from(date.num_days_in_month()) - date.day() as i32
}

/// The months from one point of local time to another, without a last one that is not complete.
pub fn whole_months(from: i64, to: i64) -> i64 {
    let index = |micros: i64| {
        let date = date_of(day_of_micros(micros));
        let month = i64::from(date.year()) * 12 + i64::from(date.month0());
        (month, (date.day(), time_of_micros(micros)))
    };
    let (from_month, from_rest) = index(from);
    let (to_month, to_rest) = index(to);
    let months = to_month - from_month;
    if months > 0 && to_rest < from_rest {
        months - 1
    } else if months < 0 && to_rest > from_rest {
        months + 1
    } else {
        months
    }
}

/// The year that a point of local time lies in.
pub(crate) fn year_of_seconds(seconds: i64) -> Option<i32> {
    Some(DateTime::from_timestamp(seconds, 0)?.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i32 {
        days_of(text.parse().unwrap())
    }

    #[test]
    fn days_and_dates_are_two_sides_of_one_thing() {
        for days in [-719_162, -1, 0, 59, 11_016, 2_932_896] {
            assert_eq!(days_of(date_of(days)), days);
        }
        assert_eq!(day("1970-01-01"), 0);
        assert_eq!(day("0001-01-01"), -719_162);
        assert_eq!(day("9999-12-31"), 2_932_896);
    }

    #[test]
    fn months_end_where_they_end() {
        assert_eq!(last_day(day("2024-02-03")), day("2024-02-29"));
        assert_eq!(add_months(day("2024-03-31"), -1), Some(day("2024-02-29")));
        let at = |text: &str, hours: i64| midnight(day(text)) + hours * 3_600_000_000;
        assert_eq!(whole_months(at("2024-01-31", 0), at("2024-02-29", 0)), 0);
        assert_eq!(whole_months(at("2024-01-15", 6), at("2024-03-15", 5)), 1);
        assert_eq!(whole_months(at("2024-03-15", 5), at("2024-01-15", 6)), -1);
    }
}
