//! `width_bucket(value, min, max, buckets)`: which of equally wide buckets a value falls into.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, Float64Type, Int64Type, IntervalUnit, IntervalYearMonthType,
    TimeUnit,
};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `width_bucket`.
pub(super) fn width_bucket() -> ScalarUDF {
    const NUMBER: Kind = Kind::NumberOrInterval;
    let parameters = Parameters::exact(&[NUMBER, NUMBER, NUMBER, Kind::Long]);
    Kernel::new("width_bucket", parameters, rows::long, |call| {
        let (values, mins, maxs) = (numbers(call, 0)?, numbers(call, 1)?, numbers(call, 2)?);
        let buckets = call.primitive::<Int64Type>(3)?;
        rows::numbers::<Int64Type>(call, |row| {
            let (value, range) = (values.value(row), (mins.value(row), maxs.value(row)));
            Ok(bucket(value, range, buckets.value(row)))
        })
    })
    .udf()
}

/// Numbers as they are, intervals by their months or microseconds.
fn numbers(call: &Call<'_>, at: usize) -> Result<Float64Array> {
    let array = call.array(at)?;
    let array: ArrayRef = match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = array.as_primitive::<IntervalYearMonthType>();
            Arc::new(months.unary::<_, Float64Type>(f64::from))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            let micros = array.as_primitive::<DurationMicrosecondType>();
            Arc::new(micros.unary::<_, Float64Type>(|micros| micros as f64))
        }
        _ => cast(&array, &DataType::Float64)?,
    };
    Ok(array.as_primitive::<Float64Type>().clone())
}

/// The bucket from 1, 0 and one more than there are for what lies outside; none for a range or a
/// number of buckets that is none. The range may go downwards.
fn bucket(value: f64, (min, max): (f64, f64), buckets: i64) -> Option<i64> {
    let is_range = min != max && min.is_finite() && max.is_finite();
    if buckets <= 0 || buckets == i64::MAX || value.is_nan() || !is_range {
        return None;
    }
    let (from, width) = match min < max {
        true => (value - min, max - min),
        false => (min - value, min - max),
    };
    Some(match from {
        below if below < 0.0 => 0,
        above if above >= width => buckets + 1,
        within => (buckets as f64 * within / width) as i64 + 1,
    })
}
