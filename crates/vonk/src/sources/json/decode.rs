//! Turns the bytes of a JSON file, as they come, into batches of rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result as DataFusionResult;
use memchr::memchr;

use super::super::decoding::{Decode, Failure, count_lines};
use super::super::malformed::{Malformed, Mode};
use super::columns::{Context, Members, Misfit};
use super::options::JsonOptions;
use super::records::{Layout, Splitter, Step};
use super::syntax::{Cursor, Start, SyntaxError};

/// How the records of one file become rows.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) options: Arc<JsonOptions>,
    pub(super) mode: Mode,
    /// The columns that are read from the members of a record.
    pub(super) members: SchemaRef,
    /// Members that the schema has and nobody wants.
    pub(super) known: Vec<String>,
    /// Whether members that the schema lacks are an error.
    pub(super) refuses_unknown: bool,
    /// The columns to give out: the numbers of members, or `None` for the corrupt record.
    pub(super) given: Vec<Option<usize>>,
    pub(super) schema: SchemaRef,
    pub(super) batch_size: usize,
}

/// Which part of a file a [`Decoder`] reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) layout: Layout,
    /// Whether the bytes begin one before a byte range, whose first line is to be found.
    pub(super) seeking: bool,
    /// The number of bytes in which records of ours begin.
    pub(super) length: u64,
}

/// The state between two stretches of bytes.
pub(super) struct Decoder {
    plan: Plan,
    splitter: Splitter,
    columns: Members,
    /// The texts of records that do not fit, where a column of the result asks for them.
    corrupt: Vec<Option<String>>,
    rows: usize,
    buffer: Vec<u8>,
    at: usize,
    /// How many bytes came before the buffer, and how many lines ended in them.
    passed: u64,
    lines: u64,
    end: u64,
    at_end: bool,
    seeking: bool,
    failed: Option<Malformed>,
    /// How many bytes must be there before a long record is tried again.
    wanted: usize,
}

const HINT: &str = "correct the record, or set option `mode`: `PERMISSIVE` gives NULL, \
                    `DROPMALFORMED` leaves the record out";
const UNKNOWN_HINT: &str = "set option `samplingRatio` to `1.0` to look at all of the data, give a \
                            schema, or set option `mode` to `PERMISSIVE` to leave the member out";

/// What to do about a record beyond the limit.
const LIMIT_HINT: &str =
    "raise the reader's option `maxRecordBytes` or the session's `vonk.sources.record.bytes.max`";

impl Decoder {
    pub(super) fn new(plan: Plan, part: Part) -> DataFusionResult<Self> {
        let fields = plan.members.fields().iter().map(|field| (field, field.name().clone()));
        Ok(Self {
            splitter: Splitter::new(part.layout),
            columns: Members::new(fields, plan.known.clone())?,
            corrupt: Vec::new(),
            rows: 0,
            buffer: Vec::new(),
            at: 0,
            passed: 0,
            lines: 0,
            end: part.length,
            at_end: false,
            seeking: part.seeking,
            failed: None,
            wanted: 0,
            plan,
        })
    }

    /// Goes to the first line of the byte range; whether it is there.
    fn seek(&mut self) -> bool {
        if !self.seeking {
            return true;
        }
        match memchr(b'\n', &self.buffer[self.at..]) {
            Some(length) => {
                self.at += length + 1;
                self.seeking = false;
                true
            }
            None => {
                self.at = self.buffer.len();
                false
            }
        }
    }

    /// Reads up to a batch of records from the buffer.
    fn scan(&mut self) -> Result<(), Failure> {
        if !self.at_end && self.buffer.len() - self.at < self.wanted {
            return Ok(());
        }
        self.wanted = 0;
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.passed == 0 && self.at == 0 && !self.seeking && self.buffer.starts_with(MARK) {
            self.at = MARK.len();
        }
        while self.rows < self.plan.batch_size && self.passed + (self.at as u64) < self.end {
            match self.splitter.step(&self.buffer, self.at, self.at_end) {
                Step::Skip { next } => self.at = next,
                Step::Record { start, end, next } => {
                    self.at = next;
                    self.take_record(start, end)?;
                }
                Step::NeedMore => {
                    let limit = self.plan.options.record_bytes_max;
                    if self.buffer.len() - self.at > limit {
                        return Err(self.too_long(limit));
                    }
                    if self.at_end
                        && let Some(message) = self.splitter.missing_at_end()
                    {
                        return Err(self.malformed(self.at, message, HINT).into());
                    }
                    // Trying with twice as much keeps the work linear.
                    self.wanted = (2 * (self.buffer.len() - self.at)).min(limit + 1);
                    break;
                }
                Step::Wrong { at, message } => {
                    return Err(self.malformed(at, message, HINT).into());
                }
            }
        }
        Ok(())
    }

