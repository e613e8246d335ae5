//! Java's regular expressions in the words of the `regex` crate, or a clear refusal.
//!
//! Java's `\d`, `\w` and `\s` are of ASCII; `\Q…\E` quotes. Look-around, back-references and
//! possessive quantifiers have no linear-time form and are refused.

use std::collections::HashMap;

use datafusion::common::{Result, exec_err};
use regex::Regex;

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

/// Compiles a pattern of Java.
pub(crate) fn compile(pattern: &str) -> Result<Regex> {
    let translated = translate(pattern)?;
    match Regex::new(&translated) {
        Ok(regex) => Ok(regex),
        Err(regex::Error::CompiledTooBig(bytes)) => {
            exec_err!("the regular expression `{pattern}` needs more than {bytes} bytes")
        }
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            exec_err!("`{pattern}` is no regular expression: {reason}")
        }
    }
}

/// The patterns of a column, each compiled once.
#[derive(Default)]
pub(crate) struct Patterns {
    compiled: HashMap<String, Regex>,
    /// The one that was asked for last: a column has mostly one pattern.
    last: Option<(String, Regex)>,
}

impl Patterns {
    /// The pattern, compiled.
    pub(crate) fn get(&mut self, pattern: &str) -> Result<&Regex> {
        if self.last.as_ref().is_none_or(|(last, _)| last != pattern) {
            let regex = match self.compiled.get(pattern) {
                Some(regex) => regex.clone(),
                None => {
                    let regex = compile(pattern)?;
                    self.compiled.insert(pattern.to_owned(), regex.clone());
                    regex
                }
            };
            self.last = Some((pattern.to_owned(), regex));
        }
        match &self.last {
            Some((_, regex)) => Ok(regex),
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
