//! JSON: one array of objects, or one object per line.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::Array;
use arrow::datatypes::FieldRef;
use arrow::error::ArrowError;
use arrow::json::writer::{
    Encoder, EncoderFactory, EncoderOptions, JsonFormat, LineDelimited, NullableEncoder, Writer,
    WriterBuilder,
};
use arrow::record_batch::RecordBatch;
use arrow::util::display::ArrayFormatter;

use super::{Out, Sink, value};
use crate::exit::Failure;

/// An array with each of its objects on a line of its own.
#[derive(Debug, Default)]
pub(super) struct ArrayOfLines;

impl JsonFormat for ArrayOfLines {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        Ok(writer.write_all(if is_first_row { b"\n" } else { b",\n" })?)
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"\n]\n")?)
    }
}

/// A writer of JSON.
pub(super) struct Json<F: JsonFormat> {
    writer: Writer<Out, F>,
    times: Times,
}

/// One array of objects.
pub(super) fn array(out: Out) -> Json<ArrayOfLines> {
    Json::new(out)
}

/// One object per line.
pub(super) fn lines(out: Out) -> Json<LineDelimited> {
    Json::new(out)
}

impl<F: JsonFormat> Json<F> {
    fn new(out: Out) -> Self {
        let times = Times::default();
        let builder = WriterBuilder::new()
            .with_explicit_nulls(true)
            .with_encoder_factory(Arc::new(times.clone()));
        Self { writer: builder.build(out), times }
    }
}

/// Writes times and spans of time as every other format does.
#[derive(Debug, Clone, Default)]
struct Times {
    /// Whether there was a time that no calendar has, such as one of the year 300,000.
    has_failed: Arc<AtomicBool>,
}

impl EncoderFactory for Times {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        if !value::is_time(array.data_type()) {
            return Ok(None);
        }
        let times = value::formatter(array)?;
        let encoder = Box::new(Time { times, has_failed: Arc::clone(&self.has_failed) });
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

/// Writes a time in quotes; its text has nothing that JSON would escape.
struct Time<'a> {
    times: ArrayFormatter<'a>,
    has_failed: Arc<AtomicBool>,
}

impl Encoder for Time<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let text = self.times.value(row).try_to_string().unwrap_or_else(|_| {
            self.has_failed.store(true, Ordering::Relaxed);
            String::new()
        });
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
}

impl<F: JsonFormat> Sink for Json<F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.writer.write(batch)?;
        if self.times.has_failed.load(Ordering::Relaxed) {
            return Err(Failure::Format("a time is out of the range of the calendar".to_owned()));
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Option<usize>, Failure> {
        self.writer.finish()?;
        self.writer.into_inner().flush()?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::super::Format;
    use super::super::tests::{options, render};
    use super::*;

    #[test]
    fn objects_carry_their_nulls() {
        let batch = RecordBatch::try_from_iter([
            ("n", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef),
            ("t", Arc::new(StringArray::from(vec!["a\"b", "é"])) as ArrayRef),
        ])
        .unwrap();
        let lines = ["{\"n\":1,\"t\":\"a\\\"b\"}", "{\"n\":null,\"t\":\"é\"}"];
        let array = format!("[\n{},\n{}\n]\n", lines[0], lines[1]);
        assert_eq!(render(options(Format::Json), std::slice::from_ref(&batch)), array);
        let text = format!("{}\n{}\n", lines[0], lines[1]);
        assert_eq!(render(options(Format::Jsonl), &[batch]), text);
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        let batch = RecordBatch::try_from_iter([(
            "n",
            Arc::new(Int64Array::from(Vec::<i64>::new())) as ArrayRef,
        )])
        .unwrap();
        assert_eq!(render(options(Format::Json), &[batch]), "[\n]\n");
    }
}
