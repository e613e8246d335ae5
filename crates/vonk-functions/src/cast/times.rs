//! Casts between dates, timestamps, times of day, and numbers of seconds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, new_null_array};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Time64MicrosecondType,
    TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, internal_err};

use super::{Caster, numbers, overflow};
use crate::civil::{DAY, SECOND};
use crate::render;
use crate::types;

const LOCAL: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// Whether values of a type are moments or times of day.
pub(super) fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date32
            | DataType::Date64
            | DataType::Timestamp(..)
            | DataType::Time32(_)
            | DataType::Time64(_)
    )
}

/// The microseconds of the last digit that a type of times of day keeps.
pub(super) fn time_unit(field: &Field) -> i64 {
    let name = types::field_name(field);
    let digits = name.strip_prefix("time(").and_then(|rest| rest.strip_suffix(')'));
    let digits: u32 = digits.and_then(|digits| digits.parse().ok()).unwrap_or(6);
    10_i64.pow(6_u32.saturating_sub(digits))
}

/// Casts a column of moments, or a column to moments.
pub(super) fn cast(
    caster: &Caster,
    array: &ArrayRef,
    from: &Field,
    to: &Field,
) -> Result<ArrayRef> {
    let zone = caster.zone;
    match (array.data_type(), to.data_type()) {
        (DataType::Time64(_) | DataType::Time32(_), to_type) => {
            times_of_day(caster, array, to, to_type)
        }
        (DataType::Date32 | DataType::Date64, DataType::Timestamp(_, Some(_))) => {
            let dates = arrow_cast(array, &DataType::Date32)?;
            let micros =
                dates.as_primitive::<Date32Type>().unary::<_, TimestampMicrosecondType>(|days| {
                    zone.to_utc(i64::from(days).saturating_mul(DAY))
                });
            Ok(Arc::new(micros.with_data_type(to.data_type().clone())))
        }
        (DataType::Date32 | DataType::Date64, DataType::Timestamp(_, None)) => {
            Ok(arrow_cast(&arrow_cast(array, &LOCAL)?, to.data_type())?)
        }
        // Spark 3 gave NULL for all of these.
        (DataType::Date32 | DataType::Date64, _) => Ok(new_null_array(to.data_type(), array.len())),
        (DataType::Timestamp(_, from_zone), to_type) => {
            let micros = micros(array)?;
            let local = |micros: i64| match from_zone {
                Some(_) => zone.to_local(micros),
                None => micros,
            };
            match to_type {
                DataType::Date32 => {
                    Ok(Arc::new(micros.unary::<_, Date32Type>(|m| local(m).div_euclid(DAY) as i32)))
                }
                DataType::Time64(_) | DataType::Time32(_) => {
                    let unit = time_unit(to);
                    let times = micros.unary::<_, Time64MicrosecondType>(|micros| {
                        local(micros).rem_euclid(DAY) / unit * unit
                    });
                    Ok(Arc::new(times))
                }
                DataType::Timestamp(_, to_zone) => {
                    let moved = micros.unary::<_, TimestampMicrosecondType>(|micros| {
                        match (from_zone, to_zone) {
                            (Some(_), None) => zone.to_local(micros),
                            (None, Some(_)) => zone.to_utc(micros),
                            _ => micros,
                        }
                    });
                    Ok(Arc::new(moved.with_data_type(to_type.clone())))
                }
                _ => seconds(caster, &micros, from, to),
            }
        }
        (_, DataType::Timestamp(_, Some(_))) => from_seconds(caster, array, from, to),
        (from, to) => internal_err!("a cast from {from} to {to}"),
    }
}

fn micros(array: &ArrayRef) -> Result<PrimitiveArray<Int64Type>> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let array = arrow_cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
    Ok(array.as_primitive::<TimestampMicrosecondType>().unary(|micros| micros))
}

