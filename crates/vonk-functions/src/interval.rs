//! Intervals as text: Spark's literals, its words, and the fields that an interval type has.

use arrow::datatypes::{DataType, Field, IntervalUnit};

use crate::civil::{DAY, HOUR, MINUTE, SECOND};
use crate::types;

mod parse;

pub use parse::{Units, parse_fields, parse_units};

/// A field of an interval, from the longest to the shortest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// `YEAR`
    Year,
    /// `MONTH`
    Month,
    /// `DAY`
    Day,
    /// `HOUR`
    Hour,
    /// `MINUTE`
    Minute,
    /// `SECOND`
    Second,
}

const UNITS: [(Unit, &str); 6] = [
    (Unit::Year, "year"),
    (Unit::Month, "month"),
    (Unit::Day, "day"),
    (Unit::Hour, "hour"),
    (Unit::Minute, "minute"),
    (Unit::Second, "second"),
];

impl Unit {
    /// The name in lower case.
    pub fn name(self) -> &'static str {
        UNITS[self as usize].1
    }

    /// The unit of this name.
    pub fn named(name: &str) -> Option<Self> {
        UNITS.iter().find(|(_, known)| name.eq_ignore_ascii_case(known)).map(|(unit, _)| *unit)
    }

    /// Whether it counts months.
    pub fn is_months(self) -> bool {
        self <= Unit::Month
    }

    /// Months of a year or month, microseconds of the others.
    pub fn length(self) -> i64 {
        [12, 1, DAY, HOUR, MINUTE, SECOND][self as usize]
    }
}

/// The fields that an interval type has, from the longest to the shortest: `DAY TO SECOND`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range {
    /// The longest.
    pub start: Unit,
    /// The shortest.
    pub end: Unit,
}

/// All fields of months.
pub const YEAR_TO_MONTH: Range = Range { start: Unit::Year, end: Unit::Month };
/// All fields of days and times.
pub const DAY_TO_SECOND: Range = Range { start: Unit::Day, end: Unit::Second };

impl Range {
    /// One field, or those between two.
    pub fn new(start: Unit, end: Unit) -> Self {
        Self { start, end }
    }

    /// `day to second` or `day`.
    pub fn name(self) -> String {
        match self.start == self.end {
            true => self.start.name().to_owned(),
            false => format!("{} to {}", self.start.name(), self.end.name()),
        }
    }

    /// The fields of an interval's field: those in its metadata, else all.
    pub fn of(field: &Field) -> Option<Self> {
        let all = match field.data_type() {
            DataType::Interval(IntervalUnit::YearMonth) => YEAR_TO_MONTH,
            DataType::Duration(_) => DAY_TO_SECOND,
            _ => return None,
        };
        let name = types::field_name(field);
        let mut words = name.split(' ').skip(1);
        let start = words.next().and_then(Unit::named);
        let end = words.nth(1).and_then(Unit::named).or(start);
        Some(start.zip(end).map_or(all, |(start, end)| Range { start, end }))
    }

    /// A nullable field of this interval type.
    pub fn field(self, name: &str) -> Field {
        let data_type = match self.start.is_months() {
            true => DataType::Interval(IntervalUnit::YearMonth),
            false => DataType::Duration(arrow::datatypes::TimeUnit::Microsecond),
        };
        let field = Field::new(name, data_type, true);
        if self == YEAR_TO_MONTH || self == DAY_TO_SECOND {
            return field;
        }
        types::with_name(field, &format!("interval {}", self.name()))
    }

