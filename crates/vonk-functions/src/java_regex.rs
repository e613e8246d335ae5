//! Java's regular expressions in the words of the `regex` crate, and of `fancy-regex` where they
//! have look-around, back-references, atomic groups or possessive quantifiers.
//!
//! Java's `\d`, `\w` and `\s` are of ASCII; `\Q…\E` quotes.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{Result, exec_err};
use regex::{Captures, Regex};

use crate::failure::Failure;

/// Signs that mean something in a pattern.
const OPERATORS: &[char] = &['\\', '.', '[', ']', '{', '}', '(', ')', '*', '+', '?', '^', '$', '|'];

/// The text that a pattern stands for, if it has no operators but escaped ones.
pub(crate) fn literal(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => text.push(rest.next().filter(|escaped| OPERATORS.contains(escaped))?),
            operator if OPERATORS.contains(&operator) => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    engine: Engine,
}

/// A pattern for names of columns, which has to fit them whole.
///
/// ```
/// let pattern = vonk_functions::NamePattern::new("(id)?+.+", true)?;
/// assert!(pattern.fits("id2")? && !pattern.fits("ID")?);
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// ```
#[derive(Debug)]
pub struct NamePattern(Pattern);

impl NamePattern {
    /// A regular expression of Java.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE.PATTERN` if it is none.
    pub fn new(pattern: &str, ignores_case: bool) -> Result<Self> {
        let flags = if ignores_case { "i" } else { "" };
        let mut translated = translate(pattern)?;
        translated.text = format!("^(?{flags}:{})$", translated.text);
        Ok(Self(Pattern::of("names of columns", pattern, translated)?))
    }

    /// Whether a name is one of those.
    ///
    /// # Errors
    /// If matching was given up: some patterns take too many tries.
    pub fn fits(&self, name: &str) -> Result<bool> {
        self.0.is_match(name)
    }
}

/// What finds matches.
#[derive(Debug)]
enum Engine {
    /// In time that grows with the text, whatever the pattern is.
    Linear(Regex),
    /// By trying: look-around, back-references, atomic groups and possessive quantifiers want it.
    /// One that tries too often gives an error.
    Trying(Box<fancy_regex::Regex>),
}

/// A match, and what its groups took.
pub(crate) enum Found<'t> {
    Linear(Captures<'t>),
    Trying(fancy_regex::Captures<'t>),
}

impl<'t> Found<'t> {
    fn span(&self) -> (usize, usize) {
        match self {
            Found::Linear(captures) => (captures.get_match().start(), captures.get_match().end()),
            // Group 0 is the whole match and always there.
            Found::Trying(captures) => {
                captures.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()))
            }
        }
    }

    /// Where the match begins, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.span().0
    }

    /// Where the match ends, in bytes.
    pub(crate) fn end(&self) -> usize {
        self.span().1
    }

    /// How many groups there are, without the whole match.
    pub(crate) fn groups(&self) -> usize {
        match self {
            Found::Linear(captures) => captures.len() - 1,
            Found::Trying(captures) => captures.len() - 1,
        }
    }

    /// What a group took, if it took part; 0 is the whole match.
    pub(crate) fn group(&self, group: usize) -> Option<&'t str> {
        match self {
            Found::Linear(captures) => captures.get(group).map(|found| found.as_str()),
            Found::Trying(captures) => captures.get(group).map(|found| found.as_str()),
        }
    }

    /// What a group with a name took.
    pub(crate) fn named(&self, name: &str) -> Option<&'t str> {
        match self {
            Found::Linear(captures) => captures.name(name).map(|found| found.as_str()),
            Found::Trying(captures) => captures.name(name).map(|found| found.as_str()),
        }
    }
}

impl Pattern {
    /// Compiles what a function of this name was given.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE.PATTERN` if it is no regular expression of Java.
    pub(crate) fn new(function: &str, pattern: &str) -> Result<Self> {
        Self::of(function, pattern, translate(pattern)?)
    }

