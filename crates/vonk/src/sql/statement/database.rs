//! Databases of the catalog: `CREATE`, `ALTER`, `DROP`, `USE` and `SHOW DATABASES`.

use std::collections::BTreeMap;

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::parser::Parser;

use super::{Command, Source, answer, fits, no_answer, show};
use crate::catalog::CreateMode;
use crate::error::{Error, Result};
use crate::sql::Environment;

/// The property that is a database's comment.
pub(super) const COMMENT: &str = "comment";

enum Database {
    Create { name: String, mode: CreateMode, properties: BTreeMap<String, String> },
    SetProperties { name: String, properties: Vec<(String, String)> },
    UnsetProperties { name: String, names: Vec<String> },
    Drop { name: String, if_exists: bool, cascade: bool },
    Use { name: String },
    Show { pattern: Option<String> },
}

pub(super) fn parse_create(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let mode = match source.take(&["IF", "NOT", "EXISTS"]) {
        true => CreateMode::IfNotExists,
        false => CreateMode::Create,
    };
    let name = parse_name(source)?;
    let mut properties = BTreeMap::new();
    loop {
        if source.take(&["COMMENT"]) {
            properties.insert(COMMENT.to_owned(), source.string()?);
        } else if source.take(&["WITH", "DBPROPERTIES"]) || source.take(&["WITH", "PROPERTIES"]) {
            properties.extend(source.options()?);
        } else if source.take(&["DEFAULT", "COLLATION"]) {
            vonk_functions::collation::check(&source.relation()?.to_string())?;
        } else if source.take(&["LOCATION"]) {
            source.string()?;
            return Err(Error::unsupported("databases lie in the warehouse, not elsewhere")
                .hint("leave out LOCATION, or give tables one"));
        } else {
            return Ok(Box::new(Database::Create { name, mode, properties }));
        }
    }
}

/// `ALTER DATABASE name {SET | UNSET} DBPROPERTIES (…)`.
pub(super) fn parse_alter(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = parse_name(source)?;
    let is_unset = source.take(&["UNSET"]);
    if !is_unset {
        source.expect(&["SET"])?;
    }
    if !source.take(&["PROPERTIES"]) {
        source.expect(&["DBPROPERTIES"])?;
    }
    Ok(Box::new(match is_unset {
        true => Database::UnsetProperties { name, names: source.names_in_parentheses()? },
        false => Database::SetProperties { name, properties: source.options()? },
    }))
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
                Database::Create { name, mode, properties } => {
                    catalog.create_database(name, *mode, properties)?;
                }
                Database::SetProperties { name, properties } => {
                    let mut all = catalog.database_properties(name)?;
                    all.extend(properties.iter().cloned());
                    catalog.set_database_properties(name, &all)?;
                }
                Database::UnsetProperties { name, names } => {
                    let mut all = catalog.database_properties(name)?;
                    names.iter().for_each(|name| drop(all.remove(name)));
                    catalog.set_database_properties(name, &all)?;
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
