//! `to_time(text[, pattern])` and `try_to_time`, which gives NULL instead of an error.

use arrow::array::ArrayRef;
use arrow::datatypes::Time64MicrosecondType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::cast::moments as spelled;
use crate::datetime::calendar;
use crate::datetime::pattern::Pattern;
use crate::datetime::rows::{self as moments, Memo};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PARAMETERS: Parameters = Parameters::with_optional(&[Kind::Text], &[Kind::Text]);

/// `to_time(text[, pattern])`
pub(super) fn to_time() -> ScalarUDF {
    Kernel::new("to_time", PARAMETERS, moments::time, |call| times(call, true)).udf()
}

/// `try_to_time(text[, pattern])`
pub(super) fn try_to_time() -> ScalarUDF {
    Kernel::new("try_to_time", PARAMETERS, moments::time, |call| times(call, false)).udf()
}

fn times(call: &Call<'_>, is_strict: bool) -> Result<ArrayRef> {
    let (texts, patterns) = (call.text(0)?, call.optional_text(1)?);
    let mut compiled = Memo::new(Pattern::for_parsing);
    rows::numbers::<Time64MicrosecondType>(call, |row| {
        let text = texts.value(row);
        let time = match &patterns {
            Some(patterns) => {
                let parsed = compiled.get(patterns.value(row))?.parse(text).ok();
                parsed.map(|parsed| calendar::time_of_micros(parsed.local_micros))
            }
            None => spelled::time(text),
        };
        if time.is_none() && is_strict {
            let message = format!("`{text}` is not a time of the day");
            return Err(Failure::new("CANNOT_PARSE_TIME", message)
                .hint("use `try_to_time` to get NULL instead")
                .into());
        }
        Ok(time)
    })
}
