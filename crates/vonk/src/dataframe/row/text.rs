//! Values as Python writes them, which is how PySpark shows a row.

use std::fmt;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Field, Float32Type, Float64Type, TimestampMicrosecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// `Row(a=1, b='x')`.
pub(super) fn row<F: AsRef<Field>>(
    f: &mut fmt::Formatter<'_>,
    fields: &[F],
    columns: &[ArrayRef],
    index: usize,
) -> fmt::Result {
    f.write_str("Row(")?;
    for (at, (field, column)) in fields.iter().zip(columns).enumerate() {
        let separator = if at > 0 { ", " } else { "" };
        write!(f, "{separator}{}=", field.as_ref().name())?;
        value(f, column, index)?;
    }
    f.write_str(")")
}

fn value(f: &mut fmt::Formatter<'_>, array: &ArrayRef, row: usize) -> fmt::Result {
    if array.is_null(row) || array.data_type().is_null() {
        return f.write_str("None");
    }
    match array.data_type() {
        DataType::Boolean => {
            f.write_str(if array.as_boolean().value(row) { "True" } else { "False" })
        }
        DataType::Float32 => float(f, array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => float(f, array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => string(f, array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => string(f, array.as_string::<i64>().value(row)),
        DataType::Utf8View => string(f, array.as_string_view().value(row)),
        DataType::Binary => binary(f, array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => binary(f, array.as_binary::<i64>().value(row)),
        DataType::BinaryView => binary(f, array.as_binary_view().value(row)),
        DataType::List(_) => list(f, &array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(f, &array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(f, &array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => super::text::row(f, fields, array.as_struct().columns(), row),
        DataType::Map(..) => map(f, array, row),
        DataType::Date32 => match array.as_primitive::<Date32Type>().value_as_date(row) {
            Some(date) => write!(f, "datetime.date({})", date.format("%Y, %-m, %-d")),
            None => plain(f, array, row),
        },
        DataType::Timestamp(..) => timestamp(f, array, row),
        kind if kind.is_decimal() => {
            f.write_str("Decimal('")?;
            plain(f, array, row)?;
            f.write_str("')")
        }
        _ => plain(f, array, row),
    }
}

fn plain(f: &mut fmt::Formatter<'_>, array: &ArrayRef, row: usize) -> fmt::Result {
    let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::new());
    match formatter {
        Ok(formatter) => write!(f, "{}", formatter.value(row)),
        Err(_) => write!(f, "<{}>", array.data_type()),
    }
}

/// A number with a point or an exponent, so that it is not taken for a whole one.
fn float(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    if number.is_nan() {
        return f.write_str("nan");
    }
    let magnitude = number.abs();
    if magnitude.is_finite() && magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        return write!(f, "{digits}e{sign}{exponent:0>2}");
    }
    write!(f, "{number:?}")
}

fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    write!(f, "{quote}")?;
    for letter in text.chars() {
        match letter {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\\' => f.write_str("\\\\")?,
            letter if letter == quote => write!(f, "\\{letter}")?,
            letter if letter.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(letter))?,
            letter => write!(f, "{letter}")?,
        }
    }
    write!(f, "{quote}")
}

fn binary(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("bytearray(b'")?;
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
            0x20..0x7f => write!(f, "{}", char::from(*byte))?,
            _ => write!(f, "\\x{byte:02x}")?,
        }
    }
    f.write_str("')")
}

fn list(f: &mut fmt::Formatter<'_>, items: &ArrayRef) -> fmt::Result {
    f.write_str("[")?;
    for item in 0..items.len() {
        f.write_str(if item > 0 { ", " } else { "" })?;
        value(f, items, item)?;
    }
    f.write_str("]")
}

fn map(f: &mut fmt::Formatter<'_>, array: &ArrayRef, row: usize) -> fmt::Result {
    let entries = array.as_map().value(row);
    f.write_str("{")?;
    for entry in 0..entries.len() {
        f.write_str(if entry > 0 { ", " } else { "" })?;
        value(f, entries.column(0), entry)?;
        f.write_str(": ")?;
        value(f, entries.column(1), entry)?;
    }
    f.write_str("}")
}

fn timestamp(f: &mut fmt::Formatter<'_>, array: &ArrayRef, row: usize) -> fmt::Result {
    let Some(micros) = array.as_primitive_opt::<TimestampMicrosecondType>() else {
        return plain(f, array, row);
    };
    let Some(time) = micros.value_as_datetime(row) else { return plain(f, array, row) };
    let whole = time.format("%Y, %-m, %-d, %-H, %-M");
    write!(f, "datetime.datetime({whole}")?;
    let (seconds, rest) = (time.format("%-S").to_string(), micros.value(row).rem_euclid(1_000_000));
    match (seconds.as_str(), rest) {
        ("0", 0) => f.write_str(")"),
        (_, 0) => write!(f, ", {seconds})"),
        _ => write!(f, ", {seconds}, {rest})"),
    }
}
