//! `percentile`, `percentile_cont`, `percentile_disc`, `percentile_approx`, `median`: values by their rank.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType,
};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::whole::{Group, Kernel};
use crate::collections::keys::Keys;
use crate::collections::lists::list_of;
use crate::failure::Failure;
use crate::parameters::{Kind, Parameters};

/// `percentile(value, percentage[, frequency])`
pub(super) fn percentile() -> AggregateUDF {
    kernel("percentile", &[Kind::Long], |group| {
        let frequencies = group.columns.get(2).map(|column| cast(column, &DataType::Int64));
        interpolated(group, frequencies.transpose()?.as_ref(), false)
    })
}

/// `percentile_cont(value, percentage, descending)`, from its `WITHIN GROUP`
pub(super) fn percentile_cont() -> AggregateUDF {
    kernel("percentile_cont", &[Kind::Boolean], |group| {
        interpolated(group, None, is_descending(group))
    })
}

/// `percentile_disc(value, percentage, descending)`, from its `WITHIN GROUP`
pub(super) fn percentile_disc() -> AggregateUDF {
    kernel("percentile_disc", &[Kind::Boolean], |group| {
        let ranked = Ranked::new(group, None, is_descending(group))?;
        each_percentage(group, |percentage| {
            let place = (percentage * ranked.total as f64).ceil().max(1.0) as i64 - 1;
            let row = ranked.row_at(place.min(ranked.total - 1));
            row.map_or_else(|| group.null(), |row| single(group, row))
        })
    })
}

/// `median(value)`
pub(super) fn median() -> AggregateUDF {
    let finish = |group: &Group<'_>| {
        let ranked = Ranked::new(group, None, false)?;
        ranked.between(group, 0.5)
    };
    let parameters = Parameters::exact(&[Kind::Any]);
    let returns = |types: &[DataType]| result_type("median", &types[0]);
    Kernel { name: "median", parameters, unify: None, returns, finish }.udf()
}

/// `percentile_approx(value, percentage[, accuracy])`, which is exact here
pub(super) fn percentile_approx() -> AggregateUDF {
    let parameters = Parameters::with_optional(&[Kind::Any, Kind::Any], &[Kind::Long]);
    let finish = |group: &Group<'_>| {
        if let Some(ScalarValue::Int64(Some(accuracy))) = group.constant(2)?
            && !(1..=i64::from(i32::MAX)).contains(&accuracy)
        {
            let condition = "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE";
            let message = format!("the accuracy {accuracy} is not between 1 and {}", i32::MAX);
            return Err(Failure::new(condition, message).into());
        }
        let ranked = Ranked::new(group, None, false)?;
        each_percentage(group, |percentage| {
            let place = (percentage * ranked.total as f64).ceil() as i64 - 1;
            let row = ranked.row_at(place.max(0));
            row.map_or_else(
                || ScalarValue::try_new_null(group.columns[0].data_type()),
                |row| group.value(0, row),
            )
        })
    };
    let returns = |types: &[DataType]| Ok(shaped(&types[1], types[0].clone()));
    Kernel { name: "percentile_approx", parameters, unify: Some(percentages), returns, finish }
        .udf()
}

