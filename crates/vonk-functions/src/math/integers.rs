//! Functions of whole numbers: remainders, factorials and digits of other bases.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `pmod`.
pub(super) fn pmod() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Number, Kind::Number]);
    Kernel::new("pmod", parameters, wider, |call| {
        let left = cast(&call.array(0)?, call.returns)?;
        let right = cast(&call.array(1)?, call.returns)?;
        macro_rules! with_remainder {
            ($type:ty, $native:ty, $zero:expr, $rem:expr) => {{
                let remainder: fn($native, $native) -> $native = $rem;
                let (left, right) = (left.as_primitive::<$type>(), right.as_primitive::<$type>());
                rows::numbers::<$type>(call, |row| {
                    let (a, n) = (left.value(row), right.value(row));
                    if n == $zero {
                        return by_zero(call).map(|()| None);
                    }
                    let rest = remainder(a, n);
                    Ok(Some(if rest < $zero { remainder(rest + n, n) } else { rest }))
                })
            }};
        }
        match call.returns {
            DataType::Int8 => with_remainder!(Int8Type, i8, 0, i8::wrapping_rem),
            DataType::Int16 => with_remainder!(Int16Type, i16, 0, i16::wrapping_rem),
            DataType::Int32 => with_remainder!(Int32Type, i32, 0, i32::wrapping_rem),
            DataType::Int64 => with_remainder!(Int64Type, i64, 0, i64::wrapping_rem),
            DataType::Float32 => with_remainder!(Float32Type, f32, 0.0, |a, n| a % n),
            DataType::Float64 => with_remainder!(Float64Type, f64, 0.0, |a, n| a % n),
            DataType::Decimal128(..) => {
                with_remainder!(Decimal128Type, i128, 0, i128::wrapping_rem)
            }
            other => internal_err!("`pmod` does not take {other}"),
        }
    })
    .udf()
}

fn by_zero(call: &Call<'_>) -> Result<()> {
    match call.is_ansi() {
        true => Err(Failure::new("REMAINDER_BY_ZERO", "remainder by zero")
            .hint("use `try_mod` to get NULL instead")
            .into()),
        false => Ok(()),
    }
}

/// The type that holds both numbers.
fn wider(types: &[DataType]) -> Result<DataType> {
    let rank = |given: &DataType| match given {
        DataType::Int8 => 0,
        DataType::Int16 => 1,
        DataType::Int32 => 2,
        DataType::Int64 => 3,
        DataType::Decimal128(..) => 4,
        DataType::Float32 => 5,
        _ => 6,
    };
    let digits = |given: &DataType| match given {
        DataType::Decimal128(precision, scale) => (*precision, *scale),
        DataType::Int8 => (3, 0),
        DataType::Int16 => (5, 0),
        DataType::Int32 => (10, 0),
        _ => (20, 0),
    };
    let (left, right) = (&types[0], &types[1]);
    Ok(match (rank(left).max(rank(right)), rank(left).min(rank(right))) {
        (4, _) => {
            let ((p1, s1), (p2, s2)) = (digits(left), digits(right));
            let scale = s1.max(s2);
            let whole = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
            DataType::Decimal128((whole + i16::from(scale)).min(38) as u8, scale)
        }
        (5, least) if least < 2 || least == 5 => DataType::Float32,
        (5 | 6, _) => DataType::Float64,
        _ if rank(left) > rank(right) => left.clone(),
        _ => right.clone(),
    })
}

/// Spark's `factorial`, NULL outside 0 to 20.
pub(super) fn factorial() -> ScalarUDF {
    Kernel::new("factorial", Parameters::exact(&[Kind::Int]), rows::long, |call| {
        let numbers = call.primitive::<Int32Type>(0)?;
        rows::numbers::<Int64Type>(call, |row| {
            let number = i64::from(numbers.value(row));
            Ok((0..=20).contains(&number).then(|| (1..=number).product()))
        })
    })
    .udf()
}

/// Spark's `bin`.
pub(super) fn bin() -> ScalarUDF {
    Kernel::new("bin", Parameters::exact(&[Kind::Long]), rows::text, |call| {
        let numbers = call.primitive::<Int64Type>(0)?;
        rows::texts(call, |row, output| {
            output.push_str(&format!("{:b}", numbers.value(row)));
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `conv(digits, from, to)`; to a negative base the number has a sign.
pub(super) fn conv() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Int, Kind::Int]);
    Kernel::new("conv", parameters, rows::text, converted).udf()
}

fn converted(call: &Call<'_>) -> Result<ArrayRef> {
    let digits = call.text(0)?;
    let (from, to) = (call.primitive::<Int32Type>(1)?, call.primitive::<Int32Type>(2)?);
    rows::texts(call, |row, output| {
        let (from, to) = (from.value(row), to.value(row));
        let digits = digits.value(row).trim_matches(' ');
        let is_base = |base: i32| (2..=36).contains(&base);
        if !is_base(from) || !is_base(to.saturating_abs()) || digits.is_empty() {
            return Ok(false);
        }
        let (is_negative, digits) = match digits.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, digits),
        };
        let number = match read_digits(digits, from as u32) {
            Some(number) => number as i64,
            None if call.is_ansi() => {
                return Err(Failure::new("ARITHMETIC_OVERFLOW", "overflow in function `conv`")
                    .hint("`conv` has 64 bits")
                    .into());
            }
            None => -1,
        };
        let (number, is_negative) = match (is_negative, to > 0) {
            (true, true) if number < 0 => (-1, false),
            (true, true) => (number.wrapping_neg(), false),
            (_, false) if number < 0 => (number.wrapping_neg(), true),
            _ => (number, is_negative),
        };
        if is_negative && to < 0 {
            output.push('-');
        }
        write_digits(number as u64, to.unsigned_abs(), output);
        Ok(true)
    })
}

/// Reads digits up to what is none; `None` if they need more than 64 bits.
fn read_digits(digits: &str, base: u32) -> Option<u64> {
    let digits = digits.chars().map_while(|digit| digit.to_digit(base));
    let mut number = 0_u64;
    for digit in digits {
        number = number.checked_mul(u64::from(base))?.checked_add(u64::from(digit))?;
    }
    Some(number)
}

fn write_digits(mut number: u64, base: u32, output: &mut String) {
    let mut digits = Vec::new();
    loop {
        let digit = (number % u64::from(base)) as u32;
        digits.push(char::from_digit(digit, base).unwrap_or('0').to_ascii_uppercase());
        number /= u64::from(base);
        if number == 0 {
            break;
        }
    }
    output.extend(digits.iter().rev());
}
