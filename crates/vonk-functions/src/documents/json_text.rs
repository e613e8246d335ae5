//! JSON texts to trees and back, as leniently as Spark reads them.

use super::tree::Tree;

/// How deep objects and arrays may nest.
const DEPTH_MAX: usize = 1000;

/// What is allowed beyond the standard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leniency {
    pub(super) single_quotes: bool,
    pub(super) leading_zeros: bool,
    pub(super) unquoted_names: bool,
    pub(super) comments: bool,
    pub(super) any_escape: bool,
    pub(super) control_characters: bool,
    pub(super) non_numbers: bool,
}

impl Leniency {
    /// What Spark allows without options.
    pub(super) const DEFAULT: Self = Self {
        single_quotes: true,
        leading_zeros: false,
        unquoted_names: false,
        comments: false,
        any_escape: false,
        control_characters: false,
        non_numbers: true,
    };
}

/// The value that begins a text, and what stands behind it; `None` if it is malformed.
pub(super) fn read(text: &str, leniency: Leniency) -> Option<(Tree, &str)> {
    let mut reader = Reader { rest: text, leniency };
    let tree = reader.value(0)?;
    Some((tree, reader.rest))
}

/// The value that a text is.
pub(super) fn read_all(text: &str, leniency: Leniency) -> Option<Tree> {
    let (tree, rest) = read(text, leniency)?;
    rest.trim().is_empty().then_some(tree)
}

struct Reader<'a> {
    rest: &'a str,
    leniency: Leniency,
}

