//! Times of the day as numbers after midnight, and back: `time_from_seconds`, `time_to_millis`, kin.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::datetime::rows as moments;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// `time_from_seconds(seconds)`
pub(super) fn time_from_seconds() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::SecondsSinceEpoch]);
    Kernel::new("time_from_seconds", parameters, moments::time, of_seconds).udf()
}

/// `time_from_millis(milliseconds)`
pub(super) fn time_from_millis() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Long]);
    Kernel::new("time_from_millis", parameters, moments::time, |call| of_units(call, 1000)).udf()
}

/// `time_from_micros(microseconds)`
pub(super) fn time_from_micros() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Long]);
    Kernel::new("time_from_micros", parameters, moments::time, |call| of_units(call, 1)).udf()
}

/// `time_to_seconds(time)`
pub(super) fn time_to_seconds() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Time]);
    let returns = |_: &[DataType]| Ok(DataType::Decimal128(14, 6));
    Kernel::new("time_to_seconds", parameters, returns, |call| {
        let times = call.primitive::<Time64MicrosecondType>(0)?;
        rows::numbers::<Decimal128Type>(call, |row| Ok(Some(i128::from(times.value(row)))))
    })
    .udf()
}

/// `time_to_millis(time)`
pub(super) fn time_to_millis() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Time]);
    Kernel::new("time_to_millis", parameters, rows::long, |call| whole(call, 1000)).udf()
}

/// `time_to_micros(time)`
pub(super) fn time_to_micros() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Time]);
    Kernel::new("time_to_micros", parameters, rows::long, |call| whole(call, 1)).udf()
}

fn whole(call: &Call<'_>, unit: i64) -> Result<ArrayRef> {
    let times = call.primitive::<Time64MicrosecondType>(0)?;
    Ok(Arc::new(times.unary::<_, Int64Type>(|micros| micros / unit)))
}

fn of_units(call: &Call<'_>, unit: i64) -> Result<ArrayRef> {
    let counts = call.primitive::<Int64Type>(0)?;
    rows::numbers::<Time64MicrosecondType>(call, |row| {
        of_day(i128::from(counts.value(row)) * i128::from(unit))
    })
}

fn of_seconds(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    match array.data_type() {
        DataType::Float64 => {
            let seconds = array.as_primitive::<Float64Type>();
            rows::numbers::<Time64MicrosecondType>(call, |row| {
                let micros = seconds.value(row) * MICROS_PER_SECOND as f64;
                if micros.is_nan() { Ok(None) } else { of_day(micros as i128) }
            })
        }
        DataType::Decimal128(_, scale) => {
            let power = 10_i128.pow((6 - i32::from(*scale)).unsigned_abs());
            let is_short = *scale <= 6;
            let seconds = array.as_primitive::<Decimal128Type>();
            rows::numbers::<Time64MicrosecondType>(call, |row| {
                let value = seconds.value(row);
                of_day(if is_short { value.saturating_mul(power) } else { value / power })
            })
        }
        _ => of_units(call, MICROS_PER_SECOND),
    }
}

fn of_day(micros: i128) -> Result<Option<i64>> {
    let time = i64::try_from(micros).ok().filter(|micros| (0..MICROS_PER_DAY).contains(micros));
    time.map(Some).ok_or_else(|| {
        let condition = "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION";
        Failure::new(condition, "a time of the day lies between 0 and 24 hours")
            .hint("check the unit of the number")
            .into()
    })
}
