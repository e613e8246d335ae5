//! Timestamps as text by a datetime pattern: `date_format`, `from_unixtime`.

use arrow::array::{Array, ArrayRef, StringViewArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar::MICROS_PER_SECOND;
use crate::datetime::pattern::{Moment, Pattern};
use crate::datetime::rows::{self as moments, Memo};
use crate::failure::Failure;
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
        if matches!(call.array(0)?.data_type(), DataType::Time64(_)) {
            patterns.iter().flatten().try_for_each(check_for_time)?;
        }
        let zone = moments::session_zone(call)?;
        texts(call, Some(&patterns), |row| Moment::of_local(locals.value(row), zone))
    })
    .udf()
}

/// A time of the day has no date that a pattern could show.
fn check_for_time(pattern: &str) -> Result<()> {
    /// The letters of years, months, days, weeks and zones.
    const OF_DATES: &str = "GyYuMLDdEFqQwWVzOXxZ";
    let mut is_quoted = false;
    let letter = pattern.chars().find(|letter| {
        is_quoted ^= *letter == '\'';
        !is_quoted && OF_DATES.contains(*letter)
    });
    let Some(letter) = letter else { return Ok(()) };
    let message = format!("the pattern `{pattern}` has `{letter}`, which no time of the day has");
    Err(Failure::new("INVALID_PARAMETER_VALUE.PATTERN", message)
        .hint("write hours, minutes and seconds only")
        .into())
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
