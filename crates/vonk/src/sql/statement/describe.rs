//! `DESCRIBE`: the columns and types of a table, file or query, in Spark's three columns.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Command, Source, answer, table_name};
use crate::catalog::{TableKind, TableMeta, TableName};
use crate::display;
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, parse_query, plan_query};

/// A line of the answer.
type Row = [Option<String>; 3];

enum Describe {
    Query(Box<ast::Query>),
    Relation { name: ast::ObjectName, is_extended: bool, column: Option<String> },
    Database { name: String, is_extended: bool },
    Function { name: String },
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let is_extended =
        |source: &mut Source<'_>| source.take(&["EXTENDED"]) || source.take(&["FORMATTED"]);
    if source.take(&["QUERY"]) || source.begins_query() {
        return Ok(Box::new(Describe::Query(source.query()?)));
    }
    if source.take(&["FUNCTION"]) {
        let _ = is_extended(source);
        let name = source.rest().trim().trim_matches(['`', '\'']).to_owned();
        return Ok(Box::new(Describe::Function { name }));
    }
    if source.take(&["DATABASE"]) || source.take(&["SCHEMA"]) || source.take(&["NAMESPACE"]) {
        let is_extended = is_extended(source);
        let name = source.parse(Parser::parse_identifier)?.value;
        return Ok(Box::new(Describe::Database { name, is_extended }));
    }
    let _ = source.take(&["TABLE"]);
    let is_extended = is_extended(source);
    let name = source.relation()?;
    let column = match source.next() {
        Token::Word(word) if !is_clause(&word.value) || word.quote_style.is_some() => {
            let parts = source.parse(|parser| parser.parse_object_name(false))?;
            parts.0.last().and_then(ast::ObjectNamePart::as_ident).map(|part| part.value.clone())
        }
        _ => None,
    };
    Ok(Box::new(Describe::Relation { name, is_extended, column }))
}

fn is_clause(word: &str) -> bool {
    word.eq_ignore_ascii_case("AS") || word.eq_ignore_ascii_case("PARTITION")
}

impl Command for Describe {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            match self {
                Describe::Query(query) => columns_of(session, (**query).clone(), None).await,
                Describe::Function { name } => describe_function(session, name),
                Describe::Database { name, is_extended } => {
                    describe_database(session, name, *is_extended)
                }
                Describe::Relation { name, is_extended, column } => {
                    let relation = parse_query(&format!("SELECT * FROM {name}"))?;
                    let meta = table_of(session, name)?;
                    match column {
                        Some(column) => {
                            describe_column(session, relation, meta.as_ref(), column).await
                        }
                        None => {
                            let meta = meta.as_ref().map(|meta| (meta, *is_extended));
                            columns_of(session, relation, meta).await
                        }
                    }
                }
            }
        })
    }
}

/// The table or lasting view of a name that no view of the session has.
fn table_of(session: &dyn Environment, name: &ast::ObjectName) -> Result<Option<TableMeta>> {
    let Ok(name): Result<TableName> = table_name(name) else { return Ok(None) };
    if name.database.is_none() && session.views().contains(&name.table) {
        return Ok(None);
    }
    session.catalog()?.table(&name)
}

async fn columns_of(
    session: &dyn Environment,
    query: ast::Query,
    meta: Option<(&TableMeta, bool)>,
) -> Result<LogicalPlan> {
    let mut rows = match meta {
        // What a view was made with stays, whatever becomes of the tables below it.
        Some((meta, _)) if meta.kind == TableKind::View && !meta.columns.is_empty() => {
            stored_columns(meta)?
        }
        meta => planned_columns(session, query, meta.map(|(meta, _)| meta)).await?,
    };
    if let Some((meta, is_extended)) = meta {
        if !meta.partition_columns.is_empty() {
            rows.push(row("# Partition Information", ""));
            rows.push(["# col_name", "data_type", "comment"].map(|text| Some(text.to_owned())));
            let is_partition = |line: &&Row| {
                meta.partition_columns.contains(line[0].as_ref().unwrap_or(&String::new()))
            };
            let partitions: Vec<Row> = rows.iter().filter(is_partition).cloned().collect();
            rows.extend(partitions);
        }
        if is_extended {
            rows.push(row("", ""));
            rows.push(row("# Detailed Table Information", ""));
            rows.extend(details(session, meta)?);
        }
    }
    answer(["col_name", "data_type", "comment"], &rows)
}

fn stored_columns(meta: &TableMeta) -> Result<Vec<Row>> {
    let schema = meta.schema()?;
    let rows = schema.fields().iter().zip(&meta.columns).map(|(field, column)| {
        let data_type = display::field_type_name(field);
        [Some(field.name().clone()), Some(data_type), column.comment.clone()]
    });
    Ok(rows.collect())
}

