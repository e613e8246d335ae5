//! Spark's literals that the tokenizer does not know: `1L`, `2.5BD`, `1e3`, `r'\d'`.
//!
//! They are rewritten between tokenizer and parser, into a CAST or a plain string, where they
//! would otherwise be read silently as a value and an alias.

use sqlparser::ast::DollarQuotedString;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::parse::Offsets;
use super::strings;
use crate::error::{Condition, Error, Result};

/// The types of number suffixes; the tokenizer itself reads `L`.
const SUFFIXES: &[(&str, &str)] = &[
    ("y", "TINYINT"),
    ("s", "SMALLINT"),
    ("l", "BIGINT"),
    ("f", "FLOAT"),
    ("d", "DOUBLE"),
    ("bd", "DECIMAL"),
];

/// Rewrites suffixed numbers, raw strings and spaced bytes; all other tokens stay as they are.
pub(super) fn rewrite(
    tokens: Vec<TokenWithSpan>,
    text: &str,
    texts_are_raw: bool,
) -> Result<Vec<TokenWithSpan>> {
    rewrite_numbers_and_texts(join_names(join_bytes(tokens)), text, texts_are_raw)
}

/// Reads `X '1F'` as `X'1F'`.
fn join_bytes(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let begin = match &token.token {
            Token::SingleQuotedString(digits) if is_hexadecimal(digits) => begin_of_bytes(&joined),
            _ => None,
        };
        match (begin, token.token) {
            (Some(begin), Token::SingleQuotedString(digits)) => {
                let span = joined[begin].span;
                joined.truncate(begin);
                joined.push(TokenWithSpan::new(Token::HexStringLiteral(digits), span));
            }
            (_, other) => joined.push(TokenWithSpan::new(other, token.span)),
        }
    }
    joined
}

/// Reads `1st` as the name that it is to Spark, where the tokenizer sees a number and an alias.
fn join_names(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.windows(2).any(|pair| name_of(&pair[0], &pair[1]).is_some()) {
        return tokens;
    }
    let mut joined = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        match rest.peek().and_then(|next| name_of(&token, next)) {
            Some(name) => {
                rest.next();
                joined.push(TokenWithSpan::new(Token::make_word(&name, None), token.span));
            }
            None => joined.push(token),
        }
    }
    joined
}

/// The name that digits and the word directly behind them are, unless it gives them a type.
fn name_of(number: &TokenWithSpan, next: &TokenWithSpan) -> Option<String> {
    let (Token::Number(digits, false), Token::Word(word)) = (&number.token, &next.token) else {
        return None;
    };
    let is_one = number.span.end == next.span.start
        && word.quote_style.is_none()
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && suffix_type(number, next).is_none();
    is_one.then(|| format!("{digits}{}", word.value))
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Where the `X` stands that a text at the end belongs to; behind a point it is a column.
fn begin_of_bytes(tokens: &[TokenWithSpan]) -> Option<usize> {
    let begin = tokens.iter().rposition(|token| !matches!(token.token, Token::Whitespace(_)))?;
    let is_field = begin > 0 && tokens[begin - 1].token == Token::Period;
    match &tokens[begin].token {
        Token::Word(word) if word.quote_style.is_none() && !is_field => {
            word.value.eq_ignore_ascii_case("x").then_some(begin)
        }
        _ => None,
    }
}

fn rewrite_numbers_and_texts(
    tokens: Vec<TokenWithSpan>,
    text: &str,
    texts_are_raw: bool,
) -> Result<Vec<TokenWithSpan>> {
    let is_escaped = texts_are_raw || strings::are_escaped(text);
    if !tokens.iter().enumerate().any(|(at, token)| {
        let next = tokens.get(at + 1);
        number_type(token, next).is_some()
            || is_raw_string(token, next)
            || (is_escaped && strings::is_text(token))
    }) {
        return Ok(tokens);
    }
    let mut offsets = Offsets::new(text);
    let mut rewritten = Vec::with_capacity(tokens.len() + 8);
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        if let Some(string) = rest.next_if(|next| is_raw_string(&token, Some(next))) {
            let begin = offsets.offset(string.span.start);
            rewritten.push(raw_string(text, begin, &string)?);
        } else if is_escaped && strings::is_text(&token) {
            let begin = offsets.offset(token.span.start);
            rewritten.push(strings::decoded(text, begin, token, texts_are_raw));
        } else if let Some((data_type, is_suffix)) = number_type(&token, rest.peek()) {
            let sign = take_sign(&mut rewritten);
            push_cast(&mut rewritten, &token, data_type, sign)?;
            if is_suffix {
                rest.next();
            }
        } else {
            rewritten.push(token);
        }
    }
    Ok(rewritten)
}

