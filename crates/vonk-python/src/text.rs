//! The lines of splits of text files, cut as Hadoop cuts them.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;

use crate::stores::RemoteFile;

/// Bytes read at a time; whole lines of them are handed on together.
const BLOCK_BYTES: usize = 4 << 20;

/// Bytes looked at in search of the end of a line.
const PEEK_BYTES: usize = 4 << 10;

/// The mark by which some editors begin UTF-8 files; it is no part of the text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A part of a file: the lines that begin after `start` (or at 0) and not after `end`.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    path: String,
    start: u64,
    end: u64,
}

impl Split {
    pub(crate) fn new(path: String, start: u64, end: u64) -> Self {
        Self { path, start, end }
    }

    /// Hands on the text of the split in blocks of whole lines, without the end of the last line.
    /// Lines end in `\n`; bytes that are no UTF-8 have become U+FFFD.
    pub(crate) fn blocks<E: From<io::Error>>(
        &self,
        mut give: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut file = open(&self.path)?;
        let mut is_begin = self.start == 0;
        let mut give_bytes = |bytes: &[u8]| {
            let has_mark = std::mem::take(&mut is_begin) && bytes.starts_with(BYTE_ORDER_MARK);
            let bytes = if has_mark { &bytes[BYTE_ORDER_MARK.len()..] } else { bytes };
            let text = String::from_utf8_lossy(bytes);
            let text = match memchr::memchr(b'\r', bytes) {
                Some(_) => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
                None => text,
            };
            give(text.strip_suffix('\n').unwrap_or(&text))
        };
        if self.path.ends_with(".gz") {
            return whole_lines(MultiGzDecoder::new(file), &mut give_bytes);
        }
        if self.path.ends_with(".bz2") {
            return whole_lines(MultiBzDecoder::new(file), &mut give_bytes);
        }
        // The end first: what a store gives for the beginning is what is read next.
        let stop = line_after(file.as_mut(), self.end)?;
        let begin = if self.start > 0 { line_after(file.as_mut(), self.start)? } else { 0 };
        file.seek(SeekFrom::Start(begin))?;
        whole_lines(file.take(stop.saturating_sub(begin)), &mut give_bytes)
    }
}

/// What splits are read from.
trait Input: Read + Seek {}

impl<T: Read + Seek> Input for T {}

/// Opens a file of the local disk or of a store.
fn open(path: &str) -> io::Result<Box<dyn Input>> {
    match path.contains("://") {
        true => Ok(Box::new(RemoteFile::open(path)?)),
        false => Ok(Box::new(File::open(path)?)),
    }
}

/// Where the line begins that follows the first end of a line at or after `offset`.
fn line_after(file: &mut dyn Input, mut offset: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(offset))?;
    let mut block = vec![0; PEEK_BYTES];
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            return Ok(offset);
        }
        let Some(end) = memchr::memchr2(b'\n', b'\r', &block[..count]) else {
            offset += count as u64;
            continue;
        };
        let after = offset + end as u64 + 1;
        if block[end] == b'\n' {
            return Ok(after);
        }
        file.seek(SeekFrom::Start(after))?;
        let is_pair = file.read(&mut block[..1])? == 1 && block[0] == b'\n';
        return Ok(after + u64::from(is_pair));
    }
}

fn whole_lines<E: From<io::Error>>(
    mut file: impl Read,
    give: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut held = Vec::with_capacity(BLOCK_BYTES);
    loop {
        let before = held.len();
        let count = file.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut held)?;
        if count == 0 {
            break;
        }
        // A `\r` at the very end may be the first half of `\r\n`.
        let newline = memchr::memrchr(b'\n', &held[before..]);
        let carriage = memchr::memrchr(b'\r', &held[before..held.len() - 1]);
        if let Some(last) = newline.max(carriage) {
            let end = before + last + 1;
            give(&held[..end])?;
            held.drain(..end);
        }
    }
    if held.is_empty() { Ok(()) } else { give(&held) }
}
