//! The only item of an array: the one value that a subquery may have for each outer row.

use std::sync::Arc;

use arrow::array::{Array, AsArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::failure::Failure;

/// The function that gives the item of an array of one, NULL of an empty one, and an error of more.
pub fn udf() -> ScalarUDF {
    ScalarUDF::new_from_impl(Only { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Only {
    signature: Signature,
}

impl ScalarUDFImpl for Only {
    fn name(&self) -> &str {
        "only"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match &arguments[0] {
            DataType::List(item) => Ok(item.data_type().clone()),
            other => plan_err!("a value of {other} has no items"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lists = args.args[0].to_array(args.number_rows)?;
        let lists = lists.as_list::<i32>();
        let places = (0..lists.len()).map(|row| {
            let length = if lists.is_null(row) { 0 } else { lists.value_length(row) };
            match length {
                0 => Ok(None),
                1 => Ok(u64::try_from(lists.value_offsets()[row]).ok()),
                _ => Err(Failure::new(
                    "SCALAR_SUBQUERY_TOO_MANY_ROWS",
                    "a subquery that stands for one value has more than one row",
                )
                .hint("aggregate its rows, or add LIMIT 1")
                .into()),
            }
        });
        let places = places.collect::<Result<UInt64Array>>()?;
        Ok(ColumnarValue::Array(take(&Arc::clone(lists.values()), &places, None)?))
    }
}
