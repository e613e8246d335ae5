//! `format_number(number, digits or pattern)`: a number with commas between thousands.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `format_number`, whose second argument is a count of digits or a pattern of Java.
pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Number, Kind::IntOrText]);
    Kernel::new("format_number", parameters, rows::text, formatted).udf()
}

fn formatted(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = decimal_texts(&call.array(0)?)?;
    let numbers = numbers.as_string_view();
    let second = call.array(1)?;
    if let Some(digits) = second.as_primitive_opt::<Int32Type>() {
        return rows::texts(call, |row, output| {
            let Ok(digits) = usize::try_from(digits.value(row)) else { return Ok(false) };
            let pattern = Pattern { digits_min: digits, digits_max: digits, ..Pattern::THOUSANDS };
            pattern.write(numbers.value(row), output);
            Ok(true)
        });
    }
    let patterns = call.text(1)?;
    rows::texts(call, |row, output| {
        let pattern = match patterns.value(row) {
            "" => Pattern { digits_min: 0, digits_max: 0, ..Pattern::THOUSANDS },
            pattern => Pattern::read(pattern),
        };
        pattern.write(numbers.value(row), output);
        Ok(true)
    })
}

/// Numbers in plain digits, the shortest that tell a floating-point number from its neighbours.
fn decimal_texts(numbers: &ArrayRef) -> Result<ArrayRef> {
    let texts = match numbers.data_type() {
        DataType::Float32 => {
            let numbers = numbers.as_primitive::<Float32Type>();
            let texts =
                numbers.iter().map(|number| number.map(|number| f64::from(number).to_string()));
            std::sync::Arc::new(texts.collect::<arrow::array::StringArray>()) as ArrayRef
        }
        DataType::Float64 => {
            let numbers = numbers.as_primitive::<Float64Type>();
            let texts = numbers.iter().map(|number| number.map(|number| number.to_string()));
            std::sync::Arc::new(texts.collect::<arrow::array::StringArray>())
        }
        _ => cast(numbers, &DataType::Utf8)?,
    };
    Ok(cast(&texts, &DataType::Utf8View)?)
}

/// A pattern of Java's `DecimalFormat`: `#,##0.00`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    prefix: String,
    suffix: String,
    whole_min: usize,
    digits_min: usize,
    digits_max: usize,
    /// How many digits stand between two commas; 0 for no commas.
    group: usize,
}

impl Pattern {
    const THOUSANDS: Self = Self {
        prefix: String::new(),
        suffix: String::new(),
        whole_min: 1,
        digits_min: 0,
        digits_max: 0,
        group: 3,
    };

    fn read(pattern: &str) -> Self {
        let pattern = pattern.split(';').next().unwrap_or_default();
        let is_sign = |c: char| "#0,.".contains(c);
        let start = pattern.find(is_sign).unwrap_or(pattern.len());
        let end = pattern.rfind(is_sign).map_or(start, |end| end + 1);
        let (whole, fraction) = match pattern[start..end].split_once('.') {
            Some((whole, fraction)) => (whole, fraction),
            None => (&pattern[start..end], ""),
        };
        let group = whole.rsplit_once(',').map_or(0, |(_, last)| last.len());
        Self {
            prefix: pattern[..start].replace('\'', ""),
            suffix: pattern[end..].replace('\'', ""),
            whole_min: whole.matches('0').count(),
            digits_min: fraction.matches('0').count(),
            digits_max: fraction.len(),
            group,
        }
    }

    fn write(&self, number: &str, output: &mut String) {
        let (sign, number) = match number.strip_prefix('-') {
            Some(number) => ("-", number),
            None => ("", number),
        };
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            let special = if number == "NaN" { "NaN" } else { "∞" };
            output.push_str(if special == "NaN" { "" } else { sign });
            output.push_str(special);
            return;
        }
        let (whole, fraction) = round_half_even(number, self.digits_max);
        let fraction = fraction.trim_end_matches('0');
        let is_zero = fraction.is_empty() && whole.bytes().all(|digit| digit == b'0');
        output.push_str(if is_zero && self.digits_max == 0 && sign.is_empty() { "" } else { sign });
        output.push_str(&self.prefix);
        let whole = whole.trim_start_matches('0');
        let zeros = self.whole_min.saturating_sub(whole.len());
        let whole = "0".repeat(zeros) + whole;
        for (at, digit) in whole.char_indices() {
            let left = whole.len() - at;
            if at > 0 && self.group > 0 && left % self.group == 0 {
                output.push(',');
            }
            output.push(digit);
        }
        let zeros = self.digits_min.saturating_sub(fraction.len());
        if !fraction.is_empty() || zeros > 0 {
            output.push('.');
            output.push_str(fraction);
            output.push_str(&"0".repeat(zeros));
        }
        output.push_str(&self.suffix);
    }
}

/// Rounds digits with a point to so many behind it; halves go to the even neighbour.
fn round_half_even(number: &str, digits: usize) -> (String, String) {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() <= digits {
        return (whole.to_owned(), fraction.to_owned());
    }
    let (kept, dropped) = fraction.split_at(digits);
    let mut all: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    let is_odd = all.last().is_some_and(|digit| digit % 2 == 1);
    let rest = dropped[1..].bytes().any(|digit| digit != b'0');
    let rounds_up = match dropped.as_bytes()[0] {
        b'5' => rest || is_odd,
        first => first > b'5',
    };
    if rounds_up {
        let mut at = all.len();
        loop {
            if at == 0 {
                all.insert(0, b'1');
                break;
            }
            at -= 1;
            if all[at] < b'9' {
                all[at] += 1;
                break;
            }
            all[at] = b'0';
        }
    }
    let fraction = all.split_off(all.len() - digits);
    (String::from_utf8_lossy(&all).into_owned(), String::from_utf8_lossy(&fraction).into_owned())
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_are_those_of_java() {
        let write = |pattern: &str, number: &str| {
            let mut output = String::new();
            Pattern::read(pattern).write(number, &mut output);
            output
        };
        assert_eq!(write("#,##0.00", "1234567.895"), "1,234,567.90");
        assert_eq!(write("##########.###", "12332.123456"), "12332.123");
        assert_eq!(write("#,##0.##", "-0.5"), "-0.5");
        assert_eq!(write("000", "7"), "007");
        assert_eq!(write("#,##0", "2.5"), "2");
    }
}
