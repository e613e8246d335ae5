//! Parquet files, with row groups that end early when memory is short.

use std::fs::File;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::memory_pool::MemoryReservation;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::{Encode, EncodeError};
use crate::write::options::ParquetOptions;

pub(super) struct ParquetEncoder {
    writer: ArrowWriter<File>,
    memory: MemoryReservation,
}

impl ParquetEncoder {
    pub(super) fn new(
        options: &ParquetOptions,
        file: File,
        schema: &SchemaRef,
        memory: MemoryReservation,
    ) -> Result<Self, EncodeError> {
        let properties = WriterProperties::builder()
            .set_compression(options.compression)
            .set_created_by(format!("vonk version {}", env!("CARGO_PKG_VERSION")))
            .set_max_row_group_bytes(Some(options.row_group_bytes))
            .build();
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties))?;
        Ok(Self { writer, memory })
    }
}

impl Encode for ParquetEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        self.writer.write(batch)?;
        if self.memory.try_resize(self.writer.memory_size()).is_err() {
            self.writer.flush()?;
            self.memory.free();
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File, EncodeError> {
        Ok(self.writer.into_inner()?)
    }
}
