//! JSON: one array of objects, or one object per line.

use std::io::Write;
use std::sync::Arc;

use arrow::error::ArrowError;
use arrow::json::writer::{JsonFormat, LineDelimited, Writer, WriterBuilder};
use arrow::record_batch::RecordBatch;
use vonk::display::{JsonValues, Style, Zone};

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
            .with_encoder_factory(Arc::new(JsonValues::new(Style::show(zone)).with_times()));
        Self { writer: builder.build(out) }
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
