//! Casts of intervals to numbers and to intervals of other fields, and of numbers to intervals.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Field, Int64Type, IntervalYearMonthType,
};
use datafusion::common::{Result, internal_err};

use super::{Caster, numbers, overflow};
use crate::interval::{Range, Unit};
use crate::types;

/// Casts an interval column, or a column to intervals.
pub(super) fn cast(
    caster: &Caster,
    array: &ArrayRef,
    from: &Field,
    to: &Field,
) -> Result<ArrayRef> {
    match (Range::of(from), Range::of(to)) {
        (Some(_), Some(range)) => cut(array, range),
        (Some(range), None) => count(caster, array, range, to),
        (None, Some(range)) => build(caster, array, from, (range, to)),
        (None, None) => internal_err!("a cast of calendar intervals to {}", to.data_type()),
    }
}

/// The months or microseconds of an interval column.
fn amounts(array: &ArrayRef) -> Result<PrimitiveArray<Int64Type>> {
    Ok(match array.data_type() {
        DataType::Duration(_) => {
            let array =
                arrow_cast(array, &DataType::Duration(arrow::datatypes::TimeUnit::Microsecond))?;
            array.as_primitive::<DurationMicrosecondType>().unary(|micros| micros)
        }
        _ => array.as_primitive::<IntervalYearMonthType>().unary(i64::from),
    })
}

/// An interval column of an amount each.
fn intervals(amounts: PrimitiveArray<Int64Type>, range: Range) -> ArrayRef {
    match range.start.is_months() {
        true => Arc::new(amounts.unary::<_, IntervalYearMonthType>(|months| months as i32)),
        false => Arc::new(amounts.unary::<_, DurationMicrosecondType>(|micros| micros)),
    }
}

/// Leaves off what is shorter than the last field of the type.
fn cut(array: &ArrayRef, range: Range) -> Result<ArrayRef> {
    let length = match range.end {
        Unit::Second => 1,
        unit => unit.length(),
    };
    let amounts = amounts(array)?.unary::<_, Int64Type>(|amount| amount - amount % length);
    Ok(intervals(amounts, range))
}

/// How many of its shortest field an interval is; a decimal has the fraction of a second too.
fn count(caster: &Caster, array: &ArrayRef, range: Range, to: &Field) -> Result<ArrayRef> {
    let length = range.end.length();
    let amounts = amounts(array)?;
    let is_exact = to.data_type().is_decimal() && range.end == Unit::Second;
    let counts: ArrayRef = if is_exact {
        let micros = amounts.unary::<_, Decimal128Type>(i128::from);
        Arc::new(micros.with_precision_and_scale(24, 6)?)
    } else {
        Arc::new(amounts.unary::<_, Int64Type>(|amount| amount / length))
    };
    let from = types::unnamed(counts.data_type().clone());
    if super::is_plain(&from, to) {
        return Ok(arrow_cast(&counts, to.data_type())?);
    }
    numbers::cast(caster, &counts, &from, to)
}

/// Intervals of as many of their shortest field as the numbers say.
fn build(
    caster: &Caster,
    array: &ArrayRef,
    from: &Field,
    (range, to): (Range, &Field),
) -> Result<ArrayRef> {
    let length = i128::from(range.end.length());
    // Millionths, so that a decimal keeps the fraction of a second.
    let wide = Field::new("", DataType::Decimal128(38, 6), true);
    let scaled = if super::is_plain(from, &wide) {
        arrow_cast(array, wide.data_type())?
    } else {
        numbers::cast(caster, array, from, &wide)?
    };
    let scaled = scaled.as_primitive::<Decimal128Type>();
    let amounts = scaled.iter().enumerate().map(|(row, value)| {
        let Some(value) = value else { return Ok(None) };
        let amount = match range.end {
            // A microsecond is a millionth of a second.
            Unit::Second => Some(value),
            _ => rounded(value).checked_mul(length),
        };
        let amount = amount.and_then(|amount| i64::try_from(amount).ok());
        let fits = |amount: &i64| !range.start.is_months() || i32::try_from(*amount).is_ok();
        match amount.filter(fits) {
            Some(amount) => Ok(Some(amount)),
            None => {
                caster.none(|| overflow(&crate::render::one(array, row, caster.zone), from, to))
            }
        }
    });
    Ok(intervals(amounts.collect::<Result<_>>()?, range))
}

/// Millionths to the nearest whole number, half away from zero.
fn rounded(millionths: i128) -> i128 {
    let half = if millionths < 0 { -500_000 } else { 500_000 };
    (millionths + half) / 1_000_000
}
