//! CSV as RFC 4180 has it, and the same with tabs.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use vonk::display::Zone;

use super::cell::Cells;
use super::{Out, Sink, names};
use crate::exit::Failure;

/// A writer of delimited text with a line of names first.
pub(super) struct Delimited {
    out: Out,
    zone: Zone,
    delimiter: u8,
}

impl Delimited {
    pub(super) fn new(
        schema: &SchemaRef,
        delimiter: u8,
        zone: Zone,
        out: Out,
    ) -> Result<Self, Failure> {
        let mut sink = Self { out, zone, delimiter };
        for (index, name) in names(schema).enumerate() {
            sink.field(index, name)?;
        }
        sink.out.write_all(b"\n")?;
        Ok(sink)
    }

    /// A field, quoted where it must be. An empty text is quoted to differ from NULL.
    fn field(&mut self, index: usize, text: &str) -> Result<(), Failure> {
        self.separate(index)?;
        let delimiter = self.delimiter;
        let is_special = |byte: &u8| [b'"', b'\n', b'\r', delimiter].contains(byte);
        if text.is_empty() || text.as_bytes().iter().any(is_special) {
            write!(self.out, "\"{}\"", text.replace('"', "\"\""))?;
        } else {
            self.out.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn separate(&mut self, index: usize) -> Result<(), Failure> {
        if index > 0 {
            self.out.write_all(&[self.delimiter])?;
        }
        Ok(())
    }
}

impl Sink for Delimited {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let cells = Cells::new(batch, self.zone)?;
        let mut text = String::new();
        for row in 0..cells.rows() {
            for column in 0..cells.columns() {
                text.clear();
                if cells.write(row, column, &mut text)? {
                    self.field(column, &text)?;
                } else {
                    self.separate(column)?;
                }
            }
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Option<usize>, Failure> {
        self.out.flush()?;
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
    fn fields_are_quoted_where_they_must_be() {
        let text = StringArray::from(vec![Some("a,b"), Some("say \"hi\""), Some(""), None]);
        let number = Int64Array::from(vec![Some(1), Some(2), Some(3), None]);
        let batch = RecordBatch::try_from_iter([
            ("t,x", Arc::new(text) as ArrayRef),
            ("n", Arc::new(number) as ArrayRef),
        ])
        .unwrap();
        assert_eq!(
            render(options(Format::Csv), std::slice::from_ref(&batch)),
            "\"t,x\",n\n\"a,b\",1\n\"say \"\"hi\"\"\",2\n\"\",3\n,\n"
        );
        assert_eq!(
            render(options(Format::Tsv), &[batch]),
            "t,x\tn\na,b\t1\n\"say \"\"hi\"\"\"\t2\n\"\"\t3\n\t\n"
        );
    }
}
