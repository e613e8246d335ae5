//! Cuts the bytes of a CSV file into records and fields; the innermost loop of reading CSV.

use memchr::{memchr, memchr2};
use serde::{Deserialize, Serialize};

/// How bytes are cut into records and fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    /// The byte that takes the meaning from a quote after it; a doubled quote always stands for one.
    pub(super) escape: Option<u8>,
    /// Lines that begin with this byte are skipped.
    pub(super) comment: Option<u8>,
    /// The end of a record; `\n`, `\r\n` and `\r` if not set.
    pub(super) newline: Option<u8>,
    pub(super) trim_leading: bool,
    pub(super) trim_trailing: bool,
    /// Whether a quoted field may hold line breaks.
    pub(super) multi_line: bool,
}

impl Dialect {
    /// Fields between `delimiter` bytes, in double quotes where needed.
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            quote: Some(b'"'),
            escape: None,
            comment: None,
            newline: None,
            trim_leading: false,
            trim_trailing: false,
            multi_line: true,
        }
    }
}

/// What the bytes of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The text as it stands.
    Plain,
    /// The text between quotes.
    Quoted,
    /// The text between quotes, with quotes inside that are doubled or escaped.
    Escaped,
    /// A quoted text and something after its closing quote; the whole of it.
    Trailing,
    /// The text after an opening quote that is never closed.
    Unclosed,
}

/// Where a field stands in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) form: Form,
}

impl Field {
    #[expect(clippy::cast_possible_truncation, reason = "a buffer holds less than 4 GiB")]
    fn new(start: usize, end: usize, form: Form) -> Self {
        Self { start: start as u32, end: end as u32, form }
    }

    /// A field without any text.
    pub(super) fn empty(at: usize) -> Self {
        Self::new(at, at, Form::Plain)
    }

    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What stands at a place of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A record that ends before `end`; the next begins at `next`.
    Record { end: usize, next: usize },
    /// A blank line or a comment; the next record begins at `next`.
    Skip { next: usize },
    /// The buffer ends before the record does.
    NeedMore,
    /// The record has more fields than allowed.
    TooManyColumns,
}

/// The bytes of a dialect, ready for comparing eight at a time.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    pub(super) dialect: Dialect,
    columns_max: usize,
    delimiters: u64,
    newlines: [u64; 2],
    newline_bytes: [u8; 2],
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A bit for each zero byte of `word`; bits above the lowest may be wrong, the lowest is not.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

impl Scanner {
    pub(super) fn new(dialect: Dialect, columns_max: usize) -> Self {
        let newline_bytes = match dialect.newline {
            Some(byte) => [byte, byte],
            None => *b"\n\r",
        };
        Self {
            dialect,
            columns_max,
            delimiters: u64::from(dialect.delimiter) * ONES,
            newlines: newline_bytes.map(|byte| u64::from(byte) * ONES),
            newline_bytes,
        }
    }

    /// Reads what stands at `start`; its fields replace what was in `fields`.
    ///
    /// `at_end` says that nothing follows the buffer.
    pub(super) fn step(
        &self,
        buffer: &[u8],
        start: usize,
        at_end: bool,
        fields: &mut Vec<Field>,
    ) -> Step {
        fields.clear();
        match buffer.get(start) {
            None => return Step::NeedMore,
            Some(byte) if self.newline_bytes.contains(byte) => {
                return match self.after_newline(buffer, start, at_end) {
                    Some(next) => Step::Skip { next },
                    None => Step::NeedMore,
                };
            }
            Some(byte) if Some(*byte) == self.dialect.comment => {
                return self.skip_line(buffer, start, at_end);
            }
            Some(_) => {}
        }
        let mut at = start;
        loop {
            if fields.len() == self.columns_max {
                return Step::TooManyColumns;
            }
            let Some((field, end)) = self.field(buffer, at, at_end) else { return Step::NeedMore };
            fields.push(field);
            match buffer.get(end) {
                None if at_end => return Step::Record { end, next: end },
                None => return Step::NeedMore,
                Some(byte) if *byte == self.dialect.delimiter => at = end + 1,
                Some(_) => {
                    return match self.after_newline(buffer, end, at_end) {
                        Some(next) => Step::Record { end, next },
                        None => Step::NeedMore,
                    };
                }
            }
        }
    }

    fn skip_line(&self, buffer: &[u8], start: usize, at_end: bool) -> Step {
        let [first, second] = self.newline_bytes;
        match memchr2(first, second, &buffer[start..]) {
            Some(length) => match self.after_newline(buffer, start + length, at_end) {
                Some(next) => Step::Skip { next },
                None => Step::NeedMore,
            },
            None if at_end => Step::Skip { next: buffer.len() },
            None => Step::NeedMore,
        }
    }

