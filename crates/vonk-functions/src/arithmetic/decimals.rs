//! Decimals: in 128 bits where the precision proves that there is room, in 256 bits where not.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, i256};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::pairs::{OnFlag, Pairs};
use super::types::{PRECISION_MAX, decimal_before_limit, parts};
use super::{Mode, Operator};
use crate::failure::Failure;

/// Calculates with two decimals of any precision and scale.
pub(super) fn calculate(
    operator: Operator,
    mode: Mode,
    pairs: &Pairs<'_>,
    result_type: &DataType,
) -> Result<ColumnarValue> {
    let left = parts(&pairs.left.data_type())?;
    let right = parts(&pairs.right.data_type())?;
    if operator == Operator::IntegerDivide {
        return whole_quotient(operator, mode, pairs, left.1, right.1);
    }
    let (precision, scale) = parts(result_type)?;
    let failure = |_, divisor: i128| match operator.divides() && divisor == 0 {
        true => operator.by_zero(),
        false => out_of_range(operator, precision, scale),
    };
    let on_flag = match mode {
        Mode::Ansi => OnFlag::Fail(&failure),
        Mode::Try | Mode::Legacy => OnFlag::Null,
    };
    let has_room = decimal_before_limit(operator, left, right).0 <= i32::from(PRECISION_MAX);
    let array = match operator {
        Operator::Add | Operator::Subtract if has_room => {
            add(pairs, power(scale - left.1), power(scale - right.1), operator, on_flag)
        }
        Operator::Multiply if has_room => map(pairs, |l, r| (l.wrapping_mul(r), false), on_flag),
        // Products of 64 bits have at most 38 digits.
        Operator::Multiply
            if (precision, scale) == (PRECISION_MAX, left.1 + right.1)
                && fit_into_64_bits(pairs)? =>
        {
            let product = |l: i128, r: i128| i128::from(l as i64) * i128::from(r as i64);
            map(pairs, |l, r| (product(l, r), false), on_flag)
        }
        _ => {
            let wide = Wide::new(operator, (left.1, right.1), (precision, scale));
            map(pairs, |l, r| wide.flagged(l, r), on_flag)
        }
    }?;
    pairs.value(with_type(&array, precision, scale)?)
}

/// Adds or subtracts at a scale to which the operands come by factors; the result fits.
fn add(
    pairs: &Pairs<'_>,
    left_factor: i128,
    right_factor: i128,
    operator: Operator,
    on_flag: OnFlag<'_, i128, i128>,
) -> Result<ArrayRef> {
    // Most operands are at the scale of the result, and products of 128 bits cost more than the rest.
    let at = |value: i128, factor: i128| value.wrapping_mul(factor);
    match (operator, left_factor, right_factor) {
        (Operator::Subtract, 1, 1) => map(pairs, |l, r| (l.wrapping_sub(r), false), on_flag),
        (Operator::Subtract, ..) => {
            let difference = |l, r| at(l, left_factor).wrapping_sub(at(r, right_factor));
            map(pairs, |l, r| (difference(l, r), false), on_flag)
        }
        (_, 1, 1) => map(pairs, |l, r| (l.wrapping_add(r), false), on_flag),
        _ => {
            let sum = |l, r| at(l, left_factor).wrapping_add(at(r, right_factor));
            map(pairs, |l, r| (sum(l, r), false), on_flag)
        }
    }
}

fn fit_into_64_bits(pairs: &Pairs<'_>) -> Result<bool> {
    let (left, right) = pairs.values::<Decimal128Type, Decimal128Type>()?;
    Ok(magnitude(left.values()).max(magnitude(right.values())) <= 1 << 63)
}

/// What no value of these is further from zero than.
pub(crate) fn magnitude(values: &[i128]) -> u128 {
    let bits = values.iter().fold(0, |bits, value| bits | (value ^ (value >> 127)));
    bits.unsigned_abs() + 1
}

fn map(
    pairs: &Pairs<'_>,
    calculate: impl Fn(i128, i128) -> (i128, bool),
    on_flag: OnFlag<'_, i128, i128>,
) -> Result<ArrayRef> {
    pairs.map::<Decimal128Type, Decimal128Type, Decimal128Type>(calculate, on_flag)
}

fn with_type(array: &ArrayRef, precision: u8, scale: i8) -> Result<ArrayRef> {
    let decimals = array.as_primitive::<Decimal128Type>().clone();
    Ok(Arc::new(decimals.with_precision_and_scale(precision, scale)?))
}

