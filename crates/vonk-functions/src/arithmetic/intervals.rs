//! Dates, timestamps, times of day and intervals: what may be added, subtracted, scaled and divided.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Field, Float64Type, Int32Type,
    Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, i256,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

use super::pairs::Pairs;
use super::{Mode, Operator};
use crate::civil::DAY;
use crate::datetime::{Zone, calendar};
use crate::failure::Failure;
use crate::interval::{self, Range, Unit};
use crate::parameters::timestamp;
use crate::types::{self, is_moment};

const MICROS: DataType = DataType::Duration(TimeUnit::Microsecond);
const MONTHS: DataType = DataType::Interval(IntervalUnit::YearMonth);
const CALENDAR: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
const TIME: DataType = DataType::Time64(TimeUnit::Microsecond);

fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

fn is_date(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64)
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Time32(_) | DataType::Time64(_))
}

/// A type of moments or intervals as Spark has it.
fn own(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, Some(_)) => timestamp(),
        DataType::Duration(_) => MICROS,
        DataType::Interval(IntervalUnit::DayTime) => CALENDAR,
        DataType::Time32(_) | DataType::Time64(_) => TIME,
        float if float.is_floating() => DataType::Float64,
        whole if whole.is_integer() => DataType::Int64,
        text if text.is_string() => DataType::Float64,
        DataType::Null => DataType::Int64,
        other => other.clone(),
    }
}

/// The types of both operands, if moments or intervals are among them and Spark knows the pair.
pub(super) fn operands(
    operator: Operator,
    left: &DataType,
    right: &DataType,
) -> Option<(DataType, DataType)> {
    use Operator::{Add, Divide, IntegerDivide, Multiply, Subtract};
    let is_number = |t: &DataType| t.is_numeric() || t.is_string() || t.is_null();
    let is_loose = |t: &DataType| t.is_string() || t.is_null();
    let pair = match (operator, left, right) {
        (Add | Subtract, l, r) if is_moment(l) && is_interval(r) => (own(l), own(r)),
        (Add, l, r) if is_interval(l) && is_moment(r) => (own(l), own(r)),
        (Add | Subtract, l, r) if is_time(l) && is_interval(r) => (TIME, MICROS),
        (Add, l, r) if is_interval(l) && is_time(r) => (MICROS, TIME),
        (Subtract, l, r) if is_time(l) && is_time(r) => (TIME, TIME),
        (Add | Subtract, l, DataType::Null) if is_time(l) => (TIME, MICROS),
        (Add, DataType::Null, r) if is_time(r) => (MICROS, TIME),
        (Add | Subtract, l, r) if l.is_string() && is_interval(r) => (timestamp(), own(r)),
        (Add, l, r) if is_interval(l) && r.is_string() => (own(l), timestamp()),
        (Add, l, DataType::Null) if is_moment(l) && !is_date(l) => (own(l), MICROS),
        (Add, DataType::Null, r) if is_moment(r) && !is_date(r) => (MICROS, own(r)),
        (Subtract, l, r) if is_moment(l) && is_moment(r) => moments(l, r),
        (Subtract, l, r) if is_moment(l) && is_loose(r) => (own(l), own(l)),
        (Subtract, l, r) if is_loose(l) && is_moment(r) => (own(r), own(r)),
        (Add | Subtract, l, r) if is_interval(l) && r.is_null() => (own(l), own(l)),
        (Add | Subtract, l, r) if l.is_null() && is_interval(r) => (own(r), own(r)),
        (Add | Subtract | IntegerDivide, l, r) if is_interval(l) && is_interval(r) => {
            let (l, r) = (own(l), own(r));
            return (l == r).then_some((l, r));
        }
        (Multiply | Divide, l, r) if is_interval(l) && is_number(r) => (own(l), own(r)),
        (Multiply, l, r) if is_number(l) && is_interval(r) => (own(l), own(r)),
        _ => return None,
    };
    Some(pair)
}

