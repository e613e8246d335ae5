//! Steps of `|>` that the parser does not know, written as queries over a name for the rows so far:
//! `|> UNION ALL TABLE u` as `|> CALL step((SELECT * FROM rows UNION ALL TABLE u))`.

use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::forms::{is_word, outside};
use super::parse::{DEPTH_MAX, syntax_error_at};
use crate::error::{Condition, Error, Result};

/// The function that such a step calls.
pub(super) const STEP: &str = "__step";

/// The relation that stands in it for the rows so far.
pub(super) const ROWS: &str = "__rows";

/// Words with which steps begin that are clauses of a query over the rows so far.
const CLAUSES: &[&str] = &[
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
    "PIVOT",
    "UNPIVOT",
    "TABLESAMPLE",
    "NATURAL",
    "SEMI",
    "ANTI",
];

/// Words with which all other steps begin.
const STEPS: &[&str] = &[
    "SELECT",
    "EXTEND",
    "SET",
    "DROP",
    "AS",
    "WHERE",
    "AGGREGATE",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
];

/// Spells out the steps; a statement without any stays as it is.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR` and Spark's other conditions for steps that are none, at their first word.
pub(super) fn spell_out(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    if !tokens.iter().any(is_pipe) {
        return Ok(tokens);
    }
    let tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut spelled = Vec::with_capacity(tokens.len() + 16);
    push(&tokens, &mut spelled, 0)?;
    Ok(spelled)
}

fn push(tokens: &[TokenWithSpan], spelled: &mut Vec<TokenWithSpan>, depth: usize) -> Result<()> {
    if depth > DEPTH_MAX {
        return Err(ParserError::RecursionLimitExceeded.into());
    }
    let mut at = 0;
    while at < tokens.len() {
        spelled.push(tokens[at].clone());
        at += 1;
        if is_pipe(&tokens[at - 1]) {
            let length = outside(&tokens[at..])
                .find(|(_, token)| is_pipe(token) || ends_query(token))
                .map_or(tokens.len() - at, |(length, _)| length);
            if length == 0 {
                // As in Spark a sign with nothing behind it is no step.
                match tokens.get(at) {
                    Some(next) if is_pipe(next) => return Err(syntax_error_at(next)),
                    _ => spelled.pop(),
                };
                continue;
            }
            push_step(&tokens[at..at + length], spelled, depth)?;
            at += length;
        }
    }
    Ok(())
}

fn push_step(step: &[TokenWithSpan], spelled: &mut Vec<TokenWithSpan>, depth: usize) -> Result<()> {
    let Some(first) = step.first() else { return Ok(()) };
    check(first, step)?;
    let begins = |words: &[&str]| words.iter().any(|word| is_word(first, word));
    let clauses = outside(step).map(|(at, _)| at).find(|at| begins_clause(&step[*at..]));
    let is_distinct = step
        .get(1)
        .is_some_and(|second| ["DISTINCT", "ALL"].iter().any(|word| is_word(second, word)));
    let place = first.span;
    let keyword = |word: &str| TokenWithSpan::new(Token::make_keyword(word), place);
    let all = [keyword("SELECT"), TokenWithSpan::new(Token::Mul, place)];
    let from = [keyword("FROM"), TokenWithSpan::new(Token::make_word(ROWS, None), place)];
    let mut query = Vec::new();
    if begins(CLAUSES) {
        query.extend(all.into_iter().chain(from));
        query.extend_from_slice(step);
    } else if begins(&["DROP"]) {
        query.extend(all);
        query.push(keyword("EXCEPT"));
        query.push(TokenWithSpan::new(Token::LParen, place));
        query.extend_from_slice(&step[1..]);
        query.push(TokenWithSpan::new(Token::RParen, place));
        query.extend(from);
    } else if (begins(&["SELECT"]) && (is_distinct || clauses.is_some()))
        || (begins(&["EXTEND"]) && clauses.is_some())
    {
        let (items, clauses) = step.split_at(clauses.unwrap_or(step.len()));
        if begins(&["EXTEND"]) {
            query.extend(all);
            query.push(TokenWithSpan::new(Token::Comma, place));
        } else {
            query.push(first.clone());
        }
        query.extend_from_slice(&items[1..]);
        query.extend(from);
        query.extend_from_slice(clauses);
    } else {
        return push(step, spelled, depth + 1);
    }
    let open = || TokenWithSpan::new(Token::LParen, place);
    let close = || TokenWithSpan::new(Token::RParen, place);
    let name = TokenWithSpan::new(Token::make_word(STEP, None), place);
    spelled.extend([keyword("CALL"), name, open(), open()]);
    push(&query, spelled, depth + 1)?;
    spelled.extend([close(), close()]);
    Ok(())
}

