//! Texts in quotes as Spark reads them: `'\u0041'`, `'\101'`, `'a''b'`.

use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Whether a source has texts that Spark reads otherwise than the tokenizer.
pub(super) fn are_escaped(source: &str) -> bool {
    source.contains('\\')
}

/// Whether a token is a text.
pub(super) fn is_text(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::SingleQuotedString(_) | Token::DoubleQuotedString(_))
}

/// The token with the text that stands in the source, from its opening quote at byte `begin`: with
/// what its escapes stand for, or, where texts are raw, all that stands between its quotes.
pub(super) fn decoded(
    source: &str,
    begin: usize,
    token: TokenWithSpan,
    texts_are_raw: bool,
) -> TokenWithSpan {
    let read = if texts_are_raw { read_raw } else { read };
    let Some(text) = read(&source[begin..]) else { return token };
    let kind = match &token.token {
        Token::DoubleQuotedString(_) => Token::DoubleQuotedString(text),
        _ => Token::SingleQuotedString(text),
    };
    TokenWithSpan::new(kind, token.span)
}

/// The quote that a text begins with; `None` for one in three quotes.
fn opening_quote(source: &str) -> Option<char> {
    let quote = source.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    (!source.starts_with(&triple)).then_some(quote)
}

/// Reads all that stands between the quotes of a text, two quotes within it as two.
fn read_raw(source: &str) -> Option<String> {
    let quote = opening_quote(source)?;
    let mut rest = source;
    while let Some(inner) = rest.strip_prefix(quote) {
        rest = read_part(inner, quote, &mut String::new())?;
    }
    Some(source[1..source.len() - rest.len() - 1].to_owned())
}

/// Reads a text with what its escapes stand for.
fn read(source: &str) -> Option<String> {
    let quote = opening_quote(source)?;
    let mut text = String::new();
    let mut rest = source;
    while let Some(inner) = rest.strip_prefix(quote) {
        rest = read_part(inner, quote, &mut text)?;
        // Two quotes within a text are one.
        if rest.starts_with(quote) {
            text.push(quote);
        }
    }
    Some(text)
}

/// Reads up to the closing quote and gives what stands behind it.
fn read_part<'a>(inner: &'a str, quote: char, text: &mut String) -> Option<&'a str> {
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some(&inner[at + c.len_utf8()..]);
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        let escape = &inner[at + 1..];
        let length = escaped(escape, text)?;
        for _ in 0..length {
            chars.next();
        }
    }
    None
}

/// Adds what an escape stands for and gives how many characters it has behind its backslash.
fn escaped(escape: &str, text: &mut String) -> Option<usize> {
    let first = escape.chars().next()?;
    let code = |digits: usize, radix: u32, skip: usize| {
        let digits = escape.get(skip..skip + digits)?;
        let is_number = digits.chars().all(|c| c.is_digit(radix));
        u32::from_str_radix(digits, radix).ok().filter(|_| is_number).and_then(char::from_u32)
    };
    let numbered = match first {
        'u' => code(4, 16, 1).map(|c| (c, 5)),
        'U' => code(8, 16, 1).map(|c| (c, 9)),
        '0' | '1' => code(3, 8, 0).map(|c| (c, 3)),
        _ => None,
    };
    if let Some((c, length)) = numbered {
        text.push(c);
        return Some(length);
    }
    match first {
        '0' => text.push('\0'),
        'b' => text.push('\u{8}'),
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        'Z' => text.push('\u{1a}'),
        // They escape a pattern of LIKE, not the text.
        '%' => text.push_str("\\%"),
        '_' => text.push_str("\\_"),
        other => text.push(other),
    }
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::{read, read_raw};

    #[test]
    fn escapes_are_those_of_spark() {
        let cases = [
            (r"'\110\145\154' more", "Hel"),
            (r"'\u0057\U0001F600'", "W\u{1f600}"),
            (r"'a\nb\%c\qd'", "a\nb\\%cqd"),
            (r"'a''b'", "a'b"),
            (r#""S\"a""b""#, "S\"a\"b"),
            (r"'\9'", "9"),
        ];
        for (source, text) in cases {
            assert_eq!(read(source).as_deref(), Some(text), "{source}");
        }
    }

    #[test]
    fn raw_texts_keep_all_between_their_quotes() {
        let cases = [(r"'a\nb' more", r"a\nb"), ("'it''s'", "it''s"), (r#""a\"b""#, r#"a\"b"#)];
        for (source, text) in cases {
            assert_eq!(read_raw(source).as_deref(), Some(text), "{source}");
        }
    }
}
