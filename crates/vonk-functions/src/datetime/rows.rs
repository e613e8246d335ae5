//! What the functions of dates and times have in common: their types, arguments as local time, and
//! patterns and zones made once for many rows.

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::{
    DataType, Date32Type, Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::Result;

use super::calendar;
use super::zone::Zone;
use crate::failure::Failure;
use crate::function::Call;
use crate::parameters;

/// `DATE`, whatever the arguments are.
pub(crate) fn date(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Date32)
}

/// `TIMESTAMP`, whatever the arguments are.
pub(crate) fn timestamp(_: &[DataType]) -> Result<DataType> {
    Ok(parameters::timestamp())
}

/// `TIMESTAMP_NTZ`, whatever the arguments are.
pub(crate) fn timestamp_ntz(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
}

/// `TIME`, whatever the arguments are.
pub(crate) fn time(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Time64(TimeUnit::Microsecond))
}

/// The session's time zone.
pub(crate) fn session_zone(call: &Call<'_>) -> Result<Zone> {
    Ok(Zone::named(call.time_zone())?)
}

/// A date, timestamp or time as microseconds of local time.
pub(crate) fn locals(call: &Call<'_>, at: usize) -> Result<Int64Array> {
    let array = call.array(at)?;
    Ok(match array.data_type() {
        DataType::Date32 => array.as_primitive::<Date32Type>().unary(calendar::midnight),
        DataType::Time64(_) => {
            array.as_primitive::<Time64MicrosecondType>().reinterpret_cast::<Int64Type>()
        }
        DataType::Timestamp(_, None) => {
            array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast::<Int64Type>()
        }
        DataType::Timestamp(_, Some(_)) => {
            let zone = session_zone(call)?;
            array.as_primitive::<TimestampMicrosecondType>().unary(|micros| zone.to_local(micros))
        }
        _ => Int64Array::new_null(array.len()),
    })
}

/// A value, or what becomes of a failure: an error, without ANSI mode NULL.
pub(crate) fn settle<T>(call: &Call<'_>, result: Result<T, Failure>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if call.is_ansi() => Err(failure.into()),
        Err(_) => Ok(None),
    }
}

/// What was made of the last text, because mostly all rows have the same.
pub(crate) struct Memo<T> {
    last: Option<(String, T)>,
    make: fn(&str) -> Result<T, Failure>,
}

impl<T> Memo<T> {
    /// Nothing yet, and how it is made.
    pub(crate) fn new(make: fn(&str) -> Result<T, Failure>) -> Self {
        Self { last: None, make }
    }

    /// What is made of a text.
    pub(crate) fn get(&mut self, text: &str) -> Result<&T, Failure> {
        let known = self.last.take().filter(|(last, _)| last == text);
        let entry = match known {
            Some(entry) => entry,
            None => (text.to_owned(), (self.make)(text)?),
        };
        Ok(&self.last.insert(entry).1)
    }
}
