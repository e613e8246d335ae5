//! `DECLARE VARIABLE`, `SET VARIABLE` and `DROP TEMPORARY VARIABLE`: the variables of a session.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast::{self, Expr, SelectItem, SetExpr, Visit, Visitor};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Command, Source, no_answer};
use crate::analyze::{self, Variable};
use crate::display::type_name;
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, parse, plan_query, rows_of_query};

struct Declare {
    names: Vec<String>,
    replace: bool,
    data_type: Option<ast::DataType>,
    default: Expr,
}

enum Set {
    Values(Vec<(String, Expr)>),
    Row(Vec<String>, Box<ast::Query>),
}

struct Drop {
    name: String,
    if_exists: bool,
}

pub(super) fn parse_declare(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let replace = source.take(&["OR", "REPLACE"]);
    // `DECLARE variable INT` names a variable so.
    let _ = source.take(&["VARIABLE"]) || source.take(&["VAR"]);
    let names = names(source)?;
    let has_default = |source: &mut Source<'_>| {
        source.take(&["DEFAULT"]) || source.parser.consume_token(&Token::Eq)
    };
    let mut data_type = None;
    let mut default = has_default(source);
    if !default && !source.at_end() {
        data_type = Some(source.parse(Parser::parse_data_type)?);
        default = has_default(source);
    }
    if data_type.is_none() && !default {
        return Err(Error::new(
            Condition::VARIABLE_TYPE_OR_DEFAULT_REQUIRED,
            "the variable has neither a type nor a default",
        )
        .hint("add a type or `DEFAULT value`"));
    }
    let default = match default {
        true => source.parse(Parser::parse_expr)?,
        false => Expr::Value(ast::Value::Null.into()),
    };
    let unique: HashSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    if unique.len() < names.len() {
        return Err(Error::new(
            Condition::DUPLICATE_VARIABLE_NAME,
            "a variable is declared twice in one statement",
        ));
    }
    Ok(Box::new(Declare { names, replace, data_type, default }))
}

pub(super) fn parse_set(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if source.parser.consume_token(&Token::LParen) {
        let names = names(source)?;
        source.parse(|parser| parser.expect_token(&Token::RParen))?;
        source.parse(|parser| parser.expect_token(&Token::Eq))?;
        source.parse(|parser| parser.expect_token(&Token::LParen))?;
        let query = source.query()?;
        source.parse(|parser| parser.expect_token(&Token::RParen))?;
        return Ok(Box::new(Set::Row(names, query)));
    }
    let mut values = Vec::new();
    loop {
        let name = variable_name(&source.relation()?)?;
        source.parse(|parser| parser.expect_token(&Token::Eq))?;
        values.push((name, source.parse(Parser::parse_expr)?));
        if !source.parser.consume_token(&Token::Comma) {
            return Ok(Box::new(Set::Values(values)));
        }
    }
}

pub(super) fn parse_drop(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let if_exists = source.take(&["IF", "EXISTS"]);
    Ok(Box::new(Drop { name: variable_name(&source.relation()?)?, if_exists }))
}

/// Names with commas between them.
pub(super) fn names(source: &mut Source<'_>) -> Result<Vec<String>> {
    let names =
        source.parse(|parser| parser.parse_comma_separated(|p| p.parse_object_name(false)))?;
    names.iter().map(variable_name).collect()
}

/// The name of a variable, which may be written with `session.` or `system.session.` before it.
fn variable_name(name: &ast::ObjectName) -> Result<String> {
    let parts: Vec<&str> = name
        .0
        .iter()
        .filter_map(ast::ObjectNamePart::as_ident)
        .map(|part| part.value.as_str())
        .collect();
    let is_session = |part: &str| part.eq_ignore_ascii_case("session");
    match parts.as_slice() {
        [name] => Ok((*name).to_owned()),
        [session, name] if is_session(session) => Ok((*name).to_owned()),
        [system, session, name] if system.eq_ignore_ascii_case("system") && is_session(session) => {
            Ok((*name).to_owned())
        }
        _ => Err(unresolved(&name.to_string())),
    }
}

fn unresolved(name: &str) -> Error {
    Error::new(Condition::UNRESOLVED_VARIABLE, format!("variable `{name}` does not exist"))
        .hint("declare it with `DECLARE VARIABLE`")
}

/// `CAST(value AS type)`, the value alone without a type.
fn cast(value: Expr, data_type: Option<&ast::DataType>) -> Expr {
    match data_type {
        Some(data_type) => analyze::cast(value, data_type.clone()),
        None => value,
    }
}

/// Whether an expression has something in it.
pub(super) fn has(expr: &Expr, is_it: impl Fn(&Expr) -> bool) -> bool {
    struct Finder<F>(F);
    impl<F: Fn(&Expr) -> bool> Visitor for Finder<F> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if (self.0)(expr) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    expr.visit(&mut Finder(is_it)).is_break()
}

/// Whether an expression has a query in it.
pub(super) fn has_query(expr: &Expr) -> bool {
    has(expr, |expr| {
        matches!(expr, Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. })
    })
}

/// The values of expressions that need no rows.
pub(in crate::sql) async fn values_of(
    session: &dyn Environment,
    exprs: Vec<Expr>,
) -> Result<Vec<ScalarValue>> {
    let mut query = parse::query("SELECT NULL")?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        let named = exprs.into_iter().enumerate().map(|(at, expr)| SelectItem::ExprWithAlias {
            expr,
            alias: ast::Ident::with_quote('`', format!("value{at}")),
        });
        select.projection = named.collect();
    }
    let (_, mut rows) = rows_of_query(session, query).await?;
    rows.pop().ok_or_else(|| Error::internal("a query without FROM has no row"))
}

