//! Steps of streaming queries that are not other queries' steps too.

use std::sync::Arc;

use spark_connect_proto::WithWatermark;
use vonk::{DataFrame, Result};

use super::{Query, input};
use crate::session::ConnectSession;

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