async fn planned_columns(
    session: &dyn Environment,
    query: ast::Query,
    meta: Option<&TableMeta>,
) -> Result<Vec<Row>> {
    let plan = plan_query(session, query).await?;
    let comment = |name: &str| {
        let column = meta?.columns.iter().find(|column| column.name == name)?;
        column.comment.clone()
    };
    let rows = plan.schema().fields().iter().map(|field| {
        let data_type = display::field_type_name(field);
        [Some(field.name().clone()), Some(data_type), comment(field.name())]
    });
    Ok(rows.collect())
}

fn row(name: &str, value: impl Into<String>) -> Row {
    [Some(name.to_owned()), Some(value.into()), Some(String::new())]
}

/// What the catalog knows of a table, a line each.
fn details(session: &dyn Environment, meta: &TableMeta) -> Result<Vec<Row>> {
    let mut rows = vec![
        row("Catalog", "spark_catalog"),
        row("Database", meta.name.database.clone()),
        row("Table", meta.name.table.clone()),
        row("Created Time", "UNKNOWN"),
        row("Last Access", "UNKNOWN"),
        row("Created By", format!("vonk {}", env!("CARGO_PKG_VERSION"))),
    ];
    let kind = match (meta.kind, &meta.location) {
        (TableKind::View, _) => "VIEW",
        (_, Some(_)) => "EXTERNAL",
        (_, None) => "MANAGED",
    };
    rows.push(row("Type", kind));
    if meta.kind != TableKind::View {
        rows.push(row("Provider", meta.format.clone()));
    }
    if let Some(comment) = &meta.comment {
        rows.push(row("Comment", comment.clone()));
    }
    if !meta.properties.is_empty() {
        let properties = meta.properties.iter().map(|(name, value)| format!("{name}={value}"));
        let properties = properties.collect::<Vec<_>>().join(", ");
        rows.push(row("Table Properties", format!("[{properties}]")));
    }
    match &meta.view_text {
        Some(text) => {
            let names = meta.columns.iter().map(|column| format!("`{}`", column.name));
            let database = meta.view_database.as_deref().unwrap_or(&meta.name.database);
            rows.push(row("View Text", text.clone()));
            rows.push(row("View Original Text", text.clone()));
            let mode = meta.options.get(VIEW_SCHEMA_MODE).map_or("COMPENSATION", String::as_str);
            rows.push(row("View Schema Mode", mode));
            rows.push(row("View Catalog and Namespace", format!("spark_catalog.{database}")));
            let names = names.collect::<Vec<_>>().join(", ");
            rows.push(row("View Query Output Columns", format!("[{names}]")));
        }
        None => {
            let location = session.catalog()?.data_location(meta)?;
            rows.push(row("Location", location.display().to_string()));
        }
    }
    Ok(rows)
}

/// The option of a view that tells what becomes of it when its tables change.
pub(super) const VIEW_SCHEMA_MODE: &str = "view.schema.mode";

async fn describe_column(
    session: &dyn Environment,
    relation: ast::Query,
    meta: Option<&TableMeta>,
    column: &str,
) -> Result<LogicalPlan> {
    let rows = planned_columns(session, relation, meta).await?;
    let is_it = |row: &&Row| row[0].as_ref().is_some_and(|name| name.eq_ignore_ascii_case(column));
    let Some([name, data_type, comment]) = rows.iter().find(is_it).cloned() else {
        let message = format!("column `{column}` does not exist");
        return Err(Error::new(Condition::UNRESOLVED_COLUMN, message));
    };
    let line = |name: &str, value: Option<String>| {
        [Some(name.to_owned()), Some(value.unwrap_or_else(|| "NULL".to_owned()))]
    };
    let rows = [line("col_name", name), line("data_type", data_type), line("comment", comment)];
    answer(["info_name", "info_value"], &rows)
}

fn describe_database(
    session: &dyn Environment,
    name: &str,
    is_extended: bool,
) -> Result<LogicalPlan> {
    let catalog = session.catalog()?;
    if !catalog.database_exists(name) {
        let message = format!("database `{name}` does not exist");
        return Err(Error::new(Condition::SCHEMA_NOT_FOUND, message));
    }
    let mut rows = vec![
        ["Catalog Name", "spark_catalog"].map(|text| Some(text.to_owned())),
        [Some("Namespace Name".to_owned()), Some(name.to_owned())],
        ["Comment", ""].map(|text| Some(text.to_owned())),
    ];
    if is_extended {
        rows.push(["Properties", ""].map(|text| Some(text.to_owned())));
    }
    answer(["info_name", "info_value"], &rows)
}

fn describe_function(session: &dyn Environment, name: &str) -> Result<LogicalPlan> {
    let known = super::show::function_names(session);
    let bare = name.rsplit('.').next().unwrap_or(name).to_lowercase();
    if !known.contains(&bare) {
        let message = format!("function `{name}` does not exist");
        return Err(Error::new(Condition::UNRESOLVED_ROUTINE, message)
            .did_you_mean(&bare, known.iter().map(String::as_str)));
    }
    answer(["function_desc"], &[[Some(format!("Function: {bare}"))]])
}