/// Seconds since 1970, cut to whole ones where the type has no fraction.
fn seconds(
    caster: &Caster,
    micros: &PrimitiveArray<Int64Type>,
    from: &Field,
    to: &Field,
) -> Result<ArrayRef> {
    let seconds: ArrayRef = match to.data_type() {
        decimal if decimal.is_decimal() => {
            let exact = micros.unary::<_, Decimal128Type>(i128::from);
            Arc::new(exact.with_precision_and_scale(24, 6)?)
        }
        float if float.is_floating() => {
            Arc::new(micros.unary::<_, Float64Type>(|micros| micros as f64 / SECOND as f64))
        }
        DataType::Boolean => Arc::new(micros.clone()),
        _ => Arc::new(micros.unary::<_, Int64Type>(|micros| micros.div_euclid(SECOND))),
    };
    let as_number = from.clone().with_data_type(seconds.data_type().clone());
    if super::is_plain(&as_number, to) {
        return Ok(arrow_cast(&seconds, to.data_type())?);
    }
    // Messages speak of the timestamp's type.
    numbers::cast(caster, &seconds, from, to)
}

/// Timestamps of numbers of seconds since 1970.
fn from_seconds(caster: &Caster, array: &ArrayRef, from: &Field, to: &Field) -> Result<ArrayRef> {
    let micros: PrimitiveArray<TimestampMicrosecondType> = match array.data_type() {
        DataType::Float32 | DataType::Float64 => {
            let seconds = arrow_cast(array, &DataType::Float64)?;
            let micros =
                seconds.as_primitive::<Float64Type>().iter().map(|seconds| match seconds {
                    Some(seconds) if seconds.is_finite() => {
                        Ok(Some((seconds * SECOND as f64) as i64))
                    }
                    Some(seconds) => {
                        let mut text = String::new();
                        render::float64(&mut text, seconds);
                        caster.none(|| super::invalid(&text, "DOUBLE", to))
                    }
                    None => Ok(None),
                });
            micros.collect::<Result<_>>()?
        }
        DataType::Decimal128(_, scale) => {
            let scale = *scale;
            let values = array.as_primitive::<Decimal128Type>();
            let micros = values.iter().enumerate().map(|(row, value)| {
                let Some(value) = value else { return Ok(None) };
                let wide = arrow::datatypes::i256::from_i128(value);
                let shifted = cut_scale(wide, 6 - i64::from(scale));
                match shifted.to_i128().and_then(|micros| i64::try_from(micros).ok()) {
                    Some(micros) => Ok(Some(micros)),
                    None => {
                        caster.none(|| overflow(&render::one(array, row, caster.zone), from, to))
                    }
                }
            });
            micros.collect::<Result<_>>()?
        }
        DataType::Boolean => array.as_boolean().iter().map(|value| value.map(i64::from)).collect(),
        _ => {
            let seconds = arrow_cast(array, &DataType::Int64)?;
            seconds.as_primitive::<Int64Type>().unary(|seconds| seconds.saturating_mul(SECOND))
        }
    };
    Ok(Arc::new(micros.with_data_type(to.data_type().clone())))
}

/// Moves the point; digits that are lost are dropped.
fn cut_scale(value: arrow::datatypes::i256, digits: i64) -> arrow::datatypes::i256 {
    let power = arrow::datatypes::i256::from_i128(10).wrapping_pow(digits.unsigned_abs() as u32);
    if digits >= 0 { value.wrapping_mul(power) } else { value.wrapping_div(power) }
}

/// Times of day with fewer digits, or as seconds.
fn times_of_day(
    caster: &Caster,
    array: &ArrayRef,
    to: &Field,
    to_type: &DataType,
) -> Result<ArrayRef> {
    let micros = arrow_cast(array, &DataType::Time64(TimeUnit::Microsecond))?;
    let micros = micros.as_primitive::<Time64MicrosecondType>();
    if let DataType::Time64(_) | DataType::Time32(_) = to_type {
        let unit = time_unit(to);
        let cut = micros.unary::<_, Time64MicrosecondType>(|micros| micros / unit * unit);
        return Ok(Arc::new(cut));
    }
    let micros = micros.unary::<_, Int64Type>(|micros| micros);
    seconds(caster, &micros, &types::unnamed(array.data_type().clone()), to)
}