fn moments(left: &DataType, right: &DataType) -> (DataType, DataType) {
    let (left, right) = (own(left), own(right));
    if left == right {
        return (left, right);
    }
    let is_zoned = |t: &DataType| matches!(t, DataType::Timestamp(_, Some(_)));
    let common = match is_zoned(&left) || is_zoned(&right) {
        true => timestamp(),
        false => DataType::Timestamp(TimeUnit::Microsecond, None),
    };
    (common.clone(), common)
}

/// The field of the result, if moments or intervals are calculated with.
pub(super) fn result(operator: Operator, left: &Field, right: &Field) -> Option<Field> {
    let (l, r) = (left.data_type(), right.data_type());
    let days = Range::new(Unit::Day, Unit::Day);
    let plain = |data_type: &DataType| Field::new("", data_type.clone(), true);
    let moved = |moment: &DataType, by: &Field| match (moment, by.data_type()) {
        // Whole days leave a date a date.
        (DataType::Date32, DataType::Duration(_)) if Range::of(by) != Some(days) => {
            plain(&timestamp())
        }
        (moment, _) => plain(moment),
    };
    Some(match (l, r) {
        (l, r) if !is_interval(l) && !is_interval(r) => match (l, r) {
            (DataType::Date32, DataType::Date32) => days.field(""),
            (l, r) if is_moment(l) && is_moment(r) => interval::DAY_TO_SECOND.field(""),
            (l, r) if is_time(l) && is_time(r) => Range::new(Unit::Hour, Unit::Second).field(""),
            _ => return None,
        },
        (l, _) if is_moment(l) => moved(l, right),
        (_, r) if is_moment(r) => moved(r, left),
        (l, _) if is_time(l) => plain(l),
        (_, r) if is_time(r) => plain(r),
        (l, r) if is_interval(l) && is_interval(r) => match operator {
            Operator::IntegerDivide => plain(&DataType::Int64),
            _ => match (Range::of(left), Range::of(right)) {
                (Some(left), Some(right)) => left.union(right).field(""),
                _ => plain(l),
            },
        },
        (l, r) => plain(if is_interval(l) { l } else { r }),
    })
}

/// What a calculation needs to know besides its operands.
pub(super) struct Context<'a> {
    pub(super) operator: Operator,
    pub(super) mode: Mode,
    pub(super) zone: Zone,
    pub(super) returns: &'a DataType,
}

/// Calculates with operands of which one at least is a moment, a time or an interval.
pub(super) fn calculate(context: &Context<'_>, pairs: &Pairs<'_>) -> Result<ColumnarValue> {
    let is_constant =
        matches!((pairs.left, pairs.right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
    let rows = if is_constant { 1 } else { pairs.rows };
    let (left, right) = (Side::new(pairs.left, rows)?, Side::new(pairs.right, rows)?);
    let mut amounts = Vec::with_capacity(rows);
    for row in 0..rows {
        let amount = match (left.value(row), right.value(row)) {
            (Some(left), Some(right)) => match context.one(left, right) {
                Ok(amount) => Some(amount),
                Err(_) if context.mode == Mode::Try => None,
                // Outside of ANSI a division by zero was NULL.
                Err(error)
                    if context.mode == Mode::Legacy
                        && error.condition == "INTERVAL_DIVIDED_BY_ZERO" =>
                {
                    None
                }
                Err(error) => return Err(error.into()),
            },
            _ => None,
        };
        amounts.push(amount);
    }
    let array = of_type(amounts, context.returns)?;
    match is_constant {
        true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)),
        false => Ok(ColumnarValue::Array(array)),
    }
}

/// A value of an operand.
#[derive(Debug, Clone, Copy)]
enum Value {
    Days(i64),
    /// Microseconds since 1970, and whether they are on the clock of the session's zone.
    Moment(i64, bool),
    Time(i64),
    Months(i64),
    Micros(i64),
    Calendar(i64, i64, i64),
    Whole(i64),
    Decimal(i128, i8),
    Float(f64),
}

