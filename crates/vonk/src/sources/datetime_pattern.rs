//! Spark's datetime patterns, such as `dd/MM/yyyy HH:mm`, for the options `dateFormat` and
//! `timestampFormat` of the text formats.

use super::literal::{self, Instant};
use crate::error::{Condition, Error, Result};

/// A pattern, parsed once per scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatetimePattern {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// Characters that must stand there.
    Text(String),
    /// A pattern letter and how often it stands.
    Field(char, usize),
    /// What may be missing.
    Optional(Vec<Item>),
}

#[derive(Debug, Clone, Copy)]
struct Parts {
    year: i64,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micros: i64,
    afternoon: Option<bool>,
    offset: Option<i64>,
}

const LETTERS: &str = "yuMdHhmsSaXxZzE";

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl DatetimePattern {
    /// Reads a pattern of Spark's letters `y u M d H h m s S a X x Z z E`, quoted text and `[ ]`.
    pub(super) fn new(option: &str, pattern: &str) -> Result<Self> {
        let mut chars = pattern.chars().peekable();
        let items = parse_items(&mut chars, false).map_err(|problem| {
            Error::new(
                Condition::INVALID_PARAMETER,
                format!("option `{option}` cannot be `{pattern}`: {problem}"),
            )
            .hint("a pattern looks like `yyyy-MM-dd` or `dd/MM/yyyy HH:mm:ss`")
        })?;
        Ok(Self { items })
    }

    /// Days since 1970-01-01, if the text fits the pattern and is a day.
    pub(super) fn parse_date(&self, text: &str) -> Option<i32> {
        let parts = self.parse(text)?;
        literal::days_from_civil(parts.year, parts.month, parts.day)
    }

    /// The point in time, if the text fits the pattern and there is one.
    pub(super) fn parse_timestamp(&self, text: &str) -> Option<Instant> {
        let parts = self.parse(text)?;
        let days = literal::days_from_civil(parts.year, parts.month, parts.day)?;
        let hour = match parts.afternoon {
            Some(afternoon) if (1..=12).contains(&parts.hour) => {
                parts.hour % 12 + if afternoon { 12 } else { 0 }
            }
            Some(_) => return None,
            None => parts.hour,
        };
        let micros = literal::micros_of(days, (hour, parts.minute, parts.second), parts.micros)?;
        let offset = parts.offset.unwrap_or(0).checked_mul(literal::MICROS_PER_SECOND)?;
        Some(Instant { micros: micros.checked_sub(offset)?, has_offset: parts.offset.is_some() })
    }

    fn parse(&self, text: &str) -> Option<Parts> {
        let mut parts = Parts {
            year: 1970,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            micros: 0,
            afternoon: None,
            offset: None,
        };
        read_items(&self.items, text, &mut parts)?.is_empty().then_some(parts)
    }
}

fn parse_items(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    nested: bool,
) -> std::result::Result<Vec<Item>, String> {
    let mut items = Vec::new();
    while let Some(first) = chars.next() {
        match first {
            '[' => items.push(Item::Optional(parse_items(chars, true)?)),
            ']' if nested => return Ok(items),
            ']' => return Err("`]` without `[`".to_owned()),
            '\'' => items.push(Item::Text(quoted(chars))),
            letter if letter.is_ascii_alphabetic() => {
                if !LETTERS.contains(letter) {
                    return Err(format!("letter `{letter}` is not known"));
                }
                let mut count = 1;
                while chars.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                items.push(Item::Field(letter, count));
            }
            other => items.push(Item::Text(other.to_string())),
        }
    }
    if nested { Err("`[` without `]`".to_owned()) } else { Ok(items) }
}

/// The text up to the closing quote; two quotes stand for one, also `''` alone.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    if chars.next_if_eq(&'\'').is_some() {
        return "'".to_owned();
    }
    while let Some(next) = chars.next() {
        if next == '\'' && chars.next_if_eq(&'\'').is_none() {
            break;
        }
        text.push(next);
    }
    text
}

fn read_items<'a>(items: &[Item], mut text: &'a str, parts: &mut Parts) -> Option<&'a str> {
    for (at, item) in items.iter().enumerate() {
        text = match item {
            Item::Text(expected) => text.strip_prefix(expected.as_str())?,
            Item::Field(letter, count) => {
                // `yyyyMMdd` has no borders but the width of its fields.
                let tight = matches!(items.get(at + 1), Some(Item::Field(..)));
                read_field(*letter, *count, tight, text, parts)?
            }
            Item::Optional(inner) => {
                let mut tried = *parts;
                match read_items(inner, text, &mut tried) {
                    Some(rest) => {
                        *parts = tried;
                        rest
                    }
                    None => text,
                }
            }
        };
    }
    Some(text)
}

