//! A plan that stands at several places of a query and is run once for all of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result as DfResult, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, SpillMetrics,
};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use parking_lot::Mutex;

mod replay;

use replay::{Reader, Replay};

/// A plan, and what its readers have before them.
pub(crate) struct Shared {
    /// Tells it from others of the same query.
    number: usize,
    plan: Arc<dyn ExecutionPlan>,
    /// Those of the plan, but that kept batches come without giving way.
    properties: Arc<PlanProperties>,
    readers: AtomicUsize,
    replays: Mutex<HashMap<Turn, Arc<Replay>>>,
    metrics: ExecutionPlanMetricsSet,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, plan, .. } = self;
        f.debug_struct("Shared").field("number", number).field("plan", plan).finish_non_exhaustive()
    }
}

/// How often a partition was run before, and which it is.
///
/// A plan that is run anew, as those within a recursive query are, begins a turn of its own.
type Turn = (usize, usize);

impl Shared {
    pub(crate) fn new(number: usize, plan: Arc<dyn ExecutionPlan>) -> Arc<Self> {
        let properties = plan.properties().as_ref().clone();
        let properties = properties.with_scheduling_type(SchedulingType::NonCooperative);
        Arc::new(Self {
            number,
            plan,
            properties: Arc::new(properties),
            readers: AtomicUsize::new(0),
            replays: Mutex::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    fn read(&self, turn: Turn, context: &Arc<TaskContext>) -> DfResult<Reader> {
        let mut replays = self.replays.lock();
        if let Some(replay) = replays.get(&turn) {
            return Ok(Reader::new(Arc::clone(replay)));
        }
        let (_, partition) = turn;
        let readers = self.readers.load(Ordering::Relaxed);
        let spill = SpillMetrics::new(&self.metrics, partition);
        let replay = Replay::new(&self.plan, partition, readers, spill, context)?;
        replays.insert(turn, Arc::clone(&replay));
        Ok(Reader::new(replay))
    }
}

/// Shows each shared plan at the first of its places, from where on it is not to be rewritten.
pub(crate) fn show(plan: &Arc<dyn ExecutionPlan>) -> DfResult<()> {
    let mut shown: Vec<Arc<Shared>> = Vec::new();
    plan.apply(|plan| {
        if let Some(place) = plan.downcast_ref::<SharedExec>()
            && !shown.iter().any(|known| Arc::ptr_eq(known, &place.shared))
        {
            place.shows_plan.store(true, Ordering::Relaxed);
            shown.push(Arc::clone(&place.shared));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// One of the places that a shared plan stands at.
#[derive(Debug)]
pub(crate) struct SharedExec {
    shared: Arc<Shared>,
    /// How often each partition was run here.
    turns: Vec<AtomicUsize>,
    /// Whether the plan is seen below this place.
    shows_plan: AtomicBool,
    metrics: ExecutionPlanMetricsSet,
}

impl SharedExec {
    /// One more place; all are made before the first is run.
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let _before = shared.readers.fetch_add(1, Ordering::Relaxed);
        let partitions = shared.plan.output_partitioning().partition_count();
        Self {
            shared: Arc::clone(shared),
            turns: (0..partitions).map(|_| AtomicUsize::new(0)).collect(),
            shows_plan: AtomicBool::new(false),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl Drop for SharedExec {
    /// Rules may leave a place out before the plan runs.
    fn drop(&mut self) {
        let _before = self.shared.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl DisplayAs for SharedExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedExec: plan={}", self.shared.number)
    }
}

impl ExecutionPlan for SharedExec {
    fn name(&self) -> &'static str {
        "SharedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.shared.properties
    }

    /// The plan is no child while there are rules to come: it has passed them all.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        match self.shows_plan.load(Ordering::Relaxed) {
            true => vec![&self.shared.plan],
            false => Vec::new(),
        }
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true; self.children().len()]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        let before = self.turns[partition].fetch_add(1, Ordering::Relaxed);
        let mut reader = self.shared.read((before, partition), &context)?;
        let schema = reader.schema();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let rows =
            futures::stream::poll_fn(move |context| metrics.record_poll(reader.poll(context)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> DfResult<Arc<Statistics>> {
        let args = StatisticsArgs::new().with_partition(partition);
        StatisticsContext::new().compute(self.shared.plan.as_ref(), &args)
    }
}
