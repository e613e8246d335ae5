//! Forms around expressions: names of the parts of `STRUCT(1 a)`, aggregates of PIVOT that are more
//! than a call, and TABLESAMPLE before the name of what it samples.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{AFTER_ROWS, OPERATORS, is_any, is_word, outside};
use crate::sql::desugar::PIVOTED;
use crate::sql::parse::DEPTH_MAX;

/// Words that end no value and are no name of one.
const STOPS: &[&str] =
    &["ALL", "AS", "CASE", "DISTINCT", "ELSE", "FOR", "FROM", "INTERVAL", "THEN", "TO", "WHEN"];

/// Words that end a value, and are no name of one.
const ENDS: &[&str] = &["END", "FALSE", "NULL", "TRUE"];

/// Calls of a form of their own, which are no aggregates.
const NO_CALLS: &[&str] = &["CAST", "EXTRACT", "TRY_CAST"];

/// Writes the forms as the parser knows them.
pub(super) fn spell_out(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let has = |word: &str| tokens.iter().any(|token| is_word(token, word));
    let (structs, pivots, samples) = (has("STRUCT"), has("PIVOT"), has("TABLESAMPLE"));
    let mut tokens = tokens;
    if samples {
        tokens = samples_behind_names(&tokens);
    }
    if pivots {
        tokens = in_parentheses(&tokens, "PIVOT", wrapped_aggregates, 0);
    }
    if structs {
        tokens = in_parentheses(&tokens, "STRUCT", |inner| mapped(inner, with_alias), 0);
    }
    tokens
}

/// Changes what stands in parentheses behind a word; deeper than the parser goes nothing is changed.
fn in_parentheses(
    tokens: &[TokenWithSpan],
    word: &str,
    change: fn(&[TokenWithSpan]) -> Vec<TokenWithSpan>,
    depth: usize,
) -> Vec<TokenWithSpan> {
    if depth > DEPTH_MAX {
        return tokens.to_vec();
    }
    let mut changed = Vec::with_capacity(tokens.len() + 8);
    let mut at = 0;
    while at < tokens.len() {
        changed.push(tokens[at].clone());
        let begins = is_word(&tokens[at], word);
        at += 1;
        let Some(close) = tokens.get(at..).filter(|_| begins).and_then(closing) else { continue };
        changed.push(tokens[at].clone());
        let inner = in_parentheses(&tokens[at + 1..at + close], word, change, depth + 1);
        changed.extend(change(&inner));
        changed.push(tokens[at + close].clone());
        at += close + 1;
    }
    changed
}

/// Where the parenthesis closes that the tokens begin with.
pub(super) fn closing(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (at > 0).then_some(at);
        }
    }
    None
}

/// The parts between commas, each changed.
fn mapped(
    tokens: &[TokenWithSpan],
    change: fn(&[TokenWithSpan]) -> Vec<TokenWithSpan>,
) -> Vec<TokenWithSpan> {
    let mut changed = Vec::with_capacity(tokens.len() + 8);
    let mut begin = 0;
    for (comma, _) in outside(tokens).filter(|(_, token)| token.token == Token::Comma) {
        changed.extend(change(&tokens[begin..comma]));
        changed.push(tokens[comma].clone());
        begin = comma + 1;
    }
    changed.extend(change(&tokens[begin..]));
    changed
}

/// `1 a` is `1 AS a` in a struct.
fn with_alias(item: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut item = item.to_vec();
    if let [.., before, last] = item.as_slice()
        && ends_in_alias(&item, before, last)
    {
        let r#as = TokenWithSpan::new(Token::make_keyword("AS"), last.span);
        item.insert(item.len() - 1, r#as);
    }
    item
}

/// Whether the last token of an item is a name for what stands before it.
fn ends_in_alias(item: &[TokenWithSpan], before: &TokenWithSpan, last: &TokenWithSpan) -> bool {
    let is_interval = item.iter().any(|token| is_word(token, "INTERVAL"));
    let is_name = match &last.token {
        Token::Word(word) if word.quote_style.is_none() => {
            let is_unit = is_interval && !matches!(before.token, Token::Word(_));
            !is_unit
                && !is_any(&word.value, STOPS)
                && !is_any(&word.value, ENDS)
                && !is_any(&word.value, OPERATORS)
        }
        Token::Word(_) => true,
        _ => false,
    };
    is_name && ends_value(before)
}

/// Whether a value may end here, so that a name behind it is its alias.
fn ends_value(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::RParen | Token::RBracket | Token::Number(..) => true,
        Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => true,
        Token::Word(word) => {
            word.quote_style.is_some()
                || (!is_any(&word.value, STOPS) && !is_any(&word.value, OPERATORS))
        }
        _ => false,
    }
}

