//! Forms around expressions: names of the parts of `STRUCT(1 a)`, aggregates of PIVOT that are more
//! than a call, and TABLESAMPLE before the name of what it samples.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{AFTER_ROWS, is_any, is_word};
use crate::sql::desugar::PIVOTED;

/// Writes the forms as the parser knows them.
pub(super) fn spell_out(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let has = |word: &str| tokens.iter().any(|token| is_word(token, word));
    let (structs, pivots, samples) = (has("STRUCT"), has("PIVOT"), has("TABLESAMPLE"));
    let mut tokens = tokens;
    if samples {
        tokens = samples_behind_names(&tokens);
    }
    if pivots {
        tokens = in_parentheses(&tokens, "PIVOT", wrapped_aggregates);
    }
    if structs {
        tokens = in_parentheses(&tokens, "STRUCT", |inner| {
            joined(split(inner, ",").map(with_alias).collect(), inner)
        });
    }
    tokens
}

/// Changes what stands in parentheses behind a word.
fn in_parentheses(
    tokens: &[TokenWithSpan],
    word: &str,
    change: fn(&[TokenWithSpan]) -> Vec<TokenWithSpan>,
) -> Vec<TokenWithSpan> {
    let mut changed = Vec::with_capacity(tokens.len() + 8);
    let mut at = 0;
    while at < tokens.len() {
        changed.push(tokens[at].clone());
        let begins = is_word(&tokens[at], word);
        at += 1;
        let Some(close) = tokens.get(at..).filter(|_| begins).and_then(closing) else { continue };
        changed.push(tokens[at].clone());
        let inner = in_parentheses(&tokens[at + 1..at + close], word, change);
        changed.extend(change(&inner));
        changed.push(tokens[at + close].clone());
        at += close + 1;
    }
    changed
}

/// Where the parenthesis closes that the tokens begin with.
fn closing(tokens: &[TokenWithSpan]) -> Option<usize> {
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

/// The parts between the commas, or the words, outside of parentheses.
fn split<'t>(
    tokens: &'t [TokenWithSpan],
    by: &'static str,
) -> impl Iterator<Item = &'t [TokenWithSpan]> {
    let mut depth = 0_usize;
    tokens.split(move |token| {
        match token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            Token::Lt => {}
            _ => {}
        }
        depth == 0
            && match by {
                "," => token.token == Token::Comma,
                word => is_word(token, word),
            }
    })
}

/// The parts with commas between them again.
fn joined(parts: Vec<Vec<TokenWithSpan>>, of: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let place = of.first().map(|token| token.span);
    let mut tokens = Vec::with_capacity(of.len() + parts.len());
    for (at, part) in parts.into_iter().enumerate() {
        if let (true, Some(place)) = (at > 0, place) {
            tokens.push(TokenWithSpan::new(Token::Comma, place));
        }
        tokens.extend(part);
    }
    tokens
}

/// `1 a` is `1 AS a` in a struct.
fn with_alias(item: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut item = item.to_vec();
    if let [.., before, last] = item.as_slice()
        && is_name(last)
        && ends_value(before)
    {
        let r#as = TokenWithSpan::new(Token::make_keyword("AS"), last.span);
        item.insert(item.len() - 1, r#as);
    }
    item
}

fn is_name(token: &TokenWithSpan) -> bool {
    matches!(&token.token, Token::Word(word)
        if word.quote_style.is_some() || word.keyword == Keyword::NoKeyword)
}

/// Whether a value may end here, so that a name behind it is its alias.
fn ends_value(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::RParen | Token::RBracket | Token::Number(..) => true,
        Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => true,
        Token::Word(word) => {
            is_name(token)
                || matches!(
                    word.keyword,
                    Keyword::NULL | Keyword::TRUE | Keyword::FALSE | Keyword::END
                )
        }
        _ => false,
    }
}

/// `avg(a) + 1 AS b` of PIVOT as a call of [`PIVOTED`]: the parser takes nothing but calls there.
fn wrapped_aggregates(inner: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let aggregates = split(inner, "FOR").next().unwrap_or_default();
    let rest = &inner[aggregates.len()..];
    let items = split(aggregates, ",").map(|item| {
        let is_call = item.get(1).is_some_and(|open| open.token == Token::LParen);
        let ends = is_call.then(|| closing(&item[1..])).flatten().map(|close| close + 2);
        let behind = ends.map_or(item, |end| &item[end..]);
        let is_plain = ends.is_some() && (behind.len() <= 2 || is_word(&behind[0], "FILTER"));
        if is_plain || item.is_empty() {
            return item.to_vec();
        }
        let alias = match item {
            [.., r#as, _] if is_word(r#as, "AS") => 2,
            [.., before, last] if is_name(last) && ends_value(before) => 1,
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
    });
    let mut tokens = joined(items.collect(), aggregates);
    tokens.extend_from_slice(rest);
    tokens
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
