//! `!` in the place of NOT, as in `a ! IN (1)`: read by an option of Spark's, refused without it.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::config;
use crate::error::{Condition, Error, Result};

/// What NOT stands before within a condition.
const PREDICATES: &[Keyword] = &[
    Keyword::BETWEEN,
    Keyword::ILIKE,
    Keyword::IN,
    Keyword::LIKE,
    Keyword::REGEXP,
    Keyword::RLIKE,
];

/// Reads `!` as NOT where only NOT can stand.
///
/// # Errors
/// `SYNTAX_DISCONTINUED.BANG_EQUALS_NOT`, unless it `is_not`.
pub(super) fn spell(mut tokens: Vec<TokenWithSpan>, is_not: bool) -> Result<Vec<TokenWithSpan>> {
    for at in 0..tokens.len() {
        if tokens[at].token != Token::ExclamationMark || !stands_for_not(&tokens, at) {
            continue;
        }
        if !is_not {
            let message = "`!` is a NOT before a truth value only";
            let error = Error::new(Condition::BANG_EQUALS_NOT, message)
                .hint(format!("write NOT, or set `{}`", config::BANG_AS_NOT));
            return Err(error.at_span(tokens[at].span));
        }
        tokens[at].token = Token::make_keyword("NOT");
    }
    Ok(tokens)
}

fn stands_for_not(tokens: &[TokenWithSpan], at: usize) -> bool {
    let is_told = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    let keyword = |token: Option<&TokenWithSpan>| match token.map(|token| &token.token) {
        Some(Token::Word(word)) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let before = keyword(tokens[..at].iter().rev().find(is_told));
    let behind = keyword(tokens[at + 1..].iter().find(is_told));
    match before {
        Keyword::IS => true,
        Keyword::IF => behind == Keyword::EXISTS,
        _ => PREDICATES.contains(&behind),
    }
}
