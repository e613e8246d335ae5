//! `IDENTIFIER(text)`: a name that is the value of an expression.

use datafusion::common::ScalarValue;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::statement::values_of;
use super::{Environment, parse};
use crate::error::{Condition, Error, Result};

/// Puts the names that expressions give where `IDENTIFIER(…)` stands.
pub(super) async fn resolve(
    session: &dyn Environment,
    tokens: Vec<TokenWithSpan>,
) -> Result<Vec<TokenWithSpan>> {
    if !tokens.iter().any(is_identifier_word) {
        return Ok(tokens);
    }
    let tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut resolved = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match is_identifier_word(token).then(|| closing(&tokens, at + 1)).flatten() {
            Some(end) => {
                let name = name_of(session, &tokens[at + 2..end]).await?;
                push_name(&mut resolved, &name, token)?;
                at = end + 1;
            }
            None => {
                resolved.push(token.clone());
                at += 1;
            }
        }
    }
    Ok(resolved)
}

fn is_identifier_word(token: &TokenWithSpan) -> bool {
    matches!(&token.token, Token::Word(word)
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("IDENTIFIER"))
}

/// The place of the parenthesis that closes the one at `at`.
fn closing(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 1 => return Some(place),
            Token::RParen => depth -= 1,
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

async fn name_of(session: &dyn Environment, tokens: &[TokenWithSpan]) -> Result<String> {
    if let [TokenWithSpan { token: Token::SingleQuotedString(text), .. }] = tokens {
        return Ok(text.clone());
    }
    let value = values_of(session, vec![parse::expression(tokens.to_vec())?]).await?.pop();
    match value {
        Some(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)),
        ) => Ok(text),
        Some(value) if !value.is_null() => {
            let message = format!("a name is no `{}`", value.data_type());
            Err(Error::new(Condition::IDENTIFIER_WRONG_TYPE, message))
        }
        _ => Err(Error::new(Condition::IDENTIFIER_NULL, "the text of a name is NULL")),
    }
}

/// The parts of a name as they would be written, with their quotes.
fn push_name(resolved: &mut Vec<TokenWithSpan>, name: &str, place: &TokenWithSpan) -> Result<()> {
    let parts = parse::object_name(name)?;
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            resolved.push(TokenWithSpan::new(Token::Period, place.span));
        }
        resolved.push(TokenWithSpan::new(Token::make_word(part, Some('`')), place.span));
    }
    Ok(())
}
