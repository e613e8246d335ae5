//! Tables and lasting views of the catalog: `CREATE VIEW`, `DROP TABLE`, `ALTER TABLE … RENAME TO`.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;

use super::{Command, Source, no_answer, table_name};
use crate::catalog::{CreateMode, TableKind, TableMeta, TableName};
use crate::error::Result;
use crate::sql::{Environment, plan_query};

struct CreateView {
    name: TableName,
    mode: CreateMode,
    query: Box<ast::Query>,
}

struct DropTable {
    name: TableName,
    if_exists: bool,
}

struct Rename {
    from: TableName,
    to: TableName,
}

pub(super) fn parse_create_view(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let mode = match source.take(&["IF", "NOT", "EXISTS"]) {
        true => CreateMode::IfNotExists,
        false => CreateMode::Create,
    };
    parse_view(source, mode)
}

pub(super) fn parse_replace_view(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_view(source, CreateMode::OrReplace)
}

fn parse_view(source: &mut Source<'_>, mode: CreateMode) -> Result<Box<dyn Command>> {
    let name = table_name(&source.relation()?)?;
    source.expect(&["AS"])?;
    Ok(Box::new(CreateView { name, mode, query: source.query()? }))
}

pub(super) fn parse_drop(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let if_exists = source.take(&["IF", "EXISTS"]);
    let name = table_name(&source.relation()?)?;
    let _ = source.take(&["PURGE"]);
    Ok(Box::new(DropTable { name, if_exists }))
}

pub(super) fn parse_rename(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let from = table_name(&source.relation()?)?;
    source.expect(&["RENAME", "TO"])?;
    Ok(Box::new(Rename { from, to: table_name(&source.relation()?)? }))
}

impl Command for CreateView {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            // A view that cannot be planned now would only fail later, and elsewhere.
            plan_query(session, (*self.query).clone()).await?;
            let catalog = session.catalog()?;
            let name = catalog.qualified(&self.name);
            let database = catalog.current_database();
            let meta = TableMeta::view(name, &self.query.to_string(), &database);
            catalog.create_table(&meta, self.mode)?;
            no_answer()
        })
    }
}

impl Command for DropTable {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            session.catalog()?.drop_table(&self.name, TableKind::Table, self.if_exists)?;
            no_answer()
        })
    }
}

impl Command for Rename {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            session.catalog()?.rename_table(&self.from, &self.to)?;
            no_answer()
        })
    }
}