struct Side {
    array: ArrayRef,
}

impl Side {
    fn new(value: &ColumnarValue, rows: usize) -> Result<Self> {
        let array = value.to_array(rows)?;
        let own = own(array.data_type());
        let array = if *array.data_type() == own { array } else { cast(&array, &own)? };
        Ok(Self { array })
    }

    fn value(&self, row: usize) -> Option<Value> {
        let array = &self.array;
        if array.is_null(row) {
            return None;
        }
        Some(match array.data_type() {
            DataType::Date32 => Value::Days(array.as_primitive::<Date32Type>().value(row).into()),
            DataType::Timestamp(_, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                Value::Moment(micros, zone.is_some())
            }
            DataType::Time64(_) => {
                Value::Time(array.as_primitive::<Time64MicrosecondType>().value(row))
            }
            DataType::Interval(IntervalUnit::YearMonth) => {
                Value::Months(array.as_primitive::<IntervalYearMonthType>().value(row).into())
            }
            DataType::Duration(_) => {
                Value::Micros(array.as_primitive::<DurationMicrosecondType>().value(row))
            }
            DataType::Interval(_) => {
                let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                let (months, days) = (i64::from(value.months), i64::from(value.days));
                Value::Calendar(months, days, value.nanoseconds / 1000)
            }
            DataType::Decimal128(_, scale) => {
                Value::Decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
            }
            DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
            DataType::Int32 => Value::Whole(array.as_primitive::<Int32Type>().value(row).into()),
            _ => Value::Whole(array.as_primitive::<Int64Type>().value(row)),
        })
    }
}

/// A result before it gets its type: one number, or the three of a calendar interval.
type Amount = (i64, i64, i64);

fn single(amount: i64) -> Amount {
    (amount, 0, 0)
}