    /// Where the line after the line break at `at` begins, if the buffer shows it.
    fn after_newline(&self, buffer: &[u8], at: usize, at_end: bool) -> Option<usize> {
        if self.dialect.newline.is_some() || buffer[at] == b'\n' {
            return Some(at + 1);
        }
        match buffer.get(at + 1) {
            Some(b'\n') => Some(at + 2),
            Some(_) => Some(at + 1),
            None => at_end.then_some(at + 1),
        }
    }

    /// The field at `start` and where the delimiter, line break or end of the buffer after it is.
    fn field(&self, buffer: &[u8], start: usize, at_end: bool) -> Option<(Field, usize)> {
        let mut first = start;
        if self.dialect.trim_leading {
            first += buffer[start..].iter().take_while(|byte| self.is_blank(**byte)).count();
        }
        if let Some(quote) = self.dialect.quote
            && buffer.get(first) == Some(&quote)
        {
            return self.quoted(buffer, first, quote, at_end);
        }
        let end = self.find_border(buffer, first);
        Some((Field::new(first, self.trimmed(buffer, first, end), Form::Plain), end))
    }

    fn quoted(
        &self,
        buffer: &[u8],
        open: usize,
        quote: u8,
        at_end: bool,
    ) -> Option<(Field, usize)> {
        let mut form = Form::Quoted;
        let mut at = open + 1;
        let close = loop {
            let found = match self.dialect.escape {
                Some(escape) => memchr2(quote, escape, &buffer[at..]),
                None => memchr(quote, &buffer[at..]),
            };
            let Some(length) = found else {
                return self.unclosed(buffer, open, at_end);
            };
            at += length;
            match buffer.get(at + 1) {
                None if !at_end => return None,
                Some(next) if buffer[at] != quote => {
                    // Only a quote or the escape itself loses its meaning; else the escape is text.
                    let escapes = *next == quote || Some(*next) == self.dialect.escape;
                    form = if escapes { Form::Escaped } else { form };
                    at += if escapes { 2 } else { 1 };
                }
                None if buffer[at] != quote => return self.unclosed(buffer, open, at_end),
                Some(next) if *next == quote => {
                    form = Form::Escaped;
                    at += 2;
                }
                _ => break at,
            }
        };
        if !self.dialect.multi_line && self.has_newline(&buffer[open..close]) {
            return self.unclosed(buffer, open, true);
        }
        let mut end = close + 1;
        if self.dialect.trim_trailing {
            end += buffer[end..].iter().take_while(|byte| self.is_blank(**byte)).count();
        }
        match buffer.get(end) {
            None if !at_end => None,
            Some(byte) if *byte != self.dialect.delimiter && !self.newline_bytes.contains(byte) => {
                let end = self.find_border(buffer, end);
                Some((Field::new(open, self.trimmed(buffer, open, end), Form::Trailing), end))
            }
            _ => Some((Field::new(open + 1, close, form), end)),
        }
    }

    /// A field that is not closed in its record, which ends at the next line break where quoted
    /// fields may not hold one, else with the file.
    fn unclosed(&self, buffer: &[u8], open: usize, at_end: bool) -> Option<(Field, usize)> {
        let [first, second] = self.newline_bytes;
        let newline = if self.dialect.multi_line {
            None
        } else {
            memchr2(first, second, &buffer[open..]).map(|length| open + length)
        };
        match newline {
            None if !at_end => None,
            found => {
                let end = found.unwrap_or(buffer.len());
                Some((Field::new(open + 1, end, Form::Unclosed), end))
            }
        }
    }

    fn has_newline(&self, bytes: &[u8]) -> bool {
        let [first, second] = self.newline_bytes;
        memchr2(first, second, bytes).is_some()
    }

    /// The next delimiter or line break from `at` on, or the end of the buffer.
    fn find_border(&self, buffer: &[u8], mut at: usize) -> usize {
        let [first, second] = self.newlines;
        while let Some(bytes) = buffer.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*bytes);
            let hits = zero_bytes(word ^ self.delimiters)
                | zero_bytes(word ^ first)
                | zero_bytes(word ^ second);
            if hits != 0 {
                return at + hits.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
        let is_border =
            |byte: &u8| *byte == self.dialect.delimiter || self.newline_bytes.contains(byte);
        buffer[at..].iter().position(is_border).map_or(buffer.len(), |length| at + length)
    }

    fn trimmed(&self, buffer: &[u8], start: usize, mut end: usize) -> usize {
        if self.dialect.trim_trailing {
            while end > start && self.is_blank(buffer[end - 1]) {
                end -= 1;
            }
        }
        end
    }

    fn is_blank(&self, byte: u8) -> bool {
        (byte == b' ' || byte == b'\t') && byte != self.dialect.delimiter
    }

