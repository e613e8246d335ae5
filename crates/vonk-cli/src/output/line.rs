//! One line per value, for rows that are wider than any terminal.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use unicode_width::UnicodeWidthStr;
use vonk::display::Zone;

use super::cell::Cells;
use super::table::escape;
use super::{Out, Sink, names};
use crate::exit::Failure;

/// A writer of records, one below the other.
pub(super) struct Lines {
    out: Out,
    zone: Zone,
    names: Vec<String>,
    written: usize,
}

impl Lines {
    pub(super) fn new(schema: &SchemaRef, zone: Zone, out: Out) -> Self {
        let names: Vec<String> = names(schema).map(escape).collect();
        let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
        let pad = |name: &String| format!("{}{name}", " ".repeat(width - name.width()));
        Self { out, zone, names: names.iter().map(pad).collect(), written: 0 }
    }
}

impl Sink for Lines {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let cells = Cells::new(batch, self.zone)?;
        for row in 0..cells.rows() {
            self.written += 1;
            writeln!(self.out, "-- row {} --", self.written)?;
            for (column, name) in self.names.iter().enumerate() {
                let text = cells.text(row, column)?;
                let text = text.map_or_else(|| "NULL".to_owned(), |text| escape(&text));
                writeln!(self.out, "{name} = {text}")?;
            }
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
    fn every_value_has_its_line() {
        let batch = RecordBatch::try_from_iter([
            ("id", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef),
            ("name", Arc::new(StringArray::from(vec!["a\nb", "c"])) as ArrayRef),
        ])
        .unwrap();
        assert_eq!(
            render(options(Format::Line), &[batch]),
            "-- row 1 --\n  id = 1\nname = a\\nb\n-- row 2 --\n  id = NULL\nname = c\n"
        );
    }
}
