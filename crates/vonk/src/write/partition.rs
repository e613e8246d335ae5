//! Hive's layout: rows are split by the values of the partition columns, which name directories.

use std::collections::HashMap;
use std::path::PathBuf;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::ScalarValue;

use crate::error::{Condition, Error, Result};

/// The name that stands for NULL and for the empty string, which cannot be a directory's.
const NULL_NAME: &str = "__HIVE_DEFAULT_PARTITION__";

/// Splits batches by the values of some columns, which are taken out of them.
pub(super) struct Splitter {
    columns: Vec<usize>,
    names: Vec<String>,
    rest: Vec<usize>,
    converter: RowConverter,
}

/// The rows of a batch that go to one directory.
pub(super) struct Part {
    pub(super) key: OwnedRow,
    pub(super) directory: PathBuf,
    pub(super) rows: RecordBatch,
}

impl Splitter {
    pub(super) fn new(schema: &Schema, columns: &[usize]) -> Result<Self> {
        let fields = columns.iter().map(|&index| schema.field(index));
        let sort_fields = fields.clone().map(|f| SortField::new(f.data_type().clone())).collect();
        Ok(Self {
            columns: columns.to_vec(),
            names: fields.map(|field| field.name().clone()).collect(),
            rest: rest_of(schema, columns),
            converter: RowConverter::new(sort_fields)?,
        })
    }

    /// The parts of a batch, in the order in which their first rows come.
    pub(super) fn split(&self, batch: &RecordBatch) -> Result<Vec<Part>, ArrowError> {
        let keys: Vec<ArrayRef> =
            self.columns.iter().map(|&index| batch.column(index).clone()).collect();
        let rows = self.converter.convert_columns(&keys)?;
        let mut indices: Vec<Vec<u32>> = Vec::new();
        let mut seen = HashMap::new();
        for (index, row) in rows.iter().enumerate() {
            let part = *seen.entry(row).or_insert(indices.len());
            if part == indices.len() {
                indices.push(Vec::new());
            }
            indices[part].push(index as u32);
        }
        let data = batch.project(&self.rest)?;
        let is_whole = indices.len() == 1;
        let parts = indices.into_iter().map(|indices| {
            let first = indices[0] as usize;
            Ok(Part {
                key: rows.row(first).owned(),
                directory: directory(&self.names, &keys, first)?,
                rows: match is_whole {
                    true => data.clone(),
                    false => take_record_batch(&data, &UInt32Array::from(indices))?,
                },
            })
        });
        parts.collect()
    }
}

/// `name=value/name=value` for one row.
fn directory(names: &[String], keys: &[ArrayRef], row: usize) -> Result<PathBuf, ArrowError> {
    let formats = FormatOptions::default()
        .with_timestamp_format(Some(TIMESTAMP))
        .with_timestamp_tz_format(Some(TIMESTAMP));
    let mut directory = PathBuf::new();
    for (name, key) in names.iter().zip(keys) {
        let value = match key.is_null(row) {
            true => String::new(),
            false => ArrayFormatter::try_new(key, &formats)?.value(row).to_string(),
        };
        let value = if value.is_empty() { NULL_NAME.to_owned() } else { escape(&value) };
        directory.push(format!("{}={value}", escape(name)));
    }
    Ok(directory)
}

/// The directory of the partition with these values of its columns.
pub(crate) fn partition_directory(values: &[(String, ScalarValue)]) -> Result<PathBuf> {
    let names: Vec<String> = values.iter().map(|(name, _)| name.clone()).collect();
    let keys = values.iter().map(|(_, value)| value.to_array()).collect::<Result<Vec<_>, _>>()?;
    Ok(directory(&names, &keys, 0)?)
}

/// How Spark writes a timestamp into a path.
const TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.f";

