//! How much a query may give to who asked for it: rows in all, and bytes that are held in memory.

use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use super::estimate::bytes_of;
use crate::config::{self, Config};
use crate::error::{Condition, Error, Result};

/// The stream, which fails where it has more rows than the option allows.
pub(crate) fn at_most_rows(
    stream: SendableRecordBatchStream,
    config: &Config,
) -> Result<SendableRecordBatchStream> {
    let Some(limit) = config.count(config::RESULT_ROWS_MAX)? else { return Ok(stream) };
    Ok(at_most(stream, limit as u64, |batch| batch.num_rows() as u64, too_many_rows))
}

/// The stream, which fails where all that it gave is larger than may be held at once.
pub(crate) fn at_most_bytes(
    stream: SendableRecordBatchStream,
    config: &Config,
) -> Result<SendableRecordBatchStream> {
    // As in Spark zero is no limit.
    let limit = config.bytes(config::RESULT_BYTES_MAX)?.filter(|limit| *limit > 0);
    let Some(limit) = limit else { return Ok(stream) };
    let bytes = |batch: &RecordBatch| batch.columns().iter().map(bytes_of).sum();
    Ok(at_most(stream, limit, bytes, too_many_bytes))
}

fn at_most(
    stream: SendableRecordBatchStream,
    limit: u64,
    measure: fn(&RecordBatch) -> u64,
    error: fn(u64) -> Error,
) -> SendableRecordBatchStream {
    let schema = stream.schema();
    let mut total = 0_u64;
    let counted = stream.map(move |batch| {
        let batch = batch?;
        total = total.saturating_add(measure(&batch));
        if total > limit { Err(error(limit).into()) } else { Ok(batch) }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, counted))
}

fn too_many_rows(limit: u64) -> Error {
    let option = config::RESULT_ROWS_MAX;
    let message = format!("the result has more rows than the limit `{option}`, which is {limit}");
    Error::new(Condition::RESULT_TOO_LARGE, message)
        .hint("filter, aggregate or add a LIMIT, or raise the limit")
}

fn too_many_bytes(limit: u64) -> Error {
    let option = config::RESULT_BYTES_MAX;
    let message = format!("the result is larger than the limit `{option}`, which is {limit} bytes");
    Error::new(Condition::RESULT_TOO_LARGE, message)
        .hint("write it to a file, read it as a stream, or raise the limit")
}
