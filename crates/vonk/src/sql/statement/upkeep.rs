//! Statements about what Spark keeps and vonk never does: caches of tables, lists of files, statistics.
//!
//! Files are listed anew by every query, so that there is nothing to refresh; the names are checked.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;

use super::{Command, Source, last_part, no_answer};
use crate::error::Result;
use crate::sql::{Environment, parse_query, plan_query};

/// Nothing is done but to see that a relation is there.
struct Check {
    relation: Option<ast::Query>,
}

struct CacheQuery {
    name: String,
    query: Box<ast::Query>,
}

/// `REFRESH [TABLE] name`, `REFRESH FUNCTION name`, `REFRESH 'path'`.
pub(super) fn parse_refresh(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if source.take(&["TABLE"]) {
        return parse_check(source);
    }
    let _ = source.rest();
    Ok(Box::new(Check { relation: None }))
}

/// `CACHE [LAZY] TABLE name [OPTIONS (…)] [[AS] query]`.
pub(super) fn parse_cache(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = source.take(&["LAZY"]);
    source.expect(&["TABLE"])?;
    let name = source.relation()?;
    if source.take(&["OPTIONS"]) {
        source.options()?;
    }
    let _ = source.take(&["AS"]);
    if source.at_end() {
        let relation = parse_query(&format!("SELECT * FROM {name}"))?;
        return Ok(Box::new(Check { relation: Some(relation) }));
    }
    Ok(Box::new(CacheQuery { name: last_part(&name)?.to_owned(), query: source.query()? }))
}

/// `UNCACHE TABLE [IF EXISTS] name`.
pub(super) fn parse_uncache(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if source.take(&["IF", "EXISTS"]) {
        let _ = source.rest();
        return Ok(Box::new(Check { relation: None }));
    }
    parse_check(source)
}

/// A relation's name and whatever is said about it.
pub(super) fn parse_check(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = source.relation()?;
    let _ = source.rest();
    let relation = parse_query(&format!("SELECT * FROM {name}"))?;
    Ok(Box::new(Check { relation: Some(relation) }))
}

/// A statement without a relation.
pub(super) fn parse_nothing(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = source.rest();
    Ok(Box::new(Check { relation: None }))
}

impl Command for Check {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            if let Some(relation) = &self.relation {
                plan_query(session, relation.clone()).await?;
            }
            no_answer()
        })
    }
}

impl Command for CacheQuery {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let plan = plan_query(session, (*self.query).clone()).await?;
            session.views().insert(&self.name, plan);
            no_answer()
        })
    }
}
