//! Spark's short forms that the parser does not know, spelled out between tokenizer and parser:
//! `VALUES 1, 2`, `VALUES (1) AS t(a)` as a query, `TABLE t` as a query, `MAX RECURSION LEVEL`,
//! `FROM VALUES (1) PIVOT …`, `* EXCEPT (a.b)`, `STRUCT(*)`, `IN (*)`, `TRIM(LEADING FROM a)`,
//! GROUPING SETS within others; what stands around expressions in [`around`].

use std::ops::Range;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::analyze::ALL_COLUMNS;
use crate::display::LEVEL_MARK;

mod around;

/// Words after which rows of VALUES stand in FROM, and so may have an alias as they are.
const BEFORE_RELATION: &[&str] = &["FROM", "JOIN", "LATERAL"];

/// Words that end the rows of VALUES, where an alias does not.
const AFTER_ROWS: &[&str] = &[
    "AS",
    "UNION",
    "EXCEPT",
    "MINUS",
    "INTERSECT",
    "ORDER",
    "SORT",
    "CLUSTER",
    "DISTRIBUTE",
    "LIMIT",
    "OFFSET",
    "WHERE",
    "JOIN",
    "LEFT",
    "RIGHT",
    "INNER",
    "FULL",
    "CROSS",
    "NATURAL",
    "ANTI",
    "SEMI",
    "LATERAL",
    "GROUP",
    "HAVING",
    "WINDOW",
    "SELECT",
    "PIVOT",
    "UNPIVOT",
    "TABLESAMPLE",
    "ON",
    "USING",
    "QUALIFY",
];

/// Words behind which an expression goes on.
const OPERATORS: &[&str] = &[
    "AND", "OR", "NOT", "IN", "IS", "LIKE", "ILIKE", "RLIKE", "REGEXP", "BETWEEN", "DIV", "ESCAPE",
    "COLLATE", "OVER", "FILTER", "WITHIN", "AT",
];

/// Words behind which `TABLE name` is a query.
const BEFORE_QUERY: &[&str] =
    &["UNION", "ALL", "DISTINCT", "EXCEPT", "MINUS", "INTERSECT", "AS", "EXPLAIN"];

/// Words with which a query begins.
const BEGINNINGS: &[&str] = &["SELECT", "WITH", "FROM", "VALUES", "TABLE"];

/// Words of which every form has one.
const FORMS: &[&str] = &[
    "VALUES",
    "TABLE",
    "RECURSION",
    "EXCEPT",
    "GROUPING",
    "TRIM",
    "STRUCT",
    "PIVOT",
    "TABLESAMPLE",
];

/// Spells out the forms; a statement without them stays as it is.
pub(super) fn spell_out(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let has_form = |token: &TokenWithSpan| FORMS.iter().any(|word| is_word(token, word));
    let has_star = || tokens.iter().any(|token| token.token == Token::Mul);
    let may_list_stars = || has_star() && tokens.iter().any(begins_list);
    if !tokens.iter().any(has_form) && !may_list_stars() {
        return tokens;
    }
    let tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let tokens = around::spell_out(flattened_sets(tokens));
    let mut spelled = Vec::with_capacity(tokens.len() + 16);
    push_spelled(&tokens, &mut spelled);
    spelled
}

/// `GROUPING SETS (a, GROUPING SETS (b, c))` is `GROUPING SETS (a, b, c)`.
fn flattened_sets(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let begins = |at: usize| {
        let words = [(at, "GROUPING"), (at + 1, "SETS")];
        words.iter().all(|(at, word)| tokens.get(*at).is_some_and(|token| is_word(token, word)))
            && tokens.get(at + 2).is_some_and(|open| open.token == Token::LParen)
    };
    // Of every parenthesis that is open: whether it is one of sets, and whether it is left out.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if begins(at) {
            let is_within = open.last().is_some_and(|(is_sets, _)| *is_sets);
            if !is_within {
                kept.extend_from_slice(&tokens[at..at + 3]);
            }
            open.push((true, is_within));
            at += 3;
            continue;
        }
        let is_left_out = match tokens[at].token {
            Token::LParen => {
                open.push((false, false));
                false
            }
            Token::RParen => open.pop().is_some_and(|(_, is_left_out)| is_left_out),
            _ => false,
        };
        if !is_left_out {
            kept.push(tokens[at].clone());
        }
        at += 1;
    }
    kept
}

