//! `EXECUTE IMMEDIATE text [INTO variables] [USING values]`: a statement that is itself a value.

use std::collections::HashSet;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast::Expr;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::variable::{assign_row, has_query, names, values_of};
use super::{Command, Source, no_answer};
use crate::error::{Condition, Error, Result};
use crate::sql::parameters::{self, Argument};
use crate::sql::{Environment, identifiers, parse, plan_parsed};

struct Execute {
    text: Expr,
    into: Vec<String>,
    /// The values and, where they have any, the names of parameters.
    using: Vec<(Expr, Option<String>)>,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let text = source.parse(Parser::parse_expr)?;
    let into = match source.take(&["INTO"]) {
        true => names(source)?,
        false => Vec::new(),
    };
    let mut using = Vec::new();
    if source.take(&["USING"]) {
        loop {
            let value = source.parse(Parser::parse_expr)?;
            let is_named = source.take(&["AS"]) || matches!(source.next(), Token::Word(_));
            let name = match is_named {
                true => Some(source.parse(Parser::parse_identifier)?.value),
                false => None,
            };
            match value {
                Expr::Tuple(values) if name.is_none() => {
                    using.extend(values.into_iter().map(|value| (value, None)));
                }
                value => using.push((value, name)),
            }
            if !source.parser.consume_token(&Token::Comma) {
                break;
            }
        }
    }
    let mut seen = HashSet::new();
    let mut given = using.iter().filter_map(|(_, name)| name.as_ref());
    if let Some(name) = given.find(|name| !seen.insert(name.to_lowercase())) {
        return Err(Error::new(
            Condition::DUPLICATE_ARGUMENT_ALIASES,
            format!("parameter `{name}` is given twice"),
        ));
    }
    Ok(Box::new(Execute { text, into, using }))
}

impl Command for Execute {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let text = statement_text(session, &self.text).await?;
            let arguments = arguments(session, &self.using).await?;
            let tokens = parameters::bind(parse::tokens(&text)?, &arguments, session.variables())?;
            let tokens = identifiers::resolve(session, tokens).await?;
            let parsed = parse::statement_of(tokens, &text)?;
            if self.into.is_empty() {
                return plan_parsed(session, parsed).await;
            }
            let parse::Parsed::Query(query) = parsed else {
                return Err(Error::new(
                    Condition::INVALID_STATEMENT_FOR_INTO,
                    "only a query has values to put INTO variables",
                ));
            };
            assign_row(session, &self.into, *query).await?;
            no_answer()
        })
    }
}

/// The text of the statement, the value of an expression without a query.
async fn statement_text(session: &dyn Environment, text: &Expr) -> Result<String> {
    let value = constant(session, text).await?;
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => Ok(text),
        value if value.is_null() => {
            Err(Error::new(Condition::NULL_QUERY_STRING, "the text of the statement is NULL"))
        }
        value => Err(Error::new(
            Condition::INVALID_QUERY_STRING_TYPE,
            format!("the text of a statement is no `{}`", value.data_type()),
        )),
    }
}

async fn constant(session: &dyn Environment, expr: &Expr) -> Result<ScalarValue> {
    if has_query(expr) {
        return Err(Error::new(
            Condition::UNSUPPORTED_EXPR_FOR_PARAMETER,
            format!("`{expr}` has a query in it"),
        )
        .hint("put its value into a variable first"));
    }
    let value = values_of(session, vec![expr.clone()]).await?.pop();
    Ok(value.unwrap_or(ScalarValue::Null))
}

async fn arguments(
    session: &dyn Environment,
    using: &[(Expr, Option<String>)],
) -> Result<Vec<Argument>> {
    let mut arguments = Vec::with_capacity(using.len());
    for (expr, name) in using {
        let value = constant(session, expr).await?;
        // A variable is known by its own name as well.
        let name = name.clone().or_else(|| match expr {
            Expr::Identifier(ident) => Some(ident.value.clone()),
            Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()),
            _ => None,
        });
        arguments.push(Argument { name, value });
    }
    Ok(arguments)
}
