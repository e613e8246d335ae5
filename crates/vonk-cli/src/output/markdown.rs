//! Tables in Markdown, numbers to the right.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use vonk::display::Zone;

use super::cell::{Cells, is_right_aligned};
use super::{Out, Sink, names};
use crate::exit::Failure;

/// A writer of a Markdown table.
pub(super) struct Markdown {
    out: Out,
    zone: Zone,
}

impl Markdown {
    pub(super) fn new(schema: &SchemaRef, zone: Zone, mut out: Out) -> Result<Self, Failure> {
        for name in names(schema) {
            write!(out, "| {} ", escape(name))?;
        }
        out.write_all(b"|\n")?;
        for field in schema.fields() {
            let rule = if is_right_aligned(field.data_type()) { "|---:" } else { "|---" };
            out.write_all(rule.as_bytes())?;
        }
        out.write_all(b"|\n")?;
        Ok(Self { out, zone })
    }
}

impl Sink for Markdown {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let cells = Cells::new(batch, self.zone)?;
        for row in 0..cells.rows() {
            for column in 0..cells.columns() {
                let text = cells.text(row, column)?;
                write!(self.out, "| {} ", escape(text.as_deref().unwrap_or("NULL")))?;
            }
            self.out.write_all(b"|\n")?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Option<usize>, Failure> {
        self.out.flush()?;
        Ok(None)
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace("\r\n", "<br>").replace('\n', "<br>")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::super::Format;
    use super::super::tests::{options, render};
    use super::*;

    #[test]
    fn bars_and_lines_do_not_break_the_table() {
        let batch = RecordBatch::try_from_iter([
            ("n", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef),
            ("t", Arc::new(StringArray::from(vec!["a|b", "c\nd"])) as ArrayRef),
        ])
        .unwrap();
        assert_eq!(
            render(options(Format::Markdown), &[batch]),
            "| n | t |\n|---:|---|\n| 1 | a\\|b |\n| NULL | c<br>d |\n"
        );
    }
}
