//! `DROP VIEW [IF EXISTS] name`: a view of the session, else one of the catalog.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;

use super::{Command, Source, no_answer, table_name};
use crate::catalog::{TableKind, TableName};
use crate::error::Result;
use crate::sql::{Environment, GLOBAL_DATABASE};

struct DropView {
    name: TableName,
    if_exists: bool,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let if_exists = source.take(&["IF", "EXISTS"]);
    Ok(Box::new(DropView { name: table_name(&source.relation()?)?, if_exists }))
}

/// Drops the view of the session that has a name; false if there is none.
pub(super) fn drop_temporary(session: &dyn Environment, name: &TableName) -> bool {
    match name.database.as_deref() {
        None => {
            session.cached().remove(&name.table.to_lowercase());
            session.views().remove(&name.table)
        }
        Some(GLOBAL_DATABASE) => {
            session.views().remove(&format!("{GLOBAL_DATABASE}.{}", name.table))
        }
        Some(_) => false,
    }
}

impl Command for DropView {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            if !drop_temporary(session, &self.name) {
                session.catalog()?.drop_table(&self.name, TableKind::View, self.if_exists)?;
            }
            no_answer()
        })
    }
}
