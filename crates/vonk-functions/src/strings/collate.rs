//! `collate(text, collation)`: the text, which compares so.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use crate::collation;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

/// Spark's `collate`, for the one collation that there is.
pub(super) fn udf() -> ScalarUDF {
    const PARAMETERS: Parameters = Parameters::exact(&[Kind::OnlyText, Kind::OnlyText]);
    Kernel::by_value("collate", PARAMETERS, returns, collated).udf()
}

fn collated(call: &Call<'_>) -> Result<ArrayRef> {
    let names = call.text(1)?;
    names.iter().flatten().try_for_each(collation::check)?;
    call.array(0)
}

fn returns(types: &[DataType], literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    match literals.get(1).copied().flatten().map(|name| name.try_as_str()) {
        Some(Some(Some(name))) => collation::check(name)?,
        Some(_) => {
            let message = "the collation of `collate` is NULL";
            return Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_NULL", message).into());
        }
        // A literal that is cast is seen by the kernel only.
        None => {}
    }
    Ok(types[0].clone())
}
