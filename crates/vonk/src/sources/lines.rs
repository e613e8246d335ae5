//! Finds lines in the bytes of a file: ranges aligned to lines, and batches of text that share the
//! memory the bytes were read into.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryViewArray, StringViewArray, StringViewBuilder, make_view,
};
use arrow::buffer::{Buffer, ScalarBuffer};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use memchr::{memchr, memmem};

use crate::error::{Condition, Error, Result};

/// Bytes of a file with their offset in it.
pub(super) type Chunk = (u64, Bytes);

/// Keeps of `chunks` the lines that begin before `end` and, when `start` is not 0, after the first
/// separator; the caller begins reading one byte early, so that a line that begins at `start` counts.
///
/// So every line belongs to exactly one of the ranges into which a file is cut.
pub(super) fn align(
    chunks: BoxStream<'static, Result<Chunk>>,
    start: u64,
    end: u64,
    separator: u8,
) -> BoxStream<'static, Result<Chunk>> {
    let state = Align { chunks, skipping: start > 0, end, separator };
    stream::try_unfold(Some(state), |state| async {
        let Some(mut state) = state else { return Ok(None) };
        let Some((chunk, last)) = state.next().await? else { return Ok(None) };
        Ok(Some((chunk, (!last).then_some(state))))
    })
    .boxed()
}

struct Align {
    chunks: BoxStream<'static, Result<Chunk>>,
    skipping: bool,
    end: u64,
    separator: u8,
}

impl Align {
    /// The next chunk within the range, and whether it is the last.
    async fn next(&mut self) -> Result<Option<(Chunk, bool)>> {
        while let Some((mut offset, mut bytes)) = self.chunks.try_next().await? {
            if self.skipping {
                match memchr(self.separator, &bytes) {
                    Some(index) => {
                        bytes = bytes.slice(index + 1..);
                        offset += index as u64 + 1;
                        self.skipping = false;
                    }
                    None if offset + bytes.len() as u64 >= self.end => return Ok(None),
                    None => continue,
                }
                if offset >= self.end {
                    return Ok(None);
                }
            }
            if offset + bytes.len() as u64 >= self.end {
                let from = (self.end - 1).saturating_sub(offset) as usize;
                if let Some(index) = memchr(self.separator, &bytes[from..]) {
                    return Ok(Some(((offset, bytes.slice(..from + index + 1)), true)));
                }
            }
            if !bytes.is_empty() {
                return Ok(Some(((offset, bytes), false)));
            }
        }
        Ok(None)
    }
}

/// How lines are found and what their bytes may be.
#[derive(Debug, Clone)]
pub(super) struct LineRules {
    /// What ends a line.
    pub(super) separator: Vec<u8>,
    /// Whether a carriage return before the separator belongs to it.
    pub(super) drop_return: bool,
    /// Whether bytes that are no UTF-8 become U+FFFD instead of an error.
    pub(super) replace: bool,
    /// The longest line that is accepted, in bytes.
    pub(super) line_bytes_max: usize,
    /// Rows of a batch.
    pub(super) batch_size: usize,
}

/// Cuts chunks into lines, a batch of them at a time.
pub(super) struct Lines {
    rules: LineRules,
    finder: memmem::Finder<'static>,
    file: String,
    /// The beginning of a line whose end has not been read yet, and its offset in the file.
    carry: Vec<u8>,
    carry_at: u64,
    block: Bytes,
    block_at: u64,
    used: usize,
    /// Lines before this one, if the reading began at the first.
    lines: Option<u64>,
}

impl Lines {
    pub(super) fn new(rules: LineRules, file: String, from_first: bool) -> Self {
        let finder = memmem::Finder::new(&rules.separator).into_owned();
        Self {
            rules,
            finder,
            file,
            carry: Vec::new(),
            carry_at: 0,
            block: Bytes::new(),
            block_at: 0,
            used: 0,
            lines: from_first.then_some(0),
        }
    }

    /// Takes the next bytes of the file; those before must be used up.
    pub(super) fn feed(&mut self, (offset, bytes): Chunk) {
        if self.rules.separator.len() > 1 && !self.carry.is_empty() {
            // The separator may have begun in the bytes before.
            let mut joined = std::mem::take(&mut self.carry);
            joined.extend_from_slice(&bytes);
            (self.block, self.block_at) = (Bytes::from(joined), self.carry_at);
        } else {
            (self.block, self.block_at) = (bytes, offset);
        }
        self.used = 0;
    }

