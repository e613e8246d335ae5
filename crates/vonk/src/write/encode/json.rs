//! JSON files: one object per line, without the fields that are NULL unless told.

use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::json::WriterBuilder;
use arrow::json::writer::{LineDelimited, Writer};

use super::{Encode, EncodeError};
use crate::display::{JsonValues, Style, Zone};
use crate::write::compress::Output;
use crate::write::options::JsonOptions;

struct JsonEncoder {
    writer: Writer<Output, LineDelimited>,
}

pub(super) fn start(options: &JsonOptions, file: File) -> Result<Box<dyn Encode>, EncodeError> {
    let mut builder = WriterBuilder::new()
        .with_explicit_nulls(options.writes_nulls)
        .with_encoder_factory(Arc::new(JsonValues::new(Style::cast(Zone::Fixed(0)))));
    if let Some(date) = &options.dates.date {
        builder = builder.with_date_format(date.clone());
    }
    if let Some(timestamp) = &options.dates.timestamp {
        builder = builder.with_timestamp_tz_format(timestamp.clone());
    }
    if let Some(timestamp) = &options.dates.timestamp_ntz {
        builder = builder.with_timestamp_format(timestamp.clone());
    }
    let writer = builder.build(Output::new(file, options.codec)?);
    Ok(Box::new(JsonEncoder { writer }))
}

impl Encode for JsonEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        Ok(self.writer.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<File, EncodeError> {
        self.writer.finish()?;
        Ok(self.writer.into_inner().finish()?)
    }
}
