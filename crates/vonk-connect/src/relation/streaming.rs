//! Queries over streams: they have columns and can be built upon, and nothing runs them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use spark_connect_proto::WithWatermark;
use spark_connect_proto::read::DataSource;
use vonk::{DataFrame, Result};

use super::{Query, input};
use crate::errors;
use crate::session::ConnectSession;

/// A source of streams that needs no files: the columns that it has.
pub(super) async fn source(session: &Arc<ConnectSession>, source: &DataSource) -> Result<Query> {
    let schema = match source.format.as_deref() {
        Some("rate" | "rate-micro-batch") => Schema::new(vec![
            Field::new(
                "timestamp",
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                true,
            ),
            Field::new("value", DataType::Int64, true),
        ]),
        Some("socket") => Schema::new(vec![Field::new("value", DataType::Utf8, true)]),
        _ => return Err(errors::unsupported("streaming queries over files and tables")),
    };
    Query::new(session.engine.unbounded(Arc::new(schema))?).await
}

/// How late rows may be makes no difference to a query that is no stream.
pub(super) async fn watermark(
    session: &Arc<ConnectSession>,
    watermark: &WithWatermark,
) -> Result<Query> {
    input(session, &watermark.input).await
}

/// Whether a query reads a stream.
///
/// # Errors
/// Those of planning.
pub(crate) async fn is_streaming(frame: &DataFrame) -> Result<bool> {
    frame.is_unbounded().await
}
