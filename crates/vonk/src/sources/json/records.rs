//! Cuts the bytes of a JSON file into records: lines, or the values of a document.

use memchr::memchr;

/// How the records of a file stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One record a line.
    Lines,
    /// Values one after the other or in an array, over as many lines as they like.
    Document,
}

/// What stands at a place of the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A record from `start` to `end`; what follows begins at `next`.
    Record { start: usize, end: usize, next: usize },
    /// Nothing but blanks up to `next`.
    Skip { next: usize },
    /// The buffer ends before the record does.
    NeedMore,
    /// The document is wrong at a byte.
    Wrong { at: usize, message: &'static str },
}

/// Finds records; for documents it remembers where in the outer array it is.
#[derive(Debug, Clone)]
pub(super) struct Splitter {
    layout: Layout,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    ArrayStart,
    AfterItem,
    AfterComma,
}

impl Splitter {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout, place: Place::Outside }
    }

    /// Reads what stands at `start`; `at_end` says that nothing follows the buffer.
    pub(super) fn step(&mut self, buffer: &[u8], start: usize, at_end: bool) -> Step {
        match self.layout {
            Layout::Lines => line(buffer, start, at_end),
            Layout::Document => self.value(buffer, start, at_end),
        }
    }

    /// What is missing where the file ends.
    pub(super) fn missing_at_end(&self) -> Option<&'static str> {
        (self.place != Place::Outside).then_some("the file ends within an array")
    }

    fn value(&mut self, buffer: &[u8], start: usize, at_end: bool) -> Step {
        let blanks = buffer[start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let at = start + blanks;
        let Some(byte) = buffer.get(at) else {
            return if blanks > 0 { Step::Skip { next: at } } else { Step::NeedMore };
        };
        let moved = match (self.place, byte) {
            (Place::Outside, b'[') => Some(Place::ArrayStart),
            (Place::ArrayStart | Place::AfterItem, b']') => Some(Place::Outside),
            (Place::AfterItem, b',') => Some(Place::AfterComma),
            (Place::AfterItem, _) => {
                return Step::Wrong { at, message: "expected `,` or `]`" };
            }
            (_, b']' | b',' | b'}' | b':') => {
                return Step::Wrong { at, message: "expected a value" };
            }
            _ => None,
        };
        if let Some(place) = moved {
            self.place = place;
            return Step::Skip { next: at + 1 };
        }
        match value_end(buffer, at, at_end) {
            Some(end) => {
                if self.place != Place::Outside {
                    self.place = Place::AfterItem;
                }
                Step::Record { start: at, end, next: end }
            }
            None => Step::NeedMore,
        }
    }
}

fn line(buffer: &[u8], start: usize, at_end: bool) -> Step {
    let rest = &buffer[start..];
    let (length, next) = match memchr(b'\n', rest) {
        Some(length) => (length, start + length + 1),
        None if at_end => (rest.len(), buffer.len()),
        None => return Step::NeedMore,
    };
    if rest[..length].iter().all(u8::is_ascii_whitespace) {
        return if next > start { Step::Skip { next } } else { Step::NeedMore };
    }
    Step::Record { start, end: start + length, next }
}

/// Where the value at `start` ends; a value that is no JSON ends somewhere, and is refused later.
fn value_end(buffer: &[u8], start: usize, at_end: bool) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = start;
    while let Some(byte) = buffer.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = text_end(buffer, at)?;
                if depth == 0 {
                    return Some(at);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return Some(if depth == 0 { at } else { at + 1 }),
            b'}' | b']' => depth -= 1,
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    at_end.then_some(buffer.len())
}

fn text_end(buffer: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += memchr::memchr2(buffer[open], b'\\', &buffer[at..])?;
        if buffer[at] == buffer[open] {
            return Some(at + 1);
        }
        at += 2;
        if at > buffer.len() {
            return None;
        }
    }
}

/// How records stand in a file that begins with these bytes; `None` if more bytes must tell.
pub(super) fn detect(head: &[u8], is_whole: bool) -> Option<Layout> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let Some(start) = head.iter().position(|byte| !byte.is_ascii_whitespace()) else {
        return is_whole.then_some(Layout::Lines);
    };
    let head = &head[start..];
    if head[0] == b'[' {
        return Some(Layout::Document);
    }
    let line = memchr(b'\n', head);
    let line = line.or(is_whole.then_some(head.len()))?;
    // The first record spans lines if its first line does not end it.
    match value_end(&head[..line], 0, false) {
        Some(_) => Some(Layout::Lines),
        None if head[0] == b'{' && value_end(head, 0, false).is_some() => Some(Layout::Document),
        None if head[0] == b'{' && !is_whole => None,
        None => Some(Layout::Lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(layout: Layout, text: &str) -> Result<Vec<&str>, &'static str> {
        let mut splitter = Splitter::new(layout);
        let (mut at, mut records) = (0, Vec::new());
        while at < text.len() {
            match splitter.step(text.as_bytes(), at, true) {
                Step::Record { start, end, next } => {
                    records.push(&text[start..end]);
                    at = next;
                }
                Step::Skip { next } => at = next,
                Step::NeedMore => return Err("need more"),
                Step::Wrong { message, .. } => return Err(message),
            }
        }
        splitter.missing_at_end().map_or(Ok(records), Err)
    }

    #[test]
    fn lines() {
        let text = "{\"a\":1}\r\n\n  \n{\"a\":2}";
        assert_eq!(records(Layout::Lines, text).unwrap(), ["{\"a\":1}\r", "{\"a\":2}"]);
    }

    #[test]
    fn documents() {
        let check = |text, expect: &[&str]| {
            assert_eq!(records(Layout::Document, text).unwrap(), expect);
        };
        check("[{\"a\":\n1},\n {\"a\":\"]}\\\"\"}]\n", &["{\"a\":\n1}", "{\"a\":\"]}\\\"\"}"]);
        check("{\"a\":[1,[2]]} {}\n{}", &["{\"a\":[1,[2]]}", "{}", "{}"]);
        check("[]", &[]);
        check("[1, null]", &["1", "null"]);
        assert!(records(Layout::Document, "[{} {}]").is_err());
        assert!(records(Layout::Document, "[{},]").is_err());
        assert!(records(Layout::Document, "[{}").is_err());
    }

    #[test]
    fn layouts_are_found() {
        let check = |text: &str, expect| assert_eq!(detect(text.as_bytes(), true), Some(expect));
        check("[{}]", Layout::Document);
        check("{\"a\":1}\n{\"a\":2}\n", Layout::Lines);
        check("{\n \"a\":1\n}\n{\"a\":2}\n", Layout::Document);
        check("{\"a\":1\n{\"a\":2}\n", Layout::Lines);
        check("", Layout::Lines);
        assert_eq!(detect(b"{\"a\":1", false), None);
    }
}
