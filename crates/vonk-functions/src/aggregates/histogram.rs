//! `histogram_numeric(value, bins)`: the bins of Ben-Haim and Tom-Tov's streaming histogram.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, Fields, Float64Type, Int32Type, IntervalUnit, IntervalYearMonthType,
};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::whole::{Group, Kernel};
use crate::collections::lists::list_of;
use crate::failure::Failure;
use crate::parameters::{Kind, Parameters};

/// Spark's `histogram_numeric`, whose bins have the type of the values.
pub(super) fn udf() -> AggregateUDF {
    let parameters = Parameters::exact(&[Kind::Any, Kind::Int]);
    let returns = |types: &[DataType]| Ok(list_of(DataType::Struct(bin_fields(&types[0]))));
    Kernel { name: "histogram_numeric", parameters, unify: None, returns, finish }.udf()
}

fn bin_fields(value: &DataType) -> Fields {
    vec![Field::new("x", value.clone(), true), Field::new("y", DataType::Float64, true)].into()
}

fn finish(group: &Group<'_>) -> Result<ScalarValue> {
    let values = numbers(&group.columns[0])?;
    let Some(ScalarValue::Int32(Some(most))) = group.constant(1)? else { return group.null() };
    let Some(most) = usize::try_from(most).ok().filter(|most| *most >= 2) else {
        let condition = "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE";
        let message = format!("a histogram has at least 2 bins, not {most}");
        return Err(Failure::new(condition, message).into());
    };
    let mut histogram = Histogram { bins: Vec::new(), most, ties: JavaRandom::new(31183) };
    values.iter().flatten().for_each(|value| histogram.add(value));
    if histogram.bins.is_empty() {
        return group.null();
    }
    let (places, counts): (Vec<f64>, Vec<f64>) = histogram.bins.into_iter().unzip();
    let data_type = group.columns[0].data_type();
    let columns: Vec<ArrayRef> =
        vec![of_numbers(places, data_type)?, Arc::new(Float64Array::from(counts))];
    let bins = StructArray::try_new(bin_fields(data_type), columns, None)?;
    Ok(SingleRowListArrayBuilder::new(Arc::new(bins)).build_list_scalar())
}

fn numbers(values: &ArrayRef) -> Result<Float64Array> {
    let wide = match values.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = values.as_primitive::<IntervalYearMonthType>();
            Arc::new(months.reinterpret_cast::<Int32Type>())
        }
        DataType::Date32 => cast(values, &DataType::Int32)?,
        DataType::Timestamp(..) | DataType::Duration(_) => cast(values, &DataType::Int64)?,
        _ => Arc::clone(values),
    };
    Ok(cast(&wide, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

fn of_numbers(numbers: Vec<f64>, data_type: &DataType) -> Result<ArrayRef> {
    let numbers: ArrayRef = Arc::new(Float64Array::from(numbers));
    let whole = match data_type {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = cast(&numbers, &DataType::Int32)?;
            let months = months.as_primitive::<Int32Type>();
            return Ok(Arc::new(months.reinterpret_cast::<IntervalYearMonthType>()));
        }
        DataType::Date32 => cast(&numbers, &DataType::Int32)?,
        DataType::Timestamp(..) | DataType::Duration(_) => cast(&numbers, &DataType::Int64)?,
        _ => numbers,
    };
    Ok(cast(&whole, data_type)?)
}

/// Bins by their places: where each is, and how many values it stands for.
struct Histogram {
    bins: Vec<(f64, f64)>,
    most: usize,
    ties: JavaRandom,
}

impl Histogram {
    fn add(&mut self, value: f64) {
        let at = self.bins.partition_point(|(place, _)| place.total_cmp(&value).is_lt());
        match self.bins.get_mut(at) {
            Some((place, count)) if *place == value => *count += 1.0,
            _ => self.bins.insert(at, (value, 1.0)),
        }
        if self.bins.len() > self.most {
            self.merge_closest();
        }
    }

    /// Makes one bin of the two that are closest; of pairs as close, one by chance.
    fn merge_closest(&mut self) {
        let gap = |at: usize| self.bins[at + 1].0 - self.bins[at].0;
        let (mut closest, mut as_close) = (0, 1.0);
        for at in 1..self.bins.len() - 1 {
            if gap(at) < gap(closest) {
                (closest, as_close) = (at, 1.0);
            } else if gap(at) == gap(closest) {
                as_close += 1.0;
                if self.ties.next() <= 1.0 / as_close {
                    closest = at;
                }
            }
        }
        let (right, right_count) = self.bins.remove(closest + 1);
        let (place, count) = &mut self.bins[closest];
        let total = *count + right_count;
        *place = *place * (*count / total) + right / total * right_count;
        *count = total;
    }
}

/// The numbers of `java.util.Random` from a seed, so that ties fall as they do in Spark.
pub(super) struct JavaRandom(u64);

impl JavaRandom {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;

    pub(super) const fn new(seed: u64) -> Self {
        Self((seed ^ Self::MULTIPLIER) & Self::MASK)
    }

    fn bits(&mut self, count: u32) -> u64 {
        self.0 = self.0.wrapping_mul(Self::MULTIPLIER).wrapping_add(0xB) & Self::MASK;
        self.0 >> (48 - count)
    }

    /// A whole number from 0 up to but without the largest INT.
    pub(super) fn below_max(&mut self) -> i64 {
        loop {
            let number = self.bits(31) as i64;
            if number < i64::from(i32::MAX) {
                return number;
            }
        }
    }

    /// A number from 0 up to but without 1.
    fn next(&mut self) -> f64 {
        let high = self.bits(26) << 27;
        (high + self.bits(27)) as f64 / (1_u64 << 53) as f64
    }
}
