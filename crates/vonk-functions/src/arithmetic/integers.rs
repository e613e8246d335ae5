//! Whole numbers: results that do not fit their type are noticed.

use arrow::array::ArrowNativeTypeOp;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::ColumnarValue;

use super::pairs::{OnFlag, Pairs};
use super::{Mode, Operator};
use crate::failure::Failure;

/// Calculates with two operands of one type of integers.
pub(super) fn calculate(
    operator: Operator,
    mode: Mode,
    pairs: &Pairs<'_>,
) -> Result<ColumnarValue> {
    match pairs.left.data_type() {
        DataType::Int8 => of_type::<Int8Type>(operator, mode, pairs, "tinyint"),
        DataType::Int16 => of_type::<Int16Type>(operator, mode, pairs, "smallint"),
        DataType::Int32 => of_type::<Int32Type>(operator, mode, pairs, "int"),
        DataType::Int64 => of_type::<Int64Type>(operator, mode, pairs, "bigint"),
        other => internal_err!("{other} is no type of integers"),
    }
}

/// The operations that tell whether the result fits.
pub(super) trait Overflowing: ArrowNativeTypeOp {
    fn add_flagged(self, other: Self) -> (Self, bool);
    fn sub_flagged(self, other: Self) -> (Self, bool);
    fn mul_flagged(self, other: Self) -> (Self, bool);
    /// Flagged by a zero divisor too; the value is then zero.
    fn div_flagged(self, other: Self) -> (Self, bool);
    /// Flagged by a zero divisor only.
    fn rem_flagged(self, other: Self) -> (Self, bool);
}

macro_rules! overflowing {
    ($($native:ty),*) => {$(
        impl Overflowing for $native {
            fn add_flagged(self, other: Self) -> (Self, bool) {
                self.overflowing_add(other)
            }
            fn sub_flagged(self, other: Self) -> (Self, bool) {
                self.overflowing_sub(other)
            }
            fn mul_flagged(self, other: Self) -> (Self, bool) {
                self.overflowing_mul(other)
            }
            fn div_flagged(self, other: Self) -> (Self, bool) {
                if other == 0 { (0, true) } else { self.overflowing_div(other) }
            }
            fn rem_flagged(self, other: Self) -> (Self, bool) {
                if other == 0 { (0, true) } else { (self.wrapping_rem(other), false) }
            }
        }
    )*};
}

overflowing!(i8, i16, i32, i64);

fn of_type<T>(
    operator: Operator,
    mode: Mode,
    pairs: &Pairs<'_>,
    type_name: &str,
) -> Result<ColumnarValue>
where
    T: ArrowPrimitiveType,
    T::Native: Overflowing,
{
    let failure = |_, divisor: T::Native| match operator.divides() && divisor.is_zero() {
        true => operator.by_zero(),
        false if matches!(type_name, "tinyint" | "smallint") => {
            Failure { condition: "BINARY_ARITHMETIC_OVERFLOW", ..operator.overflow(type_name) }
        }
        false => operator.overflow(type_name),
    };
    let on_flag = match mode {
        Mode::Ansi => OnFlag::Fail(&failure),
        Mode::Try => OnFlag::Null,
        Mode::Legacy if operator.divides() => OnFlag::Null,
        Mode::Legacy => OnFlag::Keep,
    };
    let array = match operator {
        Operator::Add => pairs.map::<T, T, T>(Overflowing::add_flagged, on_flag),
        Operator::Subtract => pairs.map::<T, T, T>(Overflowing::sub_flagged, on_flag),
        Operator::Multiply => pairs.map::<T, T, T>(Overflowing::mul_flagged, on_flag),
        Operator::Remainder => pairs.map::<T, T, T>(Overflowing::rem_flagged, on_flag),
        Operator::Divide | Operator::IntegerDivide => {
            pairs.map::<T, T, T>(Overflowing::div_flagged, on_flag)
        }
    }?;
    pairs.value(array)
}

/// A date and a number of days.
pub(super) fn move_date(
    operator: Operator,
    mode: Mode,
    pairs: &Pairs<'_>,
) -> Result<ColumnarValue> {
    let failure = |_, _| operator.overflow("date");
    let on_flag = match mode {
        Mode::Ansi => OnFlag::Fail(&failure),
        Mode::Try => OnFlag::Null,
        Mode::Legacy => OnFlag::Keep,
    };
    let array = match operator {
        Operator::Add => {
            pairs.map::<Date32Type, Int32Type, Date32Type>(i32::overflowing_add, on_flag)
        }
        Operator::Subtract => {
            pairs.map::<Date32Type, Int32Type, Date32Type>(i32::overflowing_sub, on_flag)
        }
        other => return internal_err!("a date has no `{}`", other.sign()),
    }?;
    pairs.value(array)
}
