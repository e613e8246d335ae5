//! Which types the operands are brought to, and what the result is: Spark's rules under ANSI.

use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};

use super::{Digits, Mode, Operator, intervals};
use crate::failure::Failure;
use crate::types::{quoted, unnamed};

/// The most digits that a decimal has.
pub(super) const PRECISION_MAX: u8 = 38;

/// The scale that is kept when a result has more digits than there are.
const SCALE_KEPT: i32 = 6;

/// Precision and scale of a decimal.
pub(super) fn parts(data_type: &DataType) -> Result<(u8, i8)> {
    match data_type {
        DataType::Decimal128(precision, scale) => Ok((*precision, *scale)),
        other => plan_err!("{other} is no decimal"),
    }
}

/// The types of both operands for an operator.
pub(super) fn operands(
    operator: Operator,
    mode: Mode,
    arguments: &[DataType],
) -> Result<(DataType, DataType), Failure> {
    let [left, right] = arguments else {
        let message = format!("`{}` takes two operands, not {}", operator.sign(), arguments.len());
        return Err(Failure::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", message));
    };
    let (left, right) = (signed(left), signed(right));
    if let Some(pair) = intervals::operands(operator, &left, &right) {
        return Ok(pair);
    }
    let pair = match (&left, &right) {
        (DataType::Null, DataType::Null) => (DataType::Float64, DataType::Float64),
        (DataType::Date32, DataType::Null) if is_move(operator) => {
            (DataType::Date32, DataType::Int32)
        }
        (DataType::Null, DataType::Date32) if operator == Operator::Add => {
            (DataType::Int32, DataType::Date32)
        }
        (DataType::Null, other) => numbers(operator, other.clone(), other.clone()),
        (other, DataType::Null) => numbers(operator, other.clone(), other.clone()),
        (text, other) if text.is_string() && other.is_string() && mode == Mode::Legacy => {
            numbers(operator, DataType::Float64, DataType::Float64)
        }
        (text, other) if text.is_string() && other.is_string() => {
            let message = format!("`{}` does not calculate with two texts", operator.sign());
            return Err(Failure::new("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", message)
                .hint("cast one of them to a number"));
        }
        (text, other) if text.is_string() && other.is_numeric() => {
            let read_as = from_text(mode, other);
            numbers(operator, read_as, right)
        }
        (other, text) if text.is_string() && other.is_numeric() => {
            let read_as = from_text(mode, other);
            numbers(operator, left, read_as)
        }
        (l, r) if l.is_numeric() && r.is_numeric() => numbers(operator, left, right),
        (DataType::Date32, days) if days.is_integer() && is_move(operator) => {
            (DataType::Date32, DataType::Int32)
        }
        (days, DataType::Date32) if days.is_integer() && operator == Operator::Add => {
            (DataType::Int32, DataType::Date32)
        }
        (l, r) => return Err(wrong(operator, l, r)),
    };
    Ok(pair)
}

/// The type of the result for operands that [`operands`] has brought to their types.
pub(super) fn result(
    operator: Operator,
    digits: Digits,
    arguments: &[DataType],
) -> Result<DataType> {
    let [left, right] = arguments else {
        return plan_err!("`{}` takes two operands, not {}", operator.sign(), arguments.len());
    };
    match (left, right) {
        (DataType::Decimal128(..), DataType::Decimal128(..))
            if operator == Operator::IntegerDivide =>
        {
            Ok(DataType::Int64)
        }
        (DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)) => {
            let (precision, scale) = match (digits, operator) {
                (Digits::Fraction, Operator::Divide) => quotient((*p1, *s1), (*p2, *s2)),
                (Digits::Fraction, _) => {
                    let size = decimal_before_limit(operator, (*p1, *s1), (*p2, *s2));
                    (size.0.min(38) as u8, size.1.min(38) as i8)
                }
                _ => within_limit(decimal_before_limit(operator, (*p1, *s1), (*p2, *s2))),
            };
            Ok(DataType::Decimal128(precision, scale))
        }
        (l, r) if l == r && l.is_numeric() => Ok(left.clone()),
        (DataType::Date32, DataType::Int32) | (DataType::Int32, DataType::Date32) => {
            Ok(DataType::Date32)
        }
        (l, r) => match intervals::result_of_types(operator, l, r) {
            Some(data_type) => Ok(data_type),
            None => Err(wrong(operator, l, r).into()),
        },
    }
}

/// Precision and scale of a result before they are cut to what there is: Hive's rules.
pub(super) fn decimal_before_limit(
    operator: Operator,
    (p1, s1): (u8, i8),
    (p2, s2): (u8, i8),
) -> (i32, i32) {
    let (p1, s1) = (i32::from(p1), i32::from(s1));
    let (p2, s2) = (i32::from(p2), i32::from(s2));
    match operator {
        Operator::Add | Operator::Subtract => {
            let scale = s1.max(s2);
            ((p1 - s1).max(p2 - s2) + scale + 1, scale)
        }
        Operator::Multiply => (p1 + p2 + 1, s1 + s2),
        Operator::Divide | Operator::IntegerDivide => {
            let scale = SCALE_KEPT.max(s1 + p2 + 1);
            (p1 - s1 + s2 + scale, scale)
        }
        Operator::Remainder => {
            let scale = s1.max(s2);
            ((p1 - s1).min(p2 - s2) + scale, scale)
        }
    }
}

