//! `DESCRIBE`: the columns and types of a table, file or query, in Spark's three columns.

use std::collections::BTreeMap;
use std::path::Path;

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::database::COMMENT;
use super::partitions::{self, Partition};
use super::{Command, Source, answer, describe_function, describe_json, table_name};
use crate::catalog::{TableKind, TableMeta, TableName};
use crate::display;
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, parse_query, plan_query};

/// Who makes tables and views.
pub(super) const CREATOR: &str = concat!("vonk ", env!("CARGO_PKG_VERSION"));

/// A line of the answer.
pub(super) type Row = [Option<String>; 3];

enum Describe {
    Query(Box<ast::Query>),
    Relation {
        name: ast::ObjectName,
        is_extended: bool,
        column: Option<String>,
        partition: Option<Partition>,
        as_json: bool,
    },
    Database {
        name: String,
        is_extended: bool,
    },
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if source.take(&["QUERY"]) || source.begins_query() {
        return Ok(Box::new(Describe::Query(source.query()?)));
    }
    if source.take(&["FUNCTION"]) {
        return describe_function::parse(source);
    }
    if source.take(&["DATABASE"]) || source.take(&["SCHEMA"]) || source.take(&["NAMESPACE"]) {
        let is_extended = is_extended(source);
        let name = source.parse(Parser::parse_identifier)?.value;
        return Ok(Box::new(Describe::Database { name, is_extended }));
    }
    let _ = source.take(&["TABLE"]);
    let is_extended = is_extended(source);
    let name = source.relation()?;
    let partition = match source.take(&["PARTITION"]) {
        true => Some(partitions::parse(source)?),
        false => None,
    };
    let column = match source.next() {
        Token::Word(word) if !is_clause(&word.value) || word.quote_style.is_some() => {
            let parts = source.parse(|parser| parser.parse_object_name(false))?;
            parts.0.last().and_then(ast::ObjectNamePart::as_ident).map(|part| part.value.clone())
        }
        _ => None,
    };
    let as_json = source.take(&["AS", "JSON"]);
    Ok(Box::new(Describe::Relation { name, is_extended, column, partition, as_json }))
}

fn is_clause(word: &str) -> bool {
    word.eq_ignore_ascii_case("AS")
}

/// Takes the word that asks for more.
pub(super) fn is_extended(source: &mut Source<'_>) -> bool {
    source.take(&["EXTENDED"]) || source.take(&["FORMATTED"])
}

impl Command for Describe {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            match self {
                Describe::Query(query) => columns_of(session, (**query).clone(), None).await,
                Describe::Database { name, is_extended } => {
                    describe_database(session, name, *is_extended)
                }
                relation @ Describe::Relation { .. } => describe_relation(session, relation).await,
            }
        })
    }
}

