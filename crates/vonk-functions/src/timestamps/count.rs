//! Timestamps by units: `timestampadd`, `timestampdiff`, `date_trunc`, `months_between`.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};
use chrono::Datelike;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar::{self, MICROS_PER_SECOND, SECONDS_PER_DAY};
use crate::datetime::rows as moments;
use crate::datetime::unit::Unit;
use crate::datetime::zone::Zone;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// `timestampadd(unit, count, timestamp)`
pub(super) fn timestampadd() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Long, Kind::AnyTimestamp]);
    Kernel::new("timestampadd", parameters, |types| Ok(types[2].clone()), add).udf()
}

fn add(call: &Call<'_>) -> Result<ArrayRef> {
    let (units, counts) = (call.text(0)?, call.primitive::<Int64Type>(1)?);
    let moments = call.primitive::<TimestampMicrosecondType>(2)?;
    let zone = zone_of(call, moments.data_type())?;
    rows::numbers::<TimestampMicrosecondType>(call, |row| {
        let (unit_name, count) = (units.value(row), counts.value(row));
        let moved = unit("timestampadd", unit_name)?.add(count, moments.value(row), &zone);
        moved.map(Some).ok_or_else(|| {
            let message = format!("adding {count} {unit_name} is out of range");
            Failure::new("DATETIME_OVERFLOW", message).hint("add less").into()
        })
    })
}

/// A timestamp without a zone is on a clock that nobody changes.
fn zone_of(call: &Call<'_>, data_type: &DataType) -> Result<Zone> {
    match data_type {
        DataType::Timestamp(_, None) => Ok(Zone::UTC),
        _ => moments::session_zone(call),
    }
}

/// `timestampdiff(unit, start, end)`
pub(super) fn timestampdiff() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::AnyTimestamp, Kind::AnyTimestamp]);
    Kernel::new("timestampdiff", parameters, rows::long, |call| {
        let units = call.text(0)?;
        let (starts, ends) = (moments::locals(call, 1)?, moments::locals(call, 2)?);
        rows::numbers::<Int64Type>(call, |row| {
            let unit = unit("timestampdiff", units.value(row))?;
            Ok(unit.between(starts.value(row), ends.value(row)))
        })
    })
    .udf()
}

fn unit(function: &str, name: &str) -> Result<Unit, Failure> {
    Unit::to_count(name).ok_or_else(|| Unit::unknown(function, name))
}

/// `date_trunc(unit, timestamp)`
pub(super) fn date_trunc() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Timestamp]);
    Kernel::new("date_trunc", parameters, moments::timestamp, |call| {
        let (units, moments) = (call.text(0)?, call.primitive::<TimestampMicrosecondType>(1)?);
        let zone = moments::session_zone(call)?;
        rows::numbers::<TimestampMicrosecondType>(call, |row| {
            let unit = Unit::to_cut(units.value(row));
            Ok(unit.map(|unit| unit.cut(moments.value(row), &zone)))
        })
    })
    .udf()
}

/// `months_between(end, start[, round])`
pub(super) fn months_between() -> ScalarUDF {
    let parameters =
        Parameters::with_optional(&[Kind::AnyTimestamp, Kind::AnyTimestamp], &[Kind::Boolean]);
    Kernel::new("months_between", parameters, rows::double, |call| {
        let (ends, starts) = (moments::locals(call, 0)?, moments::locals(call, 1)?);
        let rounds = (call.count() > 2).then(|| call.array(2)).transpose()?;
        let rounds: Option<BooleanArray> = rounds.map(|rounds| rounds.as_boolean().clone());
        rows::numbers::<Float64Type>(call, |row| {
            let months = months(ends.value(row), starts.value(row));
            let is_rounded = rounds.as_ref().is_none_or(|rounds| rounds.value(row));
            Ok(Some(if is_rounded { (months * 1e8).round() / 1e8 } else { months }))
        })
    })
    .udf()
}

/// Whole months between the same days, or last days, of two months; else 31 days are a month.
fn months(end: i64, start: i64) -> f64 {
    let parts = |micros: i64| {
        let days = calendar::day_of_micros(micros);
        let date = calendar::date_of(days);
        let is_last = calendar::last_day(days) == days;
        let month = i64::from(date.year()) * 12 + i64::from(date.month());
        let seconds = calendar::time_of_micros(micros) / MICROS_PER_SECOND;
        (month, i64::from(date.day()), is_last, seconds)
    };
    let (end_month, end_day, end_is_last, end_seconds) = parts(end);
    let (start_month, start_day, start_is_last, start_seconds) = parts(start);
    let months = (end_month - start_month) as f64;
    if end_day == start_day || (end_is_last && start_is_last) {
        return months;
    }
    let seconds = (end_day - start_day) * SECONDS_PER_DAY + end_seconds - start_seconds;
    months + seconds as f64 / (31 * SECONDS_PER_DAY) as f64
}
