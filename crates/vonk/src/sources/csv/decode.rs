//! Turns the bytes of a CSV file, as they come, into batches of rows.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray, new_null_array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result as DataFusionResult;

use super::super::decoding::{Decode, Failure, count_lines};
use super::super::malformed::{Malformed, Mode, excerpt};
use super::borders::QuoteState;
use super::columns::Texts;
use super::options::{Limits, ValueOptions};
use super::records::{Field, Form, Scanner, Step};
use crate::display::type_name;

/// How the records of one file become rows.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) scanner: Scanner,
    pub(super) values: Arc<ValueOptions>,
    pub(super) limits: Limits,
    pub(super) mode: Mode,
    /// The columns to give out.
    pub(super) schema: SchemaRef,
    /// For each of them, where it comes from.
    pub(super) sources: Vec<Source>,
    /// The columns whose values are looked at only to know whether a record fits.
    pub(super) checked: Vec<(usize, DataType)>,
    /// How many fields a record must have.
    pub(super) width: usize,
    pub(super) batch_size: usize,
    /// What to do about a value that does not fit its type.
    pub(super) misfit_hint: &'static str,
}

/// Where a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The field of this number.
    Field(usize),
    /// The file has no such column.
    Missing,
    /// The text of the record, if it does not fit.
    CorruptRecord,
}

const WIDTH_HINT: &str = "correct the line, or set option `mode`: `PERMISSIVE` fills up with NULL \
                          and cuts off, `DROPMALFORMED` leaves the line out";

/// The state between two stretches of bytes.
pub(super) struct Decoder {
    plan: Plan,
    buffer: Vec<u8>,
    /// Where in the buffer the next record begins.
    at: usize,
    /// How many bytes came before the buffer, from the beginning of the part that is read.
    passed: u64,
    /// How many line breaks came before the buffer.
    lines: u64,
    /// Records that begin here or later are not ours.
    end: u64,
    at_end: bool,
    skip_header: bool,
    /// Set while the first record of a byte range is looked for.
    seeking: Option<QuoteState>,
    failed: Option<Malformed>,
    /// How many bytes must be there before a long record is tried again.
    wanted: usize,
    scratch: Vec<Field>,
    /// The numbers of the fields that are converted, and the fields, by column.
    numbers: Vec<usize>,
    fields: Vec<Vec<Field>>,
    rows: Vec<Row>,
}

/// A record in the buffer.
#[derive(Debug, Clone, Copy)]
struct Row {
    start: usize,
    end: usize,
    fits: bool,
}

/// Which part of a file a [`Decoder`] reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Set if the bytes begin one before a byte range, whose first record is to be found.
    pub(super) seeking: Option<QuoteState>,
    /// The number of bytes in which records of ours begin.
    pub(super) length: u64,
    pub(super) skip_header: bool,
}

impl Decoder {
    pub(super) fn new(plan: Plan, part: Part) -> Self {
        let numbers: Vec<usize> = plan.field_numbers().collect();
        Self {
            plan,
            buffer: Vec::new(),
            at: 0,
            passed: 0,
            lines: 0,
            end: part.length,
            at_end: false,
            skip_header: part.skip_header,
            seeking: part.seeking,
            failed: None,
            wanted: 0,
            scratch: Vec::new(),
            fields: vec![Vec::new(); numbers.len()],
            numbers,
            rows: Vec::new(),
        }
    }
}

impl Decode for Decoder {
    fn push(&mut self, bytes: &[u8]) {
        let (gone, rest) = self.buffer.split_at(self.at);
        self.passed += gone.len() as u64;
        self.lines += count_lines(gone);
        let rest = rest.len();
        self.buffer.copy_within(self.at.., 0);
        self.buffer.truncate(rest);
        self.buffer.extend_from_slice(bytes);
        self.at = 0;
    }

    fn finish(&mut self) {
        self.at_end = true;
    }

    fn is_done(&self) -> bool {
        self.passed + self.at as u64 >= self.end || (self.at_end && self.at >= self.buffer.len())
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, Failure> {
        if let Some(malformed) = self.failed.take() {
            return Err(Failure::Malformed(malformed));
        }
        if self.at == 0 && self.passed == 0 && !self.skip_mark() {
            return Ok(None);
        }
        if !self.seek() {
            return Ok(None);
        }
        loop {
            self.rows.clear();
            self.fields.iter_mut().for_each(Vec::clear);
            let scanned = self.scan();
            if self.rows.is_empty() {
                return scanned.map(|()| None).map_err(Failure::Malformed);
            }
            // Rows before the malformed one come first.
            self.failed = scanned.err();
            let batch = self.convert()?;
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
            if let Some(malformed) = self.failed.take() {
                return Err(malformed.into());
            }
        }
    }
}

impl Decoder {
    /// Skips the byte order mark; whether enough bytes are there to tell.
    fn skip_mark(&mut self) -> bool {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.seeking.is_some() || self.plan.scanner.dialect.newline == Some(MARK[0]) {
            return true;
        }
        if self.buffer.len() < MARK.len() && !self.at_end {
            return false;
        }
        if self.buffer.starts_with(MARK) {
            self.at = MARK.len();
        }
        true
    }

