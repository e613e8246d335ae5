//! `sequence(start, stop[, step])`: the numbers, dates or timestamps from one to another.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, Int64Type, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::lists::{item_of, list, list_of};
use super::{LENGTH_MAX, types};
use crate::datetime::Zone;
use crate::datetime::calendar::{self, MICROS_PER_DAY};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};

/// Spark's `sequence`, with as many items as any array may have.
pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Any, Kind::Any], &[Kind::Any]);
    let returns = |types: &[DataType]| Ok(list_of(types[0].clone()));
    Kernel::new("sequence", parameters, returns, sequences).unifying(unify).udf()
}

fn unify(name: &str, mut arguments: Vec<DataType>) -> Result<Vec<DataType>> {
    let wrong = || {
        let condition = "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES";
        let message = format!(
            "`{name}` goes from a number to a number by a number, or from a date or timestamp to \
             another by an interval"
        );
        Failure::new(condition, message)
    };
    let ends = types::common(&arguments[..2]).ok_or_else(wrong)?;
    match &ends {
        whole if whole.is_integer() => {
            let all = types::common(&arguments).filter(DataType::is_integer).ok_or_else(wrong)?;
            return Ok(vec![all; arguments.len()]);
        }
        DataType::Date32 | DataType::Timestamp(..) => {}
        _ => return Err(wrong().into()),
    }
    let ends = match ends {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone),
        date => date,
    };
    arguments[0] = ends.clone();
    arguments[1] = ends;
    if let Some(step) = arguments.get_mut(2) {
        match step {
            DataType::Interval(IntervalUnit::YearMonth | IntervalUnit::MonthDayNano)
            | DataType::Duration(TimeUnit::Microsecond)
            | DataType::Null => {}
            DataType::Duration(_) => *step = DataType::Duration(TimeUnit::Microsecond),
            _ => return Err(wrong().into()),
        }
    }
    Ok(arguments)
}

/// How far one item is from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    months: i32,
    days: i32,
    micros: i64,
}

impl Step {
    const fn by(micros: i64) -> Self {
        Self { months: 0, days: 0, micros }
    }

    /// About how long it is, to tell its direction and how many items there will be.
    fn length(self) -> i128 {
        let days = i128::from(self.months) * 28 + i128::from(self.days);
        days * i128::from(MICROS_PER_DAY) + i128::from(self.micros)
    }
}

fn sequences(call: &Call<'_>) -> Result<ArrayRef> {
    let item = item_of(call.returns);
    let (starts, stops) = (positions(&call.array(0)?)?, positions(&call.array(1)?)?);
    let steps = (call.count() > 2).then(|| call.array(2)).transpose()?;
    let zone = match &item {
        DataType::Timestamp(_, Some(_)) => Zone::named(call.time_zone())?,
        _ => Zone::UTC,
    };
    let one = |sign: i32| match item.is_integer() {
        true => Step::by(i64::from(sign)),
        false => Step { months: 0, days: sign, micros: 0 },
    };
    let (mut items, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let before = items.len();
        let is_open = starts.is_null(row)
            || stops.is_null(row)
            || steps.as_ref().is_some_and(|steps| steps.is_null(row));
        valid.push(!is_open);
        if !is_open {
            let (start, stop) = (starts.value(row), stops.value(row));
            let step = match &steps {
                Some(steps) => step_of(steps, row)?,
                None => one(if start <= stop { 1 } else { -1 }),
            };
            if item == DataType::Date32 && step.micros % MICROS_PER_DAY != 0 {
                let message = "a sequence of dates goes by whole days";
                return Err(Failure::new("INVALID_PARAMETER_VALUE", message).into());
            }
            fill(start, stop, step, &zone, &mut items)?;
        }
        lengths.push(items.len() - before);
    }
    let items = values(items, &item)?;
    let DataType::List(field) = call.returns else {
        return exec_err!("an array is made, not a value of {}", call.returns);
    };
    list(field, lengths, items, Some(valid.into()))
}

/// Numbers as they are, moments in microseconds.
fn positions(array: &ArrayRef) -> Result<Int64Array> {
    Ok(match array.data_type() {
        DataType::Date32 => {
            let days = cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?;
            days.as_primitive::<Int64Type>().unary(|days| days * MICROS_PER_DAY)
        }
        _ => cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone(),
    })
}

fn values(positions: Vec<i64>, item: &DataType) -> Result<ArrayRef> {
    let positions = Int64Array::from(positions);
    Ok(match item {
        DataType::Date32 => {
            let days: Int64Array = positions.unary(|micros| micros.div_euclid(MICROS_PER_DAY));
            cast(&cast(&days, &DataType::Int32)?, item)?
        }
        _ => cast(&(Arc::new(positions) as ArrayRef), item)?,
    })
}

fn step_of(steps: &ArrayRef, row: usize) -> Result<Step> {
    Ok(match steps.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = steps.as_primitive::<IntervalYearMonthType>().value(row);
            Step { months, days: 0, micros: 0 }
        }
        DataType::Interval(_) => {
            let value = steps.as_primitive::<IntervalMonthDayNanoType>().value(row);
            Step { months: value.months, days: value.days, micros: value.nanoseconds / 1000 }
        }
        DataType::Duration(_) => {
            // Whole days are those of the calendar, some of which have 23 hours.
            let micros = steps.as_primitive::<DurationMicrosecondType>().value(row);
            let days = i32::try_from(micros / MICROS_PER_DAY).unwrap_or(i32::MAX);
            Step { months: 0, days, micros: micros - i64::from(days) * MICROS_PER_DAY }
        }
        _ => Step::by(positions(steps)?.value(row)),
    })
}

fn fill(start: i64, stop: i64, step: Step, zone: &Zone, items: &mut Vec<i64>) -> Result<()> {
    let distance = i128::from(stop) - i128::from(start);
    let length = step.length();
    if distance == 0 {
        items.push(start);
        return Ok(());
    }
    if length == 0 || (length > 0) != (distance > 0) {
        let message = "the step of a sequence does not lead from its start to its stop";
        let failure = Failure::new("INVALID_PARAMETER_VALUE", message);
        return Err(failure.hint("give a step of the right sign").into());
    }
    let count = distance / length + 1;
    if count > LENGTH_MAX as i128 {
        let message = format!("a sequence would have {count} items: {LENGTH_MAX} fit");
        return Err(Failure::new("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", message).into());
    }
    let local = zone.to_local(start);
    let is_even = step.months == 0 && step.days == 0;
    for nth in 0.. {
        let next = match is_even {
            true => step.micros.checked_mul(nth).and_then(|far| start.checked_add(far)),
            false => moved(local, step, nth, zone),
        };
        match next {
            Some(next) if (length > 0 && next <= stop) || (length < 0 && next >= stop) => {
                items.push(next);
            }
            _ => break,
        }
    }
    Ok(())
}

/// The `nth` moment after a local one; months are counted from the first, so that a 31st comes back.
fn moved(local: i64, step: Step, nth: i64, zone: &Zone) -> Option<i64> {
    let months = i32::try_from(i64::from(step.months).checked_mul(nth)?).ok()?;
    let days = i64::from(step.days).checked_mul(nth)?.checked_mul(MICROS_PER_DAY)?;
    let day = calendar::add_months_to_micros(local, months)?.checked_add(days)?;
    zone.to_utc(day).checked_add(step.micros.checked_mul(nth)?)
}
