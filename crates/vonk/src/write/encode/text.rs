//! Text files: one string per line; NULL is an empty line, as in Spark.

use std::fs::File;
use std::io::Write;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::{Encode, EncodeError};
use crate::write::compress::Output;
use crate::write::options::TextOptions;

pub(super) struct TextEncoder {
    line_end: String,
    output: Output,
}

impl TextEncoder {
    pub(super) fn new(options: &TextOptions, file: File) -> Result<Self, EncodeError> {
        let output = Output::new(file, options.codec)?;
        Ok(Self { line_end: options.line_end.clone(), output })
    }
}

impl Encode for TextEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        let lines = cast(batch.column(0), &DataType::Utf8View)?;
        let lines = lines.as_string_view();
        for row in 0..lines.len() {
            if lines.is_valid(row) {
                self.output.write_all(lines.value(row).as_bytes())?;
            }
            self.output.write_all(self.line_end.as_bytes())?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File, EncodeError> {
        Ok(self.output.finish()?)
    }
}