    /// Goes to the first record of the byte range; whether it is there.
    fn seek(&mut self) -> bool {
        let Some(state) = &mut self.seeking else { return true };
        let found = state.advance_to_next_line(&self.plan.scanner.dialect, &self.buffer[self.at..]);
        match found {
            Some(length) => {
                self.at += length;
                self.seeking = None;
                true
            }
            None => {
                self.at = self.buffer.len();
                false
            }
        }
    }

    /// Takes up to a batch of records from the buffer.
    fn scan(&mut self) -> Result<(), Malformed> {
        if !self.at_end && self.buffer.len() - self.at < self.wanted {
            return Ok(());
        }
        self.wanted = 0;
        while self.rows.len() < self.plan.batch_size
            && self.passed + (self.at as u64) < self.end
            && self.at < self.buffer.len()
        {
            let start = self.at;
            let step = self.plan.scanner.step(&self.buffer, start, self.at_end, &mut self.scratch);
            match step {
                Step::Skip { next } => self.at = next,
                Step::Record { end, next } => {
                    self.at = next;
                    if !std::mem::take(&mut self.skip_header) {
                        self.take_record(start, end)?;
                    }
                }
                Step::NeedMore => {
                    let limit = self.plan.limits.record_bytes;
                    if self.buffer.len() - start > limit {
                        return Err(self.too_long(start, limit));
                    }
                    // Trying with twice as much keeps the work linear.
                    self.wanted = (2 * (self.buffer.len() - start)).min(limit + 1);
                    break;
                }
                Step::TooManyColumns => {
                    let limit = self.plan.limits.columns;
                    return Err(self.malformed(
                        start,
                        format!("the record has more than {limit} fields"),
                        "raise option `maxColumns`, or check options `sep` and `quote`",
                    ));
                }
            }
        }
        Ok(())
    }

    fn too_long(&self, start: usize, limit: usize) -> Malformed {
        self.malformed(
            start,
            format!("the record takes more than {limit} bytes"),
            "raise the reader's option `maxRecordBytes` or the session's \
             `vonk.sources.record.bytes.max`, or check options `quote` and `lineSep`: a quote may be open",
        )
    }

    /// Keeps the fields of the record in `scratch` as a row, if the mode allows it.
    fn take_record(&mut self, start: usize, end: usize) -> Result<(), Malformed> {
        let problem = self.problem(start);
        let fits = problem.is_none();
        match (problem, self.plan.mode) {
            (None, _) | (Some(_), Mode::Permissive) => {}
            (Some(_), Mode::DropMalformed) => return Ok(()),
            (Some(malformed), Mode::Strict | Mode::FailFast) => return Err(malformed),
        }
        let missing = Field::empty(start);
        for (column, number) in self.fields.iter_mut().zip(&self.numbers) {
            column.push(self.scratch.get(*number).copied().unwrap_or(missing));
        }
        self.rows.push(Row { start, end, fits });
        Ok(())
    }

    /// What is wrong with the record in `scratch`, if anything.
    fn problem(&self, start: usize) -> Option<Malformed> {
        for field in &self.scratch {
            let message = match field.form {
                Form::Trailing if self.plan.mode.is_error() => "text after a closing quote",
                Form::Unclosed => "a quoted field is not closed",
                _ => continue,
            };
            let hint =
                "double the quotes inside quoted fields, or set options `quote` and `escape`";
            return Some(self.malformed(start, message.to_owned(), hint));
        }
        let (found, expected) = (self.scratch.len(), self.plan.width);
        // Nothing is lost where a line only ends in delimiters.
        let is_empty = |field: &Field| field.start == field.end && field.form == Form::Plain;
        let harmless = self.plan.mode == Mode::Strict
            && found > expected
            && self.scratch[expected..].iter().all(is_empty);
        if found != expected && !harmless {
            let message = format!("expected {expected} fields, found {found}");
            return Some(self.malformed(start, message, WIDTH_HINT));
        }
        let limit = self.plan.limits.field_bytes?;
        let too_long = |field: &&Field| (field.end - field.start) as usize > limit;
        self.scratch.iter().find(too_long).map(|_| {
            let message = format!("a field has more than {limit} characters");
            self.malformed(start, message, "raise option `maxCharsPerColumn`")
        })
    }

