//! Spark's datetime patterns, such as `dd/MM/yyyy HH:mm`: texts to points in time, and back.
//!
//! The letters are those of Java's `DateTimeFormatter` in its strict style, without the ones that
//! Spark refuses because they meant something else before Spark 3.0.

use super::calendar::{self, MICROS_PER_SECOND};
use super::zone::Zone;
use crate::failure::Failure;

mod compile;
mod read;
mod resolve;
mod words;
mod write;

/// A pattern, taken apart once and used for many values.
///
/// ```
/// use vonk_functions::datetime::Pattern;
/// let pattern = Pattern::for_parsing("dd/MM/yyyy[ HH:mm]")?;
/// assert_eq!(pattern.parse("02/01/1970").map(|parsed| parsed.day()), Ok(1));
/// assert!(pattern.parse("2/1/1970").is_err());
/// # Ok::<(), vonk_functions::Failure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    items: Vec<Item>,
}

/// What a text said by a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// The local time, in microseconds since 1970-01-01 00:00:00; what the text left out is that.
    pub local_micros: i64,
    /// The zone or offset, if the text named one.
    pub zone: Option<Zone>,
}

impl Parsed {
    /// The point in time; a text that names no zone is local to the one that is given.
    pub fn utc_micros(&self, zone: &Zone) -> i64 {
        self.zone.as_ref().unwrap_or(zone).to_utc(self.local_micros)
    }

    /// The day, since 1970-01-01.
    pub fn day(&self) -> i32 {
        calendar::day_of_micros(self.local_micros)
    }
}

/// A point in time as it is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Local time in microseconds.
    pub local_micros: i64,
    /// The zone that it is local to.
    pub zone: Zone,
    /// How many seconds local time is ahead of UTC then.
    pub offset_seconds: i32,
}

impl Moment {
    /// A point in time in a zone.
    pub fn of_utc(utc_micros: i64, zone: Zone) -> Self {
        let offset_seconds = zone.offset_at(utc_micros);
        let ahead = i64::from(offset_seconds) * MICROS_PER_SECOND;
        Self { local_micros: utc_micros.saturating_add(ahead), zone, offset_seconds }
    }

    /// A local time in a zone.
    pub fn of_local(local_micros: i64, zone: Zone) -> Self {
        let utc_micros = zone.to_utc(local_micros);
        let offset_seconds = zone.offset_at(utc_micros);
        Self { local_micros, zone, offset_seconds }
    }

    fn utc_micros(&self) -> i64 {
        self.local_micros.saturating_sub(i64::from(self.offset_seconds) * MICROS_PER_SECOND)
    }
}

impl Pattern {
    /// A pattern to read texts by.
    ///
    /// # Errors
    /// `INVALID_DATETIME_PATTERN` and `INCONSISTENT_BEHAVIOR_CROSS_VERSION`
    pub fn for_parsing(pattern: &str) -> Result<Self, Failure> {
        Ok(Self { items: compile::compile(pattern, true)? })
    }

    /// A pattern to write values by.
    ///
    /// # Errors
    /// As [`Pattern::for_parsing`], which refuses some more.
    pub fn for_formatting(pattern: &str) -> Result<Self, Failure> {
        Ok(Self { items: compile::compile(pattern, false)? })
    }

    /// What a text says by this pattern.
    ///
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn parse(&self, text: &str) -> Result<Parsed, String> {
        resolve::resolve(&read::read(&self.items, text)?)
    }

    /// Adds a point in time to a text.
    ///
    /// # Errors
    /// If a number needs more digits than the pattern has for it.
    pub fn format(&self, moment: &Moment, text: &mut String) -> Result<(), Failure> {
        write::write(&self.items, moment, text)
    }
}

/// What a part of a pattern reads or writes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// Characters that must stand there, in any case.
    Literal(String),
    /// A number; `following` digits behind it belong to the numbers that follow without a border.
    Number { field: Field, digits: Digits, following: usize },
    /// The last two digits of a year from 2000 to 2099.
    ShortYear { field: Field, following: usize },
    /// Digits behind the point of a second.
    Fraction { min: usize, max: usize },
    /// A word.
    Word { field: Field, in_full: bool },
    /// An offset from UTC.
    Offset(OffsetStyle),
    /// `GMT+8`, in full `GMT+08:00`.
    LocalizedOffset { in_full: bool },
    /// `Europe/Paris`
    ZoneId,
    /// `CET`, in full `Central European Standard Time`.
    ZoneName { in_full: bool },
    /// What may be missing.
    Optional(Vec<Item>),
}

/// How many digits a number has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Digits {
    min: usize,
    max: usize,
    sign: Sign,
}

/// When a number may have a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Never.
    Never,
    /// A minus.
    Minus,
    /// A minus, and a plus if it has more digits than it needs.
    Exceeding,
}

/// How an offset from UTC looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OffsetStyle {
    /// What stands between the parts.
    colon: &'static str,
    /// Whether minutes that are zero may be left out.
    short: bool,
    /// Whether seconds may follow.
    seconds: bool,
    /// The text for UTC itself.
    zero: &'static str,
}

