//! `spark.range`.

use std::sync::Arc;

use spark_connect_proto::Range;
use vonk::error::Condition;
use vonk::{Error, Result};

use super::Query;
use crate::session::ConnectSession;

pub(super) async fn range(session: &Arc<ConnectSession>, range: &Range) -> Result<Query> {
    if range.step == 0 {
        return Err(Error::new(Condition::INVALID_PARAMETER, "the step of a range cannot be 0"));
    }
    let start = range.start.unwrap_or(0);
    let partitions = range.num_partitions.and_then(|count| usize::try_from(count).ok());
    let frame = match partitions.filter(|count| *count > 0) {
        Some(count) => session.engine.range_in(start, range.end, range.step, count),
        None => session.engine.range_by(start, range.end, range.step),
    };
    Query::new(frame).await
}
