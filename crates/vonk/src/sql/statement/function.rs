//! `CREATE FUNCTION name(parameters) RETURN …` and `DROP FUNCTION`: functions written in SQL.

use std::collections::HashSet;

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast::{self, Expr, Ident};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Command, Source, no_answer};
use crate::analyze::{self, Body, Routine, RoutineParameter};
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, desugar, plan_query};

struct Create {
    routine: Routine,
    replace: bool,
    if_not_exists: bool,
}

struct Drop {
    name: String,
    if_exists: bool,
    temporary: bool,
}

/// What is said of a function before its body.
#[derive(Default)]
struct Clauses {
    returns: Option<ast::DataType>,
    /// The columns of RETURNS TABLE, empty if they are the query's.
    table: Option<Vec<(Ident, ast::DataType)>>,
}

pub(super) fn parse_create(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse(source, false, false)
}

pub(super) fn parse_create_or_replace(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse(source, true, false)
}

pub(super) fn parse_temporary(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse(source, false, true)
}

pub(super) fn parse_temporary_or_replace(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse(source, true, true)
}

fn parse(source: &mut Source<'_>, replace: bool, is_temporary: bool) -> Result<Box<dyn Command>> {
    let if_not_exists = source.take(&["IF", "NOT", "EXISTS"]);
    if if_not_exists && (replace || is_temporary) {
        let condition = match replace {
            true => Condition::CREATE_ROUTINE_IF_NOT_EXISTS_AND_REPLACE,
            false => Condition::CREATE_TEMP_FUNC_IF_NOT_EXISTS,
        };
        return Err(Error::new(condition, "IF NOT EXISTS stands where it cannot"));
    }
    let name = source.relation()?;
    let name = super::last_part(&name)?.to_owned();
    if source.take(&["AS"]) {
        return Err(Error::unsupported("functions that are classes of Java")
            .hint("write the function in SQL: `CREATE FUNCTION f(x INT) RETURN x + 1`"));
    }
    let parameters = parameters(source)?;
    let clauses = clauses(source)?;
    source.expect(&["RETURN"])?;
    let body = body(source, clauses)?;
    let routine = Routine { name, parameters, body, is_temporary };
    check(&routine)?;
    Ok(Box::new(Create { routine, replace, if_not_exists }))
}

fn parameters(source: &mut Source<'_>) -> Result<Vec<RoutineParameter>> {
    source.parse(|parser| parser.expect_token(&Token::LParen))?;
    let mut parameters = Vec::new();
    while *source.next() != Token::RParen {
        let name = source.parse(Parser::parse_identifier)?.value;
        let data_type = source.parse(Parser::parse_data_type)?;
        let mut default = None;
        loop {
            if source.take(&["DEFAULT"]) {
                default = Some(source.parse(Parser::parse_expr)?);
            } else if source.take(&["COMMENT"]) {
                source.string()?;
            } else if source.take(&["NOT", "NULL"]) {
                let message = format!("the parameter `{name}` is NOT NULL");
                return Err(Error::new(Condition::NOT_NULL_ON_PARAMETERS, message));
            } else {
                break;
            }
        }
        parameters.push(RoutineParameter { name, data_type, default });
        if !source.parser.consume_token(&Token::Comma) {
            break;
        }
    }
    source.parse(|parser| parser.expect_token(&Token::RParen))?;
    Ok(parameters)
}

/// RETURNS and the characteristics, in any order; what a function promises is not held against it.
fn clauses(source: &mut Source<'_>) -> Result<Clauses> {
    const PROMISES: &[&[&str]] = &[
        &["LANGUAGE", "SQL"],
        &["DETERMINISTIC"],
        &["NOT", "DETERMINISTIC"],
        &["CONTAINS", "SQL"],
        &["READS", "SQL", "DATA"],
        &["SQL", "SECURITY", "DEFINER"],
        &["SQL", "SECURITY", "INVOKER"],
    ];
    let mut clauses = Clauses::default();
    loop {
        if source.take(&["RETURNS", "TABLE"]) {
            clauses.table = Some(columns(source)?);
        } else if source.take(&["RETURNS"]) {
            clauses.returns = Some(source.parse(Parser::parse_data_type)?);
        } else if source.take(&["COMMENT"]) {
            source.string()?;
        } else if !PROMISES.iter().any(|words| source.take(words)) {
            return Ok(clauses);
        }
    }
}

fn columns(source: &mut Source<'_>) -> Result<Vec<(Ident, ast::DataType)>> {
    let mut columns = Vec::new();
    if !source.parser.consume_token(&Token::LParen) {
        return Ok(columns);
    }
    loop {
        let name = source.parse(Parser::parse_identifier)?;
        let data_type = source.parse(Parser::parse_data_type)?;
        if source.take(&["COMMENT"]) {
            source.string()?;
        }
        columns.push((name, data_type));
        if !source.parser.consume_token(&Token::Comma) {
            break;
        }
    }
    source.parse(|parser| parser.expect_token(&Token::RParen))?;
    Ok(columns)
}

