//! `INSERT INTO` and `INSERT OVERWRITE`: a query's rows into a table of the catalog.

use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::{IsOptional, Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::{Changes, Command, Source, no_answer, table_name};
use crate::error::Result;
use crate::sql::{Environment, plan_query};
use crate::write::{InsertSpec, insert_into};

struct Insert {
    spec: InsertSpec,
    query: Box<ast::Query>,
}

pub(super) fn parse_into(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_rest(source, false)
}

pub(super) fn parse_overwrite(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = source.take(&["INTO"]);
    parse_rest(source, true)
}

fn parse_rest(source: &mut Source<'_>, overwrite: bool) -> Result<Box<dyn Command>> {
    let _ = source.take(&["TABLE"]);
    let mut spec = InsertSpec::new(table_name(&source.relation()?)?);
    spec.overwrite = overwrite;
    if source.take(&["PARTITION"]) {
        let values = source.parse(|parser| {
            parser.parse_parenthesized(|parser| parser.parse_comma_separated(parse_partition))
        })?;
        spec.partition = values.into_iter().flatten().collect();
    }
    spec.by_name = source.take(&["BY", "NAME"]);
    let columns = source.parse(|parser| {
        parser.maybe_parse(|parser| {
            parser.parse_parenthesized_column_list(IsOptional::Mandatory, false)
        })
    })?;
    spec.columns = columns.into_iter().flatten().map(|column| column.value).collect();
    Ok(Box::new(Insert { spec, query: source.query()? }))
}

/// `day = '2026-01-01'`; a name alone takes its values from the query.
fn parse_partition(parser: &mut Parser<'_>) -> Result<Option<(String, Expr)>, ParserError> {
    let name = parser.parse_identifier()?.value;
    if !parser.consume_token(&Token::Eq) {
        return Ok(None);
    }
    let value = match parser.parse_value()?.value {
        ast::Value::SingleQuotedString(text) | ast::Value::DoubleQuotedString(text) => lit(text),
        ast::Value::Number(digits, _) => match digits.parse::<i64>() {
            Ok(number) => lit(number),
            Err(_) => lit(digits),
        },
        ast::Value::Boolean(value) => lit(value),
        ast::Value::Null => lit(datafusion::common::ScalarValue::Null),
        other => {
            return Err(ParserError::ParserError(format!("`{other}` cannot name a partition")));
        }
    };
    Ok(Some((name, value)))
}

impl Command for Insert {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let plan = plan_query(session, (*self.query).clone()).await?;
            insert_into(&session.catalog()?, &session.state(), &self.spec, &plan).await?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.spec.table)
    }
}