fn read_field<'a>(
    letter: char,
    count: usize,
    tight: bool,
    text: &'a str,
    parts: &mut Parts,
) -> Option<&'a str> {
    // One letter takes one or two digits, two letters exactly two, as Spark's strict parser.
    let width = if count == 1 && !tight { 1..=2 } else { count..=count };
    let number = |range| read_number(text, range);
    match letter {
        'y' | 'u' if count == 2 => number(2..=2).map(|(value, rest)| {
            parts.year = 2000 + i64::from(value);
            rest
        }),
        'y' | 'u' => number(if tight { 4..=4 } else { 4..=6 }).map(|(value, rest)| {
            parts.year = i64::from(value);
            rest
        }),
        'M' if count >= 3 => read_name(text, &MONTHS, count).map(|(index, rest)| {
            parts.month = index + 1;
            rest
        }),
        'E' => read_name(text, &WEEKDAYS, count.max(3)).map(|(_, rest)| rest),
        'M' => number(width).map(|(value, rest)| set(&mut parts.month, value, rest)),
        'd' => number(width).map(|(value, rest)| set(&mut parts.day, value, rest)),
        'H' | 'h' => number(width).map(|(value, rest)| set(&mut parts.hour, value, rest)),
        'm' => number(width).map(|(value, rest)| set(&mut parts.minute, value, rest)),
        's' => number(width).map(|(value, rest)| set(&mut parts.second, value, rest)),
        'S' => {
            let (micros, rest) = literal::parse_fraction(text.as_bytes())?;
            parts.micros = micros;
            text.get(text.len() - rest.len()..)
        }
        'a' => {
            let marker = text.get(..2)?;
            parts.afternoon = match marker.to_ascii_lowercase().as_str() {
                "am" => Some(false),
                "pm" => Some(true),
                _ => return None,
            };
            text.get(2..)
        }
        _ => {
            let length = text.find([' ', ']', ')']).unwrap_or(text.len());
            let (zone, rest) = text.split_at(length);
            parts.offset = Some(literal::parse_offset(zone.as_bytes())??);
            Some(rest)
        }
    }
}

fn set<'a>(place: &mut u32, value: u32, rest: &'a str) -> &'a str {
    *place = value;
    rest
}

fn read_number(text: &str, width: std::ops::RangeInclusive<usize>) -> Option<(u32, &str)> {
    let digits = text.bytes().take(*width.end()).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if digits < *width.start() { None } else { Some((number.parse().ok()?, rest)) }
}

/// The index of the name that the text begins with: its first three letters, or all from four on.
fn read_name<'a>(text: &'a str, names: &[&str], count: usize) -> Option<(u32, &'a str)> {
    (0u32..).zip(names).find_map(|(index, name)| {
        let length = if count >= 4 { name.len() } else { 3 };
        let given = text.get(..length)?;
        given.eq_ignore_ascii_case(&name[..length]).then(|| (index, &text[length..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_by_pattern() {
        let check = |pattern: &str, text: &str, days: Option<i32>| {
            let pattern = DatetimePattern::new("dateFormat", pattern).unwrap();
            assert_eq!(pattern.parse_date(text), days, "{text}");
        };
        check("dd/MM/yyyy", "02/01/1970", Some(1));
        check("d.M.yyyy", "2.1.1970", Some(1));
        check("d.M.yyyy", "12.11.1970", Some(315));
        check("yyyyMMdd", "19700103", Some(2));
        check("dd MMM yyyy", "03 Jan 1970", Some(2));
        check("EEE, d MMMM yyyy", "Sat, 3 January 1970", Some(2));
        check("MM/dd/yyyy", "13/01/1970", None);
        check("MM/dd/yyyy", "1/1/1970", None);
        check("yyyy-MM-dd", "1970-01-01x", None);
        check("dd/MM/yy", "01/01/70", Some(36_525));
    }

    #[test]
    fn timestamps_by_pattern() {
        let check = |pattern: &str, text: &str, seconds: Option<i64>| {
            let pattern = DatetimePattern::new("timestampFormat", pattern).unwrap();
            let micros = pattern.parse_timestamp(text).map(|instant| instant.micros);
            assert_eq!(micros, seconds.map(|seconds| seconds * 1_000_000), "{text}");
        };
        check("yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "1970-01-01T00:00:05", Some(5));
        check("yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "1970-01-01T00:00:05.000Z", Some(5));
        check("MM/dd/yyyy hh:mm:ss a", "01/01/1970 12:00:00 AM", Some(0));
        check("MM/dd/yyyy hh:mm a", "01/01/1970 01:00 PM", Some(46_800));
        check("dd/MMM/yyyy:HH:mm:ss Z", "01/Jan/1970:01:00:00 +0100", Some(0));
    }

    #[test]
    fn unknown_letters_are_named() {
        let error = DatetimePattern::new("dateFormat", "YYYY-MM-dd").unwrap_err();
        assert!(error.message().contains("letter `Y` is not known"), "{error}");
        assert!(DatetimePattern::new("dateFormat", "[yyyy").is_err());
    }
}
