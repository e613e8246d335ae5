//! Tables and lasting views of the catalog: `CREATE VIEW`, `ALTER VIEW`, `DROP TABLE`.

use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::drop_view::{drop_lasting, drop_temporary};
use super::{Changes, Command, Source, describe, no_answer, table_name};
use crate::catalog::{ColumnMeta, CreateMode, TableKind, TableMeta, TableName};
use crate::display::result_schema;
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, plan_query};

struct CreateView {
    name: TableName,
    mode: CreateMode,
    /// The names and comments of the columns, if they are written.
    columns: Vec<(String, Option<String>)>,
    comment: Option<String>,
    properties: Vec<(String, String)>,
    schema_mode: Option<String>,
    /// The query as it was written.
    text: String,
    query: Option<Box<ast::Query>>,
}

struct AlterView {
    name: TableName,
    change: Change,
}

enum Change {
    SetProperties(Vec<(String, String)>),
    UnsetProperties(Vec<String>),
    SchemaMode(String),
    Query(String, Box<ast::Query>),
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
    let mut view = CreateView {
        name,
        mode,
        columns: view_columns(source)?,
        comment: None,
        properties: Vec::new(),
        schema_mode: None,
        text: String::new(),
        query: None,
    };
    loop {
        if source.take(&["COMMENT"]) {
            view.comment = Some(source.string()?);
        } else if source.take(&["TBLPROPERTIES"]) {
            view.properties = source.options()?;
        } else if source.take(&["WITH", "SCHEMA"]) {
            view.schema_mode = Some(source.rest_until("AS").to_uppercase());
        } else {
            break;
        }
    }
    source.expect(&["AS"])?;
    let (text, query) = source.written(Source::query)?;
    view.text = text;
    view.query = Some(query);
    Ok(Box::new(view))
}

/// `(name [COMMENT 'text'], …)`, which may be left out.
fn view_columns(source: &mut Source<'_>) -> Result<Vec<(String, Option<String>)>> {
    if source.parser.peek_token_ref().token != Token::LParen {
        return Ok(Vec::new());
    }
    source.parse(|parser| {
        parser.parse_parenthesized(|parser| {
            parser.parse_comma_separated(|parser| {
                let name = parser.parse_identifier()?.value;
                let has_comment = parser.parse_keyword(Keyword::COMMENT);
                let comment = has_comment.then(|| parser.parse_literal_string()).transpose()?;
                Ok((name, comment))
            })
        })
    })
}

pub(super) fn parse_alter_view(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = table_name(&source.relation()?)?;
    if source.take(&["RENAME", "TO"]) {
        return Ok(Box::new(Rename { from: name, to: table_name(&source.relation()?)? }));
    }
    let change = if source.take(&["SET", "TBLPROPERTIES"]) {
        Change::SetProperties(source.options()?)
    } else if source.take(&["UNSET", "TBLPROPERTIES"]) {
        let _ = source.take(&["IF", "EXISTS"]);
        Change::UnsetProperties(source.names_in_parentheses()?)
    } else if source.take(&["WITH", "SCHEMA"]) {
        Change::SchemaMode(source.rest().to_uppercase())
    } else {
        let _ = source.take(&["AS"]);
        let (text, query) = source.written(Source::query)?;
        Change::Query(text, query)
    };
    Ok(Box::new(AlterView { name, change }))
}

pub(super) fn parse_drop(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let if_exists = source.take(&["IF", "EXISTS"]);
    let name = table_name(&source.relation()?)?;
    let _ = source.take(&["PURGE"]);
    Ok(Box::new(DropTable { name, if_exists }))
}

impl Command for CreateView {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let Some(query) = &self.query else { return no_answer() };
            // A view that cannot be planned now would only fail later, and elsewhere.
            let plan = plan_query(session, (**query).clone()).await?;
            let catalog = session.catalog()?;
            let name = catalog.qualified(&self.name);
            let mut meta = TableMeta::view(name, &self.text, &catalog.current_database());
            meta.comment.clone_from(&self.comment);
            meta.properties = self.properties.iter().cloned().collect();
            if let Some(mode) = &self.schema_mode {
                meta.options.insert(describe::VIEW_SCHEMA_MODE.to_owned(), mode.clone());
            }
            set_columns(&mut meta, &plan, &self.columns)?;
            catalog.create_table(&meta, self.mode)?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.name)
    }
}

/// Keeps the columns that a view has when it is made, by the names that it gives them.
fn set_columns(
    meta: &mut TableMeta,
    plan: &LogicalPlan,
    names: &[(String, Option<String>)],
) -> Result<()> {
    let found = plan.schema().fields().len();
    if !names.is_empty() && names.len() != found {
        let message = format!("the view names {} columns, its query has {found}", names.len());
        let condition = match names.len() > found {
            true => Condition::VIEW_NOT_ENOUGH_COLUMNS,
            false => Condition::VIEW_TOO_MANY_COLUMNS,
        };
        return Err(Error::new(condition, message));
    }
    let schema = result_schema(&Arc::new(plan.schema().as_arrow().clone()));
    meta.columns = schema.fields().iter().map(|field| ColumnMeta::new(field)).collect();
    for (column, (name, comment)) in meta.columns.iter_mut().zip(names) {
        column.name.clone_from(name);
        column.comment.clone_from(comment);
    }
    Ok(())
}

impl Command for AlterView {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let catalog = session.catalog()?;
            let mut meta = catalog.existing_table(&self.name)?;
            match &self.change {
                Change::SetProperties(properties) => {
                    meta.properties.extend(properties.iter().cloned());
                }
                Change::UnsetProperties(names) => {
                    names.iter().for_each(|name| drop(meta.properties.remove(name)));
                }
                Change::SchemaMode(mode) => {
                    meta.options.insert(describe::VIEW_SCHEMA_MODE.to_owned(), mode.clone());
                }
                Change::Query(text, query) => {
                    let plan = plan_query(session, (**query).clone()).await?;
                    meta.view_text = Some(text.clone());
                    set_columns(&mut meta, &plan, &[])?;
                }
            }
            if meta.kind != TableKind::View {
                let message = format!("`{}` is no view", self.name);
                return Err(
                    Error::new(Condition::EXPECT_VIEW_NOT_TABLE, message).hint("use ALTER TABLE")
                );
            }
            catalog.create_table(&meta, CreateMode::OrReplace)?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.name)
    }
}

impl Command for DropTable {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            // A view of the session goes before a table, as it does in FROM.
            if !drop_temporary(session, &self.name) {
                drop_lasting(session, &self.name, TableKind::Table, self.if_exists)?;
            }
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.name)
    }
}

impl Command for Rename {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            session.catalog()?.rename_table(&self.from, &self.to)?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.from)
    }
}
