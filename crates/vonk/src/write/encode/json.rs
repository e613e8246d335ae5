//! JSON files: one object per line, without the fields that are NULL unless told.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::{
    Encoder, EncoderFactory, EncoderOptions, LineDelimited, NullableEncoder, Writer,
};

use super::{Encode, EncodeError};
use crate::write::compress::Output;
use crate::write::options::JsonOptions;

struct JsonEncoder {
    writer: Writer<Output, LineDelimited>,
}

pub(super) fn start(options: &JsonOptions, file: File) -> Result<Box<dyn Encode>, EncodeError> {
    let mut builder = WriterBuilder::new()
        .with_explicit_nulls(options.writes_nulls)
        .with_encoder_factory(Arc::new(Floats));
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

/// Writes floating-point numbers: those that JSON has no form for as texts, where Arrow's own
/// encoder makes NULL of them.
#[derive(Debug)]
struct Floats;

impl EncoderFactory for Floats {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Float64 => Box::new(FloatEncoder(array.as_primitive::<Float64Type>())),
            DataType::Float32 => Box::new(FloatEncoder(array.as_primitive::<Float32Type>())),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct FloatEncoder<'a, T: ArrowPrimitiveType>(&'a PrimitiveArray<T>);

impl<T: ArrowPrimitiveType> Encoder for FloatEncoder<'_, T>
where
    T::Native: Into<f64> + std::fmt::Debug,
{
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        let value = self.0.value(index);
        let wide: f64 = value.into();
        if wide.is_finite() {
            // The shortest digits that read back as the same number, with a point or an exponent.
            out.extend_from_slice(format!("{value:?}").as_bytes());
        } else if wide.is_nan() {
            out.extend_from_slice(b"\"NaN\"");
        } else if wide > 0.0 {
            out.extend_from_slice(b"\"Infinity\"");
        } else {
            out.extend_from_slice(b"\"-Infinity\"");
        }
    }
}
