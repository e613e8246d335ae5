//! The rows of a query that is not over: in memory, and on disk when they are many.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::spill_file::SpillFile;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt};

/// Rows that take more than this go to disk.
const BYTES_MAX: usize = 64 << 20;

/// Rows in the order in which they came.
pub(crate) struct Held {
    schema: SchemaRef,
    files: Vec<Arc<dyn SpillFile>>,
    /// Those after the files.
    batches: Vec<RecordBatch>,
    bytes: usize,
    reservation: MemoryReservation,
    spill: SpillManager,
}

impl Held {
    pub(crate) fn new(schema: SchemaRef, context: &TaskContext) -> Self {
        let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
        let spill = SpillManager::new(context.runtime_env(), metrics, Arc::clone(&schema));
        let reservation = MemoryConsumer::new("rows of the cluster")
            .with_can_spill(true)
            .register(context.memory_pool());
        Self { schema, files: Vec::new(), batches: Vec::new(), bytes: 0, reservation, spill }
    }

    /// Takes all rows of a stream.
    pub(crate) async fn fill(&mut self, mut rows: SendableRecordBatchStream) -> DfResult<()> {
        while let Some(batch) = rows.next().await {
            self.push(batch?)?;
        }
        Ok(())
    }

    fn push(&mut self, batch: RecordBatch) -> DfResult<()> {
        let bytes = get_record_batch_memory_size(&batch);
        let is_full = self.bytes + bytes > BYTES_MAX || self.reservation.try_grow(bytes).is_err();
        if is_full {
            self.spill()?;
            // What does not fit alone is on disk in a moment.
            if self.reservation.try_grow(bytes).is_err() {
                self.batches.push(batch);
                return self.spill();
            }
        }
        self.bytes += bytes;
        self.batches.push(batch);
        Ok(())
    }

    fn spill(&mut self) -> DfResult<()> {
        let batches = std::mem::take(&mut self.batches);
        let file = self.spill.spill_record_batch_and_finish(&batches, "rows of the cluster")?;
        self.files.extend(file);
        self.bytes = 0;
        self.reservation.free();
        Ok(())
    }

    /// Gives the rows.
    pub(crate) fn stream(self) -> DfResult<SendableRecordBatchStream> {
        let Self { schema, files, batches, reservation, spill, .. } = self;
        let files = files.into_iter().map(move |file| spill.read_spill_as_stream(file, None));
        let spilled = futures::stream::iter(files).try_flatten();
        let held = futures::stream::iter(batches.into_iter().map(Ok)).inspect(move |_| {
            let _held = &reservation;
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, spilled.chain(held))))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, StringArray};
    use datafusion::execution::memory_pool::GreedyMemoryPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;

    use super::*;

    fn batch(n: i64) -> RecordBatch {
        let numbers = Int64Array::from_iter_values(n * 100..(n + 1) * 100);
        let texts = StringArray::from_iter_values((0..100).map(|n| format!("text {n}")));
        RecordBatch::try_from_iter([("n", Arc::new(numbers) as _), ("t", Arc::new(texts) as _)])
            .unwrap()
    }

    #[tokio::test]
    async fn rows_come_back_in_their_order_whatever_the_memory_is() {
        for limit in [0, 10_000, 1 << 20] {
            let runtime = RuntimeEnvBuilder::new()
                .with_memory_pool(Arc::new(GreedyMemoryPool::new(limit)))
                .build_arc()
                .unwrap();
            let context = TaskContext::default().with_runtime(runtime);
            let schema = batch(0).schema();
            let mut held = Held::new(Arc::clone(&schema), &context);
            let rows = futures::stream::iter((0..20).map(|n| Ok(batch(n))));
            held.fill(Box::pin(RecordBatchStreamAdapter::new(schema, rows))).await.unwrap();
            let back: Vec<RecordBatch> = held.stream().unwrap().try_collect().await.unwrap();
            let numbers = back.iter().flat_map(|batch| {
                let numbers = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
                numbers.values().to_vec()
            });
            assert_eq!(numbers.collect::<Vec<_>>(), (0..2000).collect::<Vec<_>>());
        }
    }
}
