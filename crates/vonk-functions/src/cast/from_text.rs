//! Text to booleans and numbers, in the forms that Spark accepts.

use arrow::datatypes::i256;

/// White space and control characters, which stand for nothing at both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}')
}

/// `t`, `true`, `y`, `yes`, `1` and their opposites, in any case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match trim(text).to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number; with `cuts`, digits behind a point are read and dropped.
pub(super) fn whole(text: &str, cuts: bool) -> Option<i64> {
    let text = trim(text);
    let (number, rest) = match text.split_once('.') {
        Some((number, rest)) if cuts => (number, rest),
        Some(_) => return None,
        None => (text, ""),
    };
    if !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    // `.5` and `.` are zero where digits behind the point are dropped.
    if digits.is_empty() {
        return (cuts && text.contains('.')).then_some(0);
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse().ok()
}

/// A double as Java reads it: also `1.`, `1e5`, `1d`, `inf`, `Infinity`, `NaN`.
pub(super) fn double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c <= ' ');
    match text.to_ascii_lowercase().as_str() {
        "inf" | "+inf" | "infinity" | "+infinity" => return Some(f64::INFINITY),
        "-inf" | "-infinity" => return Some(f64::NEG_INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    plain_float(text)?.parse().ok()
}

/// A float by the same forms, rounded once.
pub(super) fn float(text: &str) -> Option<f32> {
    match double(text)? {
        special if !special.is_finite() && plain_float(text.trim()).is_none() => {
            Some(special as f32)
        }
        _ => plain_float(text.trim_matches(|c: char| c <= ' '))?.parse().ok(),
    }
}

/// The text without Java's type suffix, if it is digits with a point, a sign and an exponent.
fn plain_float(text: &str) -> Option<&str> {
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let looks_right =
        text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    (looks_right && text.bytes().any(|b| b.is_ascii_digit())).then_some(text)
}

/// A decimal number: its digits as one whole number, and how many of them stand behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    value: i256,
    scale: i64,
}

/// Reads `-12.50`, `.5`, `1e3`.
pub(super) fn digits(text: &str) -> Option<Digits> {
    let text = trim(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => {
            let exponent = &text[at + 1..];
            let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            (&text[..at], exponent.parse::<i32>().ok()?)
        }
        None => (text, 0),
    };
    let (is_negative, unsigned) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, behind) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() && behind.is_empty() {
        return None;
    }
    let mut value = i256::ZERO;
    let mut scale = -i64::from(exponent);
    let mut kept = 0;
    for (at, digit) in whole.bytes().chain(behind.bytes()).enumerate() {
        if !digit.is_ascii_digit() {
            return None;
        }
        let is_behind = at >= whole.len();
        // More digits than any decimal has only matter by their number.
        if kept < 75 {
            let digit = i256::from_i128(i128::from(digit - b'0'));
            value = value.wrapping_mul(i256::from_i128(10)).wrapping_add(digit);
            kept += i32::from(value != i256::ZERO);
            scale += i64::from(is_behind);
        } else {
            scale -= i64::from(!is_behind);
        }
    }
    let value = if is_negative { value.wrapping_neg() } else { value };
    Some(Digits { value, scale })
}

impl Digits {
    /// The value at another scale, half rounded away from zero; `None` past 38 digits.
    pub(super) fn at_scale(self, scale: i64, precision: u8) -> Option<i128> {
        rescale(self.value, scale - self.scale).and_then(|value| within(value, precision))
    }
}

/// Ten to a power that fits.
fn power(exponent: u32) -> i256 {
    i256::from_i128(10).wrapping_pow(exponent)
}

/// A value with more (positive) or fewer digits behind its point, half rounded away from zero.
pub(super) fn rescale(value: i256, digits: i64) -> Option<i256> {
    if value == i256::ZERO {
        return Some(value);
    }
    if digits >= 0 {
        return (digits <= 76)
            .then(|| value.checked_mul(power(digits.unsigned_abs() as u32)))
            .flatten();
    }
    if digits < -76 {
        return Some(i256::ZERO);
    }
    let divisor = power(digits.unsigned_abs() as u32);
    let quotient = value.wrapping_div(divisor);
    let rest = value.wrapping_rem(divisor).wrapping_abs();
    let rounds_up = rest >= divisor.wrapping_sub(rest);
    let step = if value < i256::ZERO { i256::MINUS_ONE } else { i256::ONE };
    Some(if rounds_up { quotient.wrapping_add(step) } else { quotient })
}

/// A value of at most so many digits.
pub(super) fn within(value: i256, precision: u8) -> Option<i128> {
    let value = value.to_i128()?;
    let bound = 10_u128.checked_pow(u32::from(precision))?;
    (value.unsigned_abs() < bound).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_many_forms() {
        assert_eq!(whole(" +12\t", false), Some(12));
        assert_eq!(whole("1.9", true), Some(1));
        assert_eq!(whole("1.9", false), None);
        assert_eq!(whole("-9223372036854775808", false), Some(i64::MIN));
        assert_eq!(whole("9223372036854775808", false), None);
        assert_eq!(double("1d"), Some(1.0));
        assert_eq!(double("-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(double("1e400"), Some(f64::INFINITY));
        assert_eq!(double("0x"), None);
        assert_eq!(double("infx"), None);
    }

    #[test]
    fn decimals_round_half_away_from_zero() {
        let read = |text: &str| digits(text).and_then(|digits| digits.at_scale(1, 5));
        assert_eq!(read("1.25"), Some(13));
        assert_eq!(read("-1.25"), Some(-13));
        assert_eq!(read("1e3"), Some(10_000));
        assert_eq!(read("1e4"), None);
        assert_eq!(read("1e-400"), Some(0));
        assert_eq!(read("."), None);
    }
}
