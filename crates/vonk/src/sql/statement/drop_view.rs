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

impl Command for DropView {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let is_temporary = match self.name.database.as_deref() {
                None => {
                    session.cached().remove(&self.name.table.to_lowercase());
                    session.views().remove(&self.name.table)
                }
                Some(GLOBAL_DATABASE) => {
                    session.views().remove(&format!("{GLOBAL_DATABASE}.{}", self.name.table))
                }
                Some(_) => false,
            };
            if !is_temporary {
                session.catalog()?.drop_table(&self.name, TableKind::View, self.if_exists)?;
            }
            no_answer()
        })
    }
}