/// The type of a number that has a suffix or an exponent, and whether it has a suffix.
fn number_type(
    token: &TokenWithSpan,
    next: Option<&TokenWithSpan>,
) -> Option<(&'static str, bool)> {
    let Token::Number(digits, is_long) = &token.token else { return None };
    if *is_long {
        return Some(("BIGINT", false));
    }
    if let Some(data_type) = next.and_then(|next| suffix_type(token, next)) {
        return Some((data_type, true));
    }
    digits.contains(['e', 'E']).then_some(("DOUBLE", false))
}

/// The type that a word directly behind a number gives it.
fn suffix_type(number: &TokenWithSpan, next: &TokenWithSpan) -> Option<&'static str> {
    let Token::Word(word) = &next.token else { return None };
    let touches = number.span.end == next.span.start && word.quote_style.is_none();
    let found = SUFFIXES.iter().find(|(suffix, _)| word.value.eq_ignore_ascii_case(suffix));
    found.filter(|_| touches).map(|(_, data_type)| *data_type)
}

fn is_raw_string(token: &TokenWithSpan, next: Option<&TokenWithSpan>) -> bool {
    let (Token::Word(word), Some(next)) = (&token.token, next) else { return false };
    word.quote_style.is_none()
        && word.value.eq_ignore_ascii_case("r")
        && token.span.end == next.span.start
        && matches!(next.token, Token::SingleQuotedString(_) | Token::DoubleQuotedString(_))
}

/// The string as it is written, from its opening quote at byte `begin`, no escapes decoded.
fn raw_string(text: &str, begin: usize, token: &TokenWithSpan) -> Result<TokenWithSpan> {
    let quote = text[begin..].chars().next().unwrap_or('\'');
    let inner = &text[begin + quote.len_utf8()..];
    let Some(end) = inner.find(quote) else {
        let error = Error::new(Condition::PARSE_SYNTAX_ERROR, "the raw string does not end");
        return Err(error.at_span(token.span));
    };
    let token_kind = Token::SingleQuotedString(inner[..end].to_owned());
    Ok(TokenWithSpan::new(token_kind, token.span))
}

/// Takes the minus sign that belongs to the number behind it, which may be the least of its type.
fn take_sign(tokens: &mut Vec<TokenWithSpan>) -> Option<Token> {
    let is_blank = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_));
    let sign = tokens.iter().rposition(|token| !is_blank(token))?;
    if tokens[sign].token != Token::Minus {
        return None;
    }
    let before = tokens[..sign].iter().rfind(|token| !is_blank(token));
    let is_operand = before.is_some_and(|before| match &before.token {
        Token::Word(word) => word.keyword == Keyword::NoKeyword || word.quote_style.is_some(),
        Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => true,
        Token::RParen | Token::RBracket => true,
        _ => false,
    });
    (!is_operand).then(|| tokens.remove(sign).token)
}

/// `CAST(number AS type)`, with the place of the number.
fn push_cast(
    tokens: &mut Vec<TokenWithSpan>,
    number: &TokenWithSpan,
    data_type: &str,
    sign: Option<Token>,
) -> Result<()> {
    let Token::Number(digits, _) = &number.token else {
        return Err(Error::internal("a number suffix without a number"));
    };
    let minus = if sign.is_some() { "-" } else { "" };
    let written = format!("{minus}{digits}");
    if !fits(&written, data_type) {
        return Err(out_of_range(&written, data_type, number));
    }
    let decimal = (data_type == "DECIMAL").then(|| Decimal::read(&written)).flatten();
    let mut push = |token: Token| tokens.push(TokenWithSpan::new(token, number.span));
    push(keyword("CAST", Keyword::CAST));
    push(Token::LParen);
    match (&decimal, data_type) {
        // The parser would make a decimal of it, which has no room for `1e300`. The kind of the
        // string is the mark by which its column is named as the number, not as a CAST.
        (_, "DOUBLE" | "FLOAT") => push(marked(written)),
        (Some(decimal), _) if digits.contains(['e', 'E']) => {
            push(marked(decimal.plain()));
        }
        _ => {
            if let Some(sign) = sign {
                push(sign);
            }
            push(Token::Number(digits.clone(), true));
        }
    }
    push(keyword("AS", Keyword::AS));
    push(Token::make_word(data_type, None));
    if let Some(decimal) = decimal {
        push(Token::LParen);
        push(Token::Number(decimal.precision().to_string(), false));
        push(Token::Comma);
        push(Token::Number(decimal.scale.to_string(), false));
        push(Token::RParen);
    }
    push(Token::RParen);
    Ok(())
}

