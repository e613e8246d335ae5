//! Java's regular expressions in the words of the `regex` crate, or a clear refusal.
//!
//! Java's `\d`, `\w` and `\s` are of ASCII; `\Q…\E` quotes. Look-around, back-references and
//! possessive quantifiers have no linear-time form and are refused.

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

/// Compiles a pattern of Java that has a form without backtracking.
pub(crate) fn compile(pattern: &str) -> Result<Regex> {
    linear(&translate(pattern)?).map_err(|reason| invalid("split", pattern, &reason).into())
}

fn linear(translated: &str) -> Result<Regex, String> {
    Regex::new(translated).map_err(|error| match error {
        regex::Error::CompiledTooBig(bytes) => format!("it needs more than {bytes} bytes"),
        error => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            reason.trim_start_matches("error: ").to_owned()
        }
    })
}

fn invalid(function: &str, pattern: &str, reason: &str) -> Failure {
    let message = format!("`{pattern}` of `{function}` is no regular expression: {reason}");
    Failure::new("INVALID_PARAMETER_VALUE.PATTERN", message)
}

/// A compiled pattern.
pub(crate) struct Pattern {
    regex: Regex,
}

/// A match, and what its groups took.
pub(crate) struct Found<'t> {
    captures: Captures<'t>,
}

impl Found<'_> {
    /// Where the match begins, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.captures.get_match().start()
    }

    /// Where the match ends, in bytes.
    pub(crate) fn end(&self) -> usize {
        self.captures.get_match().end()
    }

    /// How many groups there are, without the whole match.
    pub(crate) fn groups(&self) -> usize {
        self.captures.len() - 1
    }

    /// What a group took, if it took part; 0 is the whole match.
    pub(crate) fn group(&self, group: usize) -> Option<&str> {
        self.captures.get(group).map(|found| found.as_str())
    }

    /// What a group with a name took.
    pub(crate) fn named(&self, name: &str) -> Option<&str> {
        self.captures.name(name).map(|found| found.as_str())
    }
}

impl Pattern {
    fn new(function: &str, pattern: &str) -> Result<Self> {
        let regex = linear(&translate(pattern)?);
        let regex = regex.map_err(|reason| invalid(function, pattern, &reason))?;
        Ok(Self { regex })
    }

    /// The pattern in the words of the `regex` crate.
    pub(crate) fn regex(&self) -> &Regex {
        &self.regex
    }

    /// Whether a part of the text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// How many groups there are, without the whole match.
    pub(crate) fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// Where the first match begins and ends.
    pub(crate) fn first(&self, text: &str) -> Result<Option<(usize, usize)>> {
        Ok(self.regex.find(text).map(|found| (found.start(), found.end())))
    }

    /// Sees the matches in their order until `see` has enough. As in Java there can be an empty
    /// match right behind another.
    pub(crate) fn each(
        &self,
        text: &str,
        mut see: impl FnMut(Found<'_>) -> Result<bool>,
    ) -> Result<()> {
        let mut at = 0;
        while let Some(captures) = self.regex.captures_at(text, at) {
            let whole = captures.get_match();
            let end = whole.end();
            at = if whole.is_empty() { next_character(text, end) } else { end };
            if !see(Found { captures })? || at > text.len() {
                break;
            }
        }
        Ok(())
    }
}

/// Where the character behind the one at a place begins.
fn next_character(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
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

fn translate(pattern: &str) -> Result<String> {
    let mut output = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut class_depth = 0_usize;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '\\' => rest = escape(pattern, rest, class_depth > 0, &mut output)?,
            '[' => {
                class_depth += 1;
                output.push('[');
            }
            ']' => {
                class_depth = class_depth.saturating_sub(1);
                output.push(']');
            }
            '(' if class_depth == 0 && is_look_around(rest) => {
                return refuse(pattern, "look-around");
            }
            '*' | '+' | '?' | '}' if class_depth == 0 && rest.starts_with('+') => {
                return refuse(pattern, "a possessive quantifier");
            }
            other => output.push(other),
        }
    }
    Ok(output)
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
        '1'..='9' | 'k' => return refuse(pattern, "a back-reference"),
        'G' => return refuse(pattern, r"`\G`"),
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

fn refuse<T>(pattern: &str, what: &str) -> Result<T> {
    exec_err!("the regular expression `{pattern}` uses {what}, which vonk does not have")
}

#[cfg(test)]
mod tests {
    use super::{compile, literal};

    #[test]
    fn classes_are_of_ascii_as_in_java() {
        assert!(!compile(r"^\d$").unwrap().is_match("٣"));
        assert!(compile(r"^[\d.]+$").unwrap().is_match("3.14"));
        assert!(compile(r"^\Qa.b\E$").unwrap().is_match("a.b"));
        assert!(!compile(r"^\Qa.b\E$").unwrap().is_match("axb"));
    }

    #[test]
    fn what_has_no_linear_form_is_refused() {
        for pattern in ["(?=a)", r"(a)\1", "a++"] {
            let error = compile(pattern).unwrap_err().to_string();
            assert!(error.contains("does not have"), "{error}");
        }
        assert!(compile("(").is_err());
    }

    #[test]
    fn a_pattern_without_operators_is_a_text() {
        assert_eq!(literal("a b").as_deref(), Some("a b"));
        assert_eq!(literal(r"\.").as_deref(), Some("."));
        assert_eq!(literal(r"\s"), None);
        assert_eq!(literal("a|b"), None);
    }
}