    /// The next batch of lines, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// If a line is too long, or is no UTF-8 and not to be replaced.
    pub(super) fn next_batch(&mut self) -> Result<Option<ArrayRef>> {
        let mut views = Vec::with_capacity(self.rules.batch_size);
        let begin = self.used;
        let mut finished = None;
        if !self.carry.is_empty() && self.used < self.block.len() {
            let Some(end) = self.find(self.used) else {
                self.keep_rest()?;
                return Ok(None);
            };
            let mut line = std::mem::take(&mut self.carry);
            line.extend_from_slice(&self.block[self.used..end]);
            self.check_length(self.carry_at, line.len())?;
            line.truncate(self.trimmed(&line).len());
            views.push(make_view(&line, 1, 0));
            self.used = end + self.rules.separator.len();
            finished = Some(line);
        }
        while views.len() < self.rules.batch_size {
            let Some(end) = self.find(self.used) else { break };
            self.check_length(self.block_at + self.used as u64, end - self.used)?;
            let line = self.trimmed(&self.block[self.used..end]);
            views.push(make_view(line, 0, self.used as u32));
            self.used = end + self.rules.separator.len();
        }
        if views.len() < self.rules.batch_size {
            self.keep_rest()?;
        }
        if views.is_empty() {
            return Ok(None);
        }
        let count = views.len() as u64;
        let array = self.array(views, finished, begin)?;
        self.lines = self.lines.map(|lines| lines + count);
        Ok(Some(array))
    }