    /// The text of an [`Form::Escaped`] field without its escapes.
    pub(super) fn unescape(&self, text: &str) -> String {
        let quote = self.dialect.quote.map(char::from);
        let escape = self.dialect.escape.map(char::from);
        let mut unescaped = String::with_capacity(text.len());
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let next = letters.peek().copied();
            let doubled = Some(letter) == quote && next == quote;
            let escaped = Some(letter) == escape && (next == quote || next == escape);
            unescaped.push(if doubled || (escaped && next.is_some()) {
                letters.next().unwrap_or(letter)
            } else {
                letter
            });
        }
        unescaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(dialect: Dialect, text: &str) -> Vec<Vec<String>> {
        let scanner = Scanner::new(dialect, 100);
        let mut fields = Vec::new();
        let mut at = 0;
        let mut records = Vec::new();
        while at < text.len() {
            match scanner.step(text.as_bytes(), at, true, &mut fields) {
                Step::Record { next, .. } => {
                    let text_of = |field: &Field| match field.form {
                        Form::Escaped => scanner.unescape(&text[field.range()]),
                        Form::Trailing => format!("?{}", &text[field.range()]),
                        Form::Unclosed => format!("!{}", &text[field.range()]),
                        _ => text[field.range()].to_owned(),
                    };
                    records.push(fields.iter().map(text_of).collect());
                    at = next;
                }
                Step::Skip { next } => at = next,
                other => panic!("{other:?} at {at}"),
            }
        }
        records
    }

    fn check(dialect: Dialect, text: &str, expect: &[&[&str]]) {
        assert_eq!(records(dialect, text), expect, "{text:?}");
    }

    #[test]
    fn fields_and_line_breaks() {
        let csv = Dialect::new(b',');
        check(csv, "a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]);
        check(csv, "a,b\r\n1,2", &[&["a", "b"], &["1", "2"]]);
        check(csv, "a,b\r1,\r", &[&["a", "b"], &["1", ""]]);
        check(csv, "\n\na\n\r\n\nb\n", &[&["a"], &["b"]]);
        check(csv, ",\n", &[&["", ""]]);
        check(csv, "a longer field than eight,x", &[&["a longer field than eight", "x"]]);
        check(Dialect { newline: Some(b';'), ..csv }, "a,b;c\n,d;", &[&["a", "b"], &["c\n", "d"]]);
    }

    #[test]
    fn quotes() {
        let csv = Dialect::new(b',');
        check(csv, "\"a,b\",c\n", &[&["a,b", "c"]]);
        check(csv, "\"a\"\"b\",\"\"\n", &[&["a\"b", ""]]);
        check(csv, "\"two\nlines\",\"x\r\ny\"\n", &[&["two\nlines", "x\r\ny"]]);
        check(csv, "5\" pipe,x\n", &[&["5\" pipe", "x"]]);
        check(csv, "\"a\" b,c\n", &[&["?\"a\" b", "c"]]);
        check(csv, "\"a\nb,c", &[&["!a\nb,c"]]);
        check(Dialect { quote: None, ..csv }, "\"a,b\"\n", &[&["\"a", "b\""]]);
        check(Dialect { multi_line: false, ..csv }, "\"a\nb\",c\n", &[&["!a"], &["b\"", "c"]]);
        check(Dialect { multi_line: false, ..csv }, "\"a\nb", &[&["!a"], &["b"]]);
    }

    #[test]
    fn escapes() {
        let csv = Dialect { escape: Some(b'\\'), ..Dialect::new(b',') };
        check(csv, "\"a\\\"b\",c\n", &[&["a\"b", "c"]]);
        check(csv, "\"a\\\\\",c\n", &[&["a\\", "c"]]);
        check(csv, "\"a\\n\",c\n", &[&["a\\n", "c"]]);
        check(csv, "a\\,c\n", &[&["a\\", "c"]]);
    }

    #[test]
    fn blanks_and_comments() {
        let csv = Dialect { trim_leading: true, trim_trailing: true, ..Dialect::new(b',') };
        check(csv, " a , \"b\" ,c\n", &[&["a", "b", "c"]]);
        let csv = Dialect { comment: Some(b'#'), ..Dialect::new(b',') };
        check(csv, "#x,\"y\na\n# end", &[&["a"]]);
    }

    #[test]
    fn a_record_cut_anywhere_needs_more() {
        let text = b"ab,\"c\"\"d\"\r\n";
        let scanner = Scanner::new(Dialect::new(b','), 100);
        let mut fields = Vec::new();
        for length in 0..text.len() {
            let step = scanner.step(&text[..length], 0, false, &mut fields);
            assert_eq!(step, Step::NeedMore, "{length}");
        }
        let step = scanner.step(text, 0, false, &mut fields);
        assert_eq!(step, Step::Record { end: 9, next: 11 });
    }

    #[test]
    fn too_many_columns_stop_the_record() {
        let scanner = Scanner::new(Dialect::new(b','), 3);
        let mut fields = Vec::new();
        assert_eq!(scanner.step(b"1,2,3,4", 0, true, &mut fields), Step::TooManyColumns);
    }
}
