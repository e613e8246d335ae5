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
    let frame = session.engine.range_by(range.start.unwrap_or(0), range.end, range.step);
    let partitions = range.num_partitions.and_then(|count| usize::try_from(count).ok());
    let frame = match partitions.filter(|count| *count > 0) {
        Some(count) => frame.repartition(count),
        None => frame,
    };
    Query::new(frame).await
}
