//! Streams that run on tasks of their own, ahead of who takes their batches.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use futures::StreamExt;

/// Starts a stream on a task, which may have `batches_ahead` batches that nobody has taken yet.
///
/// The task ends with its stream, or when the stream that is given here is dropped.
pub(crate) fn run_ahead(
    schema: SchemaRef,
    batches_ahead: usize,
    start: impl FnOnce() -> DfResult<SendableRecordBatchStream> + Send + 'static,
) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStream::builder(schema, batches_ahead);
    let sender = builder.tx();
    builder.spawn(async move {
        let mut batches = start()?;
        while let Some(batch) = batches.next().await {
            // The receiver is gone when the query is cancelled or has its rows.
            if sender.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    builder.build()
}