fn kernel(
    name: &'static str,
    optional: &'static [Kind],
    finish: fn(&Group<'_>) -> Result<ScalarValue>,
) -> AggregateUDF {
    let parameters = Parameters::with_optional(&[Kind::Any, Kind::Any], optional);
    let returns = |types: &[DataType]| Ok(shaped(&types[1], result_type("percentile", &types[0])?));
    Kernel { name, parameters, unify: Some(percentages), returns, finish }.udf()
}

/// One result for one percentage, an array for an array of them.
fn shaped(percentage: &DataType, value: DataType) -> DataType {
    if matches!(percentage, DataType::List(_)) { list_of(value) } else { value }
}

/// Intervals keep their type, all other values become doubles.
fn result_type(name: &str, value: &DataType) -> Result<DataType> {
    match value {
        DataType::Interval(_) | DataType::Duration(_) => Ok(value.clone()),
        number if number.is_numeric() || number.is_string() || number.is_null() => {
            Ok(DataType::Float64)
        }
        other => {
            let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
            let message = format!("`{name}` takes numbers or intervals, not values of {other}");
            Err(Failure::new(condition, message).into())
        }
    }
}

fn percentages(_: &str, mut types: Vec<DataType>) -> Result<Vec<DataType>> {
    if types[0].is_string() || types[0].is_null() {
        types[0] = DataType::Float64;
    }
    types[1] = match &types[1] {
        DataType::List(_) => list_of(DataType::Float64),
        _ => DataType::Float64,
    };
    Ok(types)
}

fn is_descending(group: &Group<'_>) -> bool {
    let flags = group.columns.get(2).and_then(|flags| flags.as_boolean_opt().cloned());
    flags.is_some_and(|flags| !flags.is_empty() && flags.value(0))
}

fn interpolated(
    group: &Group<'_>,
    frequencies: Option<&ArrayRef>,
    descending: bool,
) -> Result<ScalarValue> {
    let ranked = Ranked::new(group, frequencies, descending)?;
    each_percentage(group, |percentage| ranked.between(group, percentage))
}

/// What `one` gives for the percentage, or for each of an array.
fn each_percentage(
    group: &Group<'_>,
    one: impl Fn(f64) -> Result<ScalarValue>,
) -> Result<ScalarValue> {
    let checked = |percentage: f64| {
        if !(0.0..=1.0).contains(&percentage) {
            let condition = "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE";
            let message = format!("the percentage {percentage} is not between 0 and 1");
            return Err(Failure::new(condition, message).into());
        }
        one(percentage)
    };
    match group.constant(1)? {
        Some(ScalarValue::Float64(Some(percentage))) => checked(percentage),
        Some(ScalarValue::List(list)) if !group.known(0).is_empty() => {
            let percentages = list.values().as_primitive::<Float64Type>().clone();
            let values = percentages.iter().flatten().map(checked);
            let values = ScalarValue::iter_to_array(values.collect::<Result<Vec<_>>>()?)?;
            Ok(SingleRowListArrayBuilder::new(values).build_list_scalar())
        }
        _ => group.null(),
    }
}

/// The rows in the order of their values, and how many values there are up to each.
struct Ranked {
    rows: Vec<usize>,
    up_to: Vec<i64>,
    total: i64,
}

impl Ranked {
    fn new(group: &Group<'_>, frequencies: Option<&ArrayRef>, descending: bool) -> Result<Self> {
        let keys = Keys::new(&group.columns[0])?;
        let mut rows = group.known(0);
        rows.sort_by(|a, b| keys.get(*a).cmp(&keys.get(*b)));
        if descending {
            rows.reverse();
        }
        let mut total = 0;
        let mut up_to = Vec::with_capacity(rows.len());
        for row in &rows {
            total += match frequencies {
                None => 1,
                Some(counts) if counts.is_null(*row) => 0,
                Some(counts) => match counts.as_primitive::<Int64Type>().value(*row) {
                    count if count < 0 => {
                        let message = format!("a value occurs {count} times");
                        return Err(Failure::new(
                            "NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION",
                            message,
                        )
                        .hint("give frequencies from 0")
                        .into());
                    }
                    count => count,
                },
            };
            up_to.push(total);
        }
        Ok(Self { rows, up_to, total })
    }

    /// The row of a value by its place from zero.
    fn row_at(&self, place: i64) -> Option<usize> {
        let at = self.up_to.partition_point(|up_to| *up_to <= place);
        self.rows.get(at).copied()
    }

    /// The value at a percentage of the way, between two neighbours if need be.
    fn between(&self, group: &Group<'_>, percentage: f64) -> Result<ScalarValue> {
        let place = percentage * (self.total - 1).max(0) as f64;
        let (lower, higher) = (place.floor(), place.ceil());
        let rows = (self.row_at(lower as i64), self.row_at(higher as i64));
        let (Some(low_row), Some(high_row)) = rows else {
            return ScalarValue::try_new_null(&result_type(
                "percentile",
                group.columns[0].data_type(),
            )?);
        };
        let (low, high) = (number(group, low_row)?, number(group, high_row)?);
        let value = match lower == higher || low == high {
            true => low,
            false => low + (place - lower) * (high - low),
        };
        of_number(value, group.columns[0].data_type())
    }
}

fn number(group: &Group<'_>, row: usize) -> Result<f64> {
    let value = group.columns[0].slice(row, 1);
    let value = match value.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            Arc::new(value.as_primitive::<IntervalYearMonthType>().reinterpret_cast::<Int32Type>())
        }
        DataType::Duration(_) => cast(&value, &DataType::Int64)?,
        _ => value,
    };
    Ok(cast(&value, &DataType::Float64)?.as_primitive::<Float64Type>().value(0))
}

fn of_number(value: f64, data_type: &DataType) -> Result<ScalarValue> {
    Ok(match data_type {
        DataType::Interval(_) => ScalarValue::IntervalYearMonth(Some(value as i32)),
        DataType::Duration(_) => ScalarValue::DurationMicrosecond(Some(value as i64)),
        _ => ScalarValue::Float64(Some(value)),
    })
}

fn single(group: &Group<'_>, row: usize) -> Result<ScalarValue> {
    of_number(number(group, row)?, group.columns[0].data_type())
}
