//! A hash join that goes on when its build side does not fit into memory.
//!
//! DataFusion's hash join fails there. This one reads the build side first; if it fits, DataFusion's
//! join runs over it, else both sides are cut by the hash of their keys into parts on disk, and the
//! parts are joined one after the other (the Grace hash join: Kitsuregawa, Tanaka and Moto-oka, 1983).
//! A part that still does not fit is cut again.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::limit::LimitStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties,
};
use futures::TryStreamExt;

mod parts;
mod run;

use run::Join;

/// DataFusion's join, and what to do when its build side does not fit.
#[derive(Debug)]
pub(crate) struct SpillingJoinExec {
    join: Arc<HashJoinExec>,
    metrics: ExecutionPlanMetricsSet,
}

impl SpillingJoinExec {
    /// The join with room on disk; `None` where it cannot be cut by keys.
    ///
    /// One build side for many partitions is small by plan. NOT IN looks at NULLs of all keys at once.
    pub(crate) fn new(join: &HashJoinExec) -> DfResult<Option<Self>> {
        let builds_once = match join.partition_mode() {
            PartitionMode::Partitioned => true,
            PartitionMode::CollectLeft => join.right().output_partitioning().partition_count() == 1,
            PartitionMode::Auto => false,
        };
        if !builds_once || join.null_aware {
            return Ok(None);
        }
        // Its dynamic filter would wait for all partitions, which run as joins of their own here.
        let join = Arc::new(join.builder().reset_state().build()?);
        Ok(Some(Self { join, metrics: ExecutionPlanMetricsSet::new() }))
    }
}

impl SpillingJoinExec {
    /// DataFusion's join.
    pub(crate) fn join(&self) -> &Arc<HashJoinExec> {
        &self.join
    }
}

impl DisplayAs for SpillingJoinExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpillingJoinExec: ")?;
        self.join.fmt_as(format, f)
    }
}

impl ExecutionPlan for SpillingJoinExec {
    fn name(&self) -> &'static str {
        "SpillingJoinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.join.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.join.children()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.join.input_distribution_requirements()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        self.join.apply_expressions(visit)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let join = self.join.builder().recompute_properties().with_new_children(children)?;
        let join = Arc::new(join.build()?);
        Ok(Arc::new(Self { join, metrics: ExecutionPlanMetricsSet::new() }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        let [left, right] = self.children()[..] else {
            return internal_err!("a join has two inputs");
        };
        let build = left.execute(partition, Arc::clone(&context))?;
        let probe = right.execute(partition, Arc::clone(&context))?;
        let join = Join::new(&self.join, &self.metrics, partition, context);
        let rows = futures::stream::once(Arc::new(join).run(build, probe, 0)).try_flatten();
        let rows = Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows));
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        Ok(Box::pin(LimitStream::new(rows, 0, self.join.fetch(), metrics)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
