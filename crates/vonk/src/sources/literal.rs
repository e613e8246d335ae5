//! The values that texts stand for: numbers, booleans, dates and timestamps in CSV fields and JSON
//! strings, read the same way by every text format.

use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::Float64Type;

pub(super) const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A point in time as microseconds, and whether the text named its offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    pub(super) micros: i64,
    pub(super) has_offset: bool,
}

/// A whole number with optional sign; `None` if it is something else or needs more than 64 bits.
pub(super) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    if digits.len() > 18 {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let mut value = 0i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// A decimal number, with or without exponent; never `inf` or `nan`, which are options of a format.
pub(super) fn parse_double(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    Float64Type::parse(text.strip_prefix('+').unwrap_or(text))
}

/// `true` or `false` in any case.
pub(super) fn parse_boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A decimal number as the integer of its digits at `scale`, rounded half up; `None` if it does not
/// fit into `precision` digits.
pub(super) fn parse_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa, parse_integer(exponent.as_bytes()).filter(|e| e.abs() < 1_000)?)
        }
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // The number of digits that stand left of the rounding place.
    let kept = whole.len() as i64 + exponent + i64::from(scale);
    let mut value = 0i128;
    let mut round_up = false;
    let mut seen = 0i64;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        if seen < kept {
            value = value.checked_mul(10)?.checked_add(i128::from(digit))?;
        } else if seen == kept {
            round_up = digit >= 5;
        }
        seen += 1;
    }
    for _ in seen..kept {
        if value == 0 {
            break;
        }
        value = value.checked_mul(10)?;
    }
    value += i128::from(round_up);
    let fits = 10i128.checked_pow(u32::from(precision)).is_none_or(|limit| value < limit);
    fits.then_some(if negative { -value } else { value })
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, `None` if there is no such day.
pub(super) fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i32> {
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The microseconds of a day and a time, `None` if an hour, minute or second is out of its range.
pub(super) fn micros_of(days: i32, time: (u32, u32, u32), micros: i64) -> Option<i64> {
    let (hour, minute, second) = time;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    (i64::from(days) * SECONDS_PER_DAY + seconds)
        .checked_mul(MICROS_PER_SECOND)?
        .checked_add(micros)
}

/// An ISO date, `2026-03-09`, as days since 1970-01-01.
pub(super) fn parse_date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    days_from_civil(i64::from(year), two(*m1, *m2)?, two(*d1, *d2)?)
}

/// An ISO timestamp: date, `T` or blank, `hh:mm[:ss[.fraction]]`, and optionally `Z` or `±hh[:mm]`.
///
/// Digits of the fraction beyond microseconds are cut off, as Spark does.
pub(super) fn parse_timestamp(text: &[u8]) -> Option<Instant> {
    let (date, rest) = text.split_at_checked(10)?;
    let days = parse_date(date)?;
    let [b'T' | b' ', h1, h2, b':', m1, m2, rest @ ..] = rest else { return None };
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two(*s1, *s2)?, rest),
        _ => (0, rest),
    };
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => parse_fraction(rest)?,
        _ => (0, rest),
    };
    let local = micros_of(days, (two(*h1, *h2)?, two(*m1, *m2)?, second), fraction)?;
    match parse_offset(rest)? {
        None => Some(Instant { micros: local, has_offset: false }),
        Some(seconds) => {
            let micros = local.checked_sub(seconds * MICROS_PER_SECOND)?;
            Some(Instant { micros, has_offset: true })
        }
    }
}

/// Microseconds of the digits after the point, and what follows them.
pub(super) fn parse_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > 9 {
        return None;
    }
    let (digits, rest) = text.split_at(length);
    let micros = (0..6).fold(0, |micros, place| {
        micros * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0'))
    });
    Some((micros, rest))
}

/// Seconds east of UTC: nothing, `Z`, `UTC`, `±hh`, `±hhmm` or `±hh:mm`; `None` if it is none of these.
#[expect(clippy::option_option, reason = "no offset is a different thing from a bad one")]
pub(super) fn parse_offset(text: &[u8]) -> Option<Option<i64>> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (sign, digits) = match text {
        [] => return Some(None),
        b"Z" | b"z" | b"UTC" => return Some(Some(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h1, h2] => (two(*h1, *h2)?, 0),
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?),
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then(|| Some(sign * i64::from(hours * 3600 + minutes * 60)))
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    let tens = tens.wrapping_sub(b'0');
    let ones = ones.wrapping_sub(b'0');
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_end_at_64_bits() {
        assert_eq!(parse_integer(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_integer(b"9223372036854775808"), None);
        assert_eq!(parse_integer(b"+12"), Some(12));
        for bad in ["", "-", "1.0", "1e3", " 1", "1_000", "0x10"] {
            assert_eq!(parse_integer(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn doubles_are_numbers_only() {
        assert_eq!(parse_double("-1.5e3"), Some(-1500.0));
        assert_eq!(parse_double(".5"), Some(0.5));
        for bad in ["nan", "inf", "1,5", "", "-", "1.5x", "infinity"] {
            assert_eq!(parse_double(bad), None, "{bad}");
        }
    }

    #[test]
    fn decimals_round_half_up_and_keep_their_precision() {
        assert_eq!(parse_decimal("1.005", 10, 2), Some(101));
        assert_eq!(parse_decimal("-1.5", 10, 0), Some(-2));
        assert_eq!(parse_decimal("12e1", 10, 1), Some(1200));
        assert_eq!(parse_decimal("0.04", 10, 0), Some(0));
        assert_eq!(parse_decimal("1e-30", 10, 2), Some(0));
        assert_eq!(parse_decimal("1000", 3, 0), None);
        assert_eq!(parse_decimal("x", 3, 0), None);
    }

    #[test]
    fn dates_exist_in_the_calendar() {
        assert_eq!(parse_date(b"1970-01-01"), Some(0));
        assert_eq!(parse_date(b"2000-02-29"), Some(11_016));
        assert_eq!(parse_date(b"1969-12-31"), Some(-1));
        assert_eq!(parse_date(b"2023-02-29"), None);
        assert_eq!(parse_date(b"2023-2-9"), None);
    }

    #[test]
    fn timestamps_with_and_without_offset() {
        let local = |micros| Some(Instant { micros, has_offset: false });
        let fixed = |micros| Some(Instant { micros, has_offset: true });
        assert_eq!(parse_timestamp(b"1970-01-01 00:00:01.5"), local(1_500_000));
        assert_eq!(parse_timestamp(b"1970-01-01T00:01"), local(60_000_000));
        assert_eq!(parse_timestamp(b"1970-01-01T01:00:00+01:00"), fixed(0));
        assert_eq!(parse_timestamp(b"1970-01-01T00:00:00.000001Z"), fixed(1));
        assert_eq!(parse_timestamp(b"1970-01-01 24:00:00"), None);
        assert_eq!(parse_timestamp(b"1970-01-01"), None);
    }
}
