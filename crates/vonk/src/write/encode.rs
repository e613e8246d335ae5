//! From batches to the bytes of one file: an encoder per format.

use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};

use super::options::Format;
use crate::display::type_name;
use crate::error::{Condition, Error, Result};

mod binary;
mod csv;
mod json;
mod orc;
mod parquet;
mod text;

/// What went wrong inside an encoder: its own errors, or those of the file below it.
pub(super) type EncodeError = Box<dyn std::error::Error + Send + Sync>;

/// Turns batches of one schema into the bytes of one file.
pub(super) trait Encode: Send {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError>;

    /// Writes what comes behind the rows and gives the file, whose bytes the system has but not
    /// yet the disk.
    fn finish(self: Box<Self>) -> Result<File, EncodeError>;
}

/// Starts a file of a format; memory that it has to hold is taken from the pool.
pub(super) fn start(
    format: &Format,
    file: File,
    schema: &SchemaRef,
    pool: &Arc<dyn MemoryPool>,
) -> Result<Box<dyn Encode>, EncodeError> {
    Ok(match format {
        Format::Parquet(options) => {
            let memory = MemoryConsumer::new("ParquetWriter").register(pool);
            Box::new(parquet::ParquetEncoder::new(options, file, schema, memory)?)
        }
        Format::Csv(options) => Box::new(csv::CsvEncoder::new(options, file, schema)?),
        Format::Json(options) => json::start(options, file)?,
        Format::Text(options) => Box::new(text::TextEncoder::new(options, file)?),
        Format::Arrow(compression) => {
            Box::new(binary::ArrowEncoder::new(*compression, file, schema)?)
        }
        Format::Avro(compression) => {
            Box::new(binary::AvroEncoder::new(*compression, file, schema)?)
        }
        Format::Orc(compression) => Box::new(orc::OrcEncoder::new(*compression, file, schema)?),
    })
}

/// Refuses, before anything is run, columns that a format cannot hold.
///
/// # Errors
/// `UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE` with the column.
pub(super) fn check_schema(format: &Format, schema: &SchemaRef) -> Result<()> {
    let refuse = |name: &str, data_type: &DataType, format: &str| {
        let found = type_name(data_type);
        let message = format!("column `{name}` of type {found} cannot be written as {format}");
        Err(Error::new(Condition::UNSUPPORTED_TYPE_FOR_FORMAT, message)
            .hint("cast it, drop it, or write another format such as parquet"))
    };
    match format {
        Format::Text(_) => {
            let [field] = schema.fields().as_ref() else {
                let message = format!("text needs one column, not {}", schema.fields().len());
                return Err(Error::new(Condition::UNSUPPORTED_TYPE_FOR_FORMAT, message)
                    .hint("select one string column, for example with `concat_ws`"));
            };
            match field.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(()),
                other => refuse(field.name(), other, "text"),
            }
        }
        Format::Csv(_) => match schema.fields().iter().find(|f| f.data_type().is_nested()) {
            Some(field) => refuse(field.name(), field.data_type(), "csv"),
            None => Ok(()),
        },
        Format::Orc(_) => {
            let mut fields = schema.fields().iter();
            match fields.find(|field| orc::written_as(field.data_type()).is_none()) {
                Some(field) => refuse(field.name(), field.data_type(), "orc"),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
