//! Text to intervals: units in words (`1 day 2 hours`) and fields in the form of their literal.

use super::{Range, Unit};
use crate::civil::SECOND;

/// What units in words add up to, and from which to which unit they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// Years and months, in months.
    pub months: i32,
    /// Weeks and days, in days.
    pub days: i32,
    /// Hours and all that is shorter, in microseconds.
    pub micros: i64,
    /// The longest and the shortest unit that is named.
    pub range: Range,
}

impl Units {
    /// Days and microseconds as microseconds, if they fit.
    pub fn duration(&self) -> Option<i64> {
        i64::from(self.days).checked_mul(Unit::Day.length())?.checked_add(self.micros)
    }
}

/// The words for units, the unit that they count in, and how many of it they are.
const WORDS: &[(&str, Unit, i64)] = &[
    ("year", Unit::Year, 12),
    ("month", Unit::Month, 1),
    ("week", Unit::Day, 7),
    ("day", Unit::Day, 1),
    ("hour", Unit::Hour, 3_600_000_000),
    ("minute", Unit::Minute, 60_000_000),
    ("second", Unit::Second, SECOND),
    ("millisecond", Unit::Second, 1_000),
    ("microsecond", Unit::Second, 1),
];

/// Reads numbers with units: `1 day -2 hours`, also behind the word `interval`.
///
/// ```
/// let units = vonk_functions::interval::parse_units("1 year 2 months").unwrap();
/// assert_eq!(units.months, 14);
/// assert!(vonk_functions::interval::parse_units("1 fortnight").is_none());
/// ```
pub fn parse_units(text: &str) -> Option<Units> {
    let lower = text.trim().to_ascii_lowercase();
    let rest = lower.strip_prefix("interval").filter(|rest| rest.starts_with(char::is_whitespace));
    let mut rest = rest.unwrap_or(&lower).trim_start();
    let mut units: Option<Units> = None;
    while !rest.is_empty() {
        let (number, behind) = take_number(rest)?;
        let behind = behind.strip_prefix(char::is_whitespace)?.trim_start();
        let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(end);
        if !behind.is_empty() && !behind.starts_with(char::is_whitespace) {
            return None;
        }
        let word = word.strip_suffix('s').unwrap_or(word);
        let (_, unit, times) = WORDS.iter().find(|(known, ..)| *known == word)?;
        let so_far = units.unwrap_or(Units {
            months: 0,
            days: 0,
            micros: 0,
            range: Range::new(*unit, *unit),
        });
        units = Some(add(so_far, *unit, *times, &number, word)?);
        rest = behind.trim_start();
    }
    units
}

fn add(mut units: Units, unit: Unit, times: i64, number: &Number, word: &str) -> Option<Units> {
    if number.fraction != 0 && word != "second" {
        return None;
    }
    let count = number.whole.checked_mul(times)?;
    match unit {
        Unit::Year | Unit::Month => {
            units.months = units.months.checked_add(i32::try_from(count).ok()?)?;
        }
        Unit::Day => units.days = units.days.checked_add(i32::try_from(count).ok()?)?,
        _ => units.micros = units.micros.checked_add(count)?.checked_add(number.fraction)?,
    }
    units.range = units.range.union(Range::new(unit, unit));
    Some(units)
}

/// A number with its sign; the fraction is in millionths.
struct Number {
    whole: i64,
    fraction: i64,
}

fn take_number(text: &str) -> Option<(Number, &str)> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => (-1, text[1..].trim_start()),
        b'+' => (1, text[1..].trim_start()),
        _ => (1, text),
    };
    let digits = digits_of(unsigned);
    let mut rest = &unsigned[digits.len()..];
    let mut fraction = 0;
    if let Some(behind) = rest.strip_prefix('.') {
        let places = digits_of(behind);
        if places.len() > 9 || (digits.is_empty() && places.is_empty()) {
            return None;
        }
        fraction = millionths(places)?;
        rest = &behind[places.len()..];
    } else if digits.is_empty() {
        return None;
    }
    // The least number of all has no positive counterpart, so the sign is read with the digits.
    let sign_text = if sign < 0 { "-" } else { "" };
    let whole = match digits {
        "" => 0,
        digits => format!("{sign_text}{digits}").parse().ok()?,
    };
    Some((Number { whole, fraction: sign * fraction }, rest))
}