fn push_spelled(tokens: &[TokenWithSpan], spelled: &mut Vec<TokenWithSpan>) {
    let mut at = 0;
    while at < tokens.len() {
        if is_word(&tokens[at], "VALUES") && begins_rows(tokens, at) {
            at = push_values(tokens, at, spelled);
        } else if is_word(&tokens[at], "TABLE") && begins_table_query(tokens, at) {
            push_select_all(&tokens[at], spelled);
            at += 1;
        } else if let Some(word) = respelled(tokens, at) {
            spelled.push(TokenWithSpan::new(word, tokens[at].span));
            at += 1;
        } else if let Some(name) = trimmed_side(&tokens[at..]) {
            spelled.push(TokenWithSpan::new(Token::make_word(name, None), tokens[at].span));
            spelled.push(tokens[at + 1].clone());
            at += 4;
        } else if let Some(end) = star_in_list(tokens, at) {
            push_star_call(&tokens[at..end], spelled);
            at = end;
        } else if let Some(level) = recursion_level(&tokens[at..]) {
            mark_level(spelled, level);
            at += 4;
        } else {
            spelled.push(tokens[at].clone());
            at += 1;
        }
    }
}

/// The function that `TRIM(LEADING FROM` is: the side without what is trimmed off.
fn trimmed_side(tokens: &[TokenWithSpan]) -> Option<&'static str> {
    let [trim, open, side, from, ..] = tokens else { return None };
    let is_form = is_word(trim, "TRIM") && open.token == Token::LParen && is_word(from, "FROM");
    let sides = [("LEADING", "ltrim"), ("TRAILING", "rtrim"), ("BOTH", "trim")];
    let found = sides.into_iter().find(|(word, _)| is_word(side, word));
    found.filter(|_| is_form).map(|(_, name)| name)
}

/// Where a star ends that stands at `at` as an item of `IN (…)` or `STRUCT(…)`: `*`, `t.*`, with EXCEPT
/// or without.
fn star_in_list(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    let is_first = at > 1 && tokens[at - 1].token == Token::LParen && begins_list(&tokens[at - 2]);
    let is_later = at > 0 && tokens[at - 1].token == Token::Comma && opens_in_list(&tokens[..at]);
    if !is_first && !is_later {
        return None;
    }
    let mut end = at;
    while let [name, point, ..] = &tokens[end..]
        && matches!(name.token, Token::Word(_))
        && point.token == Token::Period
    {
        end += 2;
    }
    if tokens.get(end)?.token != Token::Mul {
        return None;
    }
    end += 1;
    if tokens.get(end).is_some_and(|word| is_word(word, "EXCEPT")) {
        let close = tokens[end..].iter().position(|token| token.token == Token::RParen)?;
        end += close + 1;
    }
    let next = tokens.get(end).map(|token| &token.token);
    matches!(next, Some(Token::Comma | Token::RParen)).then_some(end)
}

fn begins_list(word: &TokenWithSpan) -> bool {
    is_word(word, "IN") || is_word(word, "STRUCT")
}

/// Whether the parenthesis that is open at the end of these tokens is one of `IN (` or `STRUCT(`.
fn opens_in_list(tokens: &[TokenWithSpan]) -> bool {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().rev() {
        match token.token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return at > 0 && begins_list(&tokens[at - 1]),
            Token::LParen => depth -= 1,
            _ => {}
        }
    }
    false
}

/// Writes a star as the argument of a call, where the parser takes one.
fn push_star_call(star: &[TokenWithSpan], spelled: &mut Vec<TokenWithSpan>) {
    let span = star[0].span;
    spelled.push(TokenWithSpan::new(Token::make_word(ALL_COLUMNS, None), span));
    spelled.push(TokenWithSpan::new(Token::LParen, span));
    for (at, token) in star.iter().enumerate() {
        spelled.push(match respelled(star, at) {
            Some(word) => TokenWithSpan::new(word, token.span),
            None => token.clone(),
        });
    }
    spelled.push(TokenWithSpan::new(Token::RParen, span));
}

/// The word that the parser knows more of than of the one at `at`: EXCLUDE takes fields of structs
/// where EXCEPT takes columns only.
fn respelled(tokens: &[TokenWithSpan], at: usize) -> Option<Token> {
    let [word, open, next, ..] = &tokens[at..] else { return None };
    if open.token != Token::LParen {
        return None;
    }
    let is_star = at > 0 && tokens[at - 1].token == Token::Mul;
    let is_name = matches!(&next.token, Token::Word(name)
        if name.quote_style.is_some() || !is_any(&name.value, BEGINNINGS));
    (is_star && is_name && is_word(word, "EXCEPT")).then(|| Token::make_keyword("EXCLUDE"))
}

/// The number of `MAX RECURSION LEVEL number`.
fn recursion_level(tokens: &[TokenWithSpan]) -> Option<&str> {
    let [max, recursion, level, number, ..] = tokens else { return None };
    let words = [(max, "MAX"), (recursion, "RECURSION"), (level, "LEVEL")];
    match &number.token {
        Token::Number(digits, _) if words.iter().all(|(token, word)| is_word(token, word)) => {
            Some(digits)
        }
        _ => None,
    }
}