    fn too_long(&self, limit: usize) -> Failure {
        let message = format!("the record takes more than {limit} bytes");
        self.malformed(self.at, &message, LIMIT_HINT).into()
    }

    /// Reads a record as a row, if the mode allows it.
    fn take_record(&mut self, start: usize, end: usize) -> Result<(), Failure> {
        let text = match std::str::from_utf8(&self.buffer[start..end]) {
            Ok(text) => text,
            Err(error) => {
                let at = start + error.valid_up_to();
                let byte = self.buffer.get(at).copied().unwrap_or_default();
                let message = format!("byte 0x{byte:02X} is not valid UTF-8");
                let hint = "set option `encoding` to `ISO-8859-1`, or convert the file";
                return Err(self.malformed(at, &message, hint).into());
            }
        };
        let mut context = Context {
            times: &self.plan.options.times,
            refuses_unknown: self.plan.refuses_unknown,
            misfit: None,
        };
        let mut cursor = Cursor::new(text, self.plan.options.leniency);
        let read = read_row(&mut cursor, &mut self.columns, &mut context);
        let misfit = context.misfit;
        match (&read, self.plan.mode) {
            (Err(_), Mode::Permissive) => {
                self.columns.truncate(self.rows);
                self.columns.push_null();
            }
            (Ok(()), _) if misfit.is_none() => {}
            (Ok(()), Mode::Permissive) => {}
            (_, Mode::DropMalformed) => {
                self.columns.truncate(self.rows);
                return Ok(());
            }
            (_, Mode::Strict | Mode::FailFast) => {
                self.columns.truncate(self.rows);
                return Err(self.refusal(start, read, misfit).into());
            }
        }
        self.rows += 1;
        if self.plan.given.contains(&None) {
            let fits = read.is_ok() && misfit.is_none();
            let text = if fits { None } else { Some(text.trim_end().to_owned()) };
            self.corrupt.push(text);
        }
        Ok(())
    }

    fn refusal(
        &self,
        start: usize,
        read: Result<(), SyntaxError>,
        misfit: Option<Misfit>,
    ) -> Malformed {
        match (read, misfit) {
            (Err(error), _) => self.malformed(start + error.at, &error.message, HINT),
            (Ok(()), Some(misfit)) => {
                let message = format!("column `{}`: {}", misfit.column, misfit.message);
                let hint = if misfit.is_unknown { UNKNOWN_HINT } else { HINT };
                self.malformed(start, &message, hint)
            }
            (Ok(()), None) => self.malformed(start, "the record does not fit", HINT),
        }
    }

    fn malformed(&self, at: usize, message: &str, hint: &str) -> Malformed {
        let line = self.lines + count_lines(&self.buffer[..at.min(self.buffer.len())]) + 1;
        Malformed { line, message: message.to_owned(), hint: hint.to_owned() }
    }

    fn batch(&mut self) -> DataFusionResult<RecordBatch> {
        let columns = self.columns.finish()?;
        let corrupt: ArrayRef = Arc::new(self.corrupt.drain(..).collect::<StringArray>());
        let given = self.plan.given.iter().map(|number| match number {
            Some(number) => Arc::clone(&columns[*number]),
            None => Arc::clone(&corrupt),
        });
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let schema = Arc::clone(&self.plan.schema);
        let batch = RecordBatch::try_new_with_options(schema, given.collect(), &options)?;
        self.rows = 0;
        Ok(batch)
    }
}

fn read_row(
    cursor: &mut Cursor<'_>,
    columns: &mut Members,
    context: &mut Context<'_>,
) -> Result<(), SyntaxError> {
    if cursor.start()? != Start::Object {
        let message = "expected an object".to_owned();
        return Err(SyntaxError { at: cursor.place(), message });
    }
    columns.read(cursor, context)?;
    cursor.end()
}

impl Decode for Decoder {
    fn push(&mut self, bytes: &[u8]) {
        let gone = &self.buffer[..self.at];
        self.passed += gone.len() as u64;
        self.lines += count_lines(gone);
        self.buffer.drain(..self.at);
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
            return Err(malformed.into());
        }
        if !self.seek() {
            return Ok(None);
        }
        match self.scan() {
            Ok(()) if self.rows == 0 => return Ok(None),
            Ok(()) => {}
            // Rows before the malformed one come first.
            Err(Failure::Malformed(malformed)) if self.rows > 0 => self.failed = Some(malformed),
            Err(failure) => return Err(failure),
        }
        Ok(Some(self.batch()?))
    }
}