fn digits_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Up to nine digits behind a point, cut to millionths.
fn millionths(digits: &str) -> Option<i64> {
    let kept = &digits[..digits.len().min(6)];
    format!("{kept:0<6}").parse().ok()
}

/// Reads the value of a literal by the fields of its type: months for `1-2` as YEAR TO MONTH,
/// microseconds for `1 02:03:04.5` as DAY TO SECOND.
///
/// ```
/// use vonk_functions::interval::{self, parse_fields};
/// assert_eq!(parse_fields("-1-2", interval::YEAR_TO_MONTH), Some(-14));
/// assert_eq!(parse_fields("0 25:00:00", interval::DAY_TO_SECOND), None);
/// ```
pub fn parse_fields(text: &str, range: Range) -> Option<i64> {
    let text = text.trim();
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut total = 0_i64;
    for unit in [Unit::Year, Unit::Month, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second] {
        if unit < range.start || unit > range.end {
            continue;
        }
        if unit != range.start {
            rest = rest.strip_prefix(separator(unit))?;
        }
        let digits = digits_of(rest);
        let is_first = unit == range.start;
        if digits.is_empty() || (!is_first && unit != Unit::Month && digits.len() > 2) {
            return None;
        }
        rest = &rest[digits.len()..];
        let count: i64 = format!("{}{digits}", if sign < 0 { "-" } else { "" }).parse().ok()?;
        if !is_first && count.abs() > most(unit) {
            return None;
        }
        total = total.checked_add(count.checked_mul(unit.length())?)?;
        if unit == Unit::Second
            && let Some(behind) = rest.strip_prefix('.')
        {
            let places = digits_of(behind);
            if places.is_empty() || places.len() > 9 {
                return None;
            }
            total = total.checked_add(sign * millionths(places)?)?;
            rest = &behind[places.len()..];
        }
    }
    let fits = !range.start.is_months() || i32::try_from(total).is_ok();
    (rest.is_empty() && fits).then_some(total)
}

/// What stands before a field that is not the first.
fn separator(unit: Unit) -> char {
    match unit {
        Unit::Month => '-',
        Unit::Hour => ' ',
        _ => ':',
    }
}

/// The most that a field holds that is not the first.
fn most(unit: Unit) -> i64 {
    match unit {
        Unit::Month => 11,
        Unit::Hour => 23,
        _ => 59,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DAY_TO_SECOND, YEAR_TO_MONTH};
    use super::*;

    #[test]
    fn units_add_up() {
        let units = parse_units("interval 1 day -2 hours 1.5 seconds").unwrap();
        assert_eq!((units.days, units.micros), (1, -7_198_500_000));
        assert_eq!(units.range, DAY_TO_SECOND);
        assert_eq!(parse_units("1 week").unwrap().days, 7);
        assert_eq!(parse_units("-.5 second").unwrap().micros, -500_000);
        for wrong in ["", "1", "day", "1.5 days", "1 day 2", "1day", "99999999999 years"] {
            assert!(parse_units(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn fields_have_bounds() {
        assert_eq!(parse_fields("10-11", YEAR_TO_MONTH), Some(131));
        assert_eq!(parse_fields("1 02:03:04.5", DAY_TO_SECOND), Some(93_784_500_000));
        let seconds = Range::new(Unit::Second, Unit::Second);
        assert_eq!(parse_fields("-100.25", seconds), Some(-100_250_000));
        let minutes = Range::new(Unit::Hour, Unit::Minute);
        assert_eq!(parse_fields("100:59", minutes), Some(100 * 3_600_000_000 + 59 * 60_000_000));
        for (wrong, range) in
            [("1-12", YEAR_TO_MONTH), ("1 24:00:00", DAY_TO_SECOND), ("1 2:3", DAY_TO_SECOND)]
        {
            assert_eq!(parse_fields(wrong, range), None, "{wrong}");
        }
    }
}
