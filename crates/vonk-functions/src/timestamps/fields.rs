//! The fields of a time of the day: `hour(timestamp)`, `minute(timestamp)`, `second(timestamp)`.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar::{self, MICROS_PER_SECOND};
use crate::datetime::rows as moments;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PARAMETERS: Parameters = Parameters::exact(&[Kind::TimestampOrTime]);

/// `hour(timestamp)`
pub(super) fn hour() -> ScalarUDF {
    Kernel::new("hour", PARAMETERS, rows::int, |call| numbers(call, 3600, 24)).udf()
}

/// `minute(timestamp)`
pub(super) fn minute() -> ScalarUDF {
    Kernel::new("minute", PARAMETERS, rows::int, |call| numbers(call, 60, 60)).udf()
}

/// `second(timestamp)`
pub(super) fn second() -> ScalarUDF {
    Kernel::new("second", PARAMETERS, rows::int, |call| numbers(call, 1, 60)).udf()
}

/// The number of units of so many seconds, counted anew after `most` of them.
fn numbers(call: &Call<'_>, unit: i64, most: i64) -> Result<ArrayRef> {
    let locals = moments::locals(call, 0)?;
    Ok(Arc::new(locals.unary::<_, Int32Type>(|micros| {
        (calendar::time_of_micros(micros) / MICROS_PER_SECOND / unit % most) as i32
    })))
}
