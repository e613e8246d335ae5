//! Reads JSON token by token out of a text, with the leniencies that Spark's options allow.

use std::borrow::Cow;

/// What is accepted beyond JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leniency {
    /// `//` and `/* */` between tokens.
    pub(super) comments: bool,
    /// Texts in single quotes.
    pub(super) single_quotes: bool,
    /// Keys without quotes.
    pub(super) unquoted_names: bool,
    /// Numbers such as `007`.
    pub(super) leading_zeros: bool,
    /// `NaN`, `Infinity` and the like.
    pub(super) non_numeric: bool,
    /// A backslash before any character.
    pub(super) any_escape: bool,
    /// Line breaks and the like within texts.
    pub(super) control_chars: bool,
}

/// Where and how a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: usize,
    pub(super) message: String,
}

/// Values nested deeper than this are an error, so that no file can exhaust the stack.
const DEPTH_MAX: usize = 128;

/// The first token of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Object,
    Array,
    Text,
    Number,
    True,
    False,
    Null,
}

/// A place in a text of JSON.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    leniency: Leniency,
}

type Parsed<T> = Result<T, SyntaxError>;

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, leniency: Leniency) -> Self {
        Self { text, at: 0, depth: 0, leniency }
    }

    /// The byte at which the cursor stands.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// What the next value begins with; the cursor goes to it.
    pub(super) fn start(&mut self) -> Parsed<Start> {
        match self.peek()? {
            Some(b'{') => Ok(Start::Object),
            Some(b'[') => Ok(Start::Array),
            Some(b'"') => Ok(Start::Text),
            Some(b'\'') if self.leniency.single_quotes => Ok(Start::Text),
            Some(b'0'..=b'9' | b'-') => Ok(Start::Number),
            Some(b'+' | b'N' | b'I') if self.leniency.non_numeric => Ok(Start::Number),
            Some(b't') => Ok(Start::True),
            Some(b'f') => Ok(Start::False),
            Some(b'n') => Ok(Start::Null),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("the text ends where a value is expected")),
        }
    }

    /// Goes over one of the words `true`, `false` and `null`.
    pub(super) fn word(&mut self, word: &str) -> Parsed<()> {
        let rest = &self.text[self.at..];
        match rest.strip_prefix(word) {
            Some(after) if !after.starts_with(|next: char| next.is_alphanumeric()) => {
                self.at += word.len();
                Ok(())
            }
            _ => Err(self.error("expected a value")),
        }
    }

    /// Goes over a number; its text.
    pub(super) fn number(&mut self) -> Parsed<&'a str> {
        let rest = &self.text[self.at..];
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
        let length = rest.bytes().take_while(|byte| is_part(*byte)).count();
        let number = &rest[..length];
        if !self.is_number(number) {
            return Err(self.error(&format!("`{number}` is not a number")));
        }
        self.at += length;
        Ok(number)
    }

    fn is_number(&self, number: &str) -> bool {
        if self.leniency.non_numeric && special_double(number).is_some() {
            return true;
        }
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let unsigned = number.strip_prefix('-').unwrap_or(number);
        let whole = digits(unsigned);
        if whole == 0 || (whole > 1 && unsigned.starts_with('0') && !self.leniency.leading_zeros) {
            return false;
        }
        let mut rest = &unsigned[whole..];
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = digits(fraction);
            if length == 0 {
                return false;
            }
            rest = &fraction[length..];
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let length = digits(exponent);
            if length == 0 {
                return false;
            }
            rest = &exponent[length..];
        }
        rest.is_empty()
    }

    /// Goes over a text in quotes; what it means.
    pub(super) fn text(&mut self) -> Parsed<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let quote = bytes[self.at];
        let start = self.at + 1;
        let mut at = start;
        loop {
            let Some(length) = memchr::memchr2(quote, b'\\', &bytes[at..]) else {
                return Err(self.error("a text is not closed"));
            };
            self.check_control(at, at + length)?;
            at += length;
            if bytes[at] == quote {
                break;
            }
            if start <= at {
                return self.escaped_text(quote, start, at);
            }
        }
        self.at = at + 1;
        Ok(Cow::Borrowed(&self.text[start..at]))
    }

    fn escaped_text(&mut self, quote: u8, start: usize, first: usize) -> Parsed<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let mut meaning = self.text[start..first].to_owned();
        let mut at = first;
        while let Some(length) = memchr::memchr2(quote, b'\\', &bytes[at..]) {
            self.check_control(at, at + length)?;
            meaning.push_str(&self.text[at..at + length]);
            at += length;
            if bytes[at] == quote {
                self.at = at + 1;
                return Ok(Cow::Owned(meaning));
            }
            at = self.escape(at + 1, &mut meaning)?;
        }
        Err(self.error("a text is not closed"))
    }

    /// Reads what follows a backslash at `at`; where the text goes on.
    fn escape(&self, at: usize, meaning: &mut String) -> Parsed<usize> {
        let wrong = |message: &str| SyntaxError { at, message: message.to_owned() };
        let Some(letter) = self.text[at..].chars().next() else {
            return Err(wrong("a text is not closed"));
        };
        meaning.push(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(at + 1, meaning),
            '\'' if self.leniency.single_quotes => letter,
            _ if self.leniency.any_escape => letter,
            _ => return Err(wrong(&format!("`\\{letter}` is not an escape"))),
        });
        Ok(at + letter.len_utf8())
    }

    fn unicode_escape(&self, at: usize, meaning: &mut String) -> Parsed<usize> {
        let unit = |at: usize| {
            let digits = self.text.get(at..at + 4)?;
            digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
            u16::from_str_radix(digits, 16).ok()
        };
        let Some(first) = unit(at) else {
            return Err(SyntaxError { at, message: "`\\u` takes four hexadecimal digits".into() });
        };
        let second = self.text[at + 4..].starts_with("\\u").then(|| unit(at + 6)).flatten();
        let units = [first, second.unwrap_or(0)];
        if let Some(Ok(letter)) = char::decode_utf16(units[..1].iter().copied()).next() {
            meaning.push(letter);
            return Ok(at + 4);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(letter)) => {
                meaning.push(letter);
                Ok(at + 10)
            }
            // Half of a pair stands for no character; Spark's reader puts the same one there.
            _ => {
                meaning.push(char::REPLACEMENT_CHARACTER);
                Ok(at + 4)
            }
        }
    }

    fn check_control(&self, start: usize, end: usize) -> Parsed<()> {
        if self.leniency.control_chars {
            return Ok(());
        }
        match self.text.as_bytes()[start..end].iter().position(|byte| *byte < b' ') {
            None => Ok(()),
            Some(length) => Err(SyntaxError {
                at: start + length,
                message: "a text holds a control character".to_owned(),
            }),
        }
    }

    /// Goes into an object or array.
    pub(super) fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(&format!("values are nested deeper than {DEPTH_MAX}")));
        }
        self.at += 1;
        Ok(())
    }

    /// The next key of an object, with the cursor at its value; `None` at the end of the object.
    pub(super) fn next_key(&mut self, is_first: bool) -> Parsed<Option<Cow<'a, str>>> {
        if !self.goes_on(is_first, b'}', "expected `,` or `}`")? {
            return Ok(None);
        }
        let key = match self.peek()? {
            Some(b'"') => self.text()?,
            Some(b'\'') if self.leniency.single_quotes => self.text()?,
            Some(byte) if self.leniency.unquoted_names && !b"{}[]:,".contains(&byte) => {
                let rest = &self.text[self.at..];
                let is_part = |letter: char| letter.is_alphanumeric() || "_$-.".contains(letter);
                let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
                self.at += length;
                Cow::Borrowed(&rest[..length])
            }
            _ => return Err(self.error("expected a key in double quotes")),
        };
        if self.peek()? != Some(b':') {
            return Err(self.error("expected `:`"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether an array has another value, with the cursor at it.
    pub(super) fn next_item(&mut self, is_first: bool) -> Parsed<bool> {
        self.goes_on(is_first, b']', "expected `,` or `]`")
    }

    fn goes_on(&mut self, is_first: bool, close: u8, expected: &str) -> Parsed<bool> {
        match self.peek()? {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if is_first => Ok(true),
            _ => Err(self.error(expected)),
        }
    }

    /// Goes over the next value; its text.
    pub(super) fn skip(&mut self) -> Parsed<&'a str> {
        let kind = self.start()?;
        let start = self.at;
        match kind {
            Start::Object => {
                self.enter()?;
                let mut is_first = true;
                while self.next_key(is_first)?.is_some() {
                    self.skip()?;
                    is_first = false;
                }
            }
            Start::Array => {
                self.enter()?;
                let mut is_first = true;
                while self.next_item(is_first)? {
                    self.skip()?;
                    is_first = false;
                }
            }
            Start::Text => drop(self.text()?),
            Start::Number => drop(self.number()?),
            Start::True => self.word("true")?,
            Start::False => self.word("false")?,
            Start::Null => self.word("null")?,
        }
        Ok(&self.text[start..self.at])
    }

    /// An error unless nothing but blanks follow.
    pub(super) fn end(&mut self) -> Parsed<()> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.error("expected the end of the record")),
        }
    }

    /// The next byte that is no blank and no comment.
    fn peek(&mut self) -> Parsed<Option<u8>> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.leniency.comments => self.comment()?,
                other => return Ok(other.copied()),
            }
        }
    }

    fn comment(&mut self) -> Parsed<()> {
        let rest = &self.text[self.at..];
        let length = if rest.starts_with("//") {
            Some(rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|length| length + 2)
        } else {
            None
        };
        match length {
            Some(length) => {
                self.at += length;
                Ok(())
            }
            None => Err(self.error("a comment is not closed")),
        }
    }

    fn error(&self, message: &str) -> SyntaxError {
        SyntaxError { at: self.at, message: message.to_owned() }
    }
}

