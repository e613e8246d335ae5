//! Rows in the order of the files: runs all partitions at once and gives them one after the other.
//!
//! Scans put contiguous ranges of the files into their partitions. DataFusion merges partitions as
//! their batches come, so that `LIMIT 3` may give rows from the middle of a file.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::limit::{GlobalLimitExec, LimitStream, LocalLimitExec};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use futures::StreamExt;

use super::ahead::run_ahead;
use super::map_batches::MapBatchesExec;
use super::paced::PacedExec;
use super::runtime_filter::RuntimeFilterExec;
use super::{only_input, replace_children};

/// Batches that a partition may be ahead of the one that is being given.
///
/// Enough for a selective query to keep all threads at work; a query that gives most of its rows
/// waits for whoever takes them anyway.
const BATCHES_AHEAD: usize = 16;

/// Gives the partitions of its input one after the other, in their order.
#[derive(Debug)]
pub(crate) struct InOrderExec {
    input: Arc<dyn ExecutionPlan>,
    fetch: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// Puts [`InOrderExec`] where a plan would mix the rows of its files for no other reason than speed.
///
/// Plans that aggregate, join or sort are left as they are: their rows have no file order to keep.
pub(crate) fn keep_file_order(plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    if let Some(merge) = plan.downcast_ref::<CoalescePartitionsExec>() {
        if keeps_order(merge.input()) {
            return Ok(in_order(without_round_robin(merge.input())?, merge.fetch()));
        }
        return Ok(plan);
    }
    if !is_single(&plan) && keeps_order(&plan) {
        return Ok(in_order(without_round_robin(&plan)?, None));
    }
    // Above a limit, dealing the rows out again would mix them.
    if is_round_robin(&plan)
        && let [child] = plan.children().as_slice()
    {
        return keep_file_order(Arc::clone(child));
    }
    let passes_on = plan.is::<ProjectionExec>()
        || plan.is::<GlobalLimitExec>()
        || plan.is::<FilterExec>()
        || plan.is::<CooperativeExec>()
        || plan.is::<PacedExec>()
        || plan.is::<RuntimeFilterExec>()
        || plan.is::<UnnestExec>();
    if let Some(map) = plan.downcast_ref::<MapBatchesExec>() {
        return Ok(Arc::new(map.over(keep_file_order(Arc::clone(map.input()))?)));
    }
    match plan.children().as_slice() {
        [child] if passes_on => {
            let child = keep_file_order(Arc::clone(child))?;
            replace_children(&plan, vec![child])
        }
        _ => Ok(plan),
    }
}

fn in_order(input: Arc<dyn ExecutionPlan>, fetch: Option<usize>) -> Arc<dyn ExecutionPlan> {
    if input.output_partitioning().partition_count() == 1 && fetch.is_none() {
        return input;
    }
    Arc::new(InOrderExec::new(input, fetch))
}

fn is_single(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.output_partitioning().partition_count() == 1
}

/// Whether the partitions, one after the other, give rows in the order of the files and of the
/// parts of a union.
///
/// One partition has whatever order it has: a side of a union that is sorted, limited or a single
/// row.
fn keeps_order(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if plan.is::<DataSourceExec>() || is_single(plan) {
        return true;
    }
    // Its input is no child where it is planned already.
    if let Some(map) = plan.downcast_ref::<MapBatchesExec>() {
        return keeps_order(map.input());
    }
    let in_order = plan.is::<FilterExec>()
        || plan.is::<ProjectionExec>()
        || plan.is::<LocalLimitExec>()
        || plan.is::<CooperativeExec>()
        || plan.is::<PacedExec>()
        || plan.is::<RuntimeFilterExec>()
        || plan.is::<UnnestExec>()
        || plan.is::<UnionExec>()
        || is_round_robin(plan);
    let children = plan.children();
    in_order && !children.is_empty() && children.into_iter().all(keeps_order)
}

fn is_round_robin(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<RepartitionExec>()
        .is_some_and(|node| matches!(node.partitioning(), Partitioning::RoundRobinBatch(_)))
}

/// A plan that [`keeps_order`], without the operators that deal batches out to all threads.
fn without_round_robin(plan: &Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    if is_single(plan) {
        return keep_file_order(Arc::clone(plan));
    }
    if let Some(map) = plan.downcast_ref::<MapBatchesExec>() {
        return Ok(Arc::new(map.over(without_round_robin(map.input())?)));
    }
    let children = plan.children();
    if is_round_robin(plan)
        && let [child] = children.as_slice()
    {
        return without_round_robin(child);
    }
    if children.is_empty() {
        return Ok(Arc::clone(plan));
    }
    let children = children.into_iter().map(without_round_robin).collect::<DfResult<_>>()?;
    replace_children(plan, children)
}

impl InOrderExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, fetch: Option<usize>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        let properties = Arc::new(properties);
        Self { input, fetch, properties, metrics: ExecutionPlanMetricsSet::new() }
    }

    /// What has the partitions.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// How many rows are wanted.
    pub(crate) fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    /// All rows, partition after partition.
    fn stream(&self, context: &Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema: SchemaRef = self.input.schema();
        let partitions = self.input.output_partitioning().partition_count();
        let streams: Vec<SendableRecordBatchStream> = (0..partitions)
            .map(|partition| {
                let (input, context) = (Arc::clone(&self.input), Arc::clone(context));
                run_ahead(Arc::clone(&schema), BATCHES_AHEAD, move || {
                    input.execute(partition, context)
                })
            })
            .collect();
        let rows = futures::stream::iter(streams).flatten();
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

impl DisplayAs for InOrderExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fetch {
            Some(fetch) => write!(f, "InOrderExec: fetch={fetch}"),
            None => f.write_str("InOrderExec"),
        }
    }
}

impl ExecutionPlan for InOrderExec {
    fn name(&self) -> &'static str {
        "InOrderExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(only_input(self.name(), children)?, self.fetch)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("InOrderExec has one partition, not {partition}");
        }
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let rows = self.stream(&context);
        Ok(Box::pin(LimitStream::new(rows, 0, self.fetch, metrics)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
