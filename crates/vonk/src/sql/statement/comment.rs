//! `COMMENT ON`: what a database, table, view or column is for.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::parser::Parser;

use super::database::COMMENT;
use super::{Command, Source, columns, no_answer, table_name};
use crate::catalog::TableName;
use crate::error::Result;
use crate::sql::Environment;

enum Comment {
    Table { name: TableName, text: Option<String> },
    Database { name: String, text: Option<String> },
    Column { table: TableName, column: String, text: Option<String> },
}

/// `COMMENT ON {DATABASE | TABLE | COLUMN} name IS {'text' | NULL}`.
pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if source.take(&["COLUMN"]) {
        let mut name = source.relation()?;
        let column = super::last_part(&name)?.to_owned();
        name.0.pop();
        let table = table_name(&name)?;
        return Ok(Box::new(Comment::Column { table, column, text: parse_text(source)? }));
    }
    if source.take(&["DATABASE"]) || source.take(&["SCHEMA"]) || source.take(&["NAMESPACE"]) {
        let name = source.parse(Parser::parse_identifier)?.value;
        return Ok(Box::new(Comment::Database { name, text: parse_text(source)? }));
    }
    source.expect(&["TABLE"])?;
    let name = table_name(&source.relation()?)?;
    Ok(Box::new(Comment::Table { name, text: parse_text(source)? }))
}

fn parse_text(source: &mut Source<'_>) -> Result<Option<String>> {
    source.expect(&["IS"])?;
    match source.take(&["NULL"]) {
        true => Ok(None),
        false => source.string().map(Some),
    }
}

impl Command for Comment {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let catalog = session.catalog()?;
            let (old, new) = match self {
                Comment::Database { name, text } => {
                    let mut properties = catalog.database_properties(name)?;
                    properties.remove(COMMENT);
                    properties.extend(text.clone().map(|text| (COMMENT.to_owned(), text)));
                    catalog.set_database_properties(name, &properties)?;
                    return no_answer();
                }
                Comment::Table { name, text } => {
                    let old = catalog.existing_table(name)?;
                    let mut new = old.clone();
                    new.comment.clone_from(text);
                    (old, new)
                }
                Comment::Column { table, column, text } => {
                    let old = catalog.existing_table(table)?;
                    let mut new = old.clone();
                    let at = columns::position(&old, column)?;
                    new.columns[at].comment.clone_from(text);
                    (old, new)
                }
            };
            catalog.update_table(&old, &new)?;
            no_answer()
        })
    }
}