/// The positions of the partition columns, which files then do not hold.
///
/// # Errors
/// For a name that is no column, for a type that cannot name a directory, and if no column is left.
pub(crate) fn partition_columns(schema: &Schema, names: &[String]) -> Result<Vec<usize>> {
    let mut columns = Vec::new();
    for name in names {
        let fields = schema.fields();
        let found = fields.iter().position(|field| field.name() == name);
        let found = found
            .or_else(|| fields.iter().position(|field| field.name().eq_ignore_ascii_case(name)));
        let Some(index) = found else {
            let message = format!("partition column `{name}` is not among the columns");
            return Err(Error::new(Condition::UNRESOLVED_COLUMN, message)
                .did_you_mean(name, fields.iter().map(|field| field.name().as_str())));
        };
        check_type(schema, index)?;
        if columns.contains(&index) {
            let message = format!("partition column `{name}` is named twice");
            return Err(Error::new(Condition::COLUMN_ALREADY_EXISTS, message));
        }
        columns.push(index);
    }
    if !columns.is_empty() && columns.len() == schema.fields().len() {
        let message = "all columns are partition columns, so that no data is left for the files";
        return Err(Error::new(Condition::ALL_PARTITION_COLUMNS, message)
            .hint("leave at least one column out of `partition_by`"));
    }
    Ok(columns)
}

fn check_type(schema: &Schema, index: usize) -> Result<()> {
    let field = schema.field(index);
    match field.data_type() {
        nested if nested.is_nested() => {}
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {}
        DataType::FixedSizeBinary(_) => {}
        _ => return Ok(()),
    }
    let message =
        format!("column `{}` of type {} cannot be partitioned by", field.name(), field.data_type());
    Err(Error::new(Condition::INVALID_PARTITION_TYPE, message)
        .hint("partition by a number, string, date or boolean"))
}

/// The schema of the files: what is left without the partition columns.
pub(super) fn file_schema(schema: &SchemaRef, columns: &[usize]) -> Result<SchemaRef> {
    Ok(SchemaRef::new(schema.project(&rest_of(schema, columns))?))
}

fn rest_of(schema: &Schema, columns: &[usize]) -> Vec<usize> {
    (0..schema.fields().len()).filter(|index| !columns.contains(index)).collect()
}

/// Escapes what cannot stand in a path, as Hive and Spark do.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (index, letter) in text.chars().enumerate() {
        let is_special = letter.is_ascii_control()
            || "\"#%'*/:=?\\{[]^".contains(letter)
            // A name that begins with a dot would be hidden from readers.
            || (index == 0 && letter == '.');
        if is_special {
            escaped.push_str(&format!("%{:02X}", u32::from(letter)));
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn values_are_escaped_as_hive_does() {
        assert_eq!(escape("a/b=c"), "a%2Fb%3Dc");
        assert_eq!(escape("10:30"), "10%3A30");
        assert_eq!(escape("50%"), "50%25");
        assert_eq!(escape("ü x"), "ü x");
    }

    #[test]
    fn rows_go_to_the_directory_of_their_value() {
        let schema = Arc::new(Schema::new(vec![
            Field::new("k", DataType::Utf8, true),
            Field::new("v", DataType::Int64, false),
        ]));
        let keys = StringArray::from(vec![Some("x"), None, Some("x"), Some("")]);
        let values = Int64Array::from(vec![1, 2, 3, 4]);
        let batch = RecordBatch::try_new(schema, vec![Arc::new(keys), Arc::new(values)]).unwrap();
        let splitter = Splitter::new(&batch.schema(), &[0]).unwrap();
        let parts = splitter.split(&batch).unwrap();
        let found: Vec<(String, usize)> = parts
            .iter()
            .map(|part| (part.directory.display().to_string(), part.rows.num_rows()))
            .collect();
        let null = format!("k={NULL_NAME}");
        assert_eq!(found, [("k=x".to_owned(), 2), (null.clone(), 1), (null, 1)]);
        assert_eq!(parts[0].rows.num_columns(), 1);
    }
}