    /// The line after the last separator, if there is one; to be asked at the end of the file.
    pub(super) fn last(&mut self) -> Result<Option<ArrayRef>> {
        if self.carry.is_empty() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.carry);
        line.truncate(self.trimmed(&line).len());
        let views = vec![make_view(&line, 1, 0)];
        (self.block, self.used) = (Bytes::new(), 0);
        self.array(views, Some(line), 0).map(Some)
    }

    fn find(&self, from: usize) -> Option<usize> {
        let rest = self.block.get(from..)?;
        let found = match self.rules.separator.as_slice() {
            [byte] => memchr(*byte, rest),
            _ => self.finder.find(rest),
        };
        found.map(|index| from + index)
    }

    fn trimmed<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        if self.rules.drop_return { line.strip_suffix(b"\r").unwrap_or(line) } else { line }
    }

    /// Keeps what follows the last separator of the block until its end is read.
    fn keep_rest(&mut self) -> Result<()> {
        if self.used < self.block.len() {
            if self.carry.is_empty() {
                self.carry_at = self.block_at + self.used as u64;
            }
            self.carry.extend_from_slice(&self.block[self.used..]);
            self.used = self.block.len();
        }
        self.check_length(self.carry_at, self.carry.len())
    }

    fn check_length(&self, at: u64, length: usize) -> Result<()> {
        if length <= self.rules.line_bytes_max {
            return Ok(());
        }
        let message = format!(
            "a line that begins at byte {at} is longer than {} bytes",
            self.rules.line_bytes_max
        );
        Err(Error::new(Condition::MALFORMED_RECORD, message).file(&self.file).hint(
            "raise the reader's option `maxLineLength` or the session's `vonk.sources.record.bytes.max`, \
             or say with option `lineSep` what ends a line",
        ))
    }

    /// Checks that the lines are UTF-8 and makes an array of them that shares the block's memory.
    fn array(&self, views: Vec<u128>, finished: Option<Vec<u8>>, begin: usize) -> Result<ArrayRef> {
        let carried = finished.as_ref().map_or(0, Vec::len);
        let mut buffers = vec![Buffer::from(self.block.clone())];
        buffers.extend(finished.map(Buffer::from_vec));
        let views = ScalarBuffer::from(views);
        if let Ok(array) = StringViewArray::try_new(views.clone(), buffers.clone(), None) {
            return Ok(Arc::new(array));
        }
        let bytes = BinaryViewArray::try_new(views, buffers, None)?;
        if !self.rules.replace {
            return Err(self.not_utf8(&bytes, carried > 0, begin));
        }
        let mut text = StringViewBuilder::with_capacity(bytes.len());
        for line in bytes.iter() {
            text.append_option(line.map(String::from_utf8_lossy));
        }
        Ok(Arc::new(text.finish()))
    }

    /// Finds the first byte that is no UTF-8 and says where it is.
    fn not_utf8(&self, lines: &BinaryViewArray, carried: bool, begin: usize) -> Error {
        let first_bad = |bytes: &[u8]| std::str::from_utf8(bytes).err().map(|e| e.valid_up_to());
        let carried_bad = carried.then(|| first_bad(lines.value(0))).flatten();
        let (offset, byte, lines_before) = match carried_bad {
            Some(index) => (self.carry_at + index as u64, lines.value(0)[index], 0),
            None => {
                let region = &self.block[begin..self.used];
                let index = first_bad(region).unwrap_or(0);
                let before = memmem::find_iter(&region[..index], &self.rules.separator).count();
                (self.block_at + (begin + index) as u64, region[index], before as u64)
            }
        };
        let line = self.lines.map(|lines| format!(", line {}", lines + lines_before + 1));
        let message = format!(
            "byte 0x{byte:02X} at offset {offset}{} is not UTF-8",
            line.unwrap_or_default()
        );
        Error::new(Condition::MALFORMED_RECORD, message)
            .file(&self.file)
            .hint("convert the file to UTF-8, or set option `encodingErrors` to `replace`")
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    fn rules(separator: &str) -> LineRules {
        LineRules {
            separator: separator.as_bytes().to_vec(),
            drop_return: separator == "\n",
            replace: false,
            line_bytes_max: 100,
            batch_size: 3,
        }
    }

    /// All lines of a text that arrives in chunks of `step` bytes.
    fn lines(rules: LineRules, text: &[u8], step: usize) -> Result<Vec<String>> {
        let mut lines = Lines::new(rules, "/x".to_owned(), true);
        let mut found = Vec::new();
        let mut add = |array: ArrayRef| {
            found.extend(array.as_string_view().iter().map(|line| line.unwrap().to_owned()));
        };
        for (index, chunk) in text.chunks(step).enumerate() {
            lines.feed(((index * step) as u64, Bytes::copy_from_slice(chunk)));
            while let Some(array) = lines.next_batch()? {
                add(array);
            }
        }
        lines.last()?.into_iter().for_each(&mut add);
        Ok(found)
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_arrive() {
        let text = "one\r\n\r\ntwo, which is longer than twelve bytes\n\nthree\n\u{e9}\nlast\r";
        let expected =
            ["one", "", "two, which is longer than twelve bytes", "", "three", "\u{e9}", "last"];
        for step in 1..text.len() + 1 {
            assert_eq!(lines(rules("\n"), text.as_bytes(), step).unwrap(), expected, "{step}");
        }
    }

    #[test]
    fn a_separator_of_several_bytes_may_be_cut_by_a_chunk() {
        for step in 1..14 {
            assert_eq!(
                lines(rules("||"), b"a||b|c||||d\r\n", step).unwrap(),
                ["a", "b|c", "", "d\r\n"]
            );
        }
    }

    #[test]
    fn a_final_separator_ends_a_line_and_begins_none() {
        assert_eq!(lines(rules("\n"), b"", 1).unwrap(), [""; 0]);
        assert_eq!(lines(rules("\n"), b"\n", 1).unwrap(), [""]);
        assert_eq!(lines(rules("\n"), b"a\n", 9).unwrap(), ["a"]);
        assert_eq!(lines(rules("\n"), b"a\n\n", 9).unwrap(), ["a", ""]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_by_offset_and_line() {
        for step in [1, 4, 100] {
            let error = lines(rules("\n"), b"good\nalso good\nb\xffd\n", step).unwrap_err();
            assert_eq!(error.message(), "byte 0xFF at offset 16, line 3 is not UTF-8", "{step}");
            assert_eq!(error.file_path(), Some(std::path::Path::new("/x")));
        }
        let replaced = LineRules { replace: true, ..rules("\n") };
        assert_eq!(lines(replaced, b"b\xffd\n", 9).unwrap(), ["b\u{fffd}d"]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_an_error_that_names_the_option() {
        let error = lines(rules("\n"), &[b'x'; 101], 7).unwrap_err();
        assert!(error.hint_text().unwrap().contains("maxLineLength"), "{error}");
        assert_eq!(lines(rules("\n"), &[b'x'; 100], 7).unwrap().len(), 1);
        let long = [b"ab\n", &[b'x'; 101][..], b"\n"].concat();
        let error = lines(rules("\n"), &long, 500).unwrap_err();
        assert!(error.message().contains("begins at byte 3"), "{error}");
    }

    #[tokio::test]
    async fn each_line_belongs_to_the_range_in_which_it_begins() {
        let text: &[u8] = b"\nab\r\ncdef\n\r\n\nghijklmnop\r\nq\nr";
        let size = text.len();
        for first in 0..=size {
            for second in first..=size {
                let mut joined = Vec::new();
                for (start, end) in [(0, first), (first, second), (second, size)] {
                    if start == end {
                        continue;
                    }
                    let from = start.saturating_sub(1);
                    let chunks = text[from..].chunks(3).enumerate().map(move |(index, chunk)| {
                        Ok(((from + index * 3) as u64, Bytes::copy_from_slice(chunk)))
                    });
                    let chunks = stream::iter(chunks.collect::<Vec<_>>()).boxed();
                    let mut aligned = align(chunks, start as u64, end as u64, b'\n');
                    while let Some((offset, bytes)) = aligned.try_next().await.unwrap() {
                        assert_eq!(offset as usize, joined.len());
                        joined.extend_from_slice(&bytes);
                    }
                }
                assert_eq!(joined, text, "cut at {first} and {second}");
            }
        }
    }
}
