//! `abs`, `sign` and `positive` of numbers and intervals.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DurationMicrosecondType, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType,
    TimeUnit,
};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PARAMETERS: Parameters = Parameters::exact(&[Kind::NumberOrInterval]);

fn same(types: &[DataType]) -> Result<DataType> {
    Ok(types[0].clone())
}

/// Spark's `abs`; the smallest value of a whole type has no magnitude of its type.
pub(super) fn abs() -> ScalarUDF {
    Kernel::new("abs", PARAMETERS, same, |call| match call.returns {
        DataType::Int8 => whole::<Int8Type>(call, i8::checked_abs, i8::wrapping_abs),
        DataType::Int16 => whole::<Int16Type>(call, i16::checked_abs, i16::wrapping_abs),
        DataType::Int32 => whole::<Int32Type>(call, i32::checked_abs, i32::wrapping_abs),
        DataType::Int64 => whole::<Int64Type>(call, i64::checked_abs, i64::wrapping_abs),
        DataType::Interval(IntervalUnit::YearMonth) => {
            whole::<IntervalYearMonthType>(call, i32::checked_abs, i32::wrapping_abs)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            whole::<DurationMicrosecondType>(call, i64::checked_abs, i64::wrapping_abs)
        }
        DataType::Float32 => whole::<Float32Type>(call, |x| Some(x.abs()), f32::abs),
        DataType::Float64 => whole::<Float64Type>(call, |x| Some(x.abs()), f64::abs),
        DataType::Decimal128(..) => {
            whole::<Decimal128Type>(call, i128::checked_abs, i128::wrapping_abs)
        }
        other => internal_err!("`abs` does not take {other}"),
    })
    .keeping_name()
    .udf()
}

fn whole<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    checked: fn(T::Native) -> Option<T::Native>,
    wrapped: fn(T::Native) -> T::Native,
) -> Result<ArrayRef> {
    let numbers = call.primitive::<T>(0)?;
    rows::numbers::<T>(call, |row| match checked(numbers.value(row)) {
        Some(value) => Ok(Some(value)),
        None if call.is_ansi() => Err(Failure::new(
            "ARITHMETIC_OVERFLOW",
            "the smallest value of a type has no magnitude",
        )
        .hint("cast it to a wider type")
        .into()),
        None => Ok(Some(wrapped(numbers.value(row)))),
    })
}

/// Spark's `sign`.
pub(super) fn sign() -> ScalarUDF {
    Kernel::new("sign", PARAMETERS, rows::double, |call| {
        let input = call.array(0)?;
        let numbers = match input.data_type() {
            DataType::Interval(IntervalUnit::YearMonth) => cast(
                &(Arc::new(
                    input.as_primitive::<IntervalYearMonthType>().reinterpret_cast::<Int32Type>(),
                ) as ArrayRef),
                &DataType::Float64,
            )?,
            DataType::Duration(_) => cast(&cast(&input, &DataType::Int64)?, &DataType::Float64)?,
            _ => cast(&input, &DataType::Float64)?,
        };
        let numbers = numbers.as_primitive::<Float64Type>();
        rows::numbers::<Float64Type>(call, |row| {
            let number = numbers.value(row);
            Ok(Some(if number == 0.0 || number.is_nan() { number } else { number.signum() }))
        })
    })
    .udf()
}

/// Spark's `positive`: `+a` is `a`.
pub(super) fn positive() -> ScalarUDF {
    Kernel::new("positive", PARAMETERS, same, |call| call.array(0)).keeping_name().udf()
}
