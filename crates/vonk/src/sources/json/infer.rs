//! Finds the columns of the JSON files of a table from their beginnings.

use super::super::decoding::count_lines;
use super::super::malformed::{Malformed, Mode};
use super::super::samples::Head;
use super::options::JsonOptions;
use super::records::{Splitter, Step};
use super::shape::{Members, Shape};
use super::source::find_layout;
use super::syntax::{Cursor, Start, SyntaxError};
use datafusion::common::Result as DataFusionResult;

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
    let mut found = Found { members: Members::default(), has_corrupt: false };
    for head in heads {
        let layout = find_layout(&head.input, options).await?;
        let file = read_file(options, head, Splitter::new(layout));
        let (members, has_corrupt) = file.map_err(|m| m.into_error(&head.input.name, 0))?;
        let mut all = Shape::Object(std::mem::take(&mut found.members));
        all.merge(Shape::Object(members));
        if let Shape::Object(members) = all {
            found.members = members;
        }
        found.has_corrupt |= has_corrupt;
    }
    Ok(found)
}

fn read_file(
    options: &JsonOptions,
    head: &Head,
    mut splitter: Splitter,
) -> Result<(Members, bool), Malformed> {
    let bytes = &head.bytes;
    let mut shape = Shape::Object(Members::default());
    let mut has_corrupt = false;
    let mut at = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut rows = 0;
    while rows < head.rows_max {
        let (start, end) = match splitter.step(bytes, at, head.is_whole) {
            Step::Record { start, end, next } => {
                at = next;
                (start, end)
            }
            Step::Skip { next } => {
                at = next;
                continue;
            }
            Step::NeedMore => break,
            Step::Wrong { at, message } => return Err(malformed(bytes, at, message)),
        };
        rows += 1;
        let mut record = Shape::Null;
        match read_record(options, &bytes[start..end], &mut record) {
            Ok(()) => shape.merge(record),
            Err(error) => match options.mode {
                Some(Mode::Permissive) => has_corrupt = true,
                Some(Mode::DropMalformed) => {}
                _ => return Err(malformed(bytes, start + error.at, &error.message)),
            },
        }
    }
    match shape {
        Shape::Object(members) => Ok((members, has_corrupt)),
        _ => Ok((Members::default(), has_corrupt)),
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

fn malformed(bytes: &[u8], at: usize, message: &str) -> Malformed {
    Malformed {
        line: count_lines(&bytes[..at.min(bytes.len())]) + 1,
        message: message.to_owned(),
        hint: "correct the record, or set option `mode`: `PERMISSIVE` puts it into the column of \
               corrupt records, `DROPMALFORMED` leaves it out"
            .to_owned(),
    }
}
