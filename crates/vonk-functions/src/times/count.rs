//! Times of the day by units: `time_diff`, `time_trunc`.

use arrow::datatypes::{Int64Type, Time64MicrosecondType};
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::rows as moments;
use crate::datetime::unit::Unit;
use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// `time_diff(unit, start, end)`
pub(super) fn time_diff() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Time, Kind::Time]);
    Kernel::new("time_diff", parameters, rows::long, |call| {
        let units = call.text(0)?;
        let (starts, ends) = (moments::locals(call, 1)?, moments::locals(call, 2)?);
        rows::numbers::<Int64Type>(call, |row| {
            let length = length("time_diff", units.value(row))?;
            Ok(Some((ends.value(row) - starts.value(row)) / length))
        })
    })
    .udf()
}

/// `time_trunc(unit, time)`
pub(super) fn time_trunc() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Time]);
    Kernel::new("time_trunc", parameters, moments::time, |call| {
        let (units, times) = (call.text(0)?, moments::locals(call, 1)?);
        rows::numbers::<Time64MicrosecondType>(call, |row| {
            let (time, length) = (times.value(row), length("time_trunc", units.value(row))?);
            Ok(Some(time - time % length))
        })
    })
    .udf()
}

/// The microseconds of a unit that is not longer than an hour.
fn length(function: &str, name: &str) -> Result<i64, Failure> {
    let unit = Unit::to_count(name).filter(|unit| *unit <= Unit::Hour);
    unit.and_then(Unit::micros).ok_or_else(|| {
        let message = format!("`{name}` is not a unit that `{function}` knows");
        Failure::new("INVALID_PARAMETER_VALUE.TIME_UNIT", message)
            .hint("name HOUR, MINUTE, SECOND, MILLISECOND or MICROSECOND")
    })
}