fn body(source: &mut Source<'_>, clauses: Clauses) -> Result<Body> {
    let reads_query = match source.next() {
        Token::LParen => clauses.table.is_some(),
        _ => source.begins_query(),
    };
    match (clauses.table, reads_query) {
        (Some(columns), true) => Ok(Body::Rows(source.query()?, columns)),
        (Some(_), false) => Err(Error::new(
            Condition::TABLE_FUNCTION_BODY,
            "what a table function returns is no query",
        )),
        (None, true) => Ok(Body::Value(Box::new(Expr::Subquery(source.query()?)), clauses.returns)),
        (None, false) => {
            Ok(Body::Value(Box::new(source.parse(Parser::parse_expr)?), clauses.returns))
        }
    }
}

fn check(routine: &Routine) -> Result<()> {
    let mut names = HashSet::new();
    for parameter in &routine.parameters {
        if !names.insert(parameter.name.to_lowercase()) {
            let message = format!("`{}` has two parameters `{}`", routine.name, parameter.name);
            return Err(Error::new(Condition::DUPLICATE_ROUTINE_PARAMETER_NAMES, message));
        }
    }
    let defaults = routine.parameters.iter().map(|parameter| parameter.default.is_some());
    if !defaults.is_sorted() {
        let message = "a parameter without a default stands behind one that has one";
        return Err(Error::new(Condition::DEFAULT_PARAMETER_POSITION, message));
    }
    if let Body::Rows(_, columns) = &routine.body {
        let mut names = HashSet::new();
        if let Some((name, _)) =
            columns.iter().find(|(name, _)| !names.insert(name.value.to_lowercase()))
        {
            let message = format!("`{}` returns two columns `{}`", routine.name, name.value);
            return Err(Error::new(Condition::DUPLICATE_ROUTINE_RETURNS_COLUMNS, message));
        }
    }
    Ok(())
}

pub(super) fn parse_drop(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    drop_of(source, false)
}

pub(super) fn parse_drop_temporary(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    drop_of(source, true)
}

fn drop_of(source: &mut Source<'_>, temporary: bool) -> Result<Box<dyn Command>> {
    let if_exists = source.take(&["IF", "EXISTS"]);
    let name = source.relation()?;
    Ok(Box::new(Drop { name: super::last_part(&name)?.to_owned(), if_exists, temporary }))
}

impl Command for Create {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let routines = session.routines();
            if routines.get(&self.routine.name).is_some() && !self.replace {
                if self.if_not_exists {
                    return no_answer();
                }
                let message = format!("function `{}` exists already", self.routine.name);
                return Err(Error::new(Condition::ROUTINE_ALREADY_EXISTS, message)
                    .hint("drop it, or use `CREATE OR REPLACE FUNCTION`"));
            }
            // A function that calls itself would never be written out.
            let before = routines.get(&self.routine.name);
            routines.remove(&self.routine.name);
            let planned = plan_query(session, self.routine.example()).await;
            if let (Err(_), Some(before)) = (&planned, before) {
                routines.insert((*before).clone());
            }
            let columns = planned?.schema().fields().len();
            if let Body::Value(..) = &self.routine.body
                && columns != 1
            {
                let message = format!("`{}` returns {columns} columns, not one", self.routine.name);
                return Err(Error::new(Condition::RETURN_COLUMN_COUNT_MISMATCH, message));
            }
            routines.insert(prepared(&self.routine, session)?);
            no_answer()
        })
    }
}

/// The function with its body in the words that the resolver reads.
fn prepared(routine: &Routine, session: &dyn Environment) -> Result<Routine> {
    let mut routine = routine.clone();
    let config = session.config();
    match &mut routine.body {
        Body::Value(expr, _) => {
            let mut query = analyze::query_of_value((**expr).clone());
            desugar::spell_out(&mut query, session)?;
            analyze::prepare(&mut query, &config)?;
            if let Some(value) = analyze::value_of_query(query) {
                **expr = value;
            }
        }
        Body::Rows(query, _) => {
            desugar::spell_out(query, session)?;
            analyze::prepare(query, &config)?;
        }
    }
    Ok(routine)
}

impl Command for Drop {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let routines = session.routines();
            let found = routines.get(&self.name);
            let is_meant = found.is_some_and(|found| found.is_temporary == self.temporary);
            if is_meant {
                routines.remove(&self.name);
            } else if !self.if_exists {
                let message = format!("function `{}` does not exist", self.name);
                return Err(Error::new(Condition::ROUTINE_NOT_FOUND, message));
            }
            no_answer()
        })
    }
}