/// Puts the level into the name that stands before it, behind which may be columns.
fn mark_level(spelled: &mut [TokenWithSpan], level: &str) {
    let mut depth = 0_usize;
    for token in spelled.iter_mut().rev() {
        match &token.token {
            Token::RParen => depth += 1,
            Token::LParen => depth = depth.saturating_sub(1),
            Token::Word(word) if depth == 0 => {
                let name = format!("{}{LEVEL_MARK}{level}", word.value);
                token.token = Token::make_word(&name, Some('`'));
                return;
            }
            _ => {}
        }
    }
}

/// Whether VALUES is the keyword here, not a column or function of that name.
fn begins_rows(tokens: &[TokenWithSpan], at: usize) -> bool {
    let is_named = at > 0 && matches!(tokens[at - 1].token, Token::Period);
    let next = tokens.get(at + 1).map(|token| &token.token);
    let begins_expression = match next {
        Some(Token::Word(word)) => word.quote_style.is_none() && !is_any(&word.value, AFTER_ROWS),
        Some(Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_)) => {
            true
        }
        Some(Token::LParen | Token::Minus | Token::Plus | Token::Placeholder(_)) => true,
        Some(Token::HexStringLiteral(_) | Token::Colon) => true,
        _ => false,
    };
    !is_named && begins_expression
}

/// `TABLE name` where a query may begin; elsewhere TABLE belongs to a statement or an argument.
fn begins_table_query(tokens: &[TokenWithSpan], at: usize) -> bool {
    let is_name = matches!(tokens.get(at + 1).map(|token| &token.token), Some(Token::Word(_)));
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let begins = match before.map(|before| &before.token) {
        None | Some(Token::SemiColon) => true,
        // Behind the queries of WITH, or the columns of INSERT.
        Some(Token::RParen) => {
            let is_insert = tokens.first().is_some_and(|first| is_word(first, "INSERT"));
            let begins =
                |token: &TokenWithSpan| ["SELECT", "FROM"].iter().any(|word| is_word(token, word));
            ends_with(tokens, at) || (is_insert && !tokens[..at].iter().any(begins))
        }
        Some(Token::Word(word)) => is_any(&word.value, BEFORE_QUERY) || ends_target(tokens, at),
        Some(Token::LParen) => {
            at < 2
                || !matches!(&tokens[at - 2].token,
            Token::Word(word) if !is_any(&word.value, &["FROM", "AS", "IN", "EXISTS", "ALL"]))
        }
        _ => false,
    };
    is_name && begins
}

/// Whether the words before `at` are an INSERT and the name of its table.
fn ends_target(tokens: &[TokenWithSpan], at: usize) -> bool {
    let [insert, into, target @ ..] = &tokens[..at] else { return false };
    let into = is_word(into, "INTO") || is_word(into, "OVERWRITE");
    let target = match target {
        [table, rest @ ..] if is_word(table, "TABLE") => rest,
        target => target,
    };
    let names = target.iter().step_by(2).all(|part| {
        matches!(&part.token, Token::Word(word)
            if word.quote_style.is_some() || !is_any(&word.value, BEGINNINGS))
    });
    let points = target.iter().skip(1).step_by(2).all(|part| part.token == Token::Period);
    is_word(insert, "INSERT") && into && target.len() % 2 == 1 && names && points
}

/// Whether the parenthesis before `at` ends the last query of WITH, at the depth of which no query has
/// begun yet.
fn ends_with(tokens: &[TokenWithSpan], at: usize) -> bool {
    let mut depth = 0_usize;
    for token in tokens[..at].iter().rev() {
        match &token.token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return false,
            Token::LParen => depth -= 1,
            Token::Word(word) if depth == 0 && word.quote_style.is_none() => {
                if word.value.eq_ignore_ascii_case("WITH") {
                    return true;
                }
                if is_any(&word.value, &["SELECT", "FROM", "VALUES"]) {
                    return false;
                }
            }
            _ => {}
        }
    }
    false
}

