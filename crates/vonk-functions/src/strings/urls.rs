//! Functions of addresses: `parse_url`, `url_encode` and `url_decode`.

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::java_regex::Pattern;
use crate::parameters::{Kind, Parameters};
use crate::rows;

const TEXT: Parameters = Parameters::exact(&[Kind::Text]);

/// Spark's `url_encode`, the form of `application/x-www-form-urlencoded`.
pub(super) fn encode() -> ScalarUDF {
    Kernel::new("url_encode", TEXT, rows::text, |call| {
        let texts = call.text(0)?;
        rows::texts(call, |row, output| {
            for byte in texts.value(row).bytes() {
                match byte {
                    b' ' => output.push('+'),
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => {
                        output.push(char::from(byte));
                    }
                    other => {
                        output.push('%');
                        super::push_hex(&[other], output);
                    }
                }
            }
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `url_decode`.
pub(super) fn decode() -> ScalarUDF {
    Kernel::new("url_decode", TEXT, rows::text, |call| decoded(call, false)).udf()
}

/// Spark's `try_url_decode`.
pub(super) fn try_decode() -> ScalarUDF {
    Kernel::new("try_url_decode", TEXT, rows::text, |call| decoded(call, true)).udf()
}

fn decoded(call: &Call<'_>, is_try: bool) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    rows::texts(call, |row, output| {
        let text = texts.value(row);
        match read(text) {
            Some(read) => {
                output.push_str(&read);
                Ok(true)
            }
            None if is_try => Ok(false),
            None => {
                let message = format!("`{text}` is not encoded as in an address");
                Err(Failure::new("CANNOT_DECODE_URL", message)
                    .hint("use `try_url_decode` to get NULL instead")
                    .into())
            }
        }
    })
}

fn read(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                let digit = |at: usize| char::from(digits[at]).to_digit(16);
                bytes.push((digit(0)? * 16 + digit(1)?) as u8);
                rest = after;
            }
            other => bytes.push(*other),
        }
    }
    // Java puts a sign in the place of what is no UTF-8.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

const PARSE: Parameters = Parameters::with_optional(&[Kind::Text, Kind::Text], &[Kind::Text]);

/// Spark's `parse_url`.
pub(super) fn parse() -> ScalarUDF {
    Kernel::new("parse_url", PARSE, rows::text, |call| parsed(call, call.is_ansi())).udf()
}

/// Spark's `try_parse_url`.
pub(super) fn try_parse() -> ScalarUDF {
    Kernel::new("try_parse_url", PARSE, rows::text, |call| parsed(call, false)).udf()
}

fn parsed(call: &Call<'_>, fails: bool) -> Result<ArrayRef> {
    let (texts, parts) = (call.text(0)?, call.text(1)?);
    let keys = call.optional_text(2)?;
    rows::texts(call, |row, output| {
        let text = texts.value(row);
        let Some(address) = Address::new(text) else {
            if fails {
                let message = format!("`{text}` is no address");
                return Err(Failure::new("INVALID_URL", message)
                    .hint("use `try_parse_url` to get NULL instead")
                    .into());
            }
            return Ok(false);
        };
        let key = keys.as_ref().map(|keys| keys.value(row));
        let part = match (parts.value(row), key) {
            ("QUERY", Some(key)) => address.value_of(key)?,
            (_, Some(_)) => None,
            (part, None) => address.part(part),
        };
        output.push_str(part.unwrap_or_default());
        Ok(part.is_some())
    })
}

/// An address taken apart as RFC 2396 and Java's `URI` do.
struct Address<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    /// The path, with the query behind it.
    file: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let is_allowed = |letter: char| !letter.is_control() && !" \"<>\\^`{|}".contains(letter);
        if !text.chars().all(is_allowed) || !has_whole_escapes(text) {
            return None;
        }
        let (rest, fragment) = cut(text, '#');
        if fragment.is_some_and(|fragment| fragment.contains('#')) {
            return None;
        }
        let (scheme, rest) = match rest.split_once(':') {
            Some((scheme, after)) if !scheme.contains(['/', '?']) => {
                let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
                if !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    || !scheme.chars().all(is_scheme)
                    || after.is_empty()
                {
                    return None;
                }
                (Some(scheme), after)
            }
            _ => (None, rest),
        };
        if scheme.is_some() && !rest.starts_with('/') {
            // An address such as `mailto:a@b` has a scheme and nothing else that is asked for.
            let (path, file) = ("", "");
            return Some(Self { scheme, authority: None, path, file, query: None, fragment });
        }
        let whole = rest;
        let (rest, query) = cut(rest, '?');
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]).filter(|authority| !authority.is_empty()), &rest[end..])
            }
            None => (None, rest),
        };
        let file = &whole[rest.len() - path.len()..];
        Some(Self { scheme, authority, path, file, query, fragment })
    }

    fn part(&self, name: &str) -> Option<&str> {
        let user_and_host = self.authority.map(|authority| match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        });
        match name {
            "HOST" => user_and_host.map(|(_, host)| match host.rsplit_once(':') {
                Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
                _ => host,
            }),
            "PATH" => Some(self.path),
            "QUERY" => self.query,
            "REF" => self.fragment,
            "PROTOCOL" => self.scheme,
            "FILE" => Some(self.file),
            "AUTHORITY" => self.authority,
            "USERINFO" => user_and_host.and_then(|(user, _)| user),
            _ => None,
        }
    }

    /// The value behind a key of the query, which Spark takes as a regular expression.
    fn value_of(&self, key: &str) -> Result<Option<&str>> {
        let Some(query) = self.query else { return Ok(None) };
        let pattern = Pattern::new("parse_url", &format!("(&|^){key}=([^&]*)"))?;
        let mut value = None;
        pattern.each(query, |found| {
            value = found.group(2);
            Ok(false)
        })?;
        Ok(value)
    }
}

fn cut(text: &str, sign: char) -> (&str, Option<&str>) {
    match text.split_once(sign) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Whether each percent sign stands before two digits.
fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit).count();
        digits == 2
    })
}
