//! Timestamps as text by a datetime pattern: `date_format`, `from_unixtime`.

use arrow::array::{ArrayRef, StringViewArray};
use arrow::datatypes::Int64Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar::MICROS_PER_SECOND;
use crate::datetime::pattern::{Moment, Pattern};
use crate::datetime::rows::{self as moments, Memo};
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// The pattern where none is given.
pub(super) const DEFAULT: &str = "yyyy-MM-dd HH:mm:ss";

/// `date_format(value, pattern)`
pub(super) fn date_format() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Moment, Kind::Text]);
    Kernel::new("date_format", parameters, rows::text, |call| {
        let (locals, patterns) = (moments::locals(call, 0)?, call.text(1)?);
        let zone = moments::session_zone(call)?;
        texts(call, Some(&patterns), |row| Moment::of_local(locals.value(row), zone))
    })
    .udf()
}

/// `from_unixtime(seconds[, pattern])`
pub(super) fn from_unixtime() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Long], &[Kind::Text]);
    Kernel::new("from_unixtime", parameters, rows::text, |call| {
        let (seconds, patterns) = (call.primitive::<Int64Type>(0)?, call.optional_text(1)?);
        let zone = moments::session_zone(call)?;
        texts(call, patterns.as_ref(), |row| {
            Moment::of_utc(seconds.value(row).saturating_mul(MICROS_PER_SECOND), zone)
        })
    })
    .udf()
}

fn texts(
    call: &Call<'_>,
    patterns: Option<&StringViewArray>,
    moment: impl Fn(usize) -> Moment,
) -> Result<ArrayRef> {
    let mut compiled = Memo::new(Pattern::for_formatting);
    rows::texts(call, |row, text| {
        let pattern = patterns.map_or(DEFAULT, |patterns| patterns.value(row));
        compiled.get(pattern)?.format(&moment(row), text)?;
        Ok(true)
    })
}