/// A field of a date or time, in `java.time`'s meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Era,
    YearOfEra,
    Year,
    Quarter,
    Month,
    DayOfMonth,
    DayOfYear,
    DayOfWeek,
    DayOfWeekInMonth,
    AmPm,
    HourOfDay,
    ClockHourOfDay,
    HourOfAmPm,
    ClockHourOfAmPm,
    Minute,
    Second,
    Nano,
}

/// How many fields there are.
const FIELDS: usize = Field::Nano as usize + 1;

/// The values of fields that a text gave.
#[derive(Debug, Clone, Copy, Default)]
struct Values {
    fields: [Option<i64>; FIELDS],
    offset: Option<i32>,
    zone: Option<Zone>,
}

impl Values {
    fn get(&self, field: Field) -> Option<i64> {
        self.fields[field as usize]
    }

    /// Whether the field had no other value before.
    fn set(&mut self, field: Field, value: i64) -> bool {
        *self.fields[field as usize].get_or_insert(value) == value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pattern: &str, text: &str) -> Option<i64> {
        let parsed = Pattern::for_parsing(pattern).unwrap().parse(text).ok()?;
        Some(parsed.utc_micros(&Zone::UTC))
    }

    fn format(pattern: &str, micros: i64, zone: &str) -> String {
        let moment = Moment::of_utc(micros, Zone::parse(zone).unwrap());
        let mut text = String::new();
        Pattern::for_formatting(pattern).unwrap().format(&moment, &mut text).unwrap();
        text
    }

    #[test]
    fn dates_are_read() {
        let check = |pattern: &str, text: &str, days: Option<i64>| {
            assert_eq!(parse(pattern, text), days.map(|days| days * 86_400_000_000), "{text}");
        };
        check("dd/MM/yyyy", "02/01/1970", Some(1));
        check("d.M.yyyy", "2.1.1970", Some(1));
        check("d.M.yyyy", "12.11.1970", Some(315));
        check("yyyyMMdd", "19700103", Some(2));
        check("dd MMM yyyy", "03 jan 1970", Some(2));
        check("d MMMM yyyy", "3 January 1970", Some(2));
        check("MM/dd/yyyy", "13/01/1970", None);
        check("MM/dd/yyyy", "1/1/1970", None);
        check("yyyy-MM-dd", "1970-01-01x", None);
        check("dd/MM/yy", "01/01/70", Some(36_525));
        check("yyyy-DDD", "1970-032", Some(31));
        check("MM-dd", "02-29", None);
        check("yyyy G", "0001 BC", Some(-719_528));
    }

    #[test]
    fn times_are_read() {
        let check = |pattern: &str, text: &str, seconds: Option<i64>| {
            assert_eq!(parse(pattern, text), seconds.map(|s| s * 1_000_000), "{text}");
        };
        let iso = "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]";
        check(iso, "1970-01-01T00:00:05", Some(5));
        check(iso, "1970-01-01T00:00:05.0Z", Some(5));
        check(iso, "1970-01-01T01:00:05.000+01:00", Some(5));
        check("MM/dd/yyyy hh:mm:ss a", "01/01/1970 12:00:00 AM", Some(0));
        check("MM/dd/yyyy hh:mm a", "01/01/1970 01:00 PM", Some(46_800));
        check("dd/MMM/yyyy:HH:mm:ss Z", "01/Jan/1970:01:00:00 +0100", Some(0));
        check("HH:mm z", "01:00 CET", Some(0));
        check("HH:mm VV", "01:00 Europe/Paris", Some(0));
        check("HH:mm O", "08:00 GMT+8", Some(0));
        check("HH", "24", None);
        check("a", "PM", Some(43_200));
    }

    #[test]
    fn moments_are_written() {
        let check = |pattern: &str, expected: &str| {
            assert_eq!(format(pattern, 1_234_567_890_123_456, "Asia/Tokyo"), expected, "{pattern}");
        };
        check("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "2009-02-14T08:31:30.123456+09:00");
        check("y yy D DDD q QQQ QQQQ", "2009 09 45 045 1 Q1 1st quarter");
        check("E EEEE F a h K k", "Sat Saturday 7 AM 8 8 8");
        check("O OOOO Z ZZZZ x X", "GMT+9 GMT+09:00 +0900 GMT+09:00 +09 +09");
        check("z zzzz VV G GGGG", "JST Japan Standard Time Asia/Tokyo AD Anno Domini");
        check("''[yyyy]'q'", "'2009q");
        assert_eq!(format("XXX x", 0, "UTC"), "Z +00");
    }

    #[test]
    fn what_spark_refuses_is_refused() {
        let condition = |pattern: &str| Pattern::for_parsing(pattern).unwrap_err().condition;
        let changed = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION";
        assert_eq!(condition("dd/MMMMM/yyyy"), changed);
        assert_eq!(condition("EEE dd"), changed);
        assert_eq!(
            condition("YYYY-MM-dd"),
            "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN"
        );
        assert_eq!(condition("A"), "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER");
        assert!(Pattern::for_formatting("EEE dd").is_ok());
    }
}
