//! `round`, `bround`, `ceil` and `floor`, with and without digits behind the point.

use std::cmp::Ordering;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PARAMETERS: Parameters = Parameters::with_optional(&[Kind::Number], &[Kind::Int]);

/// The most digits that a decimal has.
const PRECISION_MAX: i32 = 38;

/// Which neighbour a number is rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
    /// The nearer one, and from the middle the one that is further from zero.
    HalfUp,
    /// The nearer one, and from the middle the even one.
    HalfEven,
}

/// Spark's `ceil(number[, digits])`.
pub(super) fn ceil() -> ScalarUDF {
    Kernel::by_value("ceil", PARAMETERS, whole_type, |call| whole(call, Way::Up)).udf()
}

/// Spark's `floor(number[, digits])`.
pub(super) fn floor() -> ScalarUDF {
    Kernel::by_value("floor", PARAMETERS, whole_type, |call| whole(call, Way::Down)).udf()
}

/// Spark's `round(number[, digits])`.
pub(super) fn round() -> ScalarUDF {
    Kernel::by_value("round", PARAMETERS, rounded_type, |call| rounded(call, Way::HalfUp)).udf()
}

/// Spark's `bround(number[, digits])`.
pub(super) fn bround() -> ScalarUDF {
    Kernel::by_value("bround", PARAMETERS, rounded_type, |call| rounded(call, Way::HalfEven)).udf()
}

/// How many digits a literal asks for; NULL and what is not given ask for none.
fn digits_of(literals: &[Option<&ScalarValue>]) -> i32 {
    match literals.get(1).copied().flatten() {
        Some(ScalarValue::Int8(Some(digits))) => i32::from(*digits),
        Some(ScalarValue::Int16(Some(digits))) => i32::from(*digits),
        Some(ScalarValue::Int32(Some(digits))) => *digits,
        Some(ScalarValue::Int64(Some(digits))) => *digits as i32,
        _ => 0,
    }
}

/// `BIGINT`, or a decimal of the digits in front of the point and those that are asked for.
fn whole_type(types: &[DataType], literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match (&types[0], types.len()) {
        (DataType::Decimal128(precision, scale), 1) => {
            let whole = i32::from(*precision) - i32::from(*scale) + 1;
            DataType::Decimal128(whole.clamp(1, PRECISION_MAX) as u8, 0)
        }
        (_, 1) => DataType::Int64,
        (given, _) => {
            let (precision, scale) = decimal_digits(given);
            decimal_type(precision, scale, digits_of(literals))
        }
    })
}

/// The digits of a number as a decimal.
fn decimal_digits(data_type: &DataType) -> (i32, i32) {
    match data_type {
        DataType::Decimal128(precision, scale) => (i32::from(*precision), i32::from(*scale)),
        DataType::Int8 => (3, 0),
        DataType::Int16 => (5, 0),
        DataType::Int32 => (10, 0),
        DataType::Int64 => (20, 0),
        DataType::Float32 => (14, 7),
        _ => (30, 15),
    }
}

/// Rounding may need a digit more in front of the point: 9.9 becomes 10.
fn decimal_type(precision: i32, scale: i32, digits: i32) -> DataType {
    let whole = precision - scale + 1;
    let (precision, scale) = match digits {
        ..0 => (whole.max(digits.saturating_neg().saturating_add(1)), 0),
        _ => (whole + digits.min(scale), digits.min(scale)),
    };
    DataType::Decimal128(precision.clamp(1, PRECISION_MAX) as u8, scale as i8)
}

fn rounded_type(types: &[DataType], literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match &types[0] {
        DataType::Decimal128(precision, scale) => {
            decimal_type(i32::from(*precision), i32::from(*scale), digits_of(literals))
        }
        other => other.clone(),
    })
}