impl Command for Declare {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let taken = self.names.iter().find(|name| session.variables().get(name).is_some());
            if let Some(name) = taken.filter(|_| !self.replace) {
                return Err(Error::new(
                    Condition::VARIABLE_ALREADY_EXISTS,
                    format!("variable `{name}` exists already"),
                )
                .hint("use `DECLARE OR REPLACE VARIABLE`"));
            }
            if has_query(&self.default) {
                return Err(Error::new(
                    Condition::DEFAULT_WITH_QUERY,
                    "the default of a variable has a query in it",
                )
                .hint("declare it without a default and use `SET VARIABLE`"));
            }
            let default = cast(self.default.clone(), self.data_type.as_ref());
            let value = values_of(session, vec![default.clone()]).await?.pop();
            let value = value.unwrap_or(ScalarValue::Null);
            let data_type = match (&self.data_type, value.data_type().is_null()) {
                (Some(declared), _) => Some(declared.clone()),
                (None, true) => None,
                (None, false) => parse::data_type(&type_name(&value.data_type())).ok(),
            };
            for name in &self.names {
                let (value, default) = (value.clone(), default.clone());
                let variable = Variable { value, data_type: data_type.clone(), default };
                session.variables().insert(name, variable);
            }
            no_answer()
        })
    }
}

impl Command for Set {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            match self {
                Set::Values(pairs) => {
                    let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
                    let variables = targets(session, &names)?;
                    let exprs = pairs.iter().zip(&variables).map(|((_, expr), variable)| {
                        Ok(cast(with_default(expr, variable)?, variable.data_type.as_ref()))
                    });
                    let values = values_of(session, exprs.collect::<Result<_>>()?).await?;
                    store(session, &names, values);
                }
                Set::Row(names, query) => {
                    assign_row(session, names, (**query).clone()).await?;
                }
            }
            no_answer()
        })
    }
}

fn store(session: &dyn Environment, names: &[String], values: Vec<ScalarValue>) {
    for (name, value) in names.iter().zip(values) {
        session.variables().set(name, value);
    }
}

/// The variables that are set, each of which exists and is named once.
fn targets(session: &dyn Environment, names: &[String]) -> Result<Vec<Variable>> {
    let mut seen = HashSet::new();
    let repeated = names.iter().find(|name| !seen.insert(name.to_lowercase()));
    if let Some(name) = repeated {
        let message = format!("variable `{name}` is assigned twice");
        return Err(Error::new(Condition::DUPLICATE_ASSIGNMENTS, message));
    }
    let found =
        names.iter().map(|name| session.variables().get(name).ok_or_else(|| unresolved(name)));
    found.collect()
}

/// The expression of an assignment, or what DEFAULT stands for.
fn with_default(expr: &Expr, variable: &Variable) -> Result<Expr> {
    let is_default = |expr: &Expr| {
        matches!(expr, Expr::Identifier(ident)
            if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("DEFAULT"))
    };
    if is_default(expr) {
        return Ok(variable.default.clone());
    }
    if has(expr, is_default) {
        return Err(Error::new(
            Condition::DEFAULT_PLACEMENT,
            "DEFAULT stands for a whole value, not for a part of one",
        ));
    }
    Ok(expr.clone())
}

/// Assigns the one row of a query, or NULLs if it has none.
pub(super) async fn assign_row(
    session: &dyn Environment,
    names: &[String],
    mut query: ast::Query,
) -> Result<()> {
    let variables = targets(session, names)?;
    let exprs: Vec<&mut Expr> = match query.body.as_mut() {
        SetExpr::Select(select) => select
            .projection
            .iter_mut()
            .filter_map(|item| match item {
                SelectItem::UnnamedExpr(expr) => Some(expr),
                _ => None,
            })
            .collect(),
        SetExpr::Values(values) => values.rows.iter_mut().flat_map(|row| row.iter_mut()).collect(),
        _ => Vec::new(),
    };
    for (expr, variable) in exprs.into_iter().zip(&variables) {
        *expr = with_default(expr, variable)?;
    }
    let found = plan_query(session, query.clone()).await?.schema().fields().len();
    if found != names.len() {
        return Err(Error::new(
            Condition::ASSIGNMENT_ARITY_MISMATCH,
            format!("{} variables are assigned the {found} columns of a query", names.len()),
        ));
    }
    let casts = variables.iter().enumerate().map(|(at, variable)| {
        cast(Expr::Identifier(ast::Ident::new(format!("value{at}"))), variable.data_type.as_ref())
    });
    let casts = casts.map(|expr| expr.to_string()).collect::<Vec<_>>().join(", ");
    let columns = (0..names.len()).map(|at| format!("value{at}")).collect::<Vec<_>>().join(", ");
    let text = format!("SELECT {casts} FROM ({query}) AS assigned({columns})");
    let (types, mut rows) = rows_of_query(session, parse::query(&text)?).await?;
    let values = match rows.len() {
        0 => types.iter().map(ScalarValue::try_from).collect::<Result<_, _>>()?,
        1 => rows.remove(0),
        count => {
            return Err(Error::new(
                Condition::ROW_SUBQUERY_TOO_MANY_ROWS,
                format!("the query gives {count} rows where one is assigned"),
            )
            .hint("add `LIMIT 1`"));
        }
    };
    store(session, names, values);
    Ok(())
}

impl Command for Drop {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            if !session.variables().remove(&self.name) && !self.if_exists {
                let message = format!("variable `{}` does not exist", self.name);
                return Err(Error::new(Condition::VARIABLE_NOT_FOUND, message));
            }
            no_answer()
        })
    }
}
