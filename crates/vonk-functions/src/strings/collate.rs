//! `collate(text, collation)`: the text, which compares so.

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use arrow::datatypes::DataType;

use crate::collation;
use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};

/// Spark's `collate`, for the one collation that there is.
pub(super) fn udf() -> ScalarUDF {
    const PARAMETERS: Parameters = Parameters::exact(&[Kind::OnlyText, Kind::OnlyText]);
    Kernel::by_value("collate", PARAMETERS, returns, |call| call.array(0)).udf()
}

fn returns(types: &[DataType], literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    match literals.get(1).copied().flatten().map(|name| name.try_as_str()) {
        Some(Some(Some(name))) => collation::check(name)?,
        Some(_) => {
            let message = "the collation of `collate` is NULL";
            return Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_NULL", message).into());
        }
        None => {
            let message = "the collation of `collate` has to be a constant";
            return Err(Failure::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", message).into());
        }
    }
    Ok(types[0].clone())
}
