//! Databases of the catalog: `CREATE`, `DROP`, `USE` and `SHOW DATABASES`.

use std::collections::BTreeMap;

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::parser::Parser;

use super::{Command, Source, answer, fits, no_answer, show};
use crate::catalog::CreateMode;
use crate::error::Result;
use crate::sql::Environment;

enum Database {
    Create { name: String, mode: CreateMode },
    Drop { name: String, if_exists: bool, cascade: bool },
    Use { name: String },
    Show { pattern: Option<String> },
}

pub(super) fn parse_create(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let mode = match source.take(&["IF", "NOT", "EXISTS"]) {
        true => CreateMode::IfNotExists,
        false => CreateMode::Create,
    };
    Ok(Box::new(Database::Create { name: parse_name(source)?, mode }))
}

pub(super) fn parse_drop(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let if_exists = source.take(&["IF", "EXISTS"]);
    let name = parse_name(source)?;
    let cascade = source.take(&["CASCADE"]);
    let _ = !cascade && source.take(&["RESTRICT"]);
    Ok(Box::new(Database::Drop { name, if_exists, cascade }))
}

pub(super) fn parse_use(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = source.take(&["DATABASE"]) || source.take(&["SCHEMA"]);
    Ok(Box::new(Database::Use { name: parse_name(source)? }))
}

pub(super) fn parse_show(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    Ok(Box::new(Database::Show { pattern: show::parse_pattern(source)? }))
}

fn parse_name(source: &mut Source<'_>) -> Result<String> {
    Ok(source.parse(Parser::parse_identifier)?.value)
}

impl Command for Database {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let catalog = session.catalog()?;
            match self {
                Database::Create { name, mode } => {
                    catalog.create_database(name, *mode, &BTreeMap::new())?;
                }
                Database::Drop { name, if_exists, cascade } => {
                    catalog.drop_database(name, *if_exists, *cascade)?;
                }
                Database::Use { name } => catalog.set_current_database(name)?,
                Database::Show { pattern } => {
                    let names = catalog.list_databases()?;
                    let fitting = names.into_iter().filter(|name| fits(pattern.as_deref(), name));
                    let rows: Vec<_> = fitting.map(|name| [Some(name)]).collect();
                    return answer(["namespace"], &rows);
                }
            }
            no_answer()
        })
    }
}
