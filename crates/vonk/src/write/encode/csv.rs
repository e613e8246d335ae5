//! CSV files: quoting that keeps NULL and the empty string apart, for every reader.

use std::fs::File;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{Encode, EncodeError};
use crate::write::compress::Output;
use crate::write::options::CsvOptions;

pub(super) struct CsvEncoder {
    options: CsvOptions,
    output: Output,
    lines: Vec<u8>,
}

impl CsvEncoder {
    pub(super) fn new(
        options: &CsvOptions,
        file: File,
        schema: &SchemaRef,
    ) -> Result<Self, EncodeError> {
        let output = Output::new(file, options.codec)?;
        let mut encoder = Self { options: options.clone(), output, lines: Vec::new() };
        if options.header {
            for (index, field) in schema.fields().iter().enumerate() {
                encoder.push_separator(index);
                push_field(&encoder.options, &mut encoder.lines, field.name().as_bytes());
            }
            encoder.lines.extend_from_slice(options.line_end.as_bytes());
            encoder.write_lines()?;
        }
        Ok(encoder)
    }

    fn push_separator(&mut self, index: usize) {
        if index > 0 {
            self.lines.extend_from_slice(self.options.separator.as_bytes());
        }
    }

    fn write_lines(&mut self) -> Result<(), EncodeError> {
        self.output.write_all(&self.lines)?;
        self.lines.clear();
        Ok(())
    }
}

impl Encode for CsvEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        const FLUSH_BYTES: usize = 1 << 20;
        let dates = self.options.dates.clone();
        let formats = FormatOptions::default()
            .with_date_format(dates.date.as_deref())
            .with_datetime_format(dates.timestamp.as_deref())
            .with_timestamp_format(dates.timestamp_ntz.as_deref())
            .with_timestamp_tz_format(dates.timestamp.as_deref());
        let columns = batch.columns().iter();
        let formatters = columns
            .map(|column| ArrayFormatter::try_new(column, &formats))
            .collect::<Result<Vec<_>, _>>()?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for (index, formatter) in formatters.iter().enumerate() {
                self.push_separator(index);
                if batch.column(index).is_null(row) {
                    if batch.num_columns() == 1 && self.options.null_value.is_empty() {
                        // Readers skip an empty line, and the row with it.
                        self.lines.extend_from_slice(&[self.options.quote; 2]);
                    }
                    self.lines.extend_from_slice(self.options.null_value.as_bytes());
                    continue;
                }
                text.clear();
                formatter.value(row).write(&mut text)?;
                let is_float = batch.column(index).data_type().is_floating();
                // Spark and Java know infinity by no other name.
                let text = match text.as_str() {
                    "inf" if is_float => "Infinity",
                    "-inf" if is_float => "-Infinity",
                    text => text,
                };
                push_field(&self.options, &mut self.lines, text.as_bytes());
            }
            self.lines.extend_from_slice(self.options.line_end.as_bytes());
            if self.lines.len() >= FLUSH_BYTES {
                self.write_lines()?;
            }
        }
        self.write_lines()
    }

    fn finish(self: Box<Self>) -> Result<File, EncodeError> {
        Ok(self.output.finish()?)
    }
}

/// Adds one field, in quotes if it would be read as something else without them.
fn push_field(options: &CsvOptions, line: &mut Vec<u8>, field: &[u8]) {
    let first = options.separator.as_bytes()[0];
    let needs_quotes = options.quote_all
        || field == options.null_value.as_bytes()
        || field.is_empty()
        || field.iter().any(|&byte| {
            byte == first
                || byte == options.quote
                || byte == options.escape
                || byte == b'\n'
                || byte == b'\r'
        });
    if !needs_quotes {
        line.extend_from_slice(field);
        return;
    }
    line.push(options.quote);
    for &byte in field {
        if byte == options.quote || byte == options.escape {
            line.push(options.escape);
        }
        line.push(byte);
    }
    line.push(options.quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::options::{Format, Layout, WriteOptions};

    fn check(options: &[(&str, &str)], field: &str, expected: &str) {
        let options = options.iter().copied().collect::<WriteOptions>();
        let format = Format::new("csv", &options, "x.csv", Layout::File).unwrap();
        let Format::Csv(options) = format else { panic!("not csv") };
        let mut line = Vec::new();
        push_field(&options, &mut line, field.as_bytes());
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn fields_are_quoted_where_needed() {
        check(&[], "plain", "plain");
        check(&[], "a,b", "\"a,b\"");
        check(&[], "say \"x\"", "\"say \"\"x\"\"\"");
        check(&[], "", "\"\"");
        check(&[("nullValue", "NA")], "NA", "\"NA\"");
        check(&[("sep", "||")], "a|b", "\"a|b\"");
        check(&[("escape", "\\")], "a\"\\", "\"a\\\"\\\\\"");
        check(&[("quoteAll", "true")], "1", "\"1\"");
    }
}
