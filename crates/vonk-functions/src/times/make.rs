//! `make_time(hour, minute, second)`: a time of the day put together.

use arrow::datatypes::{Decimal128Type, Int32Type, Time64MicrosecondType};
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::{parts, rows as moments};
use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// There is no option that makes NULL of a field out of bounds here.
fn without_suggestion(failure: Failure) -> Failure {
    Failure::new("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", failure.message)
}

pub(super) fn make_time() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Int, Kind::Int, Kind::Seconds]);
    Kernel::new("make_time", parameters, moments::time, |call| {
        let (hours, minutes) = (call.primitive::<Int32Type>(0)?, call.primitive::<Int32Type>(1)?);
        let seconds = call.primitive::<Decimal128Type>(2)?;
        rows::numbers::<Time64MicrosecondType>(call, |row| {
            let second = i64::try_from(seconds.value(row)).unwrap_or(i64::MAX);
            let time = parts::time(hours.value(row), minutes.value(row), second);
            Ok(Some(time.map_err(without_suggestion)?))
        })
    })
    .udf()
}