/// Whether `GROUP BY`, or `WINDOW name AS (`, stands here: clauses behind the items of SELECT or EXTEND.
fn begins_clause(tokens: &[TokenWithSpan]) -> bool {
    match tokens {
        [group, by, ..] if is_word(group, "GROUP") => is_word(by, "BY"),
        [window, _, r#as, open, ..] if is_word(window, "WINDOW") => {
            is_word(r#as, "AS") && open.token == Token::LParen
        }
        _ => false,
    }
}

/// Refuses what the parser would take for something else.
fn check(first: &TokenWithSpan, step: &[TokenWithSpan]) -> Result<()> {
    let begins = |word: &str| is_word(first, word);
    let has = |word: &str| outside(step).any(|(_, token)| is_word(token, word));
    let found = if begins("AGGREGATE") {
        unsupported_groups(step)
    } else if begins("PIVOT") && has("UNPIVOT") {
        let message = "UNPIVOT cannot stand behind PIVOT in one FROM";
        Some(Error::new(Condition::UNPIVOT_WITH_PIVOT, message).hint("write `|> UNPIVOT`"))
    } else {
        clash_of_clauses(step)
    };
    if let Some(error) = found {
        return Err(error.at_span(first.span));
    }
    let mut known = STEPS.iter().chain(CLAUSES);
    if known.any(|word| begins(word)) {
        return Ok(());
    }
    let known = STEPS.iter().chain(CLAUSES).copied();
    Err(syntax_error_at(first).did_you_mean(&first.token.to_string(), known))
}

/// The groups that a step has no meaning for, by Spark's words.
fn unsupported_groups(step: &[TokenWithSpan]) -> Option<Error> {
    if step.len() == 1 {
        let message = "AGGREGATE needs aggregates, or expressions to group by, or both";
        return Some(Error::new(Condition::OPERATION_NOT_ALLOWED, message));
    }
    let groups = outside(step).map(|(at, _)| at).find(|at| {
        is_word(&step[*at], "GROUP") && step.get(at + 1).is_some_and(|by| is_word(by, "BY"))
    })?;
    let keys = step.get(groups + 2..)?;
    let starts = |at: usize, word: &str| keys.get(at).is_some_and(|token| is_word(token, word));
    let forms =
        [("CUBE", "GROUP BY CUBE"), ("ROLLUP", "GROUP BY ROLLUP"), ("GROUPING", "GROUPING SETS")];
    let form = outside(keys).find_map(|(at, _)| {
        let is_open = |at: usize| keys.get(at).is_some_and(|next| next.token == Token::LParen);
        forms.iter().find(|(word, _)| {
            let is_call = starts(at, word) && is_open(at + 1);
            let is_with = at > 0 && starts(at - 1, "WITH") && starts(at, word);
            is_call
                || is_with
                || (*word == "GROUPING" && starts(at, word) && starts(at + 1, "SETS"))
        })
    });
    let case = match form {
        Some((_, case)) => case,
        None if keys.len() == 1 && starts(0, "ALL") => "GROUP BY ALL",
        None => return None,
    };
    let message = format!("`|> AGGREGATE` does not take {case}");
    Some(
        Error::new(Condition::PIPE_AGGREGATE_UNSUPPORTED, message)
            .parameter("case", case)
            .hint("group by expressions, or write a query with GROUP BY"),
    )
}

/// An order and a limit in one step.
fn clash_of_clauses(step: &[TokenWithSpan]) -> Option<Error> {
    const ORDERS: &[&str] = &["ORDER BY", "SORT BY", "DISTRIBUTE BY", "CLUSTER BY"];
    const ENDS: &[&str] = &["LIMIT", "OFFSET"];
    let first = step.first()?;
    let is = |token: &TokenWithSpan, clause: &str| {
        is_word(token, clause.split(' ').next().unwrap_or(clause))
    };
    let order = ORDERS.iter().find(|clause| is(first, clause))?;
    // A column may be called so.
    let is_clause = |at: usize| {
        let is_name = match &step[at - 1].token {
            Token::Comma | Token::Period => true,
            Token::Word(before) => before.value.eq_ignore_ascii_case("BY"),
            _ => false,
        };
        let value = step.get(at + 1).map(|next| &next.token);
        !is_name && matches!(value, Some(Token::Number(..) | Token::Word(_) | Token::LParen))
    };
    let mut rest = outside(step).skip(2).filter(|(at, _)| is_clause(*at));
    let end = rest.find_map(|(_, token)| ENDS.iter().copied().find(|clause| is(token, clause)))?;
    let message = format!("{order} and {end} stand in one step");
    Some(
        Error::new(Condition::MULTIPLE_RESULT_CLAUSES, message)
            .parameter("clause1", *order)
            .parameter("clause2", end)
            .hint(format!("write `|> {end}` as a step of its own")),
    )
}

fn ends_query(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::RParen | Token::SemiColon | Token::EOF)
}

fn is_pipe(token: &TokenWithSpan) -> bool {
    token.token == Token::VerticalBarRightAngleBracket
}