/// Whether a number is one of the values of its type.
fn fits(written: &str, data_type: &str) -> bool {
    match data_type {
        "TINYINT" => written.parse::<i8>().is_ok(),
        "SMALLINT" => written.parse::<i16>().is_ok(),
        "BIGINT" => written.parse::<i64>().is_ok(),
        "FLOAT" => written.parse::<f32>().is_ok_and(f32::is_finite),
        "DOUBLE" => written.parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    }
}

fn out_of_range(written: &str, data_type: &str, number: &TokenWithSpan) -> Error {
    let message = format!("the number {written} is outside of the range of {data_type}");
    let error = Error::new(Condition::INVALID_NUMERIC_LITERAL_RANGE, message);
    error.at_span(number.span)
}

/// A text that is a number: no other text is between dollars by now.
fn marked(number: String) -> Token {
    Token::DollarQuotedString(DollarQuotedString { value: number, tag: None })
}

fn keyword(text: &str, keyword: Keyword) -> Token {
    Token::Word(Word { value: text.to_owned(), quote_style: None, keyword })
}

/// A decimal number without its exponent: all its digits, and how many stand behind the point.
struct Decimal {
    sign: &'static str,
    digits: String,
    scale: usize,
}

impl Decimal {
    fn read(written: &str) -> Option<Self> {
        let (sign, number) = match written.strip_prefix('-') {
            Some(number) => ("-", number),
            None => ("", written),
        };
        let (mantissa, exponent) = match number.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (number, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}");
        let scale = fraction.len() as i64 - exponent;
        if !(-100..=100).contains(&scale) {
            return None;
        }
        // Digits in front of the point that an exponent asks for.
        digits.extend(std::iter::repeat_n('0', usize::try_from(-scale).unwrap_or(0)));
        Some(Self { sign, digits, scale: usize::try_from(scale).unwrap_or(0) })
    }

    fn precision(&self) -> usize {
        self.digits.trim_start_matches('0').len().max(self.scale).max(1)
    }

    fn plain(&self) -> String {
        let digits = format!("{:0>width$}", self.digits, width = self.scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{whole}{point}{fraction}", self.sign)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::select_item;

    fn read(text: &str) -> String {
        select_item(text).unwrap().to_string()
    }

    #[test]
    fn suffixes_become_casts_not_aliases() {
        assert_eq!(read("1S"), "CAST(1L AS SMALLINT)");
        assert_eq!(read("1L"), "CAST(1L AS BIGINT)");
        assert_eq!(read("-128Y"), "CAST(-128L AS TINYINT)");
        assert_eq!(read("a - 1S"), "a - CAST(1L AS SMALLINT)");
        assert_eq!(read("-1.5D"), "CAST($$-1.5$$ AS DOUBLE)");
        assert_eq!(read("2.50BD"), "CAST(2.50L AS DECIMAL(3,2))");
        assert_eq!(read("1.5e-3BD"), "CAST($$0.0015$$ AS DECIMAL(4,4))");
        assert_eq!(read("1 s"), "1 AS s");
        assert_eq!(read("1.5e3"), "CAST($$1.5e3$$ AS DOUBLE)");
        assert_eq!(read("1E3F"), "CAST($$1E3$$ AS FLOAT)");
    }

    #[test]
    fn raw_strings_keep_their_backslashes() {
        assert_eq!(read(r"r'\d+'"), r"'\d+'");
    }

    #[test]
    fn numbers_have_a_range() {
        for text in ["128Y", "-32769S", "9223372036854775808L", "1e309", "3.5e38F"] {
            let error = select_item(text).unwrap_err();
            assert_eq!(error.condition().name, "INVALID_NUMERIC_LITERAL_RANGE", "{text}");
        }
    }
}
