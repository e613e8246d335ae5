//! `measure(column)`: the measure of a metric view, of which there are none.

use arrow::array::new_null_array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};

/// Spark's `measure`.
pub(super) fn udf() -> ScalarUDF {
    let refused = |_: &[DataType]| -> Result<DataType> {
        let message = "`measure` takes a measure of a metric view, and there are no such views";
        let hint = "call the aggregate function itself, such as `sum`";
        Err(Failure::new("UNSUPPORTED_FEATURE", message).hint(hint).into())
    };
    Kernel::new("measure", Parameters::exact(&[Kind::Any]), refused, |call| {
        Ok(new_null_array(call.returns, call.rows))
    })
    .udf()
}