    /// The fields of both.
    #[must_use]
    pub fn union(self, other: Range) -> Range {
        Range { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// The value of an interval of months within its literal: `1-2`.
pub fn months_text(months: i32, range: Range) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    match (range.start, range.end) {
        (Unit::Year, Unit::Year) => format!("{sign}{}", months / 12),
        (Unit::Month, _) => format!("{sign}{months}"),
        _ => format!("{sign}{}-{}", months / 12, months % 12),
    }
}

/// The value of an interval of microseconds within its literal: `1 02:03:04.5`.
pub fn micros_text(micros: i64, range: Range) -> String {
    let mut text = if micros < 0 { "-".to_owned() } else { String::new() };
    let mut rest = micros.unsigned_abs();
    for unit in [Unit::Day, Unit::Hour, Unit::Minute, Unit::Second] {
        if unit < range.start || unit > range.end {
            continue;
        }
        let length = unit.length().unsigned_abs();
        let count = rest / length;
        rest %= length;
        if unit != range.start {
            text.push(if unit == Unit::Hour { ' ' } else { ':' });
        }
        match unit {
            Unit::Day => text += &count.to_string(),
            _ => text += &format!("{count:02}"),
        }
        if unit == Unit::Second {
            text += &fraction(rest);
        }
    }
    text
}

/// An interval of months as a literal: `INTERVAL '1-2' YEAR TO MONTH`.
pub fn year_month(months: i32, range: Range) -> String {
    format!("INTERVAL '{}' {}", months_text(months, range), range.name().to_uppercase())
}

/// An interval of microseconds as a literal: `INTERVAL '1 02:03:04.5' DAY TO SECOND`.
pub fn day_time(micros: i64, range: Range) -> String {
    format!("INTERVAL '{}' {}", micros_text(micros, range), range.name().to_uppercase())
}

/// An interval of months, days and microseconds, which do not add up: `1 months 2 days`.
pub fn calendar(months: i32, days: i32, micros: i64) -> String {
    let mut parts = Vec::new();
    let mut part = |number: i64, unit: &str| {
        if number != 0 {
            parts.push(format!("{number} {unit}"));
        }
    };
    part(i64::from(months / 12), "years");
    part(i64::from(months % 12), "months");
    part(i64::from(days), "days");
    part(micros / HOUR, "hours");
    part(micros % HOUR / MINUTE, "minutes");
    let rest = micros % MINUTE;
    if rest != 0 {
        let sign = if rest < 0 { "-" } else { "" };
        let rest = rest.unsigned_abs();
        let second = SECOND.unsigned_abs();
        parts.push(format!("{sign}{}{} seconds", rest / second, fraction(rest % second)));
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

/// Microseconds behind a point, without zeros at the end.
pub(crate) fn fraction(micros: u64) -> String {
    match micros {
        0 => String::new(),
        micros => format!(".{}", format!("{micros:06}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ansi_intervals_are_literals() {
        assert_eq!(year_month(14, YEAR_TO_MONTH), "INTERVAL '1-2' YEAR TO MONTH");
        assert_eq!(year_month(-1, YEAR_TO_MONTH), "INTERVAL '-0-1' YEAR TO MONTH");
        // 1 day, 2 h, 3 min and 4.5 s are 86,400 + 7,200 + 180 + 4.5 s.
        let micros = 93_784_500_000;
        assert_eq!(day_time(micros, DAY_TO_SECOND), "INTERVAL '1 02:03:04.5' DAY TO SECOND");
        let hours = Range::new(Unit::Hour, Unit::Minute);
        assert_eq!(day_time(micros, hours), "INTERVAL '26:03' HOUR TO MINUTE");
        let seconds = Range::new(Unit::Second, Unit::Second);
        assert_eq!(day_time(5_000_000, seconds), "INTERVAL '05' SECOND");
        assert_eq!(
            day_time(i64::MIN, DAY_TO_SECOND),
            "INTERVAL '-106751991 04:00:54.775808' DAY TO SECOND"
        );
    }

    #[test]
    fn calendar_intervals_are_words() {
        assert_eq!(
            calendar(14, 3, 3_661_000_001),
            "1 years 2 months 3 days 1 hours 1 minutes 1.000001 seconds"
        );
        assert_eq!(calendar(0, 0, 0), "0 seconds");
        assert_eq!(calendar(-1, 0, -500_000), "-1 months -0.5 seconds");
    }
}