    fn of(function: &str, pattern: &str, translated: Translated) -> Result<Self> {
        let Translated { text, wants_trying } = translated;
        let engine = match wants_trying {
            false => linear(&text).map(Engine::Linear),
            true => trying(&text).map(|regex| Engine::Trying(Box::new(regex))),
        };
        let engine = engine.map_err(|reason| invalid(function, pattern, &reason))?;
        Ok(Self { text: pattern.to_owned(), engine })
    }

    /// Whether a part of the text matches.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Trying(regex) => {
                Ok(regex.is_match(text).map_err(|error| self.gave_up(&error))?)
            }
        }
    }

    /// How many groups there are, without the whole match.
    pub(crate) fn groups(&self) -> usize {
        match &self.engine {
            Engine::Linear(regex) => regex.captures_len() - 1,
            Engine::Trying(regex) => regex.captures_len() - 1,
        }
    }

    /// Where the first match begins and ends, from a place on.
    pub(crate) fn first(&self, text: &str, from: usize) -> Result<Option<(usize, usize)>> {
        Ok(match &self.engine {
            Engine::Linear(regex) => {
                regex.find_at(text, from).map(|found| (found.start(), found.end()))
            }
            Engine::Trying(regex) => {
                let found = regex.find_from_pos(text, from);
                let found = found.map_err(|error| self.gave_up(&error))?;
                found.map(|found| (found.start(), found.end()))
            }
        })
    }

    /// Sees the matches in their order until `see` has enough. As in Java there can be an empty
    /// match right behind another.
    pub(crate) fn each<'t>(
        &self,
        text: &'t str,
        mut see: impl FnMut(Found<'t>) -> Result<bool>,
    ) -> Result<()> {
        let mut at = 0;
        while let Some(found) = self.captures(text, at)? {
            at = after(text, found.span());
            if !see(found)? || at > text.len() {
                break;
            }
        }
        Ok(())
    }

    /// Sees where the matches begin and end, as [`Pattern::each`] without their groups.
    fn spans(&self, text: &str, mut see: impl FnMut(usize, usize) -> bool) -> Result<()> {
        let mut at = 0;
        while let Some((start, end)) = self.first(text, at)? {
            at = after(text, (start, end));
            if !see(start, end) || at > text.len() {
                break;
            }
        }
        Ok(())
    }

    /// Gives at most `limit` parts of a text between the matches; the last one is all that is left.
    /// Java's way: an empty match at the very beginning separates nothing.
    pub(crate) fn split<'t>(
        &self,
        text: &'t str,
        limit: usize,
        mut part: impl FnMut(&'t str),
    ) -> Result<()> {
        let mut begin = 0;
        let mut count = 1;
        self.spans(text, |start, end| {
            if count == limit {
                return false;
            }
            if end > 0 {
                part(&text[begin..start]);
                begin = end;
                count += 1;
            }
            true
        })?;
        part(&text[begin..]);
        Ok(())
    }

    fn captures<'t>(&self, text: &'t str, from: usize) -> Result<Option<Found<'t>>> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.captures_at(text, from).map(Found::Linear)),
            Engine::Trying(regex) => {
                let captures = regex.captures_from_pos(text, from);
                Ok(captures.map_err(|error| self.gave_up(&error))?.map(Found::Trying))
            }
        }
    }

    fn gave_up(&self, error: &fancy_regex::Error) -> Failure {
        let message = format!("matching `{}` was given up: {error}", self.text);
        Failure::new("INVALID_PARAMETER_VALUE.PATTERN", message)
            .hint("write it without look-around and back-references, or so that it fails sooner")
    }
}

fn linear(translated: &str) -> Result<Regex, String> {
    Regex::new(translated).map_err(|error| match error {
        regex::Error::CompiledTooBig(bytes) => format!("it needs more than {bytes} bytes"),
        error => last_line(&error.to_string()),
    })
}

fn trying(translated: &str) -> Result<fancy_regex::Regex, String> {
    fancy_regex::Regex::new(translated).map_err(|error| last_line(&error.to_string()))
}

fn last_line(reason: &str) -> String {
    let reason = reason.lines().last().unwrap_or_default();
    reason.trim_start_matches("error: ").to_owned()
}