/// `a div b`: the quotient without its fraction.
fn whole_quotient(
    operator: Operator,
    mode: Mode,
    pairs: &Pairs<'_>,
    left_scale: i8,
    right_scale: i8,
) -> Result<ColumnarValue> {
    let failure = |_, divisor: i128| match divisor == 0 {
        true => operator.by_zero(),
        false => operator.overflow("bigint"),
    };
    let on_flag = match mode {
        Mode::Ansi => OnFlag::Fail(&failure),
        Mode::Try | Mode::Legacy => OnFlag::Null,
    };
    let up = wide_power(right_scale - left_scale);
    let down = wide_power(left_scale - right_scale);
    let quotient = |l: i128, r: i128| {
        if r == 0 {
            return (0, true);
        }
        let quotient = i256::from_i128(l).wrapping_mul(up) / i256::from_i128(r).wrapping_mul(down);
        match quotient.to_i128().and_then(|quotient| i64::try_from(quotient).ok()) {
            Some(quotient) => (quotient, false),
            None => (0, true),
        }
    };
    let array = pairs.map::<Decimal128Type, Decimal128Type, Int64Type>(quotient, on_flag)?;
    pairs.value(array)
}

/// A calculation whose result may not fit, and that may need more than 128 bits on the way.
struct Wide {
    operator: Operator,
    left_scale: i8,
    right_scale: i8,
    scale: i8,
    narrow: Option<Narrow>,
    /// What the result stays below.
    bound: u128,
}

/// The factors of the calculation in 128 bits.
struct Narrow {
    left_factor: i128,
    right_factor: i128,
    /// What the exact result is multiplied by, or divided by, to come to its scale.
    up: i128,
    down: i128,
}

impl Narrow {
    /// `None` if a factor alone needs more.
    fn new(operator: Operator, left_scale: i8, right_scale: i8, scale: i8) -> Option<Self> {
        let common = left_scale.max(right_scale);
        let (left, right, exact) = match operator {
            Operator::Multiply => (0, 0, left_scale + right_scale),
            Operator::Divide | Operator::IntegerDivide => {
                let shift = scale + right_scale - left_scale;
                (shift, -shift, scale)
            }
            _ => (common - left_scale, common - right_scale, common),
        };
        Some(Self {
            left_factor: checked_power(left)?,
            right_factor: checked_power(right)?,
            up: checked_power(scale - exact)?,
            down: checked_power(exact - scale)?,
        })
    }

    /// The result at its scale, unless it needs more than 128 bits on the way.
    fn calculate(&self, operator: Operator, left: i128, right: i128) -> Option<i128> {
        let left = product(left, self.left_factor)?;
        let right = product(right, self.right_factor)?;
        let exact = match operator {
            Operator::Add => left.checked_add(right)?,
            Operator::Subtract => left.checked_sub(right)?,
            Operator::Multiply => product(left, right)?,
            Operator::Remainder => left.checked_rem(right)?,
            Operator::Divide | Operator::IntegerDivide => return quotient(left, right),
        };
        match self.down {
            1 => product(exact, self.up),
            down => quotient(exact, down),
        }
    }
}

/// The product, if it fits; quick for what fits into 64 bits.
#[inline]
fn product(left: i128, right: i128) -> Option<i128> {
    match (i64::try_from(left), i64::try_from(right)) {
        (Ok(left), Ok(right)) => Some(i128::from(left) * i128::from(right)),
        _ => left.checked_mul(right),
    }
}

/// The quotient rounded half away from zero; `None` where twice the rest does not fit.
fn quotient(value: i128, divisor: i128) -> Option<i128> {
    let (quotient, rest) = match (i64::try_from(value), i64::try_from(divisor)) {
        // The least number has no positive counterpart.
        (Ok(value), Ok(divisor)) if divisor != -1 => {
            (i128::from(value / divisor), i128::from(value % divisor))
        }
        _ => (value.checked_div(divisor)?, value.checked_rem(divisor)?),
    };
    if rest.unsigned_abs().checked_mul(2)? < divisor.unsigned_abs() {
        return Some(quotient);
    }
    quotient.checked_add(if (value < 0) == (divisor < 0) { 1 } else { -1 })
}

/// The decimal nearest to `value * 10^shift / divisor`, half away from zero, if it fits into 128 bits.
///
/// The divisor is not zero.
pub(crate) fn nearest_quotient(value: i128, shift: i8, divisor: i128) -> Option<i128> {
    let narrow = || quotient(product(value, checked_power(shift)?)?, divisor);
    narrow().or_else(|| {
        let value = i256::from_i128(value).wrapping_mul(wide_power(shift));
        divide(value, i256::from_i128(divisor)).to_i128()
    })
}

impl Wide {
    fn new(
        operator: Operator,
        (left_scale, right_scale): (i8, i8),
        (precision, scale): (u8, i8),
    ) -> Self {
        Self {
            operator,
            left_scale,
            right_scale,
            scale,
            narrow: Narrow::new(operator, left_scale, right_scale, scale),
            bound: power(precision as i8).unsigned_abs(),
        }
    }

    fn flagged(&self, left: i128, right: i128) -> (i128, bool) {
        if self.operator.divides() && right == 0 {
            return (0, true);
        }
        let narrow = self.narrow.as_ref();
        let value = narrow
            .and_then(|narrow| narrow.calculate(self.operator, left, right))
            .or_else(|| self.exact(left, right).to_i128());
        match value {
            Some(value) if value.unsigned_abs() < self.bound => (value, false),
            _ => (0, true),
        }
    }

