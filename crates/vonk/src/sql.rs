//! SQL text to plans: parse, find what the names mean, run commands, plan queries.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::resolve::resolve_table_references;
use sqlparser::ast;

use crate::analyze::{self, Relation};
use crate::error::{Condition, Error, Result};
use crate::session::Session;
use crate::sources;

pub mod dialect;
mod parse;

pub use parse::{is_complete, split};
pub(crate) use parse::{select_item as parse_select_item, statement as parse_statement};

/// Parses one statement and plans it; a command is run and its plan holds its answer.
pub(crate) async fn plan_text(session: &Session, text: &str) -> Result<LogicalPlan> {
    let statement = parse::statement(text)?;
    plan_statement(session, statement).await
}

/// Plans a scan of a table, view or file.
pub(crate) async fn plan_table(session: &Session, name: &str) -> Result<LogicalPlan> {
    let query = format!("SELECT * FROM {name}");
    plan_text(session, &query).await
}

async fn plan_statement(session: &Session, statement: ast::Statement) -> Result<LogicalPlan> {
    let relations = resolve_relations(session, &statement).await?;
    let state = session.state();
    analyze::plan_statement(&state, relations, statement)
}

/// Finds every table, view and file that a statement names outside its own WITH clauses.
async fn resolve_relations(
    session: &Session,
    statement: &ast::Statement,
) -> Result<HashMap<String, Relation>> {
    let wrapped = DfStatement::Statement(Box::new(statement.clone()));
    let (names, _) = resolve_table_references(&wrapped, false)?;
    let mut relations = HashMap::new();
    for name in names {
        let relation = resolve_relation(session, &name).await?;
        relations.insert(name.to_string(), relation);
    }
    Ok(relations)
}

async fn resolve_relation(
    session: &Session,
    name: &datafusion::common::TableReference,
) -> Result<Relation> {
    if name.schema().is_none()
        && let Some(plan) = session.views().get(name.table())
    {
        return Ok(Relation::View(plan));
    }
    let spec = match name.schema() {
        Some(format) => sources::ReadSpec::new([name.table()]).with_format(format),
        None => sources::ReadSpec::new([name.table()]),
    };
    if name.schema().is_some() || sources::looks_like_path(name.table()) {
        let provider = sources::open(&session.state(), &spec).await?;
        return Ok(Relation::Table(provider_as_source(Arc::clone(&provider))));
    }
    let views = session.views().names();
    Err(Error::new(
        Condition::TABLE_OR_VIEW_NOT_FOUND,
        format!("table or view `{name}` does not exist"),
    )
    .did_you_mean(name.table(), views.iter().map(String::as_str)))
}
