//! Finds the columns of the JSON files of a table from their beginnings.

use datafusion::common::Result as DataFusionResult;

use super::super::decoding::count_lines;
use super::super::malformed::{Malformed, Mode};
use super::super::samples::Head;
use super::options::JsonOptions;
use super::records::{Splitter, Step};
use super::shape::{Members, Shape};
use super::source::find_layout;
use super::syntax::{Cursor, Start, SyntaxError};

/// The columns, and whether there are records that are none.
pub(super) struct Found {
    pub(super) members: Members,
    pub(super) has_corrupt: bool,
}

/// The union of the columns of all files, in the order in which they first appear.
///
/// # Errors
/// If a record is no JSON object, unless a mode was given that goes on.
pub(super) async fn columns(options: &JsonOptions, heads: &[Head]) -> DataFusionResult<Found> {
    let mut shape = Shape::Object(Members::default());
    let mut has_corrupt = false;
    for head in heads {
        let layout = find_layout(&head.input, options).await?;
        let mut file = FileShape {
            options,
            splitter: Splitter::new(layout),
            shape: std::mem::replace(&mut shape, Shape::Null),
            has_corrupt: false,
            rows_left: head.rows_max,
            lines: 0,
            is_start: true,
        };
        let name = &head.input.name;
        head.for_each_stretch(|bytes, is_whole| {
            file.add(bytes, is_whole).map_err(|malformed| malformed.into_error(name, 0))
        })
        .await?;
        has_corrupt |= file.has_corrupt;
        shape = file.shape;
    }
    match shape {
        Shape::Object(members) => Ok(Found { members, has_corrupt }),
        _ => Ok(Found { members: Members::default(), has_corrupt }),
    }
}

/// The shape of the records of a file, found stretch by stretch.
struct FileShape<'a> {
    options: &'a JsonOptions,
    splitter: Splitter,
    shape: Shape,
    has_corrupt: bool,
    rows_left: usize,
    lines: u64,
    is_start: bool,
}

impl FileShape<'_> {
    /// Takes the records of a stretch into account; how much of it they take.
    fn add(&mut self, bytes: &[u8], is_whole: bool) -> Result<usize, Malformed> {
        let has_mark = std::mem::take(&mut self.is_start) && bytes.starts_with(b"\xEF\xBB\xBF");
        let mut at = if has_mark { 3 } else { 0 };
        while self.rows_left > 0 {
            let (start, end) = match self.splitter.step(bytes, at, is_whole) {
                Step::Record { start, end, next } => {
                    at = next;
                    (start, end)
                }
                Step::Skip { next } => {
                    at = next;
                    continue;
                }
                Step::NeedMore => break,
                Step::Wrong { at, message } => return Err(self.malformed(bytes, at, message)),
            };
            self.rows_left -= 1;
            let mut record = Shape::Null;
            match read_record(self.options, &bytes[start..end], &mut record) {
                Ok(()) => self.shape.merge(record),
                Err(error) => match self.options.mode {
                    Some(Mode::Permissive) => self.has_corrupt = true,
                    Some(Mode::DropMalformed) => {}
                    _ => return Err(self.malformed(bytes, start + error.at, &error.message)),
                },
            }
        }
        self.lines += count_lines(&bytes[..at]);
        Ok(at)
    }

    fn malformed(&self, bytes: &[u8], at: usize, message: &str) -> Malformed {
        Malformed {
            line: self.lines + count_lines(&bytes[..at.min(bytes.len())]) + 1,
            message: message.to_owned(),
            hint: "correct the record, or set option `mode`: `PERMISSIVE` puts it into the column \
                   of corrupt records, `DROPMALFORMED` leaves it out"
                .to_owned(),
        }
    }
}

fn read_record(options: &JsonOptions, record: &[u8], shape: &mut Shape) -> Result<(), SyntaxError> {
    let text = std::str::from_utf8(record).map_err(|error| {
        let at = error.valid_up_to();
        let byte = record.get(at).copied().unwrap_or_default();
        SyntaxError { at, message: format!("byte 0x{byte:02X} is not valid UTF-8") }
    })?;
    let mut cursor = Cursor::new(text, options.leniency);
    if cursor.start()? != Start::Object {
        return Err(SyntaxError { at: cursor.place(), message: "expected an object".to_owned() });
    }
    shape.read(&mut cursor, options)?;
    cursor.end()
}
