//! Forms that Spark refuses by conditions of their own, found among the tokens: lists without values,
//! two orders, and earlier versions of tables, which no table of files has.

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

/// Refuses `IN ()`, `LIKE ALL ()`, `t VERSION AS OF 1`, `ORDER BY a SORT BY b`, `TABLESAMPLE ()`.
///
/// # Errors
/// Spark's condition for each, at the word that begins the form.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    let is_written = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    let tokens: Vec<&TokenWithSpan> = tokens.iter().filter(is_written).collect();
    for at in 0..tokens.len() {
        let rest = &tokens[at..];
        let found = empty_list(rest)
            .or_else(|| earlier_version(&tokens[..at], rest))
            .or_else(|| two_orders(rest))
            .or_else(|| empty_sample(rest));
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

/// `ORDER BY` with an order of parts behind it; the parser knows the other way round only.
fn two_orders(tokens: &[&TokenWithSpan]) -> Option<Error> {
    let [order, by, rest @ ..] = tokens else { return None };
    if !is_word(order, "ORDER") || !is_word(by, "BY") {
        return None;
    }
    let mut depth = 0_usize;
    for pair in rest.windows(2) {
        match pair[0].token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return None,
            Token::RParen => depth -= 1,
            Token::SemiColon | Token::VerticalBarRightAngleBracket => return None,
            _ if is_word(pair[0], "INSERT") => return None,
            _ => {}
        }
        let is_order = ["SORT", "CLUSTER", "DISTRIBUTE"].iter().any(|word| is_word(pair[0], word));
        if depth == 0 && is_order && is_word(pair[1], "BY") {
            let message = format!("{} BY stands beside ORDER BY", pair[0].token);
            return Some(Error::new(Condition::COMBINED_RESULT_CLAUSES, message).hint("keep one"));
        }
    }
    None
}

fn empty_sample(tokens: &[&TokenWithSpan]) -> Option<Error> {
    let [sample, open, close, ..] = tokens else { return None };
    let is_empty = is_word(sample, "TABLESAMPLE")
        && open.token == Token::LParen
        && close.token == Token::RParen;
    is_empty.then(|| {
        let message = "TABLESAMPLE does not say how much";
        Error::new(Condition::TABLESAMPLE_IS_EMPTY, message)
            .hint("write `(10 PERCENT)` or `(5 ROWS)`")
    })
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
