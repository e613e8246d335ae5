//! Units by which dates and timestamps are counted, moved and cut.

use super::calendar::{self, MICROS_PER_DAY, MICROS_PER_SECOND};
use super::zone::Zone;
use crate::failure::Failure;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// The names by which `trunc` and `date_trunc` know units.
const NAMES_TO_CUT: &[(&str, Unit)] = &[
    ("MICROSECOND", Unit::Microsecond),
    ("MILLISECOND", Unit::Millisecond),
    ("SECOND", Unit::Second),
    ("MINUTE", Unit::Minute),
    ("HOUR", Unit::Hour),
    ("DAY", Unit::Day),
    ("DD", Unit::Day),
    ("WEEK", Unit::Week),
    ("MON", Unit::Month),
    ("MONTH", Unit::Month),
    ("MM", Unit::Month),
    ("QUARTER", Unit::Quarter),
    ("YEAR", Unit::Year),
    ("YYYY", Unit::Year),
    ("YY", Unit::Year),
];

/// The names by which `timestampadd` and `timestampdiff` know units.
const NAMES_TO_COUNT: &[(&str, Unit)] = &[
    ("MICROSECOND", Unit::Microsecond),
    ("MILLISECOND", Unit::Millisecond),
    ("SECOND", Unit::Second),
    ("MINUTE", Unit::Minute),
    ("HOUR", Unit::Hour),
    ("DAY", Unit::Day),
    ("DAYOFYEAR", Unit::Day),
    ("WEEK", Unit::Week),
    ("MONTH", Unit::Month),
    ("QUARTER", Unit::Quarter),
    ("YEAR", Unit::Year),
];

fn named(names: &[(&str, Unit)], name: &str) -> Option<Unit> {
    names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, unit)| *unit)
}

impl Unit {
    /// The unit that `trunc` and `date_trunc` mean by a name.
    pub(crate) fn to_cut(name: &str) -> Option<Self> {
        named(NAMES_TO_CUT, name)
    }

    /// The unit that `timestampadd` and `timestampdiff` mean by a name.
    pub(crate) fn to_count(name: &str) -> Option<Self> {
        named(NAMES_TO_COUNT, name)
    }

    /// Its microseconds, if it always has as many; days do where no clock is changed.
    pub(crate) fn micros(self) -> Option<i64> {
        Some(match self {
            Unit::Microsecond => 1,
            Unit::Millisecond => 1000,
            Unit::Second => MICROS_PER_SECOND,
            Unit::Minute => 60 * MICROS_PER_SECOND,
            Unit::Hour => 3600 * MICROS_PER_SECOND,
            Unit::Day => MICROS_PER_DAY,
            Unit::Week => 7 * MICROS_PER_DAY,
            Unit::Month | Unit::Quarter | Unit::Year => return None,
        })
    }

    /// How many months it has, if it is made of them.
    fn months(self) -> i64 {
        match self {
            Unit::Year => 12,
            Unit::Quarter => 3,
            _ => 1,
        }
    }

    /// The first day of the week, month, quarter or year that a day lies in.
    pub(crate) fn cut_day(self, days: i32) -> i32 {
        use chrono::Datelike;
        let date = calendar::date_of(days);
        let in_month = date.day0() as i32;
        let back_to = |month0: u32| {
            let first = date.with_day(1).and_then(|first| first.with_month0(month0));
            first.map_or(days - in_month, calendar::days_of)
        };
        match self {
            Unit::Week => days - date.weekday().num_days_from_monday() as i32,
            Unit::Month => days - in_month,
            Unit::Quarter => back_to(date.month0() / 3 * 3),
            Unit::Year => back_to(0),
            _ => days,
        }
    }

    /// The beginning, in a zone, of the unit that a point in time lies in.
    pub(crate) fn cut(self, utc_micros: i64, zone: &Zone) -> i64 {
        match self.micros() {
            // Offsets are whole seconds, so they do not matter to what is shorter.
            Some(length) if self <= Unit::Second => utc_micros - utc_micros.rem_euclid(length),
            Some(length) if self <= Unit::Day => {
                let local = zone.to_local(utc_micros);
                let offset = zone.offset_at(utc_micros);
                zone.to_utc_near(local - local.rem_euclid(length), Some(offset))
            }
            _ => zone.to_utc(calendar::midnight(self.cut_day(zone.day_of(utc_micros)))),
        }
    }

    /// A point in time so many units later by the clock of a zone; `None` if it is out of range.
    pub(crate) fn add(self, count: i64, utc_micros: i64, zone: &Zone) -> Option<i64> {
        let local = zone.to_local(utc_micros);
        let offset = Some(zone.offset_at(utc_micros));
        match self.micros() {
            Some(length) => {
                let micros = count.checked_mul(length)?;
                let days = micros / MICROS_PER_DAY * MICROS_PER_DAY;
                let moved = match days {
                    0 => utc_micros,
                    days => zone.to_utc_near(local.checked_add(days)?, offset),
                };
                moved.checked_add(micros % MICROS_PER_DAY)
            }
            None => {
                let months = i32::try_from(count.checked_mul(self.months())?).ok()?;
                Some(zone.to_utc_near(calendar::add_months_to_micros(local, months)?, offset))
            }
        }
    }

    /// How many whole units lie between two local times.
    pub(crate) fn between(self, start: i64, end: i64) -> Option<i64> {
        match self.micros() {
            Some(length) => Some(end.checked_sub(start)? / length),
            None => Some(calendar::whole_months(start, end) / self.months()),
        }
    }

    /// The failure of a function whose unit is none.
    pub(crate) fn unknown(function: &str, name: &str) -> Failure {
        let message = format!("`{name}` is not a unit that `{function}` knows");
        Failure::new("INVALID_PARAMETER_VALUE.DATETIME_UNIT", message)
            .hint("name a unit such as DAY, MONTH or HOUR, without quotes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_the_clock_and_hours_do_not() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        // 2024-03-09 12:00 there; the night after it has no third hour.
        let noon = 1_710_014_400 * MICROS_PER_SECOND;
        let hour = 3600 * MICROS_PER_SECOND;
        assert_eq!(Unit::Day.add(1, noon, &zone), Some(noon + 23 * hour));
        assert_eq!(Unit::Hour.add(23, noon, &zone), Some(noon + 23 * hour));
        assert_eq!(Unit::Hour.cut(noon + 1, &zone), noon);
    }
}
