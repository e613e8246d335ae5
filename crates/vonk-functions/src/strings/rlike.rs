//! `rlike(text, pattern)`: whether a regular expression of Java matches a part of a text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use regex::Regex;

use crate::java_regex;

/// Spark's `rlike`, by its other names `regexp` and `regexp_like`.
pub(super) fn udf() -> ScalarUDF {
    ScalarUDF::new_from_impl(RLike { signature: Signature::user_defined(Volatility::Immutable) })
        .with_aliases(["regexp", "regexp_like"])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RLike {
    signature: Signature,
}

impl ScalarUDFImpl for RLike {
    fn name(&self) -> &str {
        "rlike"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments.len() {
            2 => Ok(vec![DataType::Utf8View, DataType::Utf8View]),
            count => plan_err!("`rlike` takes a text and a pattern, not {count} arguments"),
        }
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = args.args[0].to_array(args.number_rows)?;
        let texts = texts.as_string_view();
        let matches: BooleanArray = match &args.args[1] {
            ColumnarValue::Scalar(pattern) => {
                let Some(pattern) = pattern.try_as_str().flatten() else {
                    return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(None)));
                };
                let regex = java_regex::compile(pattern)?;
                texts.iter().map(|text| text.map(|text| regex.is_match(text))).collect()
            }
            ColumnarValue::Array(patterns) => {
                let patterns = patterns.as_string_view();
                let mut compiled: HashMap<&str, Regex> = HashMap::new();
                for pattern in patterns.iter().flatten() {
                    if !compiled.contains_key(pattern) {
                        compiled.insert(pattern, java_regex::compile(pattern)?);
                    }
                }
                let rows = texts.iter().zip(patterns.iter());
                rows.map(|(text, pattern)| Some(compiled.get(pattern?)?.is_match(text?))).collect()
            }
        };
        Ok(ColumnarValue::Array(Arc::new(matches)))
    }
}
