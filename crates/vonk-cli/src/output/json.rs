//! JSON: one array of objects, or one object per line.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, make_array};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow::json::writer::{
    Encoder, EncoderFactory, EncoderOptions, JsonFormat, LineDelimited, NullableEncoder, Writer,
    WriterBuilder,
};
use arrow::record_batch::RecordBatch;
use vonk::display::{Renderer, Style, Zone};

use super::{Out, Sink};
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
}

/// One array of objects.
pub(super) fn array(zone: Zone, out: Out) -> Json<ArrayOfLines> {
    Json::new(zone, out)
}

/// One object per line.
pub(super) fn lines(zone: Zone, out: Out) -> Json<LineDelimited> {
    Json::new(zone, out)
}

impl<F: JsonFormat> Json<F> {
    fn new(zone: Zone, out: Out) -> Self {
        let builder = WriterBuilder::new()
            .with_explicit_nulls(true)
            .with_encoder_factory(Arc::new(Times { zone }));
        Self { writer: builder.build(out) }
    }
}

/// Writes times and spans of time as every other format does.
#[derive(Debug, Clone)]
struct Times {
    zone: Zone,
}

impl EncoderFactory for Times {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        if !is_time(array.data_type()) {
            return Ok(None);
        }
        let array = make_array(array.to_data());
        let times = Renderer::new(&array, field, Style::show(self.zone))
            .map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        let encoder = Box::new(Time { times });
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

/// Whether values of a type are times or spans of time, which JSON has as text.
fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(..)
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Duration(_)
            | DataType::Interval(_)
    )
}

/// Writes a time in quotes; its text has nothing that JSON would escape.
struct Time {
    times: Renderer,
}

impl Encoder for Time {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.times.text(row).as_bytes());
        out.push(b'"');
    }
}

impl<F: JsonFormat> Sink for Json<F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(self.writer.write(batch)?)
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
