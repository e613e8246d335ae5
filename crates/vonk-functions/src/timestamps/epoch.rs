//! Timestamps as numbers since 1970-01-01 UTC, and back: `timestamp_seconds`, `unix_millis` and kin.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar::MICROS_PER_SECOND;
use crate::datetime::rows as moments;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// `timestamp_seconds(seconds)`
pub(super) fn timestamp_seconds() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::SecondsSinceEpoch]);
    Kernel::new("timestamp_seconds", parameters, moments::timestamp, of_seconds).udf()
}

/// `timestamp_millis(milliseconds)`
pub(super) fn timestamp_millis() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Long]);
    Kernel::new("timestamp_millis", parameters, moments::timestamp, |call| times(call, 1000)).udf()
}

/// `timestamp_micros(microseconds)`
pub(super) fn timestamp_micros() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Long]);
    Kernel::new("timestamp_micros", parameters, moments::timestamp, |call| times(call, 1)).udf()
}

/// `unix_seconds(timestamp)`
pub(super) fn unix_seconds() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Timestamp]);
    Kernel::new("unix_seconds", parameters, rows::long, |call| whole(call, MICROS_PER_SECOND)).udf()
}

/// `unix_millis(timestamp)`
pub(super) fn unix_millis() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Timestamp]);
    Kernel::new("unix_millis", parameters, rows::long, |call| whole(call, 1000)).udf()
}

/// `unix_micros(timestamp)`
pub(super) fn unix_micros() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Timestamp]);
    Kernel::new("unix_micros", parameters, rows::long, |call| whole(call, 1)).udf()
}

fn times(call: &Call<'_>, factor: i64) -> Result<ArrayRef> {
    let counts = call.primitive::<Int64Type>(0)?;
    rows::numbers::<TimestampMicrosecondType>(call, |row| {
        let micros = counts.value(row).checked_mul(factor);
        micros.map(Some).ok_or_else(|| overflow().into())
    })
}

fn of_seconds(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    match array.data_type() {
        DataType::Float64 => {
            let seconds = array.as_primitive::<Float64Type>();
            rows::numbers::<TimestampMicrosecondType>(call, |row| {
                let micros = seconds.value(row) * MICROS_PER_SECOND as f64;
                Ok(micros.is_finite().then_some(micros as i64))
            })
        }
        DataType::Decimal128(_, scale) => {
            let scale = i32::from(*scale);
            let seconds = array.as_primitive::<Decimal128Type>();
            rows::numbers::<TimestampMicrosecondType>(call, |row| {
                of_decimal(seconds.value(row), scale).map(Some).map_err(Into::into)
            })
        }
        _ => times(call, MICROS_PER_SECOND),
    }
}

fn of_decimal(value: i128, scale: i32) -> Result<i64, Failure> {
    let power = 10_i128.checked_pow((6 - scale).unsigned_abs()).ok_or_else(overflow)?;
    let micros = match scale <= 6 {
        true => value.checked_mul(power).ok_or_else(overflow)?,
        false if value % power != 0 => {
            let message = "a timestamp has no digits beyond microseconds";
            return Err(
                Failure::new("ARITHMETIC_OVERFLOW", message).hint("round the seconds first")
            );
        }
        false => value / power,
    };
    i64::try_from(micros).map_err(|_| overflow())
}

fn overflow() -> Failure {
    Failure::new("ARITHMETIC_OVERFLOW", "the timestamp is out of range")
        .hint("check the unit of the number")
}

fn whole(call: &Call<'_>, unit: i64) -> Result<ArrayRef> {
    let moments = call.primitive::<TimestampMicrosecondType>(0)?;
    Ok(Arc::new(moments.unary::<_, Int64Type>(|micros| micros.div_euclid(unit))))
}