/// Gives up digits behind the point, but six of them at most, before digits in front of it.
fn within_limit((precision, scale): (i32, i32)) -> (u8, i8) {
    let limit = i32::from(PRECISION_MAX);
    if precision <= limit {
        return (precision as u8, scale as i8);
    }
    let whole_digits = precision - scale;
    let scale = (limit - whole_digits).max(scale.min(SCALE_KEPT));
    (PRECISION_MAX, scale as i8)
}

/// Precision and scale of a quotient that shares what it has too much among both sides of the point.
fn quotient((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> (u8, i8) {
    let limit = i32::from(PRECISION_MAX);
    let (p1, s1, p2, s2) = (i32::from(p1), i32::from(s1), i32::from(p2), i32::from(s2));
    let whole = (p1 - s1 + s2).min(limit);
    let fraction = SCALE_KEPT.max(s1 + p2 + 1).min(limit);
    let excess = whole + fraction - limit;
    let (whole, fraction) = match excess > 0 {
        true => {
            let fraction = fraction - excess / 2 - 1;
            (limit - fraction, fraction)
        }
        false => (whole, fraction),
    };
    ((whole + fraction) as u8, fraction as i8)
}

/// The common types of two numbers under an operator.
fn numbers(operator: Operator, left: DataType, right: DataType) -> (DataType, DataType) {
    if !left.is_numeric() || !right.is_numeric() {
        return (left, right);
    }
    if operator == Operator::IntegerDivide && left.is_integer() && right.is_integer() {
        return (DataType::Int64, DataType::Int64);
    }
    if operator == Operator::Divide && !left.is_decimal() && !right.is_decimal() {
        return (DataType::Float64, DataType::Float64);
    }
    match (&left, &right) {
        (l, r) if l.is_decimal() && r.is_decimal() => (left, right),
        (l, r) if l.is_floating() || r.is_floating() => {
            let is_float32 =
                |t: &DataType| matches!(t, DataType::Float32 | DataType::Int8 | DataType::Int16);
            match is_float32(l) && is_float32(r) {
                true => (DataType::Float32, DataType::Float32),
                false => (DataType::Float64, DataType::Float64),
            }
        }
        (l, r) if l.is_decimal() => (left.clone(), integer_as_decimal(r)),
        (l, r) if r.is_decimal() => (integer_as_decimal(l), right.clone()),
        (l, r) => {
            let wider = if width(l) >= width(r) { left.clone() } else { right.clone() };
            (wider.clone(), wider)
        }
    }
}

/// What a text is read as beside a number.
fn from_text(mode: Mode, other: &DataType) -> DataType {
    match mode {
        Mode::Ansi | Mode::Try if other.is_integer() => DataType::Int64,
        _ => DataType::Float64,
    }
}

/// Types that Spark does not have, as the next larger one that it has.
fn signed(data_type: &DataType) -> DataType {
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal256(precision, scale) => {
            DataType::Decimal128((*precision).min(PRECISION_MAX), *scale)
        }
        DataType::Dictionary(_, value) => signed(value),
        other => other.clone(),
    }
}

fn integer_as_decimal(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Int8 => DataType::Decimal128(3, 0),
        DataType::Int16 => DataType::Decimal128(5, 0),
        DataType::Int32 => DataType::Decimal128(10, 0),
        DataType::Int64 => DataType::Decimal128(20, 0),
        other => other.clone(),
    }
}

fn width(data_type: &DataType) -> usize {
    data_type.primitive_width().unwrap_or_default()
}

fn is_move(operator: Operator) -> bool {
    matches!(operator, Operator::Add | Operator::Subtract)
}

/// Operands that no operator takes, or that this one does not.
fn wrong(operator: Operator, left: &DataType, right: &DataType) -> Failure {
    let (left_name, right_name) = (name(left), name(right));
    let message = format!("`{}` does not take {left_name} and {right_name}", operator.sign());
    // Text would be read as a moment, and then both sides are one.
    let is_read = left.is_string() || right.is_string();
    let has_date = *left == DataType::Date32 || *right == DataType::Date32;
    let is_number = left.is_numeric() || right.is_numeric();
    let is_interval = |t: &DataType| matches!(t, DataType::Interval(_) | DataType::Duration(_));
    let condition = match left == right || is_read {
        _ if is_interval(left) && is_interval(right) => "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        // To Spark, a date moves by days, which these are not.
        _ if has_date && (is_read || is_number) => "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        true => "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
        false => "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
    };
    Failure::new(condition, message).hint("cast them to other types")
}

fn name(data_type: &DataType) -> String {
    quoted(&unnamed(data_type.clone()))
}
