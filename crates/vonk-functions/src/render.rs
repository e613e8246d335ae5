//! Values as text: the one renderer behind CAST to STRING, `show()`, and the shell.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, DurationMicrosecondType, Field,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::Result;

use crate::civil::{DAY, HOUR, MINUTE, SECOND, date_of};
use crate::datetime::Zone;
use crate::interval::{self, Range};
use crate::types;

mod json;

pub use json::JsonValues;

/// How the values are written that have more than one form.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// What stands for NULL within nested values.
    pub null: &'static str,
    /// Whether bytes are numbers, `[41 42]`, or read as UTF-8.
    pub bytes_as_hex: bool,
    /// The zone whose clock timestamps are shown by.
    pub zone: Zone,
}

impl Style {
    /// As CAST to STRING writes.
    pub fn cast(zone: Zone) -> Self {
        Self { null: "null", bytes_as_hex: false, zone }
    }

    /// As `show()` and the shell write.
    pub fn show(zone: Zone) -> Self {
        Self { null: "NULL", bytes_as_hex: true, zone }
    }
}

/// Writes the values of one column; types that Spark does not have are made Spark's once.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{ArrayRef, Float64Array};
/// use arrow::datatypes::{DataType, Field};
/// use vonk_functions::{datetime::Zone, render::{Renderer, Style}};
/// let values: ArrayRef = Arc::new(Float64Array::from(vec![1e10, 0.5]));
/// let field = Field::new("x", DataType::Float64, true);
/// let renderer = Renderer::new(&values, &field, Style::show(Zone::Fixed(0))).unwrap();
/// assert_eq!(renderer.text(0), "1.0E10");
/// assert_eq!(renderer.text(1), "0.5");
/// ```
#[derive(Debug)]
pub struct Renderer {
    array: ArrayRef,
    children: Vec<Renderer>,
    range: Range,
    style: Style,
}

