//! Rows that the client sends along: in the plan, or in blocks that it has left with the server.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use spark_connect_proto::{ChunkedCachedLocalRelation, LocalRelation};
use vonk::{Error, Result};

use super::Query;
use crate::execute::with_schema;
use crate::session::ConnectSession;
use crate::{codec, errors};

pub(super) async fn local(session: &Arc<ConnectSession>, local: &LocalRelation) -> Result<Query> {
    let schema = local.schema.as_deref().filter(|text| !text.is_empty());
    let blocks: Vec<&[u8]> = local.data.iter().map(AsRef::as_ref).collect();
    rows(session, &blocks, schema).await
}

/// A relation that is a block itself.
pub(super) async fn cached(session: &Arc<ConnectSession>, hash: &str) -> Result<Query> {
    let block = session.artifacts.block(hash)?;
    let relation: LocalRelation = codec::decode(block).map_err(|error| {
        Error::new(errors::INVALID_PLAN, format!("block `{hash}` is no relation: {error}"))
    })?;
    local(session, &relation).await
}

/// A relation whose rows and schema are blocks.
pub(super) async fn chunked(
    session: &Arc<ConnectSession>,
    chunked: &ChunkedCachedLocalRelation,
) -> Result<Query> {
    let blocks = chunked.data_hashes.iter().map(|hash| session.artifacts.block(hash));
    let blocks = blocks.collect::<Result<Vec<_>>>()?;
    let schema = match chunked.schema_hash.as_deref().filter(|hash| !hash.is_empty()) {
        Some(hash) => Some(session.artifacts.block(hash)?),
        None => None,
    };
    let schema = schema.as_deref().map(|text| String::from_utf8_lossy(text).into_owned());
    let blocks: Vec<&[u8]> = blocks.iter().map(AsRef::as_ref).collect();
    rows(session, &blocks, schema.as_deref()).await
}

/// A query that a command has kept.
pub(super) async fn remote(session: &Arc<ConnectSession>, id: &str) -> Result<Query> {
    let kept = session.kept.lock().checkpoints.get(id).cloned();
    let missing = || Error::new(errors::INVALID_PLAN, format!("there is no kept query `{id}`"));
    Query::new(kept.ok_or_else(missing)?).await
}

async fn rows(
    session: &Arc<ConnectSession>,
    blocks: &[&[u8]],
    schema: Option<&str>,
) -> Result<Query> {
    let wanted = match schema {
        Some(text) => Some(given_schema(session, text)?),
        None => None,
    };
    let mut batches = Vec::new();
    for block in blocks {
        let reader = StreamReader::try_new(*block, None).map_err(|error| damaged(&error))?;
        let found = reader.schema();
        for batch in reader {
            batches.push(batch.map_err(|error| damaged(&error))?);
        }
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(found));
        }
    }
    let wanted = match (wanted, batches.first()) {
        (Some(wanted), _) => wanted,
        (None, Some(batch)) => engine_schema(&batch.schema()),
        (None, None) => return Err(errors::missing("rows and no schema")),
    };
    let typed = batches.iter().map(|batch| cast_to(batch, &wanted)).collect::<Result<Vec<_>>>()?;
    let typed = if typed.is_empty() { vec![RecordBatch::new_empty(wanted)] } else { typed };
    Query::new(session.engine.from_batches(typed)?).await
}

/// The schema as DDL or as JSON of Spark.
fn given_schema(session: &Arc<ConnectSession>, text: &str) -> Result<SchemaRef> {
    match text.trim_start().starts_with('{') {
        true => Ok(Arc::new(crate::types::schema_of_json(&session.engine, text)?)),
        false => session.engine.schema_of_ddl(text),
    }
}

/// The types that the engine has for those that arrived.
fn engine_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let data_type = engine_type(field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn engine_type(data_type: &DataType) -> DataType {
    use arrow::datatypes::TimeUnit::Microsecond;
    match data_type {
        DataType::LargeUtf8 => DataType::Utf8,
        DataType::LargeBinary => DataType::Binary,
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(Microsecond, Some("UTC".into())),
        DataType::Timestamp(_, None) => DataType::Timestamp(Microsecond, None),
        DataType::Duration(_) => DataType::Duration(Microsecond),
        DataType::Time64(_) => DataType::Time64(Microsecond),
        other => other.clone(),
    }
}

fn cast_to(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != schema.fields().len() {
        let (has, wants) = (batch.num_columns(), schema.fields().len());
        let message = format!("the rows have {has} columns and their schema has {wants}");
        return Err(Error::new(errors::INVALID_PLAN, message));
    }
    Ok(with_schema(batch, schema)?)
}

fn damaged(error: &arrow::error::ArrowError) -> Error {
    Error::new(errors::INVALID_PLAN, format!("the rows are no Arrow stream: {error}"))
}
