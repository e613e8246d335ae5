//! Arrow IPC and Avro files.

use std::fs::File;
use std::io::BufWriter;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_avro::compression::CompressionCodec;
use arrow_avro::writer::format::AvroOcfFormat;
use arrow_avro::writer::{Writer as AvroWriter, WriterBuilder};

use super::{Encode, EncodeError};

pub(super) struct ArrowEncoder {
    writer: FileWriter<BufWriter<File>>,
}

impl ArrowEncoder {
    pub(super) fn new(
        compression: Option<CompressionType>,
        file: File,
        schema: &SchemaRef,
    ) -> Result<Self, EncodeError> {
        let options = IpcWriteOptions::default().try_with_compression(compression)?;
        let file = BufWriter::with_capacity(256 << 10, file);
        Ok(Self { writer: FileWriter::try_new_with_options(file, schema, options)? })
    }
}

impl Encode for ArrowEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        Ok(self.writer.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<File, EncodeError> {
        self.writer.finish()?;
        let file = self.writer.into_inner()?;
        Ok(file.into_inner().map_err(|error| error.into_error())?)
    }
}

pub(super) struct AvroEncoder {
    writer: AvroWriter<BufWriter<File>, AvroOcfFormat>,
}

impl AvroEncoder {
    pub(super) fn new(
        compression: Option<CompressionCodec>,
        file: File,
        schema: &SchemaRef,
    ) -> Result<Self, EncodeError> {
        let file = BufWriter::with_capacity(256 << 10, file);
        let builder = WriterBuilder::new(schema.as_ref().clone()).with_compression(compression);
        Ok(Self { writer: builder.build(file)? })
    }
}

impl Encode for AvroEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        Ok(self.writer.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<File, EncodeError> {
        self.writer.finish()?;
        let file = self.writer.into_inner();
        Ok(file.into_inner().map_err(|error| error.into_error())?)
    }
}
