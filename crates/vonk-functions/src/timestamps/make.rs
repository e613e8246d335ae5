//! Timestamps put together: `make_timestamp` and its kin, from numbers or from a date and a time.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::rows::{self as moments, Memo};
use crate::datetime::zone::Zone;
use crate::datetime::{calendar, parts};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const NUMBERS: &[Kind] = &[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Seconds];
const OF_DATE: Parameters =
    Parameters::with_optional(&[Kind::OnlyDate], &[Kind::OnlyTime, Kind::Text]);
const OF_DATE_AND_TIME: Parameters = Parameters::exact(&[Kind::OnlyDate, Kind::OnlyTime]);
const WITH_ZONE: Parameters = Parameters::with_optional(NUMBERS, &[Kind::Text]).or(&OF_DATE);
const WITHOUT_ZONE: Parameters = Parameters::exact(NUMBERS).or(&OF_DATE_AND_TIME);

/// A function per row: its name, its parameters, its type, and whether failures are NULL.
macro_rules! makers {
    ($($name:ident($parameters:expr, $returns:path, $trying:literal);)*) => {
        $(pub(super) fn $name() -> ScalarUDF {
            Kernel::new(stringify!($name), $parameters, $returns, |call| make(call, $trying)).udf()
        })*
    };
}

makers! {
    make_timestamp(WITH_ZONE, moments::timestamp, false);
    make_timestamp_ltz(WITH_ZONE, moments::timestamp, false);
    make_timestamp_ntz(WITHOUT_ZONE, moments::timestamp_ntz, false);
    try_make_timestamp(WITH_ZONE, moments::timestamp, true);
    try_make_timestamp_ltz(WITH_ZONE, moments::timestamp, true);
    try_make_timestamp_ntz(WITHOUT_ZONE, moments::timestamp_ntz, true);
}

/// The most arguments of the form with a date and a time.
const DATE_FORM_MAX: usize = 3;

fn make(call: &Call<'_>, trying: bool) -> Result<ArrayRef> {
    let is_local = matches!(call.returns, DataType::Timestamp(_, None));
    let (locals, zone_at) = match call.count() <= DATE_FORM_MAX {
        true => (of_date_and_time(call)?, 2),
        false => (of_numbers(call, trying)?, 6),
    };
    let session = moments::session_zone(call)?;
    let names = call.optional_text(zone_at)?;
    let mut zones = Memo::new(Zone::named);
    rows::numbers::<TimestampMicrosecondType>(call, |row| {
        if locals.is_null(row) {
            return Ok(None);
        }
        let zone = match &names {
            Some(names) => settle(call, trying, zones.get(names.value(row)).copied())?,
            None => Some(session),
        };
        let local = locals.value(row);
        Ok(zone.map(|zone| if is_local { local } else { zone.to_utc(local) }))
    })
}

fn settle<T>(call: &Call<'_>, trying: bool, result: Result<T, Failure>) -> Result<Option<T>> {
    if trying { Ok(result.ok()) } else { moments::settle(call, result) }
}

fn of_date_and_time(call: &Call<'_>) -> Result<Int64Array> {
    let days = call.primitive::<Date32Type>(0)?;
    let times = (call.count() > 1).then(|| moments::locals(call, 1)).transpose()?;
    locals(call, |row| {
        let time = times.as_ref().map_or(0, |times| times.value(row));
        Ok(Some(calendar::midnight(days.value(row)) + time))
    })
}

fn of_numbers(call: &Call<'_>, trying: bool) -> Result<Int64Array> {
    let numbers = (0..5).map(|at| call.primitive::<Int32Type>(at)).collect::<Result<Vec<_>>>()?;
    let seconds = call.primitive::<Decimal128Type>(5)?;
    locals(call, |row| {
        let number = |at: usize| numbers[at].value(row);
        let second = i64::try_from(seconds.value(row)).unwrap_or(i64::MAX);
        let local = parts::date(number(0), number(1), number(2)).and_then(|days| {
            Ok(calendar::midnight(days) + parts::time_of_day(number(3), number(4), second)?)
        });
        settle(call, trying, local)
    })
}

/// Local times as numbers.
fn locals(call: &Call<'_>, value: impl FnMut(usize) -> Result<Option<i64>>) -> Result<Int64Array> {
    let long = DataType::Int64;
    let locals = rows::numbers::<Int64Type>(&call.returning(&long), value)?;
    Ok(locals.as_primitive::<Int64Type>().clone())
}