/// Writes the rows, each in parentheses, and gives the place behind them.
fn push_values(tokens: &[TokenWithSpan], at: usize, spelled: &mut Vec<TokenWithSpan>) -> usize {
    let rows = rows(tokens, at + 1);
    let end = rows.last().map_or(at + 1, |row| row.end);
    let is_relation = at > 0
        && match &tokens[at - 1].token {
            Token::Word(word) => is_any(&word.value, BEFORE_RELATION),
            Token::Comma => true,
            _ => false,
        };
    let has_alias = tokens.get(end).is_some_and(|next| match &next.token {
        Token::Word(word) => {
            word.quote_style.is_some()
                || word.value.eq_ignore_ascii_case("AS")
                || !is_any(&word.value, AFTER_ROWS)
        }
        _ => false,
    });
    if has_alias && !is_relation {
        push_select_all(&tokens[at], spelled);
    }
    // The parser takes PIVOT and UNPIVOT behind tables and queries only.
    let pivots = |token: &TokenWithSpan| is_word(token, "PIVOT") || is_word(token, "UNPIVOT");
    let becomes_query = is_relation && tokens[end..].iter().any(pivots);
    if becomes_query {
        spelled.push(TokenWithSpan::new(Token::LParen, tokens[at].span));
    }
    spelled.push(tokens[at].clone());
    for (number, row) in rows.into_iter().enumerate() {
        if number > 0 {
            spelled.push(tokens[row.start - 1].clone());
        }
        let span = tokens[row.start].span;
        let needs_parentheses = around::closing(&tokens[row.clone()]) != Some(row.len() - 1);
        if needs_parentheses {
            spelled.push(TokenWithSpan::new(Token::LParen, span));
        }
        push_spelled(&tokens[row.clone()], spelled);
        if needs_parentheses {
            spelled.push(TokenWithSpan::new(Token::RParen, span));
        }
    }
    if becomes_query {
        spelled.push(TokenWithSpan::new(Token::RParen, tokens[at].span));
    }
    end
}

/// The expressions between commas from `start` up to what cannot belong to one.
fn rows(tokens: &[TokenWithSpan], start: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut begin = start;
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        match &token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket if depth == 0 => break,
            Token::RParen | Token::RBracket => depth -= 1,
            Token::Comma if depth == 0 => {
                rows.push(begin..at);
                begin = at + 1;
            }
            Token::SemiColon | Token::EOF | Token::VerticalBarRightAngleBracket => break,
            Token::Word(_) if depth == 0 && at > begin && ends_row(tokens, begin, at) => break,
            _ => {}
        }
        at += 1;
    }
    rows.push(begin..at);
    rows.retain(|row| !row.is_empty());
    rows
}

/// Whether the word at `at` stands behind a whole expression, as an alias or the next clause.
fn ends_row(tokens: &[TokenWithSpan], begin: usize, at: usize) -> bool {
    let Token::Word(word) = &tokens[at].token else { return false };
    let is_plain = word.quote_style.is_none();
    if is_plain && is_any(&word.value, AFTER_ROWS) {
        return true;
    }
    if is_word(&tokens[begin], "INTERVAL") || is_word(&tokens[begin], "CASE") {
        return false;
    }
    let is_operator = is_plain && is_any(&word.value, OPERATORS);
    let ends_expression = match &tokens[at - 1].token {
        Token::RParen | Token::RBracket | Token::Number(..) => true,
        Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => true,
        Token::Word(before) => {
            before.quote_style.is_some()
                || before.keyword == Keyword::NULL
                || matches!(before.keyword, Keyword::TRUE | Keyword::FALSE)
        }
        _ => false,
    };
    ends_expression && !is_operator
}

/// The tokens outside of parentheses and brackets, with their places; one that opens or closes stands
/// outside if no other is open.
pub(super) fn outside(tokens: &[TokenWithSpan]) -> impl Iterator<Item = (usize, &TokenWithSpan)> {
    let mut depth = 0_usize;
    tokens.iter().enumerate().filter(move |(_, token)| {
        let is_outside = depth == 0;
        match token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_outside
    })
}

fn push_select_all(place: &TokenWithSpan, spelled: &mut Vec<TokenWithSpan>) {
    let words = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
    spelled.extend(words.into_iter().map(|token| TokenWithSpan::new(token, place.span)));
}

pub(super) fn is_word(token: &TokenWithSpan, text: &str) -> bool {
    matches!(&token.token, Token::Word(word)
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

fn is_any(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::super::parse::query;

    fn read(text: &str) -> String {
        query(text).unwrap().to_string()
    }

    #[test]
    fn rows_get_their_parentheses() {
        assert_eq!(read("VALUES 1, (2)"), "VALUES (1), (2)");
        assert_eq!(
            read("SELECT * FROM VALUES 0, 1 + 2 t(id), u"),
            "SELECT * FROM (VALUES (0), (1 + 2)) t (id), u"
        );
        assert_eq!(read("VALUES array(1), (2)"), "VALUES (array(1)), (2)");
    }

    #[test]
    fn stars_of_lists_become_arguments() {
        assert_eq!(
            read("SELECT a IN (*, 1) FROM t"),
            format!("SELECT a IN ({}(*), 1) FROM t", crate::analyze::ALL_COLUMNS)
        );
        assert_eq!(read("SELECT a IN (1, b * 2) FROM t"), "SELECT a IN (1, b * 2) FROM t");
    }

    #[test]
    fn rows_with_an_alias_become_a_query() {
        assert_eq!(read("VALUES (1, 2) AS t(a, b)"), "SELECT * FROM (VALUES (1, 2)) AS t (a, b)");
        assert_eq!(read("TABLE t"), "SELECT * FROM t");
    }
}
