//! `to_date(value[, pattern])` and `try_to_date`, which gives NULL instead of an error.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::cast::moments as spelled;
use crate::datetime::reading::Reading;
use crate::datetime::{calendar, rows as moments};
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PARAMETERS: Parameters =
    Parameters::exact(&[Kind::ToDate]).or(&Parameters::exact(&[Kind::TextOrMoment, Kind::Text]));
const TRYING: Parameters = Parameters::with_optional(&[Kind::TextOrMoment], &[Kind::Text]);

/// `to_date(value[, pattern])`
pub(super) fn to_date() -> ScalarUDF {
    Kernel::new("to_date", PARAMETERS, moments::date, |call| dates(call, call.is_ansi())).udf()
}

/// `try_to_date(value[, pattern])`
pub(super) fn try_to_date() -> ScalarUDF {
    Kernel::new("try_to_date", TRYING, moments::date, |call| dates(call, false)).udf()
}

fn dates(call: &Call<'_>, is_strict: bool) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if *array.data_type() == DataType::Date32 {
        return Ok(array);
    }
    if *array.data_type() != DataType::Utf8View {
        let locals = moments::locals(call, 0)?;
        return rows::numbers::<Date32Type>(call, |row| {
            Ok(Some(calendar::day_of_micros(locals.value(row))))
        });
    }
    let (texts, patterns) = (array.as_string_view(), call.optional_text(1)?);
    let zone = moments::session_zone(call)?;
    let mut reading = Reading::new("try_to_date", is_strict);
    rows::numbers::<Date32Type>(call, |row| match &patterns {
        Some(patterns) => {
            let parsed = reading.parse(texts.value(row), patterns.value(row))?;
            Ok(parsed.map(|parsed| zone.day_of(parsed.utc_micros(&zone))))
        }
        None => Ok(spelled::date(texts.value(row))),
    })
}