impl Renderer {
    /// A renderer for a column and its field, whose metadata may name its type.
    ///
    /// # Errors
    /// None for the types that a query gives.
    pub fn new(array: &ArrayRef, field: &Field, style: Style) -> Result<Self> {
        let array = match spark_type(array.data_type()) {
            Some(data_type) => cast(array, &data_type)?,
            None => ArrayRef::clone(array),
        };
        let child = |array: &ArrayRef, field: &Field| Renderer::new(array, field, style);
        let children = match array.data_type() {
            DataType::List(item) => vec![child(array.as_list::<i32>().values(), item)?],
            DataType::LargeList(item) => vec![child(array.as_list::<i64>().values(), item)?],
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns().iter().zip(fields);
                columns.map(|(column, field)| child(column, field)).collect::<Result<_>>()?
            }
            DataType::Map(entries, _) => {
                let (keys, values) = (array.as_map().keys(), array.as_map().values());
                match entries.data_type() {
                    DataType::Struct(fields) if fields.len() == 2 => {
                        vec![child(keys, &fields[0])?, child(values, &fields[1])?]
                    }
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        };
        let range = Range::of(field).unwrap_or(interval::DAY_TO_SECOND);
        Ok(Self { array, children, range, style })
    }

    /// The text of a row; NULL as the style has it.
    pub fn text(&self, row: usize) -> String {
        let mut text = String::new();
        self.write(row, &mut text);
        text
    }

    /// Writes the text of a row; NULL as the style has it.
    pub fn write(&self, row: usize, out: &mut String) {
        if self.array.is_null(row) || self.array.data_type().is_null() {
            out.push_str(self.style.null);
        } else if self.children.is_empty() {
            self.write_leaf(row, out);
        } else {
            self.write_nested(row, out);
        }
    }

    fn write_nested(&self, row: usize, out: &mut String) {
        match self.array.data_type() {
            DataType::List(_) => {
                let offsets = self.array.as_list::<i32>().value_offsets();
                self.write_items(offsets[row] as usize..offsets[row + 1] as usize, out);
            }
            DataType::LargeList(_) => {
                let offsets = self.array.as_list::<i64>().value_offsets();
                self.write_items(offsets[row] as usize..offsets[row + 1] as usize, out);
            }
            DataType::Map(..) => {
                let offsets = self.array.as_map().value_offsets();
                let entries = offsets[row] as usize..offsets[row + 1] as usize;
                enclosed(out, ['{', '}'], entries, |entry, out| {
                    self.children[0].write(entry, out);
                    out.push_str(" -> ");
                    self.children[1].write(entry, out);
                });
            }
            _ => enclosed(out, ['{', '}'], &self.children, |field, out| field.write(row, out)),
        }
    }

    fn write_items(&self, items: std::ops::Range<usize>, out: &mut String) {
        enclosed(out, ['[', ']'], items, |item, out| self.children[0].write(item, out));
    }

    fn write_leaf(&self, row: usize, out: &mut String) {
        let array = &self.array;
        match array.data_type() {
            DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
            DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
            DataType::Boolean => write_display(out, array.as_boolean().value(row)),
            DataType::Int8 => write_display(out, array.as_primitive::<Int8Type>().value(row)),
            DataType::Int16 => write_display(out, array.as_primitive::<Int16Type>().value(row)),
            DataType::Int32 => write_display(out, array.as_primitive::<Int32Type>().value(row)),
            DataType::Int64 => write_display(out, array.as_primitive::<Int64Type>().value(row)),
            DataType::Float32 => float32(out, array.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => float64(out, array.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(..) => {
                out.push_str(&array.as_primitive::<Decimal128Type>().value_as_string(row));
            }
            DataType::Decimal256(..) => {
                out.push_str(&array.as_primitive::<Decimal256Type>().value_as_string(row));
            }
            DataType::Date32 => date(out, array.as_primitive::<Date32Type>().value(row).into()),
            DataType::Timestamp(_, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                let is_local = zone.is_none();
                timestamp(out, if is_local { micros } else { self.style.zone.to_local(micros) });
            }
            DataType::Time64(_) => {
                time(out, array.as_primitive::<Time64MicrosecondType>().value(row));
            }
            DataType::BinaryView => self.write_bytes(array.as_binary_view().value(row), out),
            DataType::Binary => self.write_bytes(array.as_binary::<i32>().value(row), out),
            DataType::Interval(_) | DataType::Duration(_) => self.write_interval(row, out),
            // An empty struct has no children.
            DataType::Struct(_) => out.push_str("{}"),
            _ => {}
        }
    }

    fn write_interval(&self, row: usize, out: &mut String) {
        let array = &self.array;
        out.push_str(&match array.data_type() {
            DataType::Interval(IntervalUnit::YearMonth) => interval::year_month(
                array.as_primitive::<IntervalYearMonthType>().value(row),
                self.range,
            ),
            DataType::Interval(IntervalUnit::DayTime) => {
                let value = array.as_primitive::<IntervalDayTimeType>().value(row);
                interval::calendar(0, value.days, i64::from(value.milliseconds) * 1000)
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                interval::calendar(value.months, value.days, value.nanoseconds / 1000)
            }
            _ => interval::day_time(
                array.as_primitive::<DurationMicrosecondType>().value(row),
                self.range,
            ),
        });
    }

    fn write_bytes(&self, bytes: &[u8], out: &mut String) {
        if !self.style.bytes_as_hex {
            out.push_str(&String::from_utf8_lossy(bytes));
            return;
        }
        out.push('[');
        for (at, byte) in bytes.iter().enumerate() {
            let separator = if at > 0 { " " } else { "" };
            write_display(out, format_args!("{separator}{byte:02X}"));
        }
        out.push(']');
    }
}

/// The type of Spark's that values are made before they are written, if they are not yet.
pub(crate) fn spark_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 => DataType::Utf8View,
        DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::BinaryView,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(TimeUnit::Nanosecond) => {
            DataType::Time64(TimeUnit::Microsecond)
        }
        DataType::Timestamp(unit, zone) if *unit != TimeUnit::Microsecond => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        DataType::Duration(unit) if *unit != TimeUnit::Microsecond => {
            DataType::Duration(TimeUnit::Microsecond)
        }
        DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => DataType::List(item.clone()),
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        DataType::RunEndEncoded(_, value) => value.data_type().clone(),
        _ => return None,
    })
}