async fn describe_relation(session: &dyn Environment, what: &Describe) -> Result<LogicalPlan> {
    let Describe::Relation { name, is_extended, column, partition, as_json } = what else {
        return Err(Error::internal("only relations are described so"));
    };
    let relation = parse_query(&format!("SELECT * FROM {name}"))?;
    let meta = table_of(session, name)?;
    let partition = match (partition, &meta) {
        (None, _) => None,
        (Some(partition), Some(meta)) if meta.kind == TableKind::Table => {
            Some(partitions::one(&session.catalog()?, meta, partition)?)
        }
        _ => {
            let message = format!("`{name}` is a view, which has no partitions");
            return Err(Error::new(Condition::FORBIDDEN_OPERATION, message));
        }
    };
    if *as_json {
        if column.is_some() {
            let message = "a column is not described as JSON";
            return Err(Error::new(Condition::DESC_TABLE_COLUMN_JSON, message)
                .hint("leave out `AS JSON`, or the column"));
        }
        return describe_json::describe(session, relation, meta.as_ref(), *is_extended).await;
    }
    if let (Some(partition), Some(meta), true) = (&partition, &meta, *is_extended) {
        let mut rows = table_columns(session, relation, meta).await?;
        rows.extend(partition_details(session, meta, partition)?);
        return answer(["col_name", "data_type", "comment"], &rows);
    }
    match column {
        Some(column) => describe_column(session, relation, meta.as_ref(), column).await,
        None => {
            let meta = meta.as_ref().map(|meta| (meta, *is_extended));
            columns_of(session, relation, meta).await
        }
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
    let rows = match meta {
        None => planned_columns(session, query, None).await?,
        Some((meta, is_extended)) => {
            let mut rows = table_columns(session, query, meta).await?;
            if is_extended {
                rows.push(row("", ""));
                rows.push(row("# Detailed Table Information", ""));
                rows.extend(details(session, meta)?);
            }
            rows.extend(defaults(meta)?);
            rows
        }
    };
    answer(["col_name", "data_type", "comment"], &rows)
}

/// The columns of a table or lasting view, and those of its partitions once more.
async fn table_columns(
    session: &dyn Environment,
    query: ast::Query,
    meta: &TableMeta,
) -> Result<Vec<Row>> {
    let mut rows = match meta.kind {
        // What a view was made with stays, whatever becomes of the tables below it.
        TableKind::View if !meta.columns.is_empty() => stored_columns(meta)?,
        _ => planned_columns(session, query, Some(meta)).await?,
    };
    if !meta.partition_columns.is_empty() {
        rows.push(row("# Partition Information", ""));
        rows.push(["# col_name", "data_type", "comment"].map(|text| Some(text.to_owned())));
        let is_partition = |line: &&Row| {
            meta.partition_columns.contains(line[0].as_ref().unwrap_or(&String::new()))
        };
        let partitions: Vec<Row> = rows.iter().filter(is_partition).cloned().collect();
        rows.extend(partitions);
    }
    Ok(rows)
}

/// What is known of one partition, whose directory is `day=1/shop=a`.
fn partition_details(
    session: &dyn Environment,
    meta: &TableMeta,
    partition: &Path,
) -> Result<Vec<Row>> {
    let location = session.catalog()?.data_location(meta)?;
    let values = partition.display().to_string().replace('/', ", ");
    let mut rows = vec![
        row("", ""),
        row("# Detailed Partition Information", ""),
        row("Database", meta.name.database.clone()),
        row("Table", meta.name.table.clone()),
        row("Partition Values", format!("[{values}]")),
        row("Location", location.join(partition).display().to_string()),
    ];
    let storage =
        (!meta.options.is_empty()).then(|| row("Storage Properties", listed(&meta.options)));
    rows.extend(storage.clone());
    rows.extend([row("Created Time", "UNKNOWN"), row("Last Access", "UNKNOWN")]);
    rows.extend([row("", ""), row("# Storage Information", "")]);
    rows.push(row("Location", location.display().to_string()));
    rows.extend(storage);
    Ok(rows)
}

/// The columns that have a default, under a headline of their own.
fn defaults(meta: &TableMeta) -> Result<Vec<Row>> {
    let declared = meta.columns.iter().filter_map(|column| Some((column, column.default.clone()?)));
    let rows = declared.map(|(column, default)| {
        Ok([Some(column.name.clone()), Some(column.declared_type()?), Some(default)])
    });
    let mut rows = rows.collect::<Result<Vec<Row>>>()?;
    if !rows.is_empty() {
        rows.insert(0, row("# Column Default Values", ""));
        rows.insert(0, row("", ""));
    }
    Ok(rows)
}

fn stored_columns(meta: &TableMeta) -> Result<Vec<Row>> {
    let rows = meta.columns.iter().map(|column| {
        Ok([Some(column.name.clone()), Some(column.declared_type()?), column.comment.clone()])
    });
    rows.collect()
}

async fn planned_columns(
    session: &dyn Environment,
    query: ast::Query,
    meta: Option<&TableMeta>,
) -> Result<Vec<Row>> {
    let plan = plan_query(session, query).await?;
    let declared = |name: &str| meta?.columns.iter().find(|column| column.name == name);
    let rows = plan.schema().fields().iter().map(|field| {
        let column = declared(field.name());
        let data_type = match column {
            Some(column) => column.declared_type()?,
            None => display::field_type_name(field),
        };
        let own = || field.metadata().get("comment").cloned();
        let comment = column.and_then(|column| column.comment.clone()).or_else(own);
        Ok([Some(field.name().clone()), Some(data_type), comment])
    });
    rows.collect()
}

pub(super) fn row(name: &str, value: impl Into<String>) -> Row {
    [Some(name.to_owned()), Some(value.into()), Some(String::new())]
}

/// What the catalog knows of a table, a line each.
pub(super) fn details(session: &dyn Environment, meta: &TableMeta) -> Result<Vec<Row>> {
    let mut rows = vec![
        row("Catalog", "spark_catalog"),
        row("Database", meta.name.database.clone()),
        row("Table", meta.name.table.clone()),
        row("Created Time", "UNKNOWN"),
        row("Last Access", "UNKNOWN"),
        row("Created By", CREATOR),
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
        rows.push(row("Table Properties", listed(&meta.properties)));
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
            rows.push(row("Location", session.catalog()?.data_address(meta)?));
            if !meta.options.is_empty() {
                rows.push(row("Storage Properties", listed(&meta.options)));
            }
            if !meta.partition_columns.is_empty() {
                rows.push(row("Partition Provider", "Catalog"));
            }
        }
    }
    Ok(rows)
}

/// `[name=value, …]`, without what is secret.
fn listed(options: &BTreeMap<String, String>) -> String {
    let pairs = options.iter().map(|(name, value)| format!("{name}={}", redacted(name, value)));
    format!("[{}]", pairs.collect::<Vec<_>>().join(", "))
}

/// The value of a property, unless its name says that it is secret.
pub(super) fn redacted<'a>(name: &str, value: &'a str) -> &'a str {
    const SECRETS: &[&str] = &["secret", "password", "token", "accesskey", "access.key", "url"];
    let name = name.to_lowercase();
    match SECRETS.iter().any(|secret| name.contains(secret)) {
        true => "*********(redacted)",
        false => value,
    }
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
    let mut properties = catalog.database_properties(name)?;
    let comment = properties.remove(COMMENT).unwrap_or_default();
    let line = |name: &str, value: String| [Some(name.to_owned()), Some(value)];
    let mut rows = vec![
        line("Catalog Name", "spark_catalog".to_owned()),
        line("Namespace Name", name.to_owned()),
        line("Comment", comment),
        line("Location", catalog.database_location(name).unwrap_or_default()),
    ];
    if is_extended {
        let pairs = properties.iter().map(|(name, value)| format!("({name},{value})"));
        let pairs = pairs.collect::<Vec<_>>().join(", ");
        let text = if pairs.is_empty() { pairs } else { format!("({pairs})") };
        rows.push(line("Properties", text));
    }
    answer(["info_name", "info_value"], &rows)
}
