//! Tables by name, and files.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use spark_connect_proto::Read;
use spark_connect_proto::read::{DataSource, ReadType};
use vonk::Result;
use vonk::dataframe::DataFrameReader;

use super::Query;
use crate::config;
use crate::errors::required;
use crate::session::{ConnectSession, cached_table};

pub(super) async fn read(session: &Arc<ConnectSession>, read: &Read) -> Result<Query> {
    if read.is_streaming {
        return crate::streaming::read(session, read).await;
    }
    match required(read.read_type.as_ref(), "source")? {
        ReadType::NamedTable(table) => {
            let name = &table.unparsed_identifier;
            let cached = session.kept.lock().tables.get(&cached_table(name)).cloned();
            Query::new(cached.unwrap_or_else(|| session.engine.table(name))).await
        }
        ReadType::DataSource(source) => files(session, source).await,
    }
}

async fn files(session: &Arc<ConnectSession>, source: &DataSource) -> Result<Query> {
    let (mut reader, paths) = reader(session, source);
    if let Some(schema) = source.schema.as_deref().filter(|schema| !schema.is_empty()) {
        reader = reader.schema(schema_of(session, schema)?);
    }
    Query::new(reader.load(paths)).await
}

/// The columns that a client tells a source: in DDL or in Spark's JSON.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR`, and those of the types.
pub(crate) fn schema_of(session: &ConnectSession, text: &str) -> Result<SchemaRef> {
    match text.trim_start().starts_with('{') {
        true => Ok(Arc::new(crate::types::schema_of_json(&session.engine, text)?)),
        false => session.engine.schema_of_ddl(text),
    }
}

/// What reads files with a client's format and options, and the paths.
pub(crate) fn reader(
    session: &ConnectSession,
    source: &DataSource,
) -> (DataFrameReader, Vec<String>) {
    let format = config::format(&session.engine, source.format.as_deref());
    let mut reader = session.engine.read().format(&format);
    let mut paths = source.paths.clone();
    for (name, value) in &source.options {
        match name.eq_ignore_ascii_case("path") {
            true => paths.push(value.clone()),
            false => reader = reader.option(name, value),
        }
    }
    (reader, paths)
}
