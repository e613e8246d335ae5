//! Values as Spark's `show` writes them: the one text of a value, whatever format it stands in.

use std::fmt::Write;

use arrow::array::{
    Array, AsArray, DurationMicrosecondArray, GenericListArray, MapArray, OffsetSizeTrait,
    StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, Field, IntervalDayTimeType, IntervalMonthDayNanoType,
    IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use arrow::error::ArrowError;
use arrow::util::display::{
    ArrayFormatter, ArrayFormatterFactory, DisplayIndex, FormatOptions, FormatResult,
};

use super::interval;

/// What stands for NULL within nested values.
const NULL: &str = "NULL";

/// How values look that Arrow writes by itself.
const PLAIN: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(false)
    .with_null(NULL)
    .with_datetime_format(Some("%Y-%m-%d"))
    .with_time_format(Some("%H:%M:%S%.f"))
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"));

/// The same with the types that Spark writes in its own way.
const OPTIONS: FormatOptions<'static> = PLAIN.with_formatter_factory(Some(&Spark));

/// Writes the values of an array.
pub(super) fn formatter(array: &dyn Array) -> Result<ArrayFormatter<'_>, ArrowError> {
    Ok(match Spark.create_array_formatter(array, &OPTIONS, None)? {
        Some(formatter) => formatter,
        None => ArrayFormatter::try_new(array, &OPTIONS)?,
    })
}

/// Whether values of a type are times or spans of time, which JSON has as text.
pub(super) fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(..)
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Duration(_)
            | DataType::Interval(_)
    )
}

/// Knows the types that Spark writes otherwise than Arrow.
#[derive(Debug)]
struct Spark;

impl ArrayFormatterFactory for Spark {
    fn create_array_formatter<'a>(
        &self,
        array: &'a dyn Array,
        _options: &FormatOptions<'a>,
        _field: Option<&'a Field>,
    ) -> Result<Option<ArrayFormatter<'a>>, ArrowError> {
        Ok(Some(match array.data_type() {
            DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_) => time(array)?,
            DataType::Interval(unit) => span(array, *unit),
            DataType::Duration(_) => duration(array)?,
            DataType::Binary => bytes(array, |row| array.as_binary::<i32>().value(row)),
            DataType::LargeBinary => bytes(array, |row| array.as_binary::<i64>().value(row)),
            DataType::BinaryView => bytes(array, |row| array.as_binary_view().value(row)),
            DataType::FixedSizeBinary(_) => {
                bytes(array, |row| array.as_fixed_size_binary().value(row))
            }
            DataType::List(_) => list::<i32>(array.as_list())?,
            DataType::LargeList(_) => list::<i64>(array.as_list())?,
            DataType::Struct(_) => structure(array.as_struct())?,
            DataType::Map(..) => map(array.as_map())?,
            _ => return Ok(None),
        }))
    }
}

/// A formatter made of a function that writes the value of a row.
struct Values<'a, F> {
    nulls: Option<&'a NullBuffer>,
    write: F,
}

impl<F: Fn(usize, &mut dyn Write) -> FormatResult> DisplayIndex for Values<'_, F> {
    fn write(&self, row: usize, out: &mut dyn Write) -> FormatResult {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(out.write_str(NULL)?);
        }
        (self.write)(row, out)
    }
}

fn values<'a>(
    array: &'a dyn Array,
    write: impl Fn(usize, &mut dyn Write) -> FormatResult + 'a,
) -> ArrayFormatter<'a> {
    ArrayFormatter::new(Box::new(Values { nulls: array.nulls(), write }), false)
}

/// Times with as many digits of the second as they have: `10:00:00.5`, not `10:00:00.500`.
fn time(array: &dyn Array) -> Result<ArrayFormatter<'_>, ArrowError> {
    let plain = ArrayFormatter::try_new(array, &PLAIN)?;
    Ok(values(array, move |row, out| {
        let text = plain.value(row).try_to_string()?;
        let text = if text.contains('.') { text.trim_end_matches('0') } else { &text };
        Ok(out.write_str(text)?)
    }))
}

fn span(array: &dyn Array, unit: IntervalUnit) -> ArrayFormatter<'_> {
    values(array, move |row, out| {
        let text = match unit {
            IntervalUnit::YearMonth => {
                interval::year_month(array.as_primitive::<IntervalYearMonthType>().value(row))
            }
            IntervalUnit::DayTime => {
                let value = array.as_primitive::<IntervalDayTimeType>().value(row);
                interval::calendar(0, value.days, i64::from(value.milliseconds) * 1000)
            }
            IntervalUnit::MonthDayNano => {
                let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                interval::calendar(value.months, value.days, value.nanoseconds / 1000)
            }
        };
        Ok(out.write_str(&text)?)
    })
}

fn duration(array: &dyn Array) -> Result<ArrayFormatter<'_>, ArrowError> {
    let micros = cast(array, &DataType::Duration(TimeUnit::Microsecond))?;
    let micros: DurationMicrosecondArray = micros.as_primitive::<DurationMicrosecondType>().clone();
    Ok(values(array, move |row, out| Ok(out.write_str(&interval::day_time(micros.value(row)))?)))
}

fn bytes<'a>(array: &'a dyn Array, value: impl Fn(usize) -> &'a [u8] + 'a) -> ArrayFormatter<'a> {
    values(array, move |row, out| {
        let write = |out: &mut dyn Write, byte: &u8| Ok(write!(out, "{byte:02X}")?);
        enclosed(out, ['[', ']'], " ", value(row), write)
    })
}

fn list<O: OffsetSizeTrait>(array: &GenericListArray<O>) -> Result<ArrayFormatter<'_>, ArrowError> {
    let items = formatter(array.values().as_ref())?;
    let offsets = array.value_offsets();
    Ok(values(array, move |row, out| {
        let range = offsets[row].as_usize()..offsets[row + 1].as_usize();
        enclosed(out, ['[', ']'], ", ", range, |out, item| Ok(items.value(item).write(out)?))
    }))
}

fn structure(array: &StructArray) -> Result<ArrayFormatter<'_>, ArrowError> {
    let columns = array.columns().iter();
    let fields = columns.map(|column| formatter(column.as_ref())).collect::<Result<Vec<_>, _>>()?;
    Ok(values(array, move |row, out| {
        enclosed(out, ['{', '}'], ", ", &fields, |out, field| Ok(field.value(row).write(out)?))
    }))
}

fn map(array: &MapArray) -> Result<ArrayFormatter<'_>, ArrowError> {
    let keys = formatter(array.keys().as_ref())?;
    let items = formatter(array.values().as_ref())?;
    let offsets = array.value_offsets();
    Ok(values(array, move |row, out| {
        let range = offsets[row]..offsets[row + 1];
        enclosed(out, ['{', '}'], ", ", range, |out, entry| {
            let entry = usize::try_from(entry).unwrap_or_default();
            keys.value(entry).write(out)?;
            out.write_str(" -> ")?;
            Ok(items.value(entry).write(out)?)
        })
    }))
}

/// Writes items between two marks, with a separator.
fn enclosed<T>(
    out: &mut dyn Write,
    [open, close]: [char; 2],
    separator: &str,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut dyn Write, T) -> FormatResult,
) -> FormatResult {
    out.write_char(open)?;
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.write_str(separator)?;
        }
        write(out, item)?;
    }
    Ok(out.write_char(close)?)
}
