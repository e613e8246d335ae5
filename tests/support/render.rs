//! Values as text, the same on every machine: what expected results are written in.

use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// How expected results show values: `NULL`, and times with a space between date and time.
const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(false)
    .with_null("NULL")
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_datetime_format(Some("%Y-%m-%d %H:%M:%S%.f"));

/// Every row of the batches as texts: NULL is `NULL`, an empty text `(empty)`, floats as short as
/// they read back, lists, structs and maps in Arrow's form, a line end within a text as `\n`.
///
/// # Errors
/// If a value has no text form, such as a timestamp out of range.
pub fn rows(batches: &[RecordBatch]) -> Result<Vec<Vec<String>>, ArrowError> {
    let mut rows = Vec::new();
    for batch in batches {
        let start = rows.len();
        rows.resize_with(start + batch.num_rows(), || Vec::with_capacity(batch.num_columns()));
        for column in batch.columns() {
            append_column(column, &mut rows[start..])?;
        }
    }
    Ok(rows)
}

fn append_column(column: &dyn Array, rows: &mut [Vec<String>]) -> Result<(), ArrowError> {
    let plain = match column.data_type() {
        DataType::Dictionary(_, values) => Some(cast(column, values)?),
        _ => None,
    };
    let column = plain.as_deref().unwrap_or(column);
    let formatter = ArrayFormatter::try_new(column, &FORMAT)?;
    for (index, row) in rows.iter_mut().enumerate() {
        let text = formatter.value(index).try_to_string()?;
        row.push(if text.is_empty() { "(empty)".to_owned() } else { text.replace('\n', "\\n") });
    }
    Ok(())
}

/// The letter of a column's type in a `query` line: T text, I integer, R float, P decimal,
/// B boolean, D date, S timestamp, X binary, N null, and `?` for nested types and intervals.
#[must_use]
pub fn type_letter(data_type: &DataType) -> char {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => 'T',
        DataType::Dictionary(_, values) => type_letter(values),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => 'R',
        DataType::Boolean => 'B',
        DataType::Date32 | DataType::Date64 => 'D',
        DataType::Timestamp(..) => 'S',
        DataType::Null => 'N',
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => 'X',
        other if other.is_integer() => 'I',
        other if other.is_decimal() => 'P',
        _ => '?',
    }
}
