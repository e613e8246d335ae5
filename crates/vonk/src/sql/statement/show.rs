//! `SHOW TABLES`, `VIEWS`, `COLUMNS` and `FUNCTIONS`: what there is to ask.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;

use super::{Command, Source, answer, fits};
use crate::analyze;
use crate::error::Result;
use crate::sql::{Environment, plan_query};

struct ShowTables {
    database: Option<String>,
    pattern: Option<String>,
}

struct ShowColumns {
    query: ast::Query,
}

struct ShowFunctions {
    pattern: Option<String>,
}

pub(super) fn parse_tables(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let database = match source.take(&["IN"]) || source.take(&["FROM"]) {
        true => Some(source.parse(sqlparser::parser::Parser::parse_identifier)?.value),
        false => None,
    };
    Ok(Box::new(ShowTables { database, pattern: parse_pattern(source)? }))
}

pub(super) fn parse_columns(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if !source.take(&["FROM"]) {
        source.expect(&["IN"])?;
    }
    Ok(Box::new(ShowColumns { query: source.query_or_relation()? }))
}

pub(super) fn parse_functions(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    Ok(Box::new(ShowFunctions { pattern: parse_pattern(source)? }))
}

pub(super) fn parse_pattern(source: &mut Source<'_>) -> Result<Option<String>> {
    let _ = source.take(&["LIKE"]);
    if source.at_end() { Ok(None) } else { source.string().map(Some) }
}

impl Command for ShowTables {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let pattern = self.pattern.as_deref();
            let tables = session.catalog()?.list_tables(self.database.as_deref())?;
            let lasting =
                tables.into_iter().filter(|meta| fits(pattern, &meta.name.table)).map(|meta| {
                    [Some(meta.name.database), Some(meta.name.table), Some("false".to_owned())]
                });
            let temporary = session
                .views()
                .names()
                .into_iter()
                .filter(|name| fits(pattern, name))
                .map(|name| [Some(String::new()), Some(name), Some("true".to_owned())]);
            let rows: Vec<_> = lasting.chain(temporary).collect();
            answer(["namespace", "tableName", "isTemporary"], &rows)
        })
    }
}

impl Command for ShowColumns {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let plan = plan_query(session, self.query.clone()).await?;
            let fields = plan.schema().fields();
            let rows: Vec<_> = fields.iter().map(|field| [Some(field.name().clone())]).collect();
            answer(["col_name"], &rows)
        })
    }
}

impl Command for ShowFunctions {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let state = session.state();
            let names = analyze::Functions::of(&state).names();
            let rows: Vec<_> = names
                .into_iter()
                .filter(|name| fits(self.pattern.as_deref(), name))
                .map(|name| [Some(name)])
                .collect();
            answer(["function"], &rows)
        })
    }
}