/// The texts of a column as CAST to STRING writes them.
pub(crate) fn texts(array: &ArrayRef, field: &Field, zone: Zone) -> Result<ArrayRef> {
    let renderer = Renderer::new(array, field, Style::cast(zone))?;
    let mut texts = arrow::array::StringViewBuilder::with_capacity(array.len());
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) || array.data_type().is_null() {
            texts.append_null();
            continue;
        }
        text.clear();
        renderer.write(row, &mut text);
        texts.append_value(&text);
    }
    Ok(std::sync::Arc::new(texts.finish()))
}

fn enclosed<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push(close);
}

/// Writing to a `String` does not fail.
fn write_display(out: &mut String, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

macro_rules! float {
    ($(#[$doc:meta])* $name:ident, $native:ty) => {
        $(#[$doc])*
        pub fn $name(out: &mut String, value: $native) {
            if value.is_nan() {
                out.push_str("NaN");
            } else if value.is_infinite() {
                out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
            } else if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
                write_display(out, format_args!("{value:?}"));
            } else {
                let text = format!("{value:e}");
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let point = if digits.contains('.') { "" } else { ".0" };
                write_display(out, format_args!("{digits}{point}E{exponent}"));
            }
        }
    };
}

float!(
    /// Writes a float as Java does: `1.0`, `1.0E10`, `NaN`, `-Infinity`.
    float32, f32
);
float!(
    /// Writes a double as Java does: `1.0`, `1.0E10`, `NaN`, `-Infinity`.
    float64, f64
);

/// Writes a date: `2024-02-29`, `+10000-01-01`, `-0001-12-31`.
pub(crate) fn date(out: &mut String, days: i64) {
    let (year, month, day) = date_of(days);
    let sign = match year {
        10_000.. => "+",
        ..0 => "-",
        _ => "",
    };
    write_display(out, format_args!("{sign}{:04}-{month:02}-{day:02}", year.abs()));
}

/// Writes the microseconds of a clock: `2024-02-29 12:34:56.789`.
pub(crate) fn timestamp(out: &mut String, local: i64) {
    date(out, local.div_euclid(DAY));
    out.push(' ');
    time(out, local.rem_euclid(DAY));
}

/// Writes a time of the day: `12:34:56.789`.
pub(crate) fn time(out: &mut String, micros: i64) {
    let (hour, minute) = (micros / HOUR, micros % HOUR / MINUTE);
    let (second, rest) = (micros % MINUTE / SECOND, (micros % SECOND).unsigned_abs());
    let fraction = interval::fraction(rest);
    write_display(out, format_args!("{hour:02}:{minute:02}:{second:02}{fraction}"));
}

/// The text of one value, for messages.
pub(crate) fn one(array: &ArrayRef, row: usize, zone: Zone) -> String {
    let field = types::unnamed(array.data_type().clone());
    let slice = array.slice(row, 1);
    Renderer::new(&slice, &field, Style::cast(zone)).map_or(String::new(), |r| r.text(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_in_java() {
        let cases = [
            (1.0, "1.0"),
            (1e7, "1.0E7"),
            (123_456.789, "123456.789"),
            (1.5e-4, "1.5E-4"),
            (0.001, "0.001"),
            (-0.0, "-0.0"),
            (f64::MAX, "1.7976931348623157E308"),
            (9_999_999.0, "9999999.0"),
        ];
        for (value, text) in cases {
            let mut out = String::new();
            float64(&mut out, value);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn years_past_four_digits_have_a_sign() {
        let mut out = String::new();
        timestamp(&mut out, crate::civil::days_of(10_000, 1, 1).unwrap() * DAY + 1_500_000);
        assert_eq!(out, "+10000-01-01 00:00:01.5");
    }
}
