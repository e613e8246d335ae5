//! Text to syntax: one statement, many statements, or an expression, with Spark's literals.

use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::dialect::VonkDialect;
use crate::error::{Condition, Error, Result};

/// How deep expressions and queries may nest.
const DEPTH_MAX: usize = 128;

/// Parses exactly one statement; a semicolon may end it.
pub(crate) fn statement(text: &str) -> Result<ast::Statement> {
    let mut parser = parser(text)?;
    while parser.consume_token(&Token::SemiColon) {}
    if parser.peek_token_ref().token == Token::EOF {
        return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, "the statement is empty"));
    }
    let statement = parser.parse_statement()?;
    while parser.consume_token(&Token::SemiColon) {}
    expect_end(&parser)?;
    Ok(statement)
}

/// Parses an expression with an optional alias, as in a SELECT list.
pub(crate) fn select_item(text: &str) -> Result<ast::SelectItem> {
    let mut parser = parser(text)?;
    let item = parser.parse_select_item()?;
    expect_end(&parser)?;
    Ok(item)
}

/// Splits a script at its semicolons, leaving those in strings and comments alone.
///
/// ```
/// let statements = vonk::sql::split("SELECT ';'; SELECT 2 -- two; or more\n;");
/// assert_eq!(statements.len(), 2);
/// assert_eq!(statements[0], "SELECT ';'");
/// ```
pub fn split(script: &str) -> Vec<&str> {
    let Ok(tokens) = tokenize(script) else {
        return vec![script.trim()].into_iter().filter(|text| !text.is_empty()).collect();
    };
    let offsets = line_offsets(script);
    let mut statements = Vec::new();
    let mut start = 0;
    let mut has_content = false;
    for token in &tokens {
        match token.token {
            Token::SemiColon => {
                let end = offset_of(script, &offsets, token.span.start);
                if has_content {
                    statements.push(script[start..end].trim());
                }
                start = end + 1;
                has_content = false;
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => has_content = true,
        }
    }
    if has_content {
        statements.push(script[start..].trim());
    }
    statements
}

/// Whether typed text is a whole statement: it ends in a semicolon outside strings and comments.
///
/// ```
/// assert!(vonk::sql::is_complete("SELECT 1;"));
/// assert!(!vonk::sql::is_complete("SELECT ';"));
/// ```
pub fn is_complete(text: &str) -> bool {
    tokenize(text).is_ok_and(|tokens| {
        let last = tokens
            .iter()
            .rev()
            .find(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
        last.is_some_and(|token| token.token == Token::SemiColon)
    })
}

fn parser(text: &str) -> Result<Parser<'static>> {
    Ok(Parser::new(&VonkDialect)
        .with_recursion_limit(DEPTH_MAX)
        .with_tokens_with_locations(tokenize(text)?))
}

fn tokenize(text: &str) -> Result<Vec<TokenWithSpan>> {
    Tokenizer::new(&VonkDialect, text)
        .tokenize_with_location()
        .map_err(|error| sqlparser::parser::ParserError::from(error).into())
}

fn expect_end(parser: &Parser<'_>) -> Result<()> {
    let token = parser.peek_token_ref();
    if token.token == Token::EOF {
        return Ok(());
    }
    let start = token.span.start;
    Err(Error::new(
        Condition::PARSE_SYNTAX_ERROR,
        format!("syntax error at or near `{}`", token.token),
    )
    .at(crate::error::Place {
        line: start.line,
        column: start.column,
        length: token.token.to_string().chars().count() as u64,
    }))
}

/// Byte offset of the first character of every line.
fn line_offsets(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

fn offset_of(text: &str, lines: &[usize], at: sqlparser::tokenizer::Location) -> usize {
    let line = lines.get((at.line as usize).saturating_sub(1)).copied().unwrap_or(text.len());
    let characters = (at.column as usize).saturating_sub(1);
    text[line..].char_indices().nth(characters).map_or(text.len(), |(offset, _)| line + offset)
}
