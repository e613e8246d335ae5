//! `date_part(field, source)` and `extract(field FROM source)`: a field of a date, time or interval.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Int8Type, Int32Type,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
};
use chrono::Datelike;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar::{self, MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::datetime::rows as moments;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Any, Kind::Extractable]);
    Kernel::by_value("date_part", parameters, returns, call).udf()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    YearOfWeek,
    Quarter,
    Month,
    Week,
    Day,
    DayOfWeek,
    DayOfWeekIso,
    DayOfYear,
    Hour,
    Minute,
    Second,
}

/// What a part is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Moment,
    Time,
    Months,
    Micros,
    Calendar,
}

/// A part, its names, and the sources that have it.
struct Row(Part, &'static [&'static str], &'static [Source]);

const DATES: &[Source] = &[Source::Moment];
const WITH_MONTHS: &[Source] = &[Source::Moment, Source::Months, Source::Calendar];
const WITH_DAYS: &[Source] = &[Source::Moment, Source::Micros, Source::Calendar];
const WITH_TIME: &[Source] = &[Source::Moment, Source::Time, Source::Micros, Source::Calendar];

const PARTS: &[Row] = &[
    Row(Part::Year, &["YEAR", "Y", "YEARS", "YR", "YRS"], WITH_MONTHS),
    Row(Part::YearOfWeek, &["YEAROFWEEK"], DATES),
    Row(Part::Quarter, &["QUARTER", "QTR"], DATES),
    Row(Part::Month, &["MONTH", "MON", "MONS", "MONTHS"], WITH_MONTHS),
    Row(Part::Week, &["WEEK", "W", "WEEKS"], DATES),
    Row(Part::Day, &["DAY", "D", "DAYS"], WITH_DAYS),
    Row(Part::DayOfWeek, &["DAYOFWEEK", "DOW"], DATES),
    Row(Part::DayOfWeekIso, &["DAYOFWEEK_ISO", "DOW_ISO"], DATES),
    Row(Part::DayOfYear, &["DOY"], DATES),
    Row(Part::Hour, &["HOUR", "H", "HOURS", "HR", "HRS"], WITH_TIME),
    Row(Part::Minute, &["MINUTE", "M", "MIN", "MINS", "MINUTES"], WITH_TIME),
    Row(Part::Second, &["SECOND", "S", "SEC", "SECONDS", "SECS"], WITH_TIME),
];

fn source_of(data_type: &DataType) -> Source {
    match data_type {
        DataType::Time64(_) => Source::Time,
        DataType::Interval(IntervalUnit::YearMonth) => Source::Months,
        DataType::Duration(_) => Source::Micros,
        DataType::Interval(_) => Source::Calendar,
        _ => Source::Moment,
    }
}

/// The part that a literal names, if it is not NULL.
fn part_of(field: Option<&ScalarValue>, source: Source) -> Result<Option<Part>, Failure> {
    let Some(field) = field else {
        let message = "the field of `date_part` has to be a constant text";
        return Err(Failure::new("NON_FOLDABLE_ARGUMENT", message)
            .hint("write the field, such as 'YEAR', as text"));
    };
    let Some(name) = field.try_as_str().flatten() else { return Ok(None) };
    let row = PARTS.iter().find(|Row(_, names, sources)| {
        sources.contains(&source) && names.iter().any(|known| known.eq_ignore_ascii_case(name))
    });
    row.map(|Row(part, ..)| Some(*part)).ok_or_else(|| {
        let message = format!("a value of this type has no field `{name}`");
        Failure::new("INVALID_EXTRACT_FIELD", message)
            .hint("name a field such as YEAR, MONTH, DAY, HOUR, MINUTE or SECOND")
    })
}

fn returns(types: &[DataType], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    let source = source_of(&types[1]);
    let part = part_of(constants.first().copied().flatten(), source)?;
    let is_interval = matches!(source, Source::Months | Source::Micros | Source::Calendar);
    Ok(match part {
        None => DataType::Float64,
        Some(Part::Second) => DataType::Decimal128(8, 6),
        Some(Part::Month | Part::Hour | Part::Minute) if is_interval => DataType::Int8,
        Some(_) => DataType::Int32,
    })
}

fn call(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(1)?;
    let source = source_of(array.data_type());
    let Some(part) = part_of(call.constant(0), source)? else {
        return Ok(Arc::new(Float64Array::new_null(call.rows)));
    };
    match source {
        Source::Moment | Source::Time => {
            let locals = moments::locals(call, 1)?;
            numbers(call, |row| of_moment(part, locals.value(row)))
        }
        Source::Months => {
            let months = array.as_primitive::<IntervalYearMonthType>();
            numbers(call, |row| of_interval(part, months.value(row), 0, 0))
        }
        Source::Micros => {
            let micros = array.as_primitive::<DurationMicrosecondType>();
            numbers(call, |row| {
                let micros = micros.value(row);
                of_interval(part, 0, micros / MICROS_PER_DAY, micros % MICROS_PER_DAY)
            })
        }
        Source::Calendar => {
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
            numbers(call, |row| {
                let interval = intervals.value(row);
                let micros = interval.nanoseconds / 1000;
                of_interval(part, interval.months, i64::from(interval.days), micros)
            })
        }
    }
}

/// Numbers of the type that the call returns.
fn numbers(call: &Call<'_>, value: impl Fn(usize) -> i64) -> Result<ArrayRef> {
    match call.returns {
        DataType::Int8 => rows::numbers::<Int8Type>(call, |row| Ok(Some(value(row) as i8))),
        DataType::Int32 => rows::numbers::<Int32Type>(call, |row| Ok(Some(value(row) as i32))),
        _ => rows::numbers::<Decimal128Type>(call, |row| Ok(Some(i128::from(value(row))))),
    }
}

fn of_moment(part: Part, micros: i64) -> i64 {
    let date = calendar::date_of(calendar::day_of_micros(micros));
    let time = calendar::time_of_micros(micros);
    match part {
        Part::Year => i64::from(date.year()),
        Part::YearOfWeek => i64::from(date.iso_week().year()),
        Part::Quarter => i64::from(date.month0() / 3 + 1),
        Part::Month => i64::from(date.month()),
        Part::Week => i64::from(date.iso_week().week()),
        Part::Day => i64::from(date.day()),
        Part::DayOfWeek => i64::from(date.weekday().number_from_sunday()),
        Part::DayOfWeekIso => i64::from(date.weekday().number_from_monday()),
        Part::DayOfYear => i64::from(date.ordinal()),
        Part::Hour => time / MICROS_PER_SECOND / 3600,
        Part::Minute => time / MICROS_PER_SECOND / 60 % 60,
        Part::Second => time % (60 * MICROS_PER_SECOND),
    }
}

/// Fields of an interval have its sign.
fn of_interval(part: Part, months: i32, days: i64, micros: i64) -> i64 {
    match part {
        Part::Year => i64::from(months / 12),
        Part::Month => i64::from(months % 12),
        Part::Day => days,
        Part::Hour => micros % MICROS_PER_DAY / MICROS_PER_SECOND / 3600,
        Part::Minute => micros / MICROS_PER_SECOND / 60 % 60,
        _ => micros % (60 * MICROS_PER_SECOND),
    }
}
