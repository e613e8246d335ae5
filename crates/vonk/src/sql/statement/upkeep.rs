//! Statements about what is kept of tables: their rows, which CACHE TABLE keeps; lists of files and
//! statistics are made anew by every query, so that there is nothing to refresh or analyze.

use datafusion::common::TableReference;
use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;

use super::{Command, Source, last_part, no_answer};
use crate::error::Result;
use crate::sql::{Environment, parse_query, plan_query, relation_key, rows_of_query};

/// Nothing is done but to see that a relation is there.
struct Check {
    relation: ast::ObjectName,
}

struct Cache {
    name: ast::ObjectName,
    /// Whether the rows are read by the first query that needs them.
    is_lazy: bool,
    level: Option<String>,
    /// The query of a view that is made of it.
    query: Option<Box<ast::Query>>,
}

/// Drops cached rows: of one relation, or of all; for good, or to be read anew.
struct Drop {
    name: Option<ast::ObjectName>,
    is_for_good: bool,
    if_exists: bool,
}

/// `REFRESH [TABLE] name`, `REFRESH FUNCTION name`, `REFRESH 'path'`.
pub(super) fn parse_refresh(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if source.take(&["TABLE"]) {
        let name = Some(source.relation()?);
        return Ok(Box::new(Drop { name, is_for_good: false, if_exists: false }));
    }
    let _ = source.rest();
    Ok(Box::new(Drop { name: None, is_for_good: false, if_exists: true }))
}

/// `CACHE [LAZY] TABLE name [OPTIONS (…)] [[AS] query]`.
pub(super) fn parse_cache(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let is_lazy = source.take(&["LAZY"]);
    source.expect(&["TABLE"])?;
    let name = source.relation()?;
    let options = if source.take(&["OPTIONS"]) { source.options()? } else { Vec::new() };
    let level = options.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("storageLevel"));
    let level = level.map(|(_, level)| level);
    let _ = source.take(&["AS"]);
    let query = if source.at_end() { None } else { Some(source.query()?) };
    Ok(Box::new(Cache { name, is_lazy, level, query }))
}

/// `UNCACHE TABLE [IF EXISTS] name`.
pub(super) fn parse_uncache(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let if_exists = source.take(&["IF", "EXISTS"]);
    let name = Some(source.relation()?);
    Ok(Box::new(Drop { name, is_for_good: true, if_exists }))
}

/// `CLEAR CACHE`.
pub(super) fn parse_clear(_source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    Ok(Box::new(Drop { name: None, is_for_good: true, if_exists: true }))
}

/// A relation's name and whatever is said about it.
pub(super) fn parse_check(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let relation = source.relation()?;
    let _ = source.rest();
    Ok(Box::new(Check { relation }))
}

fn select_from(name: &ast::ObjectName, items: &str) -> Result<ast::Query> {
    parse_query(&format!("SELECT {items} FROM {name}"))
}

/// The name by which a relation is cached.
fn key(session: &dyn Environment, name: &ast::ObjectName) -> Result<String> {
    let words: Vec<&str> = name
        .0
        .iter()
        .filter_map(ast::ObjectNamePart::as_ident)
        .map(|ident| ident.value.as_str())
        .collect();
    let reference = match words.as_slice() {
        [.., schema, table] => TableReference::partial(*schema, *table),
        _ => TableReference::bare(last_part(name)?.to_owned()),
    };
    relation_key(session, &reference)
}

impl Command for Check {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            plan_query(session, select_from(&self.relation, "*")?).await?;
            no_answer()
        })
    }
}

impl Command for Cache {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            if let Some(query) = &self.query {
                let plan = plan_query(session, (**query).clone()).await?;
                session.views().insert(last_part(&self.name)?, plan);
                session.cached().remove(&last_part(&self.name)?.to_lowercase());
            }
            // A relation that is not there is not cached.
            plan_query(session, select_from(&self.name, "*")?).await?;
            session.cached().add(&key(session, &self.name)?, self.level.clone());
            if !self.is_lazy {
                rows_of_query(session, select_from(&self.name, "count(*)")?).await?;
            }
            no_answer()
        })
    }
}

impl Command for Drop {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let Some(name) = &self.name else {
                match self.is_for_good {
                    true => session.cached().clear(),
                    false => session.cached().forget(None),
                }
                return no_answer();
            };
            let found = plan_query(session, select_from(name, "*")?).await;
            if !self.if_exists {
                found?;
            }
            match self.is_for_good {
                true => drop(session.cached().remove(&key(session, name)?)),
                false => session.cached().forget(Some(&key(session, name)?)),
            }
            no_answer()
        })
    }
}