fn whole(call: &Call<'_>, way: Way) -> Result<ArrayRef> {
    let input = call.array(0)?;
    match (input.data_type(), call.returns) {
        (_, DataType::Decimal128(..)) => decimals(call, &input, way),
        (DataType::Float32 | DataType::Float64, _) => {
            let numbers = cast(&input, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            rows::numbers::<Int64Type>(call, |row| {
                let number = numbers.value(row);
                Ok(Some(if way == Way::Up { number.ceil() } else { number.floor() } as i64))
            })
        }
        _ => Ok(cast(&input, &DataType::Int64)?),
    }
}

fn rounded(call: &Call<'_>, way: Way) -> Result<ArrayRef> {
    let input = call.array(0)?;
    let digits = call.optional::<Int32Type>(1)?;
    let digits = |row: usize| digits.as_ref().map_or(0, |digits| digits.value(row));
    match input.data_type() {
        DataType::Decimal128(..) => decimals(call, &input, way),
        DataType::Float32 => {
            let numbers = input.as_primitive::<Float32Type>();
            rows::numbers::<Float32Type>(call, |row| {
                let number = numbers.value(row);
                let text = round_text(&format!("{number:e}"), digits(row), way);
                Ok(Some(text.and_then(|text| text.parse().ok()).unwrap_or(number)))
            })
        }
        DataType::Float64 => {
            let numbers = input.as_primitive::<Float64Type>();
            rows::numbers::<Float64Type>(call, |row| {
                let number = numbers.value(row);
                let text = round_text(&format!("{number:e}"), digits(row), way);
                Ok(Some(text.and_then(|text| text.parse().ok()).unwrap_or(number)))
            })
        }
        whole if whole.is_integer() => integers(call, &input, way),
        other => internal_err!("`round` does not take {other}"),
    }
}

fn integers(call: &Call<'_>, input: &ArrayRef, way: Way) -> Result<ArrayRef> {
    let digits = call.optional::<Int32Type>(1)?;
    let numbers = cast(input, &DataType::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    let bits = input.data_type().primitive_width().unwrap_or(8) as u32 * 8;
    let (least, most) = (i128::from(i64::MIN >> (64 - bits)), i128::from(i64::MAX >> (64 - bits)));
    // Of four types, whose values all fit in 64 bits before they are narrowed again.
    let long = call.returning(&DataType::Int64);
    let rounded = rows::numbers::<Int64Type>(&long, |row| {
        let number = i128::from(numbers.value(row));
        let digits = digits.as_ref().map_or(0, |digits| digits.value(row));
        let rounded = round_scaled(number, 0, digits, way).unwrap_or(0);
        if (least..=most).contains(&rounded) {
            return Ok(Some(rounded as i64));
        }
        match call.is_ansi() {
            true => Err(overflow().into()),
            false => Ok(Some((rounded as i64) << (64 - bits) >> (64 - bits))),
        }
    })?;
    Ok(cast(&rounded, call.returns)?)
}

fn overflow() -> Failure {
    Failure::new("ARITHMETIC_OVERFLOW", "a rounded number does not fit its type")
        .hint("cast it to a wider type")
}

fn decimals(call: &Call<'_>, input: &ArrayRef, way: Way) -> Result<ArrayRef> {
    let (precision, scale) = decimal_digits(input.data_type());
    let numbers = cast(input, &DataType::Decimal128(precision as u8, scale as i8))?;
    let numbers = numbers.as_primitive::<Decimal128Type>();
    let digits = call.optional::<Int32Type>(1)?;
    let DataType::Decimal128(precision, kept) = call.returns else {
        return internal_err!("rounding a decimal gives a decimal");
    };
    let limit = 10_i128.pow(u32::from(*precision).min(38));
    rows::numbers::<Decimal128Type>(call, |row| {
        let digits = digits.as_ref().map_or(0, |digits| digits.value(row));
        let number = numbers.value(row);
        let rounded = round_scaled(number, scale, digits.min(scale), way).map(|rounded| {
            // The digits behind the point that the type does not have are zero by now.
            rounded / 10_i128.pow((scale - i32::from(*kept)).max(0) as u32)
        });
        match rounded.filter(|rounded| (-limit..=limit).contains(rounded)) {
            Some(rounded) => Ok(Some(rounded)),
            None if call.is_ansi() => Err(overflow().into()),
            None => Ok(None),
        }
    })
}

/// Rounds a number with so many digits behind the point to fewer, which become zeros.
fn round_scaled(number: i128, scale: i32, digits: i32, way: Way) -> Option<i128> {
    let dropped = scale.saturating_sub(digits);
    if dropped <= 0 {
        return Some(number);
    }
    let Some(unit) = 10_i128.checked_pow(dropped as u32) else {
        return match way {
            Way::Up if number > 0 => None,
            Way::Down if number < 0 => None,
            _ => Some(0),
        };
    };
    let (quotient, rest) = (number / unit, number % unit);
    let away = number.signum();
    let quotient = match way {
        Way::Up if rest > 0 => quotient + 1,
        Way::Down if rest < 0 => quotient - 1,
        Way::Up | Way::Down => quotient,
        Way::HalfUp | Way::HalfEven => match (rest.abs()).cmp(&(unit - rest.abs())) {
            Ordering::Less => quotient,
            Ordering::Greater => quotient + away,
            Ordering::Equal if way == Way::HalfUp || quotient % 2 != 0 => quotient + away,
            Ordering::Equal => quotient,
        },
    };
    quotient.checked_mul(unit)
}

/// Rounds the shortest text of a floating-point number, as Java's `BigDecimal` does; `None` for
/// what stays as it is.
fn round_text(text: &str, digits: i32, way: Way) -> Option<String> {
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let number: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = fraction.len() as i32 - exponent;
    if digits >= scale {
        return None;
    }
    let rounded = round_scaled(number, scale, digits, way)?;
    Some(format!("{rounded}e{}", -scale))
}

#[cfg(test)]
mod tests {
    use super::{Way, round_scaled, round_text};

    #[test]
    fn halves_go_where_the_way_says() {
        assert_eq!(round_scaled(25, 1, 0, Way::HalfUp), Some(30));
        assert_eq!(round_scaled(25, 1, 0, Way::HalfEven), Some(20));
        assert_eq!(round_scaled(-25, 1, 0, Way::HalfUp), Some(-30));
        assert_eq!(round_scaled(-35, 2, 1, Way::Up), Some(-30));
        assert_eq!(round_scaled(-99, 0, -1, Way::Down), Some(-100));
    }

    #[test]
    fn floating_point_numbers_round_by_their_text() {
        let round = |number: f64, digits| {
            let text = round_text(&format!("{number:e}"), digits, Way::HalfUp);
            text.map_or(number, |text| text.parse::<f64>().unwrap())
        };
        assert_eq!(round(2.675, 2), 2.68);
        assert_eq!(round(1e300, 2), 1e300);
        assert_eq!(round(155.0, -1), 160.0);
        assert_eq!(round(1e-300, 2), 0.0);
    }
}
