//! Results as Parquet and Arrow files, for another program to read.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::FileWriter;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{Out, Sink};
use crate::exit::Failure;

/// A writer of a Parquet file.
pub(super) struct Parquet(ArrowWriter<Out>);

/// A writer of an Arrow IPC file.
pub(super) struct Arrow(FileWriter<Out>);

/// Starts a Parquet file, compressed with zstd.
pub(super) fn parquet(schema: &SchemaRef, out: Out) -> Result<Parquet, Failure> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    Ok(Parquet(ArrowWriter::try_new(out, SchemaRef::clone(schema), Some(properties))?))
}

/// Starts an Arrow IPC file.
pub(super) fn arrow(schema: &SchemaRef, out: Out) -> Result<Arrow, Failure> {
    Ok(Arrow(FileWriter::try_new(out, schema)?))
}

impl Sink for Parquet {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(self.0.write(batch)?)
    }

    fn finish(self: Box<Self>) -> Result<Option<usize>, Failure> {
        self.0.into_inner()?.flush()?;
        Ok(None)
    }
}

impl Sink for Arrow {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(self.0.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<Option<usize>, Failure> {
        self.0.finish()?;
        self.0.into_inner()?.flush()?;
        Ok(None)
    }
}

impl From<ParquetError> for Failure {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(source) => match source.downcast::<std::io::Error>() {
                Ok(error) => Self::Output(*error),
                Err(other) => Self::Format(other.to_string()),
            },
            other => Self::Format(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::arrow::array::{ArrayRef, Int64Array};
    use ::arrow::ipc::reader::FileReader;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

    use super::super::Format;
    use super::super::tests::{options, write};
    use super::*;

    fn batch() -> RecordBatch {
        let values = Int64Array::from(vec![Some(1), None, Some(3)]);
        RecordBatch::try_from_iter([("n", Arc::new(values) as ArrayRef)]).unwrap()
    }

    #[test]
    fn a_parquet_file_is_read_back() {
        let bytes = write(options(Format::Parquet), &[batch()]);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let mut reader = ParquetRecordBatchReader::try_new(file, 8).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().columns(), batch().columns());
    }

    #[test]
    fn an_arrow_file_is_read_back() {
        let bytes = write(options(Format::Arrow), &[batch()]);
        let mut reader = FileReader::try_new(std::io::Cursor::new(bytes), None).unwrap();
        assert_eq!(reader.next().unwrap().unwrap(), batch());
    }
}