impl Context<'_> {
    fn one(&self, left: Value, right: Value) -> Result<Amount, Failure> {
        use Value::{Calendar, Days, Micros, Moment, Months, Time};
        let sign = if self.operator == Operator::Subtract { -1 } else { 1 };
        let is_scaling = matches!(self.operator, Operator::Multiply | Operator::Divide);
        match (left, right) {
            (Days(a), Days(b)) => Ok(single((a - b).saturating_mul(DAY))),
            (Moment(a, zoned), Moment(b, _)) => {
                let local = |micros| if zoned { self.zone.to_local(micros) } else { micros };
                local(a).checked_sub(local(b)).map(single).ok_or_else(|| self.overflow())
            }
            (Time(a), Time(b)) => Ok(single(a - b)),
            (Months(a), Months(b)) | (Micros(a), Micros(b)) => self.alike(a, b),
            (Calendar(a, b, c), Calendar(d, e, f)) => {
                let sum = |x: i64, y: i64| x.checked_add(sign * y).ok_or_else(|| self.overflow());
                Ok((sum(a, d)?, sum(b, e)?, sum(c, f)?))
            }
            (interval, number) if is_scaling => match (interval, number) {
                (Months(_) | Micros(_) | Calendar(..), _) => self.scaled(interval, number),
                _ => self.scaled(number, interval),
            },
            (Months(_) | Micros(_) | Calendar(..), moment) => self.moved(moment, left, 1),
            (moment, interval) => self.moved(moment, interval, sign),
        }
    }

    fn alike(&self, a: i64, b: i64) -> Result<Amount, Failure> {
        let amount = match self.operator {
            Operator::Subtract => a.checked_sub(b),
            Operator::IntegerDivide if b == 0 => return Err(by_zero()),
            Operator::IntegerDivide => a.checked_div(b),
            _ => a.checked_add(b),
        };
        let fits = |amount: &i64| *self.returns != MONTHS || i32::try_from(*amount).is_ok();
        amount.filter(fits).map(single).ok_or_else(|| self.overflow())
    }

    /// A moment an interval later, or earlier.
    fn moved(&self, moment: Value, by: Value, sign: i64) -> Result<Amount, Failure> {
        let (months, days, micros) = match by {
            Value::Months(months) => (months, 0, 0),
            Value::Micros(micros) => (0, micros / DAY, micros % DAY),
            Value::Calendar(months, days, micros) => (months, days, micros),
            _ => (0, 0, 0),
        };
        let (months, days, micros) = (sign * months, sign * days, sign * micros);
        let to_moment = *self.returns != DataType::Date32;
        let moved = match moment {
            Value::Days(date) if !to_moment => {
                if matches!(by, Value::Calendar(..)) && micros != 0 && self.mode != Mode::Legacy {
                    return Err(time_on_date());
                }
                let moved = shift(date.saturating_mul(DAY), (months, days, 0), None);
                moved.map(|micros| micros.div_euclid(DAY))
            }
            Value::Days(date) => {
                let micros_of_day = self.zone.to_utc(date.saturating_mul(DAY));
                shift(micros_of_day, (months, days, micros), Some(&self.zone))
            }
            Value::Moment(moment, zoned) => {
                shift(moment, (months, days, micros), zoned.then_some(&self.zone))
            }
            Value::Time(time) => {
                let moved = time + days.saturating_mul(DAY) + micros;
                (0..DAY).contains(&moved).then_some(moved)
            }
            _ => None,
        };
        moved.map(single).ok_or_else(past_calendar)
    }

    /// An interval times a number, or divided by it, half rounded away from zero.
    fn scaled(&self, interval: Value, number: Value) -> Result<Amount, Failure> {
        let is_zero = match number {
            Value::Whole(number) => number == 0,
            Value::Decimal(number, _) => number == 0,
            Value::Float(number) => number == 0.0,
            _ => false,
        };
        if self.operator == Operator::Divide && is_zero {
            return Err(by_zero());
        }
        let scale = |amount: i64| self.scaled_amount(amount, number).ok_or_else(|| self.overflow());
        match interval {
            Value::Months(months) => {
                let months = scale(months)?;
                i32::try_from(months).map_err(|_| self.overflow())?;
                Ok(single(months))
            }
            Value::Calendar(months, days, micros) => {
                Ok((scale(months)?, scale(days)?, scale(micros)?))
            }
            Value::Micros(micros) => scale(micros).map(single),
            _ => Err(self.overflow()),
        }
    }

    fn scaled_amount(&self, amount: i64, number: Value) -> Option<i64> {
        let divides = self.operator == Operator::Divide;
        let (numerator, denominator) = match number {
            Value::Float(number) => {
                let exact = if divides { amount as f64 / number } else { amount as f64 * number };
                let rounded = exact.round();
                let fits = rounded.abs() < 9_223_372_036_854_775_808.0;
                return fits.then_some(rounded as i64);
            }
            Value::Whole(number) => (i256::from_i128(number.into()), i256::ONE),
            Value::Decimal(number, scale) => {
                let power = i256::from_i128(10).wrapping_pow(u32::try_from(scale).unwrap_or(0));
                (i256::from_i128(number), power)
            }
            _ => return None,
        };
        let amount = i256::from_i128(amount.into());
        let (numerator, denominator) =
            if divides { (denominator, numerator) } else { (numerator, denominator) };
        let exact = super::decimals::divide(amount.checked_mul(numerator)?, denominator);
        exact.to_i128().and_then(|amount| i64::try_from(amount).ok())
    }

    fn overflow(&self) -> Failure {
        let (condition, hint) = match self.operator {
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide => (
                "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION",
                format!("use `{}` to get NULL instead", self.operator.hint_name()),
            ),
            _ => ("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "use shorter ones".to_owned()),
        };
        Failure::new(condition, "interval overflow").hint(hint)
    }
}