fn invalid(function: &str, pattern: &str, reason: &str) -> Failure {
    let message = format!("`{pattern}` of `{function}` is no regular expression: {reason}");
    Failure::new("INVALID_PARAMETER_VALUE.PATTERN", message)
}

/// Where the search goes on behind a match: behind an empty one, a character further.
fn after(text: &str, (start, end): (usize, usize)) -> usize {
    match start == end {
        true => end + text[end..].chars().next().map_or(1, char::len_utf8),
        false => end,
    }
}

/// The patterns of a column, each compiled once.
pub(crate) struct Patterns {
    function: &'static str,
    compiled: HashMap<String, Arc<Pattern>>,
    /// The one that was asked for last: a column has mostly one pattern.
    last: Option<(String, Arc<Pattern>)>,
}

impl Patterns {
    /// Patterns that a function of this name takes.
    pub(crate) fn of(function: &'static str) -> Self {
        Self { function, compiled: HashMap::new(), last: None }
    }

    /// The pattern, compiled.
    pub(crate) fn get(&mut self, pattern: &str) -> Result<&Pattern> {
        if self.last.as_ref().is_none_or(|(last, _)| last != pattern) {
            let compiled = match self.compiled.get(pattern) {
                Some(compiled) => Arc::clone(compiled),
                None => {
                    let compiled = Arc::new(Pattern::new(self.function, pattern)?);
                    self.compiled.insert(pattern.to_owned(), Arc::clone(&compiled));
                    compiled
                }
            };
            self.last = Some((pattern.to_owned(), compiled));
        }
        match &self.last {
            Some((_, pattern)) => Ok(pattern),
            None => exec_err!("the pattern `{pattern}` is not compiled"),
        }
    }
}

/// A pattern in the words of the crates.
struct Translated {
    text: String,
    /// Whether it has what cannot be matched in linear time.
    wants_trying: bool,
}

fn translate(pattern: &str) -> Result<Translated> {
    let mut output = String::with_capacity(pattern.len() + 8);
    let mut wants_trying = false;
    let mut rest = pattern;
    let mut class_depth = 0_usize;
    let mut groups = 0_usize;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '\\' if class_depth == 0 && rest.starts_with(NUMBERS) => {
                wants_trying = true;
                rest = back_reference(rest, groups, &mut output);
            }
            '\\' => {
                wants_trying |= class_depth == 0 && rest.starts_with('k');
                rest = escape(pattern, rest, class_depth > 0, &mut output)?;
            }
            '[' => {
                class_depth += 1;
                output.push('[');
                if let Some(after) = rest.strip_prefix('^') {
                    output.push('^');
                    rest = after;
                }
                // There it is a sign like others.
                if let Some(after) = rest.strip_prefix(']') {
                    output.push_str(r"\]");
                    rest = after;
                }
            }
            ']' => {
                class_depth = class_depth.saturating_sub(1);
                output.push(']');
            }
            '(' | '*' | '+' | '?' | '}' if class_depth == 0 => {
                groups += usize::from(next == '(' && is_group(rest));
                wants_trying |= match next {
                    '(' => is_look_around(rest),
                    _ => rest.starts_with('+'),
                };
                output.push(next);
            }
            other => output.push(other),
        }
    }
    Ok(Translated { text: output, wants_trying })
}

/// Translates what follows a backslash and gives what is left after it.
fn escape<'a>(
    pattern: &str,
    rest: &'a str,
    in_class: bool,
    output: &mut String,
) -> Result<&'a str> {
    let Some(next) = rest.chars().next() else {
        return exec_err!("`{pattern}` ends in a backslash");
    };
    let after = &rest[next.len_utf8()..];
    let class = match next {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[a-zA-Z0-9_]",
        'W' => "[^a-zA-Z0-9_]",
        's' => r"[ \t\n\x0B\f\r]",
        'S' => r"[^ \t\n\x0B\f\r]",
        'h' => r"[ \t\u{A0}\u{1680}\u{180e}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]",
        'R' if !in_class => r"(?:\r\n|[\n\x0B\f\r\u{85}\u{2028}\u{2029}])",
        'Z' if !in_class => r"(?:\n?\z)",
        'e' => r"\x1B",
        'Q' => {
            let (quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
            output.push_str(&regex::escape(quoted));
            return Ok(after);
        }
        'G' | 'K' => {
            return exec_err!(
                "the regular expression `{pattern}` uses `\\{next}`, which vonk does not have"
            );
        }
        _ => {
            output.push('\\');
            output.push(next);
            return Ok(after);
        }
    };
    output.push_str(class);
    Ok(after)
}

