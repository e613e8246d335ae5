//! Spark's letters for dates and times, such as `yyyy-MM-dd`, in those of `strftime`.

use super::options::bad_option;
use crate::error::Result;

/// Runs of a letter and what they become.
const LETTERS: &[(&str, &str)] = &[
    ("yyyy", "%Y"),
    ("y", "%Y"),
    ("yy", "%y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%-m"),
    ("dd", "%d"),
    ("d", "%-d"),
    ("DDD", "%j"),
    ("EEEE", "%A"),
    ("EEE", "%a"),
    ("E", "%a"),
    ("HH", "%H"),
    ("H", "%-H"),
    ("hh", "%I"),
    ("h", "%-I"),
    ("mm", "%M"),
    ("m", "%-M"),
    ("ss", "%S"),
    ("s", "%-S"),
    ("SSS", "%3f"),
    ("SSSSSS", "%6f"),
    ("SSSSSSSSS", "%9f"),
    ("a", "%p"),
    ("XXX", "%:z"),
    ("xxx", "%:z"),
    ("Z", "%z"),
];

/// Translates a pattern; text in single quotes stands for itself.
pub(super) fn to_strftime(option: &str, pattern: &str) -> Result<String> {
    let mut translated = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let (quoted, behind) = rest[1..].split_once('\'').unwrap_or((&rest[1..], ""));
            push_literal(&mut translated, if quoted.is_empty() { "'" } else { quoted });
            rest = behind;
        } else if first.is_ascii_alphabetic() {
            let length = rest.bytes().take_while(|byte| *byte == first as u8).count();
            let (run, behind) = rest.split_at(length);
            let letters = LETTERS.iter().find(|(spark, _)| *spark == run);
            let (_, strftime) = letters.ok_or_else(|| {
                bad_option(option, pattern, &format!("a pattern without `{run}`"))
            })?;
            translated.push_str(strftime);
            rest = behind;
        } else if !matches!(first, '[' | ']') {
            push_literal(&mut translated, &rest[..first.len_utf8()]);
            rest = &rest[first.len_utf8()..];
        } else {
            // Optional sections are always written.
            rest = &rest[1..];
        }
    }
    Ok(translated)
}

fn push_literal(pattern: &mut String, text: &str) {
    pattern.push_str(&text.replace('%', "%%"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_translated() {
        let check = |spark: &str, expected: &str| {
            assert_eq!(to_strftime("dateFormat", spark).unwrap(), expected);
        };
        check("yyyy-MM-dd", "%Y-%m-%d");
        check("dd/MM/yy", "%d/%m/%y");
        check("yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", "%Y-%m-%dT%H:%M:%S.%3f%:z");
        check("h 'h' a", "%-I h %p");
        assert!(to_strftime("dateFormat", "qqq").is_err());
    }
}