/// `avg(a) + 1 AS b` of PIVOT as a call of [`PIVOTED`]: the parser takes nothing but calls there.
fn wrapped_aggregates(inner: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let Some((end, _)) = outside(inner).find(|(_, token)| is_word(token, "FOR")) else {
        // A table or a column of that name.
        return inner.to_vec();
    };
    let mut tokens = mapped(&inner[..end], wrapped);
    tokens.extend_from_slice(&inner[end..]);
    tokens
}

fn wrapped(item: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    if item.is_empty() || is_call(item) {
        return item.to_vec();
    }
    let alias = match item {
        [.., r#as, _] if is_word(r#as, "AS") => 2,
        [.., before, last] if ends_in_alias(item, before, last) => 1,
        _ => 0,
    };
    let (value, alias) = item.split_at(item.len() - alias);
    let place = item[0].span;
    let mut wrapped = vec![
        TokenWithSpan::new(Token::make_word(PIVOTED, None), place),
        TokenWithSpan::new(Token::LParen, place),
    ];
    wrapped.extend_from_slice(value);
    wrapped.push(TokenWithSpan::new(Token::RParen, place));
    wrapped.extend_from_slice(alias);
    wrapped
}

/// Whether an aggregate of PIVOT is what the parser takes: a call, with a FILTER and a name or without.
fn is_call(item: &[TokenWithSpan]) -> bool {
    let Some(close) = item.get(1..).and_then(closing) else { return false };
    let mut behind = &item[close + 2..];
    if let [filter, rest @ ..] = behind
        && is_word(filter, "FILTER")
        && let Some(close) = closing(rest)
    {
        behind = &rest[close + 1..];
    }
    let is_named = match behind {
        [] => true,
        [name] => matches!(name.token, Token::Word(_)),
        [r#as, _] => is_word(r#as, "AS"),
        _ => false,
    };
    is_named && !NO_CALLS.iter().any(|word| is_word(&item[0], word))
}

/// `t TABLESAMPLE (…) AS u` as the parser has it: `t AS u TABLESAMPLE (…)`.
fn samples_behind_names(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut moved = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let length = match is_word(&tokens[at], "TABLESAMPLE") {
            true => sample_length(&tokens[at..]),
            false => None,
        };
        let Some(length) = length else {
            moved.push(tokens[at].clone());
            at += 1;
            continue;
        };
        let alias = alias_length(&tokens[at + length..]);
        moved.extend_from_slice(&tokens[at + length..at + length + alias]);
        moved.extend_from_slice(&tokens[at..at + length]);
        at += length + alias;
    }
    moved
}

/// How long `TABLESAMPLE (…) REPEATABLE (…)` is.
fn sample_length(tokens: &[TokenWithSpan]) -> Option<usize> {
    let sample = 1 + closing(tokens.get(1..)?)? + 1;
    let is_seeded = tokens.get(sample).is_some_and(|word| is_word(word, "REPEATABLE"));
    match is_seeded {
        true => Some(sample + 1 + closing(&tokens[sample + 1..])? + 1),
        false => Some(sample),
    }
}

/// How long `AS u (a, b)` is, where there is such.
fn alias_length(tokens: &[TokenWithSpan]) -> usize {
    let r#as = usize::from(tokens.first().is_some_and(|word| is_word(word, "AS")));
    let is_alias = match tokens.get(r#as).map(|token| &token.token) {
        Some(Token::Word(word)) => {
            word.quote_style.is_some()
                || r#as == 1
                || (word.keyword == Keyword::NoKeyword && !is_any(&word.value, AFTER_ROWS))
        }
        _ => false,
    };
    if !is_alias {
        return 0;
    }
    let columns = tokens.get(r#as + 1..).and_then(closing).map_or(0, |close| close + 1);
    r#as + 1 + columns
}