    fn malformed(&self, start: usize, message: String, hint: &str) -> Malformed {
        let line = self.lines + count_lines(&self.buffer[..start]) + 1;
        Malformed { line, message, hint: hint.to_owned() }
    }

    fn convert(&self) -> Result<RecordBatch, Failure> {
        let (first, last) = match (self.rows.first(), self.rows.last()) {
            (Some(first), Some(last)) => (first.start, last.end),
            _ => return Ok(RecordBatch::new_empty(Arc::clone(&self.plan.schema))),
        };
        let text = std::str::from_utf8(&self.buffer[first..last]).map_err(|error| {
            let at = first + error.valid_up_to();
            let message =
                format!("byte 0x{:02X} is not valid UTF-8", self.buffer.get(at).unwrap_or(&0));
            let hint = "set option `encoding`, for example to `ISO-8859-1`, or convert the file";
            Failure::Malformed(self.malformed(at, message, hint))
        })?;
        let mut fits: Vec<bool> = self.rows.iter().map(|row| row.fits).collect();
        let mut arrays: Vec<Option<ArrayRef>> = vec![None; self.plan.sources.len()];
        let mut fields = self.fields.iter();
        let mut first_misfit: Option<(usize, usize)> = None;
        for (index, source) in self.plan.sources.iter().enumerate() {
            let Source::Field(_) = source else { continue };
            let Some(column) = fields.next() else { continue };
            let converted = self
                .texts(text, first, column)
                .convert(self.plan.schema.field(index).data_type())?;
            if let Some(row) = converted.misfits.first()
                && first_misfit.is_none_or(|(least, _)| *row < least)
            {
                first_misfit = Some((*row, index));
            }
            converted.misfits.iter().for_each(|row| fits[*row] = false);
            arrays[index] = Some(converted.array);
        }
        if let Some((row, index)) = first_misfit.filter(|_| self.plan.mode.is_error()) {
            return Err(Failure::Malformed(self.misfit(text, first, row, index)));
        }
        for ((_, data_type), column) in self.plan.checked.iter().zip(fields) {
            let converted = self.texts(text, first, column).convert(data_type)?;
            converted.misfits.iter().for_each(|row| fits[*row] = false);
        }
        self.assemble(text, first, arrays, fits).map_err(Failure::Other)
    }

    fn texts<'a>(&'a self, text: &'a str, offset: usize, fields: &'a [Field]) -> Texts<'a> {
        Texts { text, offset, fields, scanner: &self.plan.scanner, values: &self.plan.values }
    }

    fn assemble(
        &self,
        text: &str,
        offset: usize,
        arrays: Vec<Option<ArrayRef>>,
        fits: Vec<bool>,
    ) -> DataFusionResult<RecordBatch> {
        let columns = arrays.into_iter().enumerate().map(|(index, array)| {
            match (array, self.plan.sources[index]) {
                (Some(array), _) => array,
                (None, Source::CorruptRecord) => {
                    let rows = self.rows.iter().zip(&fits);
                    let corrupt = rows.map(|(row, fits)| {
                        if *fits { None } else { text.get(row.start - offset..row.end - offset) }
                    });
                    let strings: StringArray = corrupt.collect();
                    Arc::new(strings) as ArrayRef
                }
                (None, _) => {
                    let data_type = self.plan.schema.field(index).data_type();
                    new_null_array(data_type, self.rows.len())
                }
            }
        });
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        let batch = RecordBatch::try_new_with_options(
            Arc::clone(&self.plan.schema),
            columns.collect(),
            &options,
        )?;
        if self.plan.mode == Mode::DropMalformed && fits.contains(&false) {
            return Ok(filter_record_batch(&batch, &BooleanArray::from(fits))?);
        }
        Ok(batch)
    }

    fn misfit(&self, text: &str, offset: usize, row: usize, index: usize) -> Malformed {
        let column = self.plan.sources[..index]
            .iter()
            .filter(|source| matches!(source, Source::Field(_)))
            .count();
        let field = self.plan.schema.field(index);
        let value = self.fields[column][row];
        let texts = self.texts(text, offset, &[]);
        let (found, _) = texts.get(value);
        let message = format!(
            "column `{}`: `{}` is not of type {}",
            field.name(),
            excerpt(&found),
            type_name(field.data_type()),
        );
        self.malformed(self.rows[row].start, message, self.plan.misfit_hint)
    }
}

impl Plan {
    /// The numbers of the fields that are converted: those given out, then those only checked.
    fn field_numbers(&self) -> impl Iterator<Item = usize> {
        let given = self.sources.iter().filter_map(|source| match source {
            Source::Field(number) => Some(*number),
            _ => None,
        });
        given.chain(self.checked.iter().map(|(number, _)| *number))
    }
}