/// The words for what is no number or infinite.
pub(super) fn special_double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" | "+Infinity" | "+INF" | "INF" => Some(f64::INFINITY),
        "-Infinity" | "-INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// A value's text without the blanks between its tokens, as Spark gives objects in text columns.
pub(super) fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let mut quote = None;
    let mut escaped = false;
    for letter in text.chars() {
        if escaped {
            escaped = false;
        } else if quote.is_some() {
            escaped = letter == '\\';
            quote = quote.filter(|quote| *quote != letter);
        } else if letter == '"' || letter == '\'' {
            quote = Some(letter);
        } else if letter.is_ascii_whitespace() {
            continue;
        }
        compact.push(letter);
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Leniency = Leniency {
        comments: false,
        single_quotes: false,
        unquoted_names: false,
        leading_zeros: false,
        non_numeric: false,
        any_escape: false,
        control_chars: false,
    };

    fn check(text: &str, leniency: Leniency) -> Result<(), SyntaxError> {
        let mut cursor = Cursor::new(text, leniency);
        cursor.skip()?;
        cursor.end()
    }

    #[test]
    fn json_and_what_is_not() {
        for good in
            ["{}", "[1,2.5e-3,-0]", r#"{"a":[{"b":null}],"c":true}"#, r#""\u00e9\ud83d\ude00""#]
        {
            assert_eq!(check(good, STRICT), Ok(()), "{good}");
        }
        for bad in [
            "",
            "{",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "'x'",
            "01",
            "1.",
            "-",
            "nul",
            "truex",
            "\"\n\"",
            "\"\\x\"",
            "\"",
            "{} {}",
            "NaN",
            "1 /* */",
            "+1",
        ] {
            assert!(check(bad, STRICT).is_err(), "{bad}");
        }
    }

    #[test]
    fn leniencies() {
        let all = Leniency {
            comments: true,
            single_quotes: true,
            unquoted_names: true,
            leading_zeros: true,
            non_numeric: true,
            any_escape: true,
            control_chars: true,
        };
        for good in ["{a:1}", "'x'", "007", "\"\n\"", "\"\\x\"", "NaN", "-INF", "1 /* x */ // y"] {
            assert_eq!(check(good, all), Ok(()), "{good}");
        }
    }

    #[test]
    fn texts_mean_what_their_escapes_say() {
        let text = |text: &str| Cursor::new(text, STRICT).text().unwrap().into_owned();
        assert_eq!(text(r#""a\"b\\c\/d\n""#), "a\"b\\c/d\n");
        assert_eq!(text(r#""\u00e9\ud83d\ude00""#), "é😀");
        assert_eq!(text(r#""\ud83d""#), "\u{fffd}");
    }

    #[test]
    fn depth_is_limited() {
        let deep = "[".repeat(100_000);
        assert!(check(&deep, STRICT).unwrap_err().message.contains("nested deeper"));
    }

    #[test]
    fn compact_keeps_blanks_in_texts() {
        assert_eq!(compact("{ \"a b\" : [ 1, \"x \\\" y\" ] }"), r#"{"a b":[1,"x \" y"]}"#);
    }
}
