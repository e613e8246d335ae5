//! Generated tables as files, written without the engine that is tested.

use std::fs::{self, File};
use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value as Json, json};
use vonk_tests::BoxError;

use crate::table::Table;
use crate::value::{Kind, Value, date, decimal, timestamp};

/// What stands for NULL in CSV.
pub(crate) const CSV_NULL: &str = "\\N";

/// The rows of a table in two halves, so that it takes two files; an empty table takes one.
fn halves(table: &Table) -> Vec<Table> {
    let (first, second) = table.rows.split_at(table.rows.len() / 2);
    let halves = [first, second].map(|rows| Table { rows: rows.to_vec(), ..table.clone() });
    halves.into_iter().skip(usize::from(first.is_empty())).collect()
}

/// Writes a table as Parquet files into a new folder, two rows to a group.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write_parquet(table: &Table, folder: &Path) -> Result<(), BoxError> {
    fs::create_dir_all(folder)?;
    for (index, half) in halves(table).iter().enumerate() {
        let batch = half.batch()?;
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
        let file = File::create(folder.join(format!("part-{index}.parquet")))?;
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
    }
    Ok(())
}

/// Writes a table as CSV files into a new folder.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write_csv(table: &Table, folder: &Path) -> Result<(), BoxError> {
    fs::create_dir_all(folder)?;
    for (index, half) in halves(table).iter().enumerate() {
        let names: Vec<&str> = half.columns.iter().map(|(name, _)| name.as_str()).collect();
        let mut text = names.join(",") + "\n";
        for row in &half.rows {
            let fields: Vec<String> = row.iter().map(csv_field).collect();
            text += &fields.join(",");
            text.push('\n');
        }
        fs::write(folder.join(format!("part-{index}.csv")), text)?;
    }
    Ok(())
}

fn csv_field(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{text}\""),
        Value::Null => CSV_NULL.to_owned(),
        other => match json_value(other) {
            Json::String(text) => text,
            other => other.to_string(),
        },
    }
}

/// Writes a table as files of JSON lines into a new folder.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write_json(table: &Table, folder: &Path) -> Result<(), BoxError> {
    fs::create_dir_all(folder)?;
    for (index, half) in halves(table).iter().enumerate() {
        let mut text = String::new();
        for row in &half.rows {
            let columns = half.columns.iter().zip(row);
            let fields: Map<String, Json> =
                columns.map(|((name, _), value)| (name.clone(), json_value(value))).collect();
            text += &Json::Object(fields).to_string();
            text.push('\n');
        }
        fs::write(folder.join(format!("part-{index}.json")), text)?;
    }
    Ok(())
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(number) => json!(number),
        Value::Double(number) if number.is_finite() => json!(number),
        Value::Double(number) if number.is_nan() => json!("NaN"),
        Value::Double(number) => json!(if *number > 0.0 { "Infinity" } else { "-Infinity" }),
        // Its digits, as a number.
        Value::Decimal(hundredths) => {
            serde_json::from_str(&decimal(*hundredths)).unwrap_or(Json::Null)
        }
        Value::Text(text) => json!(text),
        Value::Date(days) => json!(date(i64::from(*days))),
        Value::Timestamp(seconds) => json!(timestamp(*seconds).replace(' ', "T")),
        Value::List(items) => json!(items),
        Value::Struct(x, s) => json!({ "x": x, "s": s }),
    }
}

/// Whether a table has a column that CSV has no form for.
pub(crate) fn is_nested(table: &Table) -> bool {
    table.columns.iter().any(|(_, kind): &(String, Kind)| kind.is_nested())
}