    /// The result at its scale in 256 bits, half rounded away from zero as Java's HALF_UP.
    #[cold]
    fn exact(&self, left: i128, right: i128) -> i256 {
        let (left, right) = (i256::from_i128(left), i256::from_i128(right));
        let common = self.left_scale.max(self.right_scale);
        let left_at_common = left.wrapping_mul(wide_power(common - self.left_scale));
        let right_at_common = right.wrapping_mul(wide_power(common - self.right_scale));
        match self.operator {
            Operator::Add => {
                rescale(left_at_common.wrapping_add(right_at_common), common, self.scale)
            }
            Operator::Subtract => {
                rescale(left_at_common.wrapping_sub(right_at_common), common, self.scale)
            }
            Operator::Multiply => {
                rescale(left.wrapping_mul(right), self.left_scale + self.right_scale, self.scale)
            }
            Operator::Divide | Operator::IntegerDivide => {
                let shift = self.scale + self.right_scale - self.left_scale;
                divide(left.wrapping_mul(wide_power(shift)), right.wrapping_mul(wide_power(-shift)))
            }
            Operator::Remainder => {
                rescale(left_at_common.wrapping_rem(right_at_common), common, self.scale)
            }
        }
    }
}

fn rescale(value: i256, from: i8, to: i8) -> i256 {
    match from > to {
        true => divide(value, wide_power(from - to)),
        false => value.wrapping_mul(wide_power(to - from)),
    }
}

/// Division that rounds half away from zero; the divisor is not zero.
pub(super) fn divide(value: i256, divisor: i256) -> i256 {
    let quotient = value.wrapping_div(divisor);
    let rest = value.wrapping_rem(divisor).wrapping_abs();
    if rest.wrapping_mul(i256::from_i128(2)) < divisor.wrapping_abs() {
        return quotient;
    }
    match (value < i256::ZERO) == (divisor < i256::ZERO) {
        true => quotient.wrapping_add(i256::ONE),
        false => quotient.wrapping_sub(i256::ONE),
    }
}

/// Ten to a power, one for negative powers.
fn power(exponent: i8) -> i128 {
    10_i128.pow(u32::try_from(exponent).unwrap_or(0))
}

/// The same, if it fits.
fn checked_power(exponent: i8) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).unwrap_or(0))
}

fn wide_power(exponent: i8) -> i256 {
    i256::from_i128(10).wrapping_pow(u32::try_from(exponent).unwrap_or(0))
}

fn out_of_range(operator: Operator, precision: u8, scale: i8) -> Failure {
    Failure::new(
        "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
        format!(
            "the result of `{}` does not fit into decimal({precision},{scale})",
            operator.sign()
        ),
    )
    .hint(format!("use `{}` to get NULL instead, or cast to double", operator.hint_name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATORS: [Operator; 5] = [
        Operator::Add,
        Operator::Subtract,
        Operator::Multiply,
        Operator::Divide,
        Operator::Remainder,
    ];

    #[test]
    fn both_widths_give_the_same() {
        let mut numbers = vec![0, 1, -1, 2, 3, -3, 5, 49, 50, -50, 51, 99, 100, 12345, -99999];
        numbers.extend([
            i128::from(i64::MAX),
            i128::from(i64::MIN),
            10_i128.pow(20),
            10_i128.pow(37),
        ]);
        let mut compared = 0;
        for operator in OPERATORS {
            for scales in [(2, 2), (0, 4), (4, 0), (6, 3), (18, 18), (37, 1)] {
                for scale in [0, 2, 6, 18] {
                    let wide = Wide::new(operator, scales, (38, scale));
                    let Some(narrow) = &wide.narrow else { continue };
                    for (left, right) in
                        numbers.iter().flat_map(|l| numbers.iter().map(move |r| (*l, *r)))
                    {
                        if operator.divides() && right == 0 {
                            continue;
                        }
                        if let Some(value) = narrow.calculate(operator, left, right) {
                            let exact = wide.exact(left, right).to_i128();
                            assert_eq!(
                                Some(value),
                                exact,
                                "{left} {} {right} at {scales:?} to {scale}",
                                operator.sign()
                            );
                            compared += 1;
                        }
                    }
                }
            }
        }
        assert!(compared > 10_000, "{compared}");
    }

    #[test]
    fn quotients_are_rounded_half_away_from_zero() {
        assert_eq!(nearest_quotient(5, 0, 2), Some(3));
        assert_eq!(nearest_quotient(-5, 0, 2), Some(-3));
        assert_eq!(nearest_quotient(5, 4, 3), Some(16_667));
        assert_eq!(nearest_quotient(10_i128.pow(37), 4, 1_000), Some(10_i128.pow(38)));
        assert_eq!(nearest_quotient(10_i128.pow(37), 4, 1), None);
    }
}