fn is_look_around(rest: &str) -> bool {
    ["?=", "?!", "?<=", "?<!", "?>"].iter().any(|begin| rest.starts_with(begin))
}

/// What a back-reference by number begins with.
const NUMBERS: [char; 9] = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// Translates the number of a group behind a backslash, and gives what is left after it. As in Java
/// it has as many digits as name one of the groups so far, and one that names none matches nothing.
fn back_reference<'a>(rest: &'a str, groups: usize, output: &mut String) -> &'a str {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let named = (1..=digits)
        .rev()
        .find(|count| rest[..*count].parse::<usize>().is_ok_and(|group| group <= groups));
    match named {
        Some(count) => {
            output.push('\\');
            output.push_str(&rest[..count]);
            // The empty group parts the number from a digit that follows.
            output.push_str(if count < digits { "(?:)" } else { "" });
        }
        None => output.push_str("(?!)"),
    }
    &rest[named.unwrap_or(1)..]
}

/// Whether what follows an opening bracket makes it a group with a number.
fn is_group(rest: &str) -> bool {
    match rest.strip_prefix("?<") {
        Some(name) => !name.starts_with(['=', '!']),
        None => !rest.starts_with('?'),
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, literal};

    fn is_match(pattern: &str, text: &str) -> bool {
        Pattern::new("rlike", pattern).unwrap().is_match(text).unwrap()
    }

    #[test]
    fn classes_are_of_ascii_as_in_java() {
        assert!(!is_match(r"^\d$", "٣"));
        assert!(is_match(r"^[\d.]+$", "3.14"));
        assert!(is_match(r"^\Qa.b\E$", "a.b"));
        assert!(!is_match(r"^\Qa.b\E$", "axb"));
    }

    #[test]
    fn what_has_no_linear_form_is_tried() {
        assert!(is_match(r"a(?=b)", "ab") && !is_match(r"a(?=b)", "ac"));
        assert!(is_match(r"(?<!\d)x", "ax") && !is_match(r"(?<!\d)x", "1x"));
        assert!(is_match(r"^(\w)\1$", "aa") && !is_match(r"^(\w)\1$", "ab"));
        assert!(is_match(r"^(?<c>\w)\k<c>$", "aa"));
        assert!(is_match(r"^(a)\10$", "aa0") && is_match(r"(a)\2|a", "a"));
        assert!(is_match(r"^(a)\1+$", "aaa"));
        assert!(is_match("a?+b", "ab") && !is_match("^a*+a$", "aaa"));
        assert!(is_match(r"^[](?=]+$", "(]=") && is_match("^[^]]+$", "a"));
        assert!(Pattern::new("split", r"(?=ab\K)").is_err());
        assert!(Pattern::new("rlike", "(").is_err());
        assert!(Pattern::new("rlike", "(?=").is_err());
    }

    #[test]
    fn one_that_tries_too_often_gives_up() {
        let pattern = Pattern::new("rlike", r"^(a|a)*(?=b)$").unwrap();
        let error = pattern.is_match(&"a".repeat(64)).unwrap_err().to_string();
        assert!(error.contains("given up"), "{error}");
    }

    #[test]
    fn an_empty_match_may_follow_another() {
        let mut parts = Vec::new();
        let pattern = Pattern::new("split", ",*").unwrap();
        pattern.split("a,b", usize::MAX, |part| parts.push(part)).unwrap();
        assert_eq!(parts, ["a", "", "b", ""]);
    }

    #[test]
    fn a_pattern_without_operators_is_a_text() {
        assert_eq!(literal("a b").as_deref(), Some("a b"));
        assert_eq!(literal(r"\.").as_deref(), Some("."));
        assert_eq!(literal(r"\s"), None);
        assert_eq!(literal("a|b"), None);
    }
}
