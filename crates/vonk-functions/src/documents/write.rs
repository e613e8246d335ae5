//! Values of columns to JSON texts.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int64Type,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, not_impl_err};

use super::json_text::push_text;
use super::moments::Moments;
use crate::types::is_variant;

/// How values are written.
pub(super) struct Writer {
    pub(super) moments: Moments,
    pub(super) ignores_null: bool,
    /// Whether members stand on lines of their own.
    pub(super) pretty: bool,
}

impl Writer {
    /// Writes the value of a row as JSON; the field tells whether a text is a variant, which is JSON.
    pub(super) fn push(
        &self,
        (field, array): (&Field, &ArrayRef),
        row: usize,
        depth: usize,
        output: &mut String,
    ) -> Result<()> {
        if is_null(array, row) {
            output.push_str("null");
            return Ok(());
        }
        match array.data_type() {
            DataType::Struct(fields) => {
                let structs = array.as_struct();
                let members = fields
                    .iter()
                    .zip(structs.columns())
                    .filter(|(_, column)| !self.ignores_null || !is_null(column, row))
                    .map(|(field, column)| (field.name().clone(), field.as_ref(), column, row));
                self.members(members, depth, output)
            }
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                let of_values = array.as_map().entries().fields()[1].as_ref();
                let (keys, values) = (entries.column(0), entries.column(1));
                let names = (0..entries.len()).map(|at| self.key(keys, at));
                let names = names.collect::<Result<Vec<_>>>()?;
                let members = names.into_iter().enumerate();
                let members = members.map(|(at, name)| (name, of_values, values, at));
                self.members(members, depth, output)
            }
            DataType::List(item) => {
                self.items(item, &array.as_list::<i32>().value(row), depth, output)
            }
            DataType::LargeList(item) => {
                self.items(item, &array.as_list::<i64>().value(row), depth, output)
            }
            DataType::FixedSizeList(item, _) => {
                self.items(item, &array.as_fixed_size_list().value(row), depth, output)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let texts = cast(&array.slice(row, 1), &DataType::Utf8View)?;
                let text = texts.as_string_view().value(0);
                match is_variant(field) {
                    true => output.push_str(text),
                    false => push_text(text, output),
                }
                Ok(())
            }
            _ => {
                let mut text = String::new();
                let is_bare = self.leaf(array, row, &mut text)?;
                match is_bare {
                    true => output.push_str(&text),
                    false => push_text(&text, output),
                }
                Ok(())
            }
        }
    }

    fn members<'a>(
        &self,
        members: impl Iterator<Item = (String, &'a Field, &'a ArrayRef, usize)>,
        depth: usize,
        output: &mut String,
    ) -> Result<()> {
        output.push('{');
        let mut is_first = true;
        for (name, field, column, row) in members {
            if !std::mem::take(&mut is_first) {
                output.push(',');
            }
            self.line(depth + 1, output);
            push_text(&name, output);
            output.push_str(if self.pretty { " : " } else { ":" });
            self.push((field, column), row, depth + 1, output)?;
        }
        if !is_first {
            self.line(depth, output);
        }
        output.push('}');
        Ok(())
    }

    fn line(&self, depth: usize, output: &mut String) {
        if self.pretty {
            output.push('\n');
            (0..depth).for_each(|_| output.push_str("  "));
        }
    }

    fn items(
        &self,
        field: &Field,
        items: &ArrayRef,
        depth: usize,
        output: &mut String,
    ) -> Result<()> {
        output.push('[');
        for at in 0..items.len() {
            if at > 0 {
                output.push_str(if self.pretty { ", " } else { "," });
            }
            self.push((field, items), at, depth, output)?;
        }
        output.push(']');
        Ok(())
    }

    /// A key of a map as a name; structs are in brackets.
    fn key(&self, keys: &ArrayRef, row: usize) -> Result<String> {
        let mut name = String::new();
        match keys.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let texts = cast(&keys.slice(row, 1), &DataType::Utf8View)?;
                name.push_str(texts.as_string_view().value(0));
            }
            DataType::Struct(_) => {
                let columns = keys.as_struct().columns();
                let parts = columns.iter().map(|column| self.key(column, row));
                name = format!("[{}]", parts.collect::<Result<Vec<_>>>()?.join(","));
            }
            _ if is_null(keys, row) => name.push_str("null"),
            _ => {
                self.leaf(keys, row, &mut name)?;
            }
        }
        Ok(name)
    }

    /// Writes a value that holds no others, and tells whether JSON has it without quotes.
    pub(super) fn leaf(&self, array: &ArrayRef, row: usize, output: &mut String) -> Result<bool> {
        match array.data_type() {
            DataType::Boolean => {
                output.push_str(if array.as_boolean().value(row) { "true" } else { "false" });
            }
            whole if whole.is_integer() => {
                let numbers = cast(&array.slice(row, 1), &DataType::Int64)?;
                output.push_str(&numbers.as_primitive::<Int64Type>().value(0).to_string());
            }
            DataType::Float32 => {
                let number = array.as_primitive::<Float32Type>().value(row);
                push_float(
                    f64::from(number),
                    &format!("{number:?}"),
                    &format!("{number:E}"),
                    output,
                );
                return Ok(number.is_finite());
            }
            DataType::Float64 => {
                let number = array.as_primitive::<Float64Type>().value(row);
                push_float(number, &format!("{number:?}"), &format!("{number:E}"), output);
                return Ok(number.is_finite());
            }
            DataType::Decimal128(_, _) => {
                output.push_str(&array.as_primitive::<Decimal128Type>().value_as_string(row));
            }
            DataType::Date32 => {
                self.moments.write_date(array.as_primitive::<Date32Type>().value(row), output)?;
                return Ok(false);
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                self.moments.write_timestamp(micros, zone.is_some(), output)?;
                return Ok(false);
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                let micros = array.as_primitive::<Time64MicrosecondType>().value(row);
                self.moments.write_time(micros, output)?;
                return Ok(false);
            }
            DataType::Binary | DataType::BinaryView => {
                let bytes = cast(&array.slice(row, 1), &DataType::BinaryView)?;
                crate::strings::push_base64(bytes.as_binary_view().value(0), output);
                return Ok(false);
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let texts = cast(&array.slice(row, 1), &DataType::Utf8View)?;
                output.push_str(texts.as_string_view().value(0));
                return Ok(false);
            }
            other => return not_impl_err!("values of {other} have no text within a document"),
        }
        Ok(true)
    }
}

/// Whether a row has no value; a column without a type has none at all.
pub(super) fn is_null(array: &ArrayRef, row: usize) -> bool {
    array.data_type().is_null() || array.is_null(row)
}

/// A floating-point number as Java writes it: `1.0`, `1.0E10`, `NaN`.
pub(super) fn push_float(number: f64, plain: &str, scientific: &str, output: &mut String) {
    let magnitude = number.abs();
    let text = match number {
        _ if number.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) => plain.to_owned(),
        _ => match scientific.split_once('E') {
            Some((mantissa, exponent)) if !mantissa.contains('.') => {
                format!("{mantissa}.0E{exponent}")
            }
            _ => scientific.to_owned(),
        },
    };
    output.push_str(&text);
}
