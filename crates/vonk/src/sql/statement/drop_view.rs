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

/// Drops the view of the session that has a name, with the rows that are kept of it; false if there
/// is none.
pub(super) fn drop_temporary(session: &dyn Environment, name: &TableName) -> bool {
    let name = match name.database.as_deref() {
        None => name.table.clone(),
        Some(GLOBAL_DATABASE) => format!("{GLOBAL_DATABASE}.{}", name.table),
        Some(_) => return false,
    };
    let is_dropped = session.views().remove(&name);
    if is_dropped {
        session.cached().remove(&name.to_lowercase());
    }
    is_dropped
}

/// Drops a table or view of the catalog, with the rows that are kept of it.
pub(super) fn drop_lasting(
    session: &dyn Environment,
    name: &TableName,
    kind: TableKind,
    if_exists: bool,
) -> Result<()> {
    let catalog = session.catalog()?;
    catalog.drop_table(name, kind, if_exists)?;
    session.cached().remove(&catalog.qualified(name).to_string());
    Ok(())
}

impl Command for DropView {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            if !drop_temporary(session, &self.name) {
                drop_lasting(session, &self.name, TableKind::View, self.if_exists)?;
            }
            no_answer()
        })
    }
}
