//! Java's regular expressions in the words of the `regex` crate, and of `fancy-regex` where they
//! have look-around, back-references, atomic groups or possessive quantifiers.
//!
//! Java's `\d`, `\w` and `\s` are of ASCII; `\Q…\E` quotes.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{Result, exec_err};
use regex::{Captures, Regex};

use self::translate::{Translated, translate};
use crate::failure::Failure;

mod translate;

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
        let mut translated = translate(pattern, ignores_case)?;
        translated.text = format!("^(?:{})$", translated.text);
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
        Self::of(function, pattern, translate(pattern, false)?)
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
    fn case_is_of_ascii_as_in_java_unless_told() {
        assert!(is_match("(?i)^a[b-d]k$", "ACK") && !is_match("(?i)é", "É"));
        assert!(!is_match("(?i)k", "\u{212a}") && is_match("(?iu)k", "\u{212a}"));
        assert!(is_match("(?iu)é", "É") && is_match("(?i)(?u)é", "É"));
        assert!(is_match("^(?i:a)b$", "Ab") && !is_match("^(?i:a)b$", "AB"));
        assert!(is_match("^(a(?i)b)c$", "aBc") && !is_match("^(a(?i)b)c$", "aBC"));
        assert!(is_match(r"(?i)^\Qa.b\E$", "A.B") && is_match(r"(?i)^(?<ab>x)\k<ab>$", "xX"));
        assert!(is_match(r"(?i)^\x61\p{L}$", "aé") && is_match("(?i)^[^a]$", "b"));
        assert!(
            !is_match("(?i)^[^a]$", "A") && is_match("(?i-i)a", "a") && !is_match("(?i-i)a", "A")
        );
        assert!(is_match(r"(?i)^[a-\x63]\u0064$", "BD") && !is_match(r"(?i)^[a-\x63]$", "_"));
        assert!(is_match("(?xi)^a # [x (\nb$", "AB"));
        assert!(is_match(r"(?U)^\w$", "é") && !is_match(r"^\w$", "é") && is_match("(?U)a+", "aa"));
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
