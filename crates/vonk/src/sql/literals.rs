//! Spark's literals that the tokenizer does not know: `1L`, `2.5BD`, `1e3D`, `r'\d'`.
//!
//! They are rewritten between tokenizer and parser, into a CAST or a plain string, where they
//! would otherwise be read silently as a value and an alias.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::parse::Offsets;
use crate::error::{Condition, Error, Place, Result};

/// The types of number suffixes; `L` is read by the tokenizer itself.
const SUFFIXES: &[(&str, &str)] = &[
    ("y", "TINYINT"),
    ("s", "SMALLINT"),
    ("l", "BIGINT"),
    ("f", "FLOAT"),
    ("d", "DOUBLE"),
    ("bd", "DECIMAL"),
];

/// Rewrites suffixed numbers and raw strings; all other tokens stay as they are.
pub(super) fn rewrite(tokens: Vec<TokenWithSpan>, text: &str) -> Result<Vec<TokenWithSpan>> {
    if !tokens.windows(2).any(|pair| is_suffixed(pair) || is_raw_string(pair)) {
        return Ok(long_suffixes(tokens));
    }
    let mut offsets = Offsets::new(text);
    let mut rewritten = Vec::with_capacity(tokens.len() + 8);
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let Some(next) = rest.peek() else {
            rewritten.push(token);
            break;
        };
        let pair = [token.clone(), next.clone()];
        if is_raw_string(&pair) {
            let begin = offsets.offset(next.span.start);
            rewritten.push(raw_string(text, begin, next)?);
            rest.next();
        } else if let Some(data_type) = suffix_type(&pair) {
            push_cast(&mut rewritten, &token, data_type)?;
            rest.next();
        } else {
            rewritten.push(token);
        }
    }
    Ok(long_suffixes(rewritten))
}

/// `1L` is a BIGINT even where `1` would be an INT.
fn long_suffixes(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    for token in &mut tokens {
        if let Token::Number(_, long) = &mut token.token {
            *long = false;
        }
    }
    tokens
}

fn is_suffixed(pair: &[TokenWithSpan]) -> bool {
    suffix_type(pair).is_some()
}

/// The type that a word directly behind a number gives it.
fn suffix_type(pair: &[TokenWithSpan]) -> Option<&'static str> {
    let (Token::Number(_, _), Token::Word(word)) = (&pair[0].token, &pair[1].token) else {
        return None;
    };
    let touches = pair[0].span.end == pair[1].span.start && word.quote_style.is_none();
    let found = SUFFIXES.iter().find(|(suffix, _)| word.value.eq_ignore_ascii_case(suffix));
    found.filter(|_| touches).map(|(_, data_type)| *data_type)
}

fn is_raw_string(pair: &[TokenWithSpan]) -> bool {
    let Token::Word(word) = &pair[0].token else { return false };
    word.quote_style.is_none()
        && word.value.eq_ignore_ascii_case("r")
        && pair[0].span.end == pair[1].span.start
        && matches!(pair[1].token, Token::SingleQuotedString(_) | Token::DoubleQuotedString(_))
}

/// The string as it is written, from its opening quote at byte `begin`, no escapes decoded.
fn raw_string(text: &str, begin: usize, token: &TokenWithSpan) -> Result<TokenWithSpan> {
    let quote = text[begin..].chars().next().unwrap_or('\'');
    let inner = &text[begin + quote.len_utf8()..];
    let Some(end) = inner.find(quote) else {
        let error = Error::new(Condition::PARSE_SYNTAX_ERROR, "the raw string does not end");
        return Err(match Place::of(token.span) {
            Some(place) => error.at(place),
            None => error,
        });
    };
    let token_kind = Token::SingleQuotedString(inner[..end].to_owned());
    Ok(TokenWithSpan::new(token_kind, token.span))
}

/// `CAST(number AS type)`, with the place of the number.
fn push_cast(
    tokens: &mut Vec<TokenWithSpan>,
    number: &TokenWithSpan,
    data_type: &str,
) -> Result<()> {
    let Token::Number(digits, _) = &number.token else {
        return Err(Error::internal("a number suffix without a number"));
    };
    let mut push = |token: Token| tokens.push(TokenWithSpan::new(token, number.span));
    push(keyword("CAST", Keyword::CAST));
    push(Token::LParen);
    push(Token::Number(digits.clone(), false));
    push(keyword("AS", Keyword::AS));
    push(Token::make_word(data_type, None));
    if data_type == "DECIMAL" {
        let (precision, scale) = decimal_size(digits);
        push(Token::LParen);
        push(Token::Number(precision.to_string(), false));
        push(Token::Comma);
        push(Token::Number(scale.to_string(), false));
        push(Token::RParen);
    }
    push(Token::RParen);
    Ok(())
}

fn keyword(text: &str, keyword: Keyword) -> Token {
    Token::Word(Word { value: text.to_owned(), quote_style: None, keyword })
}

/// Precision and scale that hold a plain decimal number exactly.
fn decimal_size(digits: &str) -> (usize, usize) {
    let scale = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let precision = digits.chars().filter(char::is_ascii_digit).count();
    (precision.max(scale).max(1), scale)
}

#[cfg(test)]
mod tests {
    use super::super::parse::select_item;

    fn read(text: &str) -> String {
        select_item(text).unwrap().to_string()
    }

    #[test]
    fn suffixes_become_casts_not_aliases() {
        assert_eq!(read("1S"), "CAST(1 AS SMALLINT)");
        assert_eq!(read("2.50BD"), "CAST(2.50 AS DECIMAL(3,2))");
        assert_eq!(read("1 s"), "1 AS s");
    }

    #[test]
    fn raw_strings_keep_their_backslashes() {
        assert_eq!(read(r"r'\d+'"), r"'\d+'");
    }
}
