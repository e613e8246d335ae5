//! Tables by name, and files.

use std::sync::Arc;

use spark_connect_proto::Read;
use spark_connect_proto::read::{DataSource, ReadType};
use vonk::Result;

use super::{Query, streaming};
use crate::errors::{self, required};
use crate::session::{ConnectSession, cached_table};

pub(super) async fn read(session: &Arc<ConnectSession>, read: &Read) -> Result<Query> {
    match required(read.read_type.as_ref(), "source")? {
        ReadType::DataSource(source) if read.is_streaming => {
            streaming::source(session, source).await
        }
        ReadType::NamedTable(_) if read.is_streaming => {
            Err(errors::unsupported("streaming queries over tables"))
        }
        ReadType::NamedTable(table) => {
            let name = &table.unparsed_identifier;
            let cached = session.kept.lock().tables.get(&cached_table(name)).cloned();
            Query::new(cached.unwrap_or_else(|| session.engine.table(name))).await
        }
        ReadType::DataSource(source) => files(session, source).await,
    }
}

async fn files(session: &Arc<ConnectSession>, source: &DataSource) -> Result<Query> {
    let default = crate::config::value(&session.engine, "spark.sql.sources.default");
    let format = source.format.clone().filter(|format| !format.is_empty()).or(default);
    let mut reader = session.engine.read().format(&format.unwrap_or_default());
    let mut paths = source.paths.clone();
    for (name, value) in &source.options {
        match name.eq_ignore_ascii_case("path") {
            true => paths.push(value.clone()),
            false => reader = reader.option(name, value),
        }
    }
    if let Some(schema) = source.schema.as_deref().filter(|schema| !schema.is_empty()) {
        reader = match schema.trim_start().starts_with('{') {
            true => reader.schema(crate::types::schema_of_json(&session.engine, schema)?),
            false => reader.schema(schema),
        };
    }
    Query::new(reader.load(paths)).await
}
