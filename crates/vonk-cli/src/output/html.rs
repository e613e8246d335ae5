//! Tables in HTML, everything escaped.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use vonk::display::Zone;

use super::cell::{Cells, is_right_aligned};
use super::{Out, Sink};
use crate::exit::Failure;

/// A writer of an HTML table.
pub(super) struct Html {
    out: Out,
    zone: Zone,
    openings: Vec<&'static str>,
}

impl Html {
    pub(super) fn new(schema: &SchemaRef, zone: Zone, mut out: Out) -> Result<Self, Failure> {
        out.write_all(b"<table>\n<thead><tr>")?;
        for field in schema.fields() {
            write!(out, "<th>{}</th>", escape(field.name()))?;
        }
        out.write_all(b"</tr></thead>\n<tbody>\n")?;
        let opening = |right| if right { "<td align=\"right\">" } else { "<td>" };
        let fields = schema.fields().iter();
        let openings = fields.map(|field| opening(is_right_aligned(field.data_type()))).collect();
        Ok(Self { out, zone, openings })
    }
}

impl Sink for Html {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let cells = Cells::new(batch, self.zone)?;
        for row in 0..cells.rows() {
            self.out.write_all(b"<tr>")?;
            for (column, opening) in self.openings.iter().enumerate() {
                let text = cells.text(row, column)?;
                let text = text.map_or_else(|| "<i>NULL</i>".to_owned(), |text| escape(&text));
                write!(self.out, "{opening}{text}</td>")?;
            }
            self.out.write_all(b"</tr>\n")?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Option<usize>, Failure> {
        self.out.write_all(b"</tbody>\n</table>\n")?;
        self.out.flush()?;
        Ok(None)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::super::Format;
    use super::super::tests::{options, render};
    use super::*;

    #[test]
    fn markup_in_values_is_text() {
        let values = StringArray::from(vec![Some("<b> & \"c\""), None]);
        let batch = RecordBatch::try_from_iter([("a<b", Arc::new(values) as ArrayRef)]).unwrap();
        assert_eq!(
            render(options(Format::Html), &[batch]),
            "<table>\n<thead><tr><th>a&lt;b</th></tr></thead>\n<tbody>\n\
             <tr><td>&lt;b&gt; &amp; &quot;c&quot;</td></tr>\n<tr><td><i>NULL</i></td></tr>\n\
             </tbody>\n</table>\n"
        );
    }
}
