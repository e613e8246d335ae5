//! `python_worker_logs()`: what workers of Python have logged, which is not kept.

use arrow::array::RecordBatch;
use datafusion::common::Result;

use crate::failure::Failure;

/// Refused, as Spark does where it is not told to keep the logs.
pub(super) fn rows() -> Result<RecordBatch> {
    let message = "the logs of workers of Python are not kept";
    Err(Failure::new("FEATURE_NOT_ENABLED", message)
        .hint("write what the functions log to their standard error, which is passed on")
        .into())
}
