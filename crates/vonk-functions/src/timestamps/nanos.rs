//! `unix_nanos(timestamp)` and `timestamp_nanos(nanoseconds)`: of timestamps finer than there are.
//!
//! Timestamps count microseconds, as Spark's do unless its preview of finer ones is switched on.

use arrow::array::new_null_array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::types;

/// Spark's `unix_nanos`, which takes no timestamp of microseconds.
pub(super) fn unix_nanos() -> ScalarUDF {
    Kernel::new("unix_nanos", Parameters::exact(&[Kind::Any]), decimal_of_null, |call| {
        Ok(new_null_array(call.returns, call.rows))
    })
    .udf()
}

fn decimal_of_null(given: &[DataType]) -> Result<DataType> {
    match &given[0] {
        DataType::Null => Ok(DataType::Decimal128(21, 0)),
        other => {
            let given = types::quoted(&types::unnamed(other.clone()));
            let message = format!("`unix_nanos` takes a timestamp of nanoseconds, not {given}");
            Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", message)
                .hint("use `unix_micros`")
                .into())
        }
    }
}

/// Spark's `timestamp_nanos`, which is refused unless its preview is switched on.
pub(super) fn timestamp_nanos() -> ScalarUDF {
    let refused = |_: &[DataType]| -> Result<DataType> {
        let message = "timestamps of nanoseconds are not supported";
        Err(Failure::new("FEATURE_NOT_ENABLED", message).hint("use `timestamp_micros`").into())
    };
    Kernel::new("timestamp_nanos", Parameters::exact(&[Kind::Any]), refused, |call| {
        Ok(new_null_array(call.returns, call.rows))
    })
    .udf()
}
