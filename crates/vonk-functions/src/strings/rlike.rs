//! `rlike(text, pattern)`: whether a regular expression of Java matches a part of a text.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Call, Kernel};
use crate::java_regex::Patterns;
use crate::parameters::{Kind, Parameters};

/// Spark's `rlike`, by its other names `regexp` and `regexp_like`.
pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text]);
    Kernel::new("rlike", parameters, |_| Ok(DataType::Boolean), matches).udf()
}

fn matches(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.text(0)?, call.text(1)?);
    let mut compiled = Patterns::of("rlike");
    let mut matches = BooleanArray::builder(call.rows);
    for (text, pattern) in texts.iter().zip(&patterns) {
        matches.append_option(match (text, pattern) {
            (Some(text), Some(pattern)) => Some(compiled.get(pattern)?.is_match(text)?),
            _ => None,
        });
    }
    Ok(Arc::new(matches.finish()))
}