/// A moment moved by months and days on the clock of a zone, then by microseconds of real time.
fn shift(moment: i64, (months, days, micros): Amount, zone: Option<&Zone>) -> Option<i64> {
    let mut moved = moment;
    if months != 0 || days != 0 {
        let mut local = zone.map_or(moment, |zone| zone.to_local(moment));
        if months != 0 {
            local = calendar::add_months_to_micros(local, i32::try_from(months).ok()?)?;
        }
        local = local.checked_add(days.checked_mul(DAY)?)?;
        moved = match zone {
            Some(zone) => zone.to_utc_near(local, Some(zone.offset_at(moment))),
            None => local,
        };
    }
    moved.checked_add(micros)
}

/// The results as a column.
fn of_type(amounts: Vec<Option<Amount>>, data_type: &DataType) -> Result<ArrayRef> {
    if *data_type == CALENDAR {
        let values = amounts.into_iter().map(|amount| {
            amount.map(|(months, days, micros)| {
                IntervalMonthDayNano::new(months as i32, days as i32, micros.saturating_mul(1000))
            })
        });
        return Ok(Arc::new(values.collect::<PrimitiveArray<IntervalMonthDayNanoType>>()));
    }
    let amounts: PrimitiveArray<Int64Type> =
        amounts.into_iter().map(|amount| amount.map(|(amount, ..)| amount)).collect();
    Ok(match data_type {
        DataType::Date32 => Arc::new(amounts.unary::<_, Date32Type>(|days| days as i32)),
        DataType::Timestamp(..) => {
            let moments = amounts.unary::<_, TimestampMicrosecondType>(|micros| micros);
            Arc::new(moments.with_data_type(data_type.clone()))
        }
        DataType::Time64(_) => Arc::new(amounts.unary::<_, Time64MicrosecondType>(|micros| micros)),
        DataType::Duration(_) => {
            Arc::new(amounts.unary::<_, DurationMicrosecondType>(|micros| micros))
        }
        DataType::Interval(_) => {
            Arc::new(amounts.unary::<_, IntervalYearMonthType>(|months| months as i32))
        }
        _ => Arc::new(amounts),
    })
}

fn by_zero() -> Failure {
    Failure::new("INTERVAL_DIVIDED_BY_ZERO", "an interval is divided by zero")
        .hint("use `try_divide` to get NULL instead")
}

fn time_on_date() -> Failure {
    let message = "an interval with hours or less cannot be added to a date";
    Failure::new("INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION", message)
        .hint("cast the date to a timestamp")
}

fn past_calendar() -> Failure {
    Failure::new("DATETIME_OVERFLOW", "the result is past the end of the calendar")
        .hint("use `try_add` to get NULL instead")
}

/// The field of a type, where no metadata is at hand.
pub(super) fn result_of_types(
    operator: Operator,
    left: &DataType,
    right: &DataType,
) -> Option<DataType> {
    let fields = (types::unnamed(left.clone()), types::unnamed(right.clone()));
    result(operator, &fields.0, &fields.1).map(|field| field.data_type().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civil::SECOND;

    #[test]
    fn months_end_on_the_last_day_and_days_keep_the_clock() {
        let zone = Zone::parse("Europe/Amsterdam").unwrap();
        // 2024-03-30 12:00 there is 11:00 UTC; a day later it is 10:00 UTC, by summer time.
        let noon = 1_711_796_400 * SECOND;
        assert_eq!(shift(noon, (0, 1, 0), Some(&zone)), Some(noon + DAY - 3600 * SECOND));
        assert_eq!(shift(noon, (0, 0, DAY), Some(&zone)), Some(noon + DAY));
        // 2024-01-31 and a month.
        assert_eq!(shift(19_753 * DAY, (1, 0, 0), None), Some(19_782 * DAY));
    }
}
