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
    let wide = Wide { operator, left_scale: left.1, right_scale: right.1, precision, scale };
    let has_room = decimal_before_limit(operator, left, right).0 <= i32::from(PRECISION_MAX);
    let array = match (operator, has_room) {
        (Operator::Add | Operator::Subtract, true) => {
            let left_factor = power(scale - left.1);
            let right_factor = power(scale - right.1);
            let right_factor =
                if operator == Operator::Subtract { -right_factor } else { right_factor };
            map(pairs, |l, r| (l * left_factor + r * right_factor, false), on_flag)
        }
        (Operator::Multiply, true) => map(pairs, |l, r| (l.wrapping_mul(r), false), on_flag),
        _ => map(pairs, |l, r| wide.flagged(l, r), on_flag),
    }?;
    pairs.value(with_type(&array, precision, scale)?)
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

/// A calculation that may need more than 128 bits on the way, and whose result may not fit.
struct Wide {
    operator: Operator,
    left_scale: i8,
    right_scale: i8,
    precision: u8,
    scale: i8,
}

impl Wide {
    fn flagged(&self, left: i128, right: i128) -> (i128, bool) {
        if self.operator.divides() && right == 0 {
            return (0, true);
        }
        match self.exact(left, right).to_i128() {
            Some(value) if value.unsigned_abs() < power(self.precision as i8).unsigned_abs() => {
                (value, false)
            }
            _ => (0, true),
        }
    }

    /// The result at its scale, half rounded away from zero as Java's HALF_UP.
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
