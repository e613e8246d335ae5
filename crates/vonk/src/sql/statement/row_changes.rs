//! `DELETE`, `UPDATE` and `MERGE`: tables of files are not changed row by row, and say so.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;

use super::{Command, Source, alter_table, columns, table_name};
use crate::catalog::TableName;
use crate::error::Result;
use crate::sql::Environment;

struct RowChange {
    name: TableName,
    operation: &'static str,
}

pub(super) fn parse_delete(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse(source, "DELETE FROM")
}

pub(super) fn parse_update(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse(source, "UPDATE TABLE")
}

pub(super) fn parse_merge(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse(source, "MERGE INTO TABLE")
}

fn parse(source: &mut Source<'_>, operation: &'static str) -> Result<Box<dyn Command>> {
    let name = table_name(&source.relation()?)?;
    let _ = source.rest();
    Ok(Box::new(RowChange { name, operation }))
}

impl Command for RowChange {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            columns::table(session, &self.name, self.operation)?;
            let error = alter_table::unsupported(&self.name, self.operation);
            Err(error.hint("write the rows that stay with `INSERT OVERWRITE … SELECT …`"))
        })
    }
}
