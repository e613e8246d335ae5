//! ORC files, of columns that are no structs, lists or maps.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use orc_rust::ArrowWriterBuilder;
use orc_rust::compression::CompressionType;

use super::{Encode, EncodeError};

/// Batches that wait for the writer.
const BATCHES_AHEAD: usize = 1;

/// The writer cannot go from one thread to another, so that it has one of its own.
pub(super) struct OrcEncoder {
    batches: SyncSender<RecordBatch>,
    /// None once it has failed.
    writer: Option<JoinHandle<Result<File, EncodeError>>>,
    schema: SchemaRef,
}

impl OrcEncoder {
    pub(super) fn new(
        compression: Option<CompressionType>,
        file: File,
        schema: &SchemaRef,
    ) -> Result<Self, EncodeError> {
        let fields = schema.fields().iter().map(|field| {
            let written = written_as(field.data_type());
            Field::new(field.name(), written.unwrap_or(DataType::Null), field.is_nullable())
        });
        let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
        let (batches, taken) = sync_channel(BATCHES_AHEAD);
        let columns = Arc::clone(&schema);
        let writer = Builder::new()
            .name("vonk-orc".to_owned())
            .spawn(move || write(compression, file, columns, &taken))?;
        Ok(Self { batches, writer: Some(writer), schema })
    }
}

/// Writes batches until there are no more, and gives the file.
fn write(
    compression: Option<CompressionType>,
    file: File,
    schema: SchemaRef,
    batches: &Receiver<RecordBatch>,
) -> Result<File, EncodeError> {
    let mut builder = ArrowWriterBuilder::new(file.try_clone()?, schema);
    if let Some(compression) = compression {
        builder = builder.with_compression(compression);
    }
    let mut writer = builder.try_build()?;
    for batch in batches {
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(file)
}

/// The type by which the writer knows columns of a type; `None` if it does not.
pub(super) fn written_as(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32
        | DataType::Timestamp(_, None)
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Binary
        | DataType::LargeBinary => data_type.clone(),
        _ => return None,
    })
}

impl Encode for OrcEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type()));
        let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        match self.batches.send(batch) {
            Ok(()) => Ok(()),
            // The writer goes away before its time only with an error.
            Err(_) => end(self.writer.take()).map(drop),
        }
    }

    fn finish(self: Box<Self>) -> Result<File, EncodeError> {
        let Self { batches, writer, .. } = *self;
        drop(batches);
        end(writer)
    }
}

/// What the writer has left: the file, or why it could not be written.
fn end(writer: Option<JoinHandle<Result<File, EncodeError>>>) -> Result<File, EncodeError> {
    let failed = || EncodeError::from(io::Error::other("the writer of ORC has failed"));
    let writer = writer.ok_or_else(failed)?;
    writer.join().map_err(|_| failed())?
}