impl<'a> Reader<'a> {
    fn skip_spaces(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']);
            if !self.leniency.comments {
                return;
            }
            if let Some(comment) = self.rest.strip_prefix("/*") {
                self.rest = comment.split_once("*/").map_or("", |(_, after)| after);
            } else if self.rest.starts_with("//") || self.rest.starts_with('#') {
                self.rest = self.rest.split_once('\n').map_or("", |(_, after)| after);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Tree> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip_spaces();
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' => Some(Tree::Text(self.text()?)),
            '\'' if self.leniency.single_quotes => Some(Tree::Text(self.text()?)),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Tree> {
        self.take('{');
        let mut members = Vec::new();
        self.skip_spaces();
        if self.take('}') {
            return Some(Tree::Object(members));
        }
        loop {
            self.skip_spaces();
            let name = match self.rest.chars().next()? {
                '"' => self.text()?,
                '\'' if self.leniency.single_quotes => self.text()?,
                _ if self.leniency.unquoted_names => {
                    self.while_matches(|c| c.is_alphanumeric() || c == '_' || c == '$')?.to_owned()
                }
                _ => return None,
            };
            self.skip_spaces();
            if !self.take(':') {
                return None;
            }
            members.push((name, self.value(depth + 1)?));
            self.skip_spaces();
            if self.take('}') {
                return Some(Tree::Object(members));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Tree> {
        self.take('[');
        let mut items = Vec::new();
        self.skip_spaces();
        if self.take(']') {
            return Some(Tree::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_spaces();
            if self.take(']') {
                return Some(Tree::Array(items));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn while_matches(&mut self, holds: impl Fn(char) -> bool) -> Option<&'a str> {
        let end = self.rest.find(|c| !holds(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// `true`, `null`, a number, or a word for what is no number.
    fn word(&mut self) -> Option<Tree> {
        let word = self.while_matches(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))?;
        match word {
            "true" => Some(Tree::Boolean(true)),
            "false" => Some(Tree::Boolean(false)),
            "null" => Some(Tree::Null),
            "NaN" | "Infinity" | "+Infinity" | "-Infinity" | "INF" | "+INF" | "-INF"
                if self.leniency.non_numbers =>
            {
                Some(Tree::Number(word.to_owned()))
            }
            number => self.number(number),
        }
    }

    fn number(&self, word: &str) -> Option<Tree> {
        let digits = word.strip_prefix('-').unwrap_or(word);
        let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
        let has_zero = digits.starts_with('0') && whole > 1;
        let mut rest = &digits[whole..];
        if whole == 0 || (has_zero && !self.leniency.leading_zeros) {
            return None;
        }
        if let Some(fraction) = rest.strip_prefix('.') {
            let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if count == 0 {
                return None;
            }
            rest = &fraction[count..];
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let is_digits = !exponent.is_empty() && exponent.bytes().all(|b| b.is_ascii_digit());
            rest = if is_digits { "" } else { return None };
        }
        if !rest.is_empty() {
            return None;
        }
        let zeros = digits[..whole].len() - digits[..whole].trim_start_matches('0').len();
        let zeros = zeros.min(whole - 1);
        let sign = if word.starts_with('-') { "-" } else { "" };
        Some(Tree::Number(format!("{sign}{}", &digits[zeros..])))
    }

    fn text(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut text = String::new();
        let mut letters = self.rest[quote.len_utf8()..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.rest = &self.rest[quote.len_utf8() + at + letter.len_utf8()..];
                    return Some(text);
                }
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'u' => text.push(escaped(&mut letters)?),
                    next if "\"\\/'".contains(next) || self.leniency.any_escape => text.push(next),
                    _ => return None,
                },
                control if control < ' ' && !self.leniency.control_characters => return None,
                letter => text.push(letter),
            }
        }
        None
    }
}

/// A character by its hexadecimal digits, and by those of a second escape if it is a pair.
fn escaped(letters: &mut std::str::CharIndices<'_>) -> Option<char> {
    let unit = |letters: &mut std::str::CharIndices<'_>| {
        let digits: String = letters.by_ref().take(4).map(|(_, digit)| digit).collect();
        u16::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4)
    };
    let first = unit(letters)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some(char::from_u32(u32::from(first)).unwrap_or('\u{fffd}'));
    }
    let mut ahead = letters.clone();
    if ahead.next().map(|(_, c)| c) == Some('\\')
        && ahead.next().map(|(_, c)| c) == Some('u')
        && let Some(second) = unit(&mut ahead)
        && let Some(Ok(letter)) = char::decode_utf16([first, second]).next()
    {
        *letters = ahead;
        return Some(letter);
    }
    Some('\u{fffd}')
}

/// Writes a text in quotes.
pub(crate) fn push_text(text: &str, output: &mut String) {
    output.push('"');
    for letter in text.chars() {
        match letter {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            '\u{8}' => output.push_str("\\b"),
            '\u{c}' => output.push_str("\\f"),
            control if control < ' ' => output.push_str(&format!("\\u{:04X}", control as u32)),
            letter => output.push(letter),
        }
    }
    output.push('"');
}

/// Writes a tree without spaces.
pub(super) fn push(tree: &Tree, output: &mut String) {
    match tree {
        Tree::Null => output.push_str("null"),
        Tree::Boolean(value) => output.push_str(if *value { "true" } else { "false" }),
        Tree::Number(number) => output.push_str(number),
        Tree::Text(text) => push_text(text, output),
        Tree::Array(items) => {
            output.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    output.push(',');
                }
                push(item, output);
            }
            output.push(']');
        }
        Tree::Object(members) => {
            output.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    output.push(',');
                }
                push_text(name, output);
                output.push(':');
                push(value, output);
            }
            output.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Leniency, push, read_all};

    fn again(text: &str) -> Option<String> {
        let mut output = String::new();
        push(&read_all(text, Leniency::DEFAULT)?, &mut output);
        Some(output)
    }

    #[test]
    fn what_is_read_is_written() {
        for text in [r#"{"a":[1,2.50,-3e5],"b":{"c":null}}"#, r#"["ä\n\"",true]"#, "0.10"] {
            assert_eq!(again(text).as_deref(), Some(text));
        }
        assert_eq!(again("{ 'a' : 1 }").as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(again(r#""\ud83d\ude00\u0041""#).as_deref(), Some("\"😀A\""));
    }

    #[test]
    fn what_is_malformed_is_not_read() {
        for text in ["", "{", "[1,]", "{a:1}", "01", "1.", "tru", "[1] 2", "\"a", r#""\x""#] {
            assert_eq!(again(text), None, "{text}");
        }
    }
}
