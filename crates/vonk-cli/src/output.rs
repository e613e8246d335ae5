//! The formats that results are written in: one sink each, fed batch by batch.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use clap::ValueEnum;
use vonk::display::Zone;

use crate::exit::Failure;
use crate::look::Look;

mod binary;
mod cell;
mod delimited;
mod html;
mod json;
mod line;
mod markdown;
mod table;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table in a box, cut to the terminal
    Table,
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
    /// One JSON array of objects
    Json,
    /// One JSON object per line
    Jsonl,
    /// A table in Markdown
    Markdown,
    /// One line per value
    Line,
    /// A table in HTML
    Html,
    /// An Apache Parquet file
    Parquet,
    /// An Apache Arrow IPC file
    Arrow,
}

impl Format {
    /// The name that `-o` and `.mode` know.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it is bytes that would garble a terminal.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    /// Whether nothing is written before the last row is known.
    pub(crate) fn waits_for_all_rows(self) -> bool {
        self == Self::Table
    }
}

/// Where a result goes, and how it shall look there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// The format of the result.
    pub(crate) format: Format,
    /// Most rows that a table shows; 0 is all.
    pub(crate) rows_max: usize,
    /// What the receiving stream can show.
    pub(crate) look: Look,
    /// The zone whose clock timestamps are shown by.
    pub(crate) zone: Zone,
}

/// A writer of one result.
pub(crate) trait Sink {
    /// Takes the next rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure>;

    /// Writes what is left, and tells how many rows were shown if not all.
    fn finish(self: Box<Self>) -> Result<Option<usize>, Failure>;
}

/// The stream that a sink writes into.
pub(crate) type Out = Box<dyn Write + Send>;

/// Standard output, buffered by the result and not by the line.
pub(crate) fn stdout() -> Out {
    Box::new(io::BufWriter::with_capacity(1 << 16, io::stdout()))
}

/// Starts a result of these columns.
pub(crate) fn open(
    options: &Options,
    schema: &SchemaRef,
    out: Out,
) -> Result<Box<dyn Sink>, Failure> {
    if options.format.is_binary() && options.look.is_terminal {
        let name = options.format.name();
        return Err(Failure::Format(format!(
            "{name} is not for a terminal; send it to a file: vonk -o {name} ... > result.{name}"
        )));
    }
    Ok(match options.format {
        Format::Table => Box::new(table::Table::new(Arc::clone(schema), *options, out)),
        Format::Csv => Box::new(delimited::Delimited::new(schema, b',', options.zone, out)?),
        Format::Tsv => Box::new(delimited::Delimited::new(schema, b'\t', options.zone, out)?),
        Format::Json => Box::new(json::array(options.zone, out)),
        Format::Jsonl => Box::new(json::lines(options.zone, out)),
        Format::Markdown => Box::new(markdown::Markdown::new(schema, options.zone, out)?),
        Format::Line => Box::new(line::Lines::new(schema, options.zone, out)),
        Format::Html => Box::new(html::Html::new(schema, options.zone, out)?),
        Format::Parquet => Box::new(binary::parquet(schema, out)?),
        Format::Arrow => Box::new(binary::arrow(schema, out)?),
    })
}

/// The names of the columns.
fn names(schema: &Schema) -> impl Iterator<Item = &str> {
    schema.fields().iter().map(|field| field.name().as_str())
}

#[cfg(test)]
mod samples;

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A stream whose content can be read after its sink is gone.
    #[derive(Clone, Default)]
    pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn options(format: Format) -> Options {
        let look = Look { is_terminal: false, is_colored: false, width: None };
        Options { format, rows_max: 40, look, zone: Zone::UTC }
    }

    pub(crate) fn write(options: Options, batches: &[RecordBatch]) -> Vec<u8> {
        let shared = Shared::default();
        let out = Box::new(shared.clone());
        let mut sink = open(&options, &batches[0].schema(), out).unwrap();
        for batch in batches {
            sink.write(batch).unwrap();
        }
        sink.finish().unwrap();
        let bytes = shared.0.lock().unwrap();
        bytes.clone()
    }

    pub(crate) fn render(options: Options, batches: &[RecordBatch]) -> String {
        String::from_utf8(write(options, batches)).unwrap()
    }

    #[test]
    fn binary_formats_refuse_a_terminal() {
        let look = Look { is_terminal: true, is_colored: false, width: Some(80) };
        let options = Options { look, ..options(Format::Parquet) };
        let result = open(&options, &Arc::new(Schema::empty()), Box::new(Shared::default()));
        assert!(matches!(result, Err(Failure::Format(_))));
    }
}
