//! Text to syntax: one statement, many statements, or an expression, with Spark's literals.

use sqlparser::ast;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::dialect::VonkDialect;
use super::statement::{self, Command};
use super::{forms, literals, refused, rows, steps};
use crate::analyze;
use crate::error::{Condition, Error, Result};

/// How deep expressions and queries may nest.
pub(super) const DEPTH_MAX: usize = 128;

/// A statement as it was written.
pub(crate) enum Parsed {
    /// Something that gives rows.
    Query(Box<ast::Query>),
    /// Something that is done when it is planned.
    Command(Box<dyn Command>),
}

/// Parses exactly one statement; semicolons may end it.
pub(crate) fn statement(text: &str) -> Result<Parsed> {
    statement_of(tokens(text)?, text)
}

/// Parses exactly one statement of tokens, which stand in `text` where they say.
pub(crate) fn statement_of(tokens: Vec<TokenWithSpan>, text: &str) -> Result<Parsed> {
    if let Some(inserts) = statement::split_inserts(&tokens) {
        let inserts = inserts.into_iter().map(|tokens| match statement_of(tokens, text)? {
            Parsed::Command(insert) => Ok(insert),
            Parsed::Query(_) => Err(Error::internal("an INSERT was read as a query")),
        });
        let inserts = inserts.collect::<Result<_>>()?;
        return Ok(Parsed::Command(Box::new(statement::Inserts(inserts))));
    }
    let mut parser = parser_of(tokens);
    while parser.consume_token(&Token::SemiColon) {}
    if parser.peek_token_ref().token == Token::EOF {
        return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, "the statement is empty"));
    }
    let parsed = match statement::parse_command(&mut parser, text)? {
        Some(command) => Parsed::Command(command),
        None => Parsed::Query(parse_query_or_explain_token(&mut parser)?),
    };
    while parser.consume_token(&Token::SemiColon) {}
    expect_end(&parser)?;
    Ok(parsed)
}

/// Parses a query.
pub(crate) fn query(text: &str) -> Result<ast::Query> {
    match statement(text)? {
        Parsed::Query(query) => Ok(*query),
        Parsed::Command(_) => {
            Err(Error::new(Condition::PARSE_SYNTAX_ERROR, "a query is expected here"))
        }
    }
}

/// Parses an expression with an optional alias, as in a SELECT list.
pub(crate) fn select_item(text: &str) -> Result<ast::SelectItem> {
    let mut parser = parser(text)?;
    let item = parser.parse_select_item().map_err(|error| located(error, &parser))?;
    expect_end(&parser)?;
    Ok(item)
}

/// Parses an expression of tokens.
pub(crate) fn expression(tokens: Vec<TokenWithSpan>) -> Result<ast::Expr> {
    let mut parser = parser_of(tokens);
    let expr = parser.parse_expr().map_err(|error| located(error, &parser))?;
    expect_end(&parser)?;
    Ok(expr)
}

/// Parses a name and gives its parts without quotes.
pub(crate) fn object_name(text: &str) -> Result<Vec<String>> {
    let mut parser = parser(text)?;
    let name = parser.parse_object_name(false).map_err(|error| located(error, &parser))?;
    expect_end(&parser)?;
    let parts = name.0.iter().filter_map(ast::ObjectNamePart::as_ident);
    Ok(parts.map(|part| part.value.clone()).collect())
}

/// Parses a type.
pub(crate) fn data_type(text: &str) -> Result<ast::DataType> {
    let mut parser = parser(text)?;
    let data_type = parser.parse_data_type().map_err(|error| located(error, &parser))?;
    expect_end(&parser)?;
    Ok(data_type)
}

/// Says what stands where a statement should begin, before the parser's more general words.
fn parse_query_or_explain_token(parser: &mut Parser<'_>) -> Result<Box<ast::Query>> {
    let first = parser.peek_token_ref().clone();
    let begins_query = match &first.token {
        Token::LParen => true,
        Token::Word(word) => ["SELECT", "WITH", "FROM", "VALUES", "TABLE"]
            .iter()
            .any(|keyword| word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword)),
        _ => false,
    };
    if !begins_query {
        let written = first.token.to_string();
        let begins = statement::beginnings();
        return Err(syntax_error_at(&first).did_you_mean(&written, begins.iter().copied()));
    }
    whole_query(parser).map_err(|error| located(error, parser))
}

/// Parses a query, whose long chains are made flat before anything walks them by recursion.
pub(super) fn whole_query(parser: &mut Parser<'_>) -> Result<Box<ast::Query>, ParserError> {
    let mut query = parser.parse_query()?;
    analyze::balance(&mut query);
    Ok(query)
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
    let mut places = Offsets::new(script);
    let mut statements = Vec::new();
    let mut start = 0;
    let mut has_content = false;
    for token in &tokens {
        match token.token {
            Token::SemiColon => {
                let end = places.offset(token.span.start);
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
    Ok(parser_of(tokens(text)?))
}

/// The tokens of a statement, with Spark's literals as the parser reads them.
pub(crate) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>> {
    tokens_with(text, false)
}

/// As [`tokens`]; if `texts_are_raw`, a backslash in a text is a backslash.
pub(crate) fn tokens_with(text: &str, texts_are_raw: bool) -> Result<Vec<TokenWithSpan>> {
    let tokens = literals::rewrite(tokenize(text)?, text, texts_are_raw)?;
    let tokens = rows::without_names(tokens);
    refused::check(&tokens)?;
    steps::spell_out(tokens)
}

fn parser_of(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    let tokens = forms::spell_out(tokens);
    Parser::new(&VonkDialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens)
}

fn tokenize(text: &str) -> Result<Vec<TokenWithSpan>> {
    Tokenizer::new(&VonkDialect, text)
        .tokenize_with_location()
        .map_err(|error| ParserError::from(error).into())
}

/// A parser's error with the place of the token at which it stopped, if it says none itself.
pub(super) fn located(error: ParserError, parser: &Parser<'_>) -> Error {
    let token = parser.peek_token_ref();
    let error = Error::from(error);
    error.or_at_span(token.span)
}

fn expect_end(parser: &Parser<'_>) -> Result<()> {
    let token = parser.peek_token_ref();
    if token.token == Token::EOF { Ok(()) } else { Err(syntax_error_at(token)) }
}

/// Spark's words for a token that does not belong where it stands.
pub(super) fn syntax_error_at(token: &TokenWithSpan) -> Error {
    let near = match &token.token {
        Token::EOF => "end of input".to_owned(),
        token => format!("`{token}`"),
    };
    let error =
        Error::new(Condition::PARSE_SYNTAX_ERROR, format!("syntax error at or near {near}"));
    error.at_span(token.span)
}

/// Byte offsets of places that come in ascending order.
pub(super) struct Offsets<'a> {
    text: &'a str,
    line: u64,
    column: u64,
    at: usize,
}

impl<'a> Offsets<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, line: 1, column: 1, at: 0 }
    }

    /// The byte offset of a place at or after the last one asked for.
    pub(super) fn offset(&mut self, place: Location) -> usize {
        while self.line < place.line {
            match self.text[self.at..].find('\n') {
                Some(newline) => self.at += newline + 1,
                None => return self.text.len(),
            }
            self.line += 1;
            self.column = 1;
        }
        let characters = place.column.saturating_sub(self.column) as usize;
        let rest = &self.text[self.at..];
        self.at += rest.char_indices().nth(characters).map_or(rest.len(), |(at, _)| at);
        self.column = self.column.max(place.column);
        self.at
    }
}
