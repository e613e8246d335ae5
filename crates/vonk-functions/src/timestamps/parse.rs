//! Timestamps from text and other values: `to_timestamp`, `unix_timestamp` and their kin.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::format::DEFAULT;
use crate::cast::moments as spelled;
use crate::datetime::calendar::MICROS_PER_SECOND;
use crate::datetime::reading::Reading;
use crate::datetime::rows as moments;
use crate::datetime::zone::Zone;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const BY_PATTERN: Parameters = Parameters::exact(&[Kind::TextOrMoment, Kind::Text]);
const WITH_ZONE: Parameters = Parameters::exact(&[Kind::ToTimestamp]).or(&BY_PATTERN);
const WITHOUT_ZONE: Parameters = Parameters::exact(&[Kind::TimestampNtz]).or(&BY_PATTERN);
const TEXT_OR_MOMENT: Parameters = Parameters::with_optional(&[Kind::TextOrMoment], &[Kind::Text]);

/// `to_timestamp(value[, pattern])`
pub(super) fn to_timestamp() -> ScalarUDF {
    Kernel::new("to_timestamp", WITH_ZONE, moments::timestamp, strictly).udf()
}

/// `to_timestamp_ltz(value[, pattern])`
pub(super) fn to_timestamp_ltz() -> ScalarUDF {
    Kernel::new("to_timestamp_ltz", WITH_ZONE, moments::timestamp, strictly).udf()
}

/// `to_timestamp_ntz(value[, pattern])`
pub(super) fn to_timestamp_ntz() -> ScalarUDF {
    Kernel::new("to_timestamp_ntz", WITHOUT_ZONE, moments::timestamp_ntz, strictly).udf()
}

/// `try_to_timestamp(value[, pattern])`
pub(super) fn try_to_timestamp() -> ScalarUDF {
    let returns = moments::timestamp;
    Kernel::new("try_to_timestamp", TEXT_OR_MOMENT, returns, |call| timestamps(call, false)).udf()
}

/// `unix_timestamp(value[, pattern])`
pub(super) fn unix_timestamp() -> ScalarUDF {
    Kernel::new("unix_timestamp", TEXT_OR_MOMENT, rows::long, seconds).udf()
}

/// `to_unix_timestamp(value[, pattern])`
pub(super) fn to_unix_timestamp() -> ScalarUDF {
    Kernel::new("to_unix_timestamp", TEXT_OR_MOMENT, rows::long, seconds).udf()
}

fn strictly(call: &Call<'_>) -> Result<ArrayRef> {
    timestamps(call, call.is_ansi())
}

fn timestamps(call: &Call<'_>, is_strict: bool) -> Result<ArrayRef> {
    if call.array(0)?.data_type() == call.returns {
        return call.array(0);
    }
    let zone = moments::session_zone(call)?;
    let is_local = matches!(call.returns, DataType::Timestamp(_, None));
    let micros = micros(call, is_strict, None)?;
    rows::numbers::<TimestampMicrosecondType>(call, |row| {
        let micros = micros.is_valid(row).then(|| micros.value(row));
        Ok(micros.map(|micros| if is_local { zone.to_local(micros) } else { micros }))
    })
}

fn seconds(call: &Call<'_>) -> Result<ArrayRef> {
    let micros = micros(call, call.is_ansi(), Some(DEFAULT))?;
    rows::numbers::<Int64Type>(call, |row| {
        Ok(micros.is_valid(row).then(|| micros.value(row).div_euclid(MICROS_PER_SECOND)))
    })
}

/// The first argument as microseconds of UTC; text by a pattern, the default one, or as CAST reads it.
fn micros(call: &Call<'_>, is_strict: bool, default: Option<&str>) -> Result<Int64Array> {
    let long = DataType::Int64;
    let call = &call.returning(&long);
    let array = call.array(0)?;
    let zone = moments::session_zone(call)?;
    let micros = match array.data_type() {
        DataType::Timestamp(_, Some(_)) => {
            let moments = array.as_primitive::<TimestampMicrosecondType>();
            rows::numbers::<Int64Type>(call, |row| Ok(Some(moments.value(row))))
        }
        DataType::Utf8View => {
            let (texts, patterns) = (array.as_string_view(), call.optional_text(1)?);
            let mut reading = Reading::new("try_to_timestamp", is_strict);
            rows::numbers::<Int64Type>(call, |row| {
                let pattern = patterns.as_ref().map(|patterns| patterns.value(row)).or(default);
                utc_micros(&mut reading, texts.value(row), pattern, &zone)
            })
        }
        _ => {
            let locals = moments::locals(call, 0)?;
            rows::numbers::<Int64Type>(call, |row| Ok(Some(zone.to_utc(locals.value(row)))))
        }
    }?;
    Ok(micros.as_primitive::<Int64Type>().clone())
}

fn utc_micros(
    reading: &mut Reading,
    text: &str,
    pattern: Option<&str>,
    zone: &Zone,
) -> Result<Option<i64>> {
    Ok(match pattern {
        Some(pattern) => reading.parse(text, pattern)?.map(|parsed| parsed.utc_micros(zone)),
        None => spelled::moment(text).and_then(|moment| moment.utc(zone)),
    })
}
