//! `DESCRIBE EXTENDED … AS JSON`: what is known of a table in one value, for programs.

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::logical_expr::LogicalPlan;
use serde::Serialize;
use sqlparser::ast;
use vonk_functions::bounded_text::BoundedText;

use super::answer;
use super::describe::redacted;
use crate::catalog::{TableInfo, TableMeta};
use crate::display;
use crate::error::{Condition, Error, Result};
use crate::sources;
use crate::sql::{Environment, plan_query};

/// Names and values that are JSON, in the order in which Spark gives them.
type Members = Vec<(&'static str, String)>;

/// Describes a relation, of which the catalog may know more.
pub(super) async fn describe(
    session: &dyn Environment,
    relation: ast::Query,
    meta: Option<&TableMeta>,
    is_extended: bool,
) -> Result<LogicalPlan> {
    if !is_extended {
        let message = "DESCRIBE … AS JSON has to be EXTENDED";
        return Err(Error::new(Condition::DESCRIBE_JSON_NOT_EXTENDED, message)
            .hint("write `DESCRIBE EXTENDED … AS JSON`"));
    }
    let schema = match meta {
        Some(meta) if !meta.columns.is_empty() => meta.schema()?.as_ref().clone(),
        _ => plan_query(session, relation).await?.schema().as_arrow().clone(),
    };
    let mut members = Members::new();
    if let Some(meta) = meta {
        members.push(("table_name", json(&meta.name.table)));
        members.push(("catalog_name", json("spark_catalog")));
        members.push(("namespace", json(&[&meta.name.database])));
        members.push(("schema_name", json(&meta.name.database)));
    }
    members.push(("columns", columns(&schema, meta)));
    if let Some(meta) = meta {
        details(session, meta, &mut members)?;
    }
    answer(["json_metadata"], &[[Some(object(members))]])
}

fn details(session: &dyn Environment, meta: &TableMeta, members: &mut Members) -> Result<()> {
    if meta.view_text.is_none() {
        let address = session.catalog()?.data_address(meta)?;
        let location = match sources::is_remote(&address) {
            true => address,
            false => format!("file:{address}"),
        };
        members.push(("location", json(&location)));
        members.push(("storage_properties", pairs(&meta.options)));
    }
    members.push(("type", json(TableInfo::of(meta).kind)));
    if meta.view_text.is_none() {
        members.push(("provider", json(&meta.format)));
    }
    if let Some(comment) = &meta.comment {
        members.push(("comment", json(comment)));
    }
    if !meta.properties.is_empty() {
        members.push(("table_properties", pairs(&meta.properties)));
    }
    if let Some(text) = &meta.view_text {
        members.push(("view_text", json(text)));
    }
    if !meta.partition_columns.is_empty() {
        members.push(("partition_provider", json("Catalog")));
        members.push(("partition_columns", json(&meta.partition_columns)));
    }
    members.push(("collation", json("UTF8_BINARY")));
    Ok(())
}

fn pairs(options: &std::collections::BTreeMap<String, String>) -> String {
    let pairs = options
        .iter()
        .map(|(name, value)| format!("{}:{}", json(name), json(redacted(name, value))));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

fn columns(schema: &Schema, meta: Option<&TableMeta>) -> String {
    let columns = schema.fields().iter().map(|field| {
        let mut column = part(field);
        let known = meta.and_then(|meta| meta.columns.iter().find(|c| c.name == *field.name()));
        if let Some(comment) = known.and_then(|known| known.comment.as_ref()) {
            column.push(("comment", json(comment)));
        }
        if let Some(default) = known.and_then(|known| known.default.as_ref()) {
            column.push(("default", json(default)));
        }
        object(column)
    });
    list(columns)
}

/// A column, or a part of a struct.
fn part(field: &Field) -> Members {
    vec![
        ("name", json(field.name())),
        ("type", object(type_of(field))),
        ("nullable", json(&field.is_nullable())),
    ]
}

fn type_of(field: &Field) -> Members {
    match (BoundedText::of(field), field.data_type()) {
        (Some(BoundedText::Char(length)), _) => {
            vec![("name", json("char")), ("length", json(&length))]
        }
        (Some(BoundedText::Varchar(length)), _) => {
            vec![("name", json("varchar")), ("length", json(&length))]
        }
        (None, DataType::Decimal128(precision, scale)) => {
            vec![("name", json("decimal")), ("precision", json(precision)), ("scale", json(scale))]
        }
        (None, DataType::List(item)) => vec![
            ("name", json("array")),
            ("element_type", object(type_of(item))),
            ("element_nullable", json(&item.is_nullable())),
        ],
        (None, DataType::Map(entries, _)) => map(entries),
        (None, DataType::Struct(parts)) => vec![
            ("name", json("struct")),
            ("fields", list(parts.iter().map(|field| object(part(field))))),
        ],
        _ => named(&display::field_type_name(field)),
    }
}

fn map(entries: &Field) -> Members {
    let mut members = vec![("name", json("map"))];
    if let DataType::Struct(parts) = entries.data_type()
        && let [key, value] = parts.as_ref()
    {
        members.push(("key_type", object(type_of(key))));
        members.push(("value_type", object(type_of(value))));
        members.push(("value_nullable", json(&value.is_nullable())));
    }
    members
}

/// A type without parts, by its name.
fn named(name: &str) -> Members {
    if let Some(fields) = name.strip_prefix("interval ") {
        let (start, end) = fields.split_once(" to ").unwrap_or((fields, fields));
        return vec![
            ("name", json("interval")),
            ("start_unit", json(start)),
            ("end_unit", json(end)),
        ];
    }
    match name {
        "string" => vec![("name", json("string")), ("collation", json("UTF8_BINARY"))],
        "timestamp" => vec![("name", json("timestamp_ltz"))],
        other => vec![("name", json(other))],
    }
}

/// A value as JSON; numbers, texts and lists of these always have one.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn object(members: Members) -> String {
    let members = members.into_iter().map(|(name, value)| format!("{}:{value}", json(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}
