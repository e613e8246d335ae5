//! One partition of a join: in memory if the build side fits, else part by part from disk.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::{EmptyRecordBatchStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, SpillManager};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::parts::{Cut, Part, compact};
use crate::operators::once::plan_once;

/// How often a part is cut again before its keys are taken to be too few.
const DEPTH_MAX: u32 = 6;

/// Bytes that the hash table needs for each row of the build side, at most: DataFusion keeps a hash,
/// a place and a link for each, in tables that are half empty at worst.
const TABLE_BYTES_PER_ROW: usize = 40;

type Batches = BoxStream<'static, DfResult<RecordBatch>>;

/// What all parts of one partition share.
pub(super) struct Join {
    template: Arc<HashJoinExec>,
    context: Arc<TaskContext>,
    spill: SpillMetrics,
}

impl Join {
    pub(super) fn new(
        template: &Arc<HashJoinExec>,
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Self {
        Self {
            template: Arc::clone(template),
            context,
            spill: SpillMetrics::new(metrics, partition),
        }
    }

    /// Joins two streams of rows that have all rows of their keys.
    pub(super) fn run(
        self: Arc<Self>,
        mut build: SendableRecordBatchStream,
        probe: SendableRecordBatchStream,
        depth: u32,
    ) -> BoxFuture<'static, DfResult<Batches>> {
        async move {
            // Until this returns, also while the first rows are written to disk.
            let reservation = MemoryConsumer::new("SpillingJoin")
                .with_can_spill(true)
                .register(self.context.memory_pool());
            let mut held = Vec::new();
            while let Some(batch) = build.try_next().await? {
                // The join puts its batches together, so that there are two copies for a moment.
                let bytes = get_record_batch_memory_size(&batch) * 2
                    + batch.num_rows() * TABLE_BYTES_PER_ROW;
                let grown = reservation.try_grow(bytes);
                held.push(batch);
                if let Err(error) = grown {
                    if depth == DEPTH_MAX {
                        return Err(error);
                    }
                    let held = futures::stream::iter(held.into_iter().map(Ok));
                    let schema = build.schema();
                    let build = RecordBatchStreamAdapter::new(schema, held.chain(build));
                    return self.from_disk(Box::pin(build), probe, depth).await;
                }
            }
            drop(reservation);
            self.in_memory(held, build.schema(), probe)
        }
        .boxed()
    }

    /// DataFusion's join over a build side that fits.
    fn in_memory(
        &self,
        build: Vec<RecordBatch>,
        build_schema: SchemaRef,
        probe: SendableRecordBatchStream,
    ) -> DfResult<Batches> {
        let build = futures::stream::iter(build.into_iter().map(Ok));
        let build = Box::pin(RecordBatchStreamAdapter::new(build_schema, build));
        let join = self
            .template
            .builder()
            .reset_state()
            .recompute_properties()
            .with_partition_mode(PartitionMode::CollectLeft)
            .with_new_children(vec![plan_once(build)?, plan_once(probe)?])?
            .build()?;
        Ok(join.execute(0, Arc::clone(&self.context))?.boxed())
    }

    /// Cuts both sides by their keys and joins the parts one after the other.
    async fn from_disk(
        self: Arc<Self>,
        build: SendableRecordBatchStream,
        probe: SendableRecordBatchStream,
        depth: u32,
    ) -> DfResult<Batches> {
        let (build_keys, probe_keys) = self.template.on().iter().cloned().unzip();
        let build_schema = build.schema();
        let build = self.cut(build.boxed(), &build_schema, build_keys, depth).await?;
        let probe_schema = probe.schema();
        let probe = self.cut(probe.boxed(), &probe_schema, probe_keys, depth).await?;
        let parts = build.into_iter().zip(probe);
        let rows = futures::stream::iter(parts)
            .then(move |(build, probe)| {
                let join = Arc::clone(&self);
                let (build_schema, probe_schema) =
                    (Arc::clone(&build_schema), Arc::clone(&probe_schema));
                async move {
                    let build = join.read(build, build_schema)?;
                    let probe = join.read(probe, probe_schema)?;
                    join.run(build, probe, depth + 1).await
                }
            })
            .try_flatten();
        Ok(rows.boxed())
    }

    async fn cut(
        &self,
        mut rows: Batches,
        schema: &SchemaRef,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        depth: u32,
    ) -> DfResult<Vec<Option<Part>>> {
        let mut cut = Cut::new(self.files(Arc::clone(schema)), keys, depth);
        while let Some(batch) = rows.try_next().await? {
            cut.push(&batch)?;
        }
        cut.finish()
    }

    fn read(&self, part: Option<Part>, schema: SchemaRef) -> DfResult<SendableRecordBatchStream> {
        match part {
            Some(part) => {
                let rows = self.files(Arc::clone(&schema)).read_spill_as_stream(part, None)?;
                let rows = rows.map(|batch| compact(&batch?));
                Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
            }
            None => Ok(Box::pin(EmptyRecordBatchStream::new(schema))),
        }
    }

    fn files(&self, schema: SchemaRef) -> SpillManager {
        SpillManager::new(self.context.runtime_env(), self.spill.clone(), schema)
    }
}
