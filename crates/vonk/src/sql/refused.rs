//! Forms that Spark refuses by conditions of their own, found among the tokens: lists without values,
//! and earlier versions of tables, which no table of files has.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::forms::is_word;
use crate::error::{Condition, Error, Result};

/// Words before lists that need a value.
const LISTS: &[(&str, Condition)] = &[
    ("IN", Condition::EMPTY_IN_PREDICATE),
    ("ALL", Condition::EMPTY_PATTERN_LIST),
    ("ANY", Condition::EMPTY_PATTERN_LIST),
    ("SOME", Condition::EMPTY_PATTERN_LIST),
];

/// Words before `AS OF`, behind the name of a table.
const VERSIONS: &[&str] = &["VERSION", "SYSTEM_VERSION", "TIMESTAMP", "SYSTEM_TIME"];

/// Refuses `IN ()`, `LIKE ALL ()` and `t VERSION AS OF 1`.
///
/// # Errors
/// `EMPTY_IN_PREDICATE`, `EMPTY_PATTERN_LIST` or `UNSUPPORTED_FEATURE.TIME_TRAVEL`, at the word that begins the form.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    let is_written = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    let tokens: Vec<&TokenWithSpan> = tokens.iter().filter(is_written).collect();
    for at in 0..tokens.len() {
        let rest = &tokens[at..];
        let found = empty_list(rest).or_else(|| earlier_version(&tokens[..at], rest));
        if let Some(error) = found {
            return Err(error.at_span(tokens[at].span));
        }
    }
    Ok(())
}

fn empty_list(tokens: &[&TokenWithSpan]) -> Option<Error> {
    let [word, open, close, ..] = tokens else { return None };
    if open.token != Token::LParen || close.token != Token::RParen {
        return None;
    }
    let (name, condition) = LISTS.iter().find(|(name, _)| is_word(word, name))?;
    Some(Error::new(*condition, format!("{name} has no values")).hint("give at least one"))
}

fn earlier_version(before: &[&TokenWithSpan], tokens: &[&TokenWithSpan]) -> Option<Error> {
    let [version, r#as, of, _, ..] = tokens else { return None };
    let is_form = is_word(r#as, "AS")
        && is_word(of, "OF")
        && VERSIONS.iter().any(|word| is_word(version, word));
    let before = match before {
        [before @ .., word] if is_word(word, "FOR") => before,
        before => before,
    };
    let Token::Word(table) = &before.last()?.token else { return None };
    // A column of that name may have the alias `of`.
    let is_name = table.quote_style.is_some() || table.keyword == Keyword::NoKeyword;
    (is_form && is_name).then(|| {
        let message = format!("time travel on the relation `{}`", table.value);
        Error::new(Condition::TIME_TRAVEL, message).hint("tables of files have no earlier versions")
    })
}
