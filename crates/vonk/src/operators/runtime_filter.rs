//! Drops rows that a join above will not take, as soon as they are read.
//!
//! A hash join knows its keys before it asks for the first row of its other side. DataFusion hands them
//! down to the scan, which skips row groups by them but gives every row of those that are left. Here
//! each row is looked at, unless that turns out to be useless.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{BatchCoalescer, and, prep_null_mask_filter};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_expr_common::physical_expr::snapshot_generation;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterDescription, ChildPushdownResult, FilterDescription, FilterPushdownPhase,
    FilterPushdownPropagation,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};

use super::only_input;

/// Rows that a filter is judged by.
const ROWS_JUDGED: usize = 32 << 10;

/// A filter that lets more than this pass, in percent, costs more than it saves.
const PASSING_MAX: usize = 50;

/// Batches that are not looked at after a filter was found useless; its keys may change.
const BATCHES_OFF: usize = 256;

/// Gives the rows of its input that pass filters which are known while the query runs.
#[derive(Debug)]
pub(crate) struct RuntimeFilterExec {
    input: Arc<dyn ExecutionPlan>,
    filters: Vec<Arc<dyn PhysicalExpr>>,
    metrics: ExecutionPlanMetricsSet,
}

impl RuntimeFilterExec {
    /// A place that takes the filters which are pushed down to it.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self::with_filters(input, Vec::new())
    }

    fn with_filters(input: Arc<dyn ExecutionPlan>, filters: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Self { input, filters, metrics: ExecutionPlanMetricsSet::new() }
    }

    /// What it stands over, if no filter came to it.
    pub(crate) fn unused(&self) -> Option<&Arc<dyn ExecutionPlan>> {
        self.filters.is_empty().then_some(&self.input)
    }

    /// The same without a filter, by the identifier that its changed forms share.
    pub(crate) fn without(&self, expression_id: u64) -> Self {
        let is_other =
            |filter: &&Arc<dyn PhysicalExpr>| filter.expression_id() != Some(expression_id);
        let filters = self.filters.iter().filter(is_other).cloned().collect();
        Self::with_filters(Arc::clone(&self.input), filters)
    }

    /// Whether a filter can be asked of each row.
    ///
    /// Bounds of floating numbers leave NaN out, and do not tell one zero from the other; those of structs
    /// leave out values with NULL in them.
    fn takes(&self, filter: &Arc<dyn PhysicalExpr>) -> bool {
        let schema = self.input.schema();
        let has_bounds = |key: &&Arc<dyn PhysicalExpr>| {
            let data_type = key.data_type(&schema);
            data_type.is_ok_and(|data_type| !data_type.is_floating() && !data_type.is_nested())
        };
        filter.downcast_ref::<DynamicFilterPhysicalExpr>().is_some()
            && filter.children().iter().all(has_bounds)
    }
}

impl DisplayAs for RuntimeFilterExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RuntimeFilterExec: ")?;
        for (at, filter) in self.filters.iter().enumerate() {
            let between = if at == 0 { "" } else { " AND " };
            write!(f, "{between}{filter}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for RuntimeFilterExec {
    fn name(&self) -> &'static str {
        "RuntimeFilterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for filter in &self.filters {
            recursion = recursion.visit_sibling(|| visit(filter))?;
        }
        Ok(recursion)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let input = only_input(self.name(), children)?;
        Ok(Arc::new(Self::with_filters(input, self.filters.clone())))
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> DfResult<FilterDescription> {
        let child = ChildFilterDescription::from_child(&parent_filters, &self.input)?;
        Ok(FilterDescription::new().with_child(child))
    }

    /// Takes what comes from above and leaves to the scan what it does with it.
    fn handle_child_pushdown_result(
        &self,
        _phase: FilterPushdownPhase,
        child_pushdown_result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> DfResult<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let above = child_pushdown_result.parent_filters.iter().map(|pushed| &pushed.filter);
        let taken = above.filter(|filter| self.takes(filter)).cloned();
        let filters: Vec<_> = self.filters.iter().cloned().chain(taken).collect();
        let changed = filters.len() > self.filters.len();
        let propagation = FilterPushdownPropagation::if_all(child_pushdown_result);
        Ok(match changed {
            true => {
                let node = Self::with_filters(Arc::clone(&self.input), filters);
                propagation.with_updated_node(Arc::new(node) as _)
            }
            false => propagation,
        })
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        let rows_max = context.session_config().batch_size();
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(Filtering {
            passed: BatchCoalescer::new(input.schema(), rows_max)
                .with_biggest_coalesce_batch_size(Some(rows_max / 2)),
            input,
            filters: self.filters.iter().cloned().map(Filter::new).collect(),
            ended: false,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// One partition on its way.
struct Filtering {
    input: SendableRecordBatchStream,
    filters: Vec<Filter>,
    passed: BatchCoalescer,
    ended: bool,
    metrics: BaselineMetrics,
}

/// A filter, as it is now.
struct Filter {
    filter: Arc<dyn PhysicalExpr>,
    /// What of the filter changes with each of its updates.
    generation: Option<u64>,
    parts: Vec<Part>,
}

/// A condition of a filter, such as a bound or the keys themselves, and what is known of its use.
struct Part {
    condition: Arc<dyn PhysicalExpr>,
    rows_seen: usize,
    rows_passed: usize,
    batches_off: usize,
}

impl Filter {
    fn new(filter: Arc<dyn PhysicalExpr>) -> Self {
        Self { filter, generation: None, parts: Vec::new() }
    }

    /// The rows of a batch that pass; `None` if all of them are to be kept.
    fn mask(&mut self, batch: &RecordBatch) -> DfResult<Option<BooleanArray>> {
        let generation = snapshot_generation(&self.filter);
        if self.generation != Some(generation) {
            let current = match self.filter.downcast_ref::<DynamicFilterPhysicalExpr>() {
                Some(dynamic) => dynamic.current()?,
                None => Arc::clone(&self.filter),
            };
            self.parts = split_conjunction(&current).into_iter().map(Part::new).collect();
            self.generation = Some(generation);
        }
        let mut passing: Option<BooleanArray> = None;
        for part in &mut self.parts {
            let Some(passes) = part.mask(batch)? else { continue };
            passing = Some(match passing {
                Some(others) => and(&others, &passes)?,
                None => passes,
            });
        }
        Ok(passing)
    }
}

impl Part {
    fn new(condition: &Arc<dyn PhysicalExpr>) -> Self {
        let condition = Arc::clone(condition);
        Self { condition, rows_seen: 0, rows_passed: 0, batches_off: 0 }
    }

    fn mask(&mut self, batch: &RecordBatch) -> DfResult<Option<BooleanArray>> {
        if self.batches_off > 0 {
            self.batches_off -= 1;
            return Ok(None);
        }
        let passes = self.condition.evaluate(batch)?.into_array(batch.num_rows())?;
        let passes = as_boolean_array(&passes)?;
        let passes = match passes.null_count() {
            0 => passes.clone(),
            _ => prep_null_mask_filter(passes),
        };
        let count = passes.true_count();
        self.judge(batch.num_rows(), count);
        Ok((count < batch.num_rows()).then_some(passes))
    }

    fn judge(&mut self, rows: usize, passed: usize) {
        self.rows_seen += rows;
        self.rows_passed += passed;
        if self.rows_seen >= ROWS_JUDGED {
            if self.rows_passed * 100 > self.rows_seen * PASSING_MAX {
                self.batches_off = BATCHES_OFF;
            }
            (self.rows_seen, self.rows_passed) = (0, 0);
        }
    }
}

impl Filtering {
    /// Keeps what passes; gives the batch back if that is all of it and nothing waits before it.
    fn filter(&mut self, batch: RecordBatch) -> DfResult<Option<RecordBatch>> {
        let elapsed = self.metrics.elapsed_compute().clone();
        let _timed = elapsed.timer();
        let mut batch = batch;
        let last = self.filters.len().saturating_sub(1);
        for (at, filter) in self.filters.iter_mut().enumerate() {
            let Some(mask) = filter.mask(&batch)? else { continue };
            if at == last {
                self.passed.push_batch_with_filter(batch, &mask)?;
                return Ok(None);
            }
            batch = datafusion::arrow::compute::filter_record_batch(&batch, &mask)?;
        }
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        if self.passed.is_empty() {
            return Ok(Some(batch));
        }
        self.passed.push_batch(batch)?;
        Ok(None)
    }

    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Option<DfResult<RecordBatch>>> {
        loop {
            if let Some(batch) = self.passed.next_completed_batch() {
                return Poll::Ready(Some(Ok(batch)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            match ready!(self.input.poll_next_unpin(context)) {
                Some(Ok(batch)) => match self.filter(batch) {
                    Ok(None) => {}
                    Ok(Some(batch)) => return Poll::Ready(Some(Ok(batch))),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.ended = true;
                    if let Err(error) = self.passed.finish_buffered_batch() {
                        return Poll::Ready(Some(Err(error.into())));
                    }
                }
            }
        }
    }
}

impl Stream for Filtering {
    type Item = DfResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.poll_batch(context);
        self.metrics.record_poll(polled)
    }
}

impl RecordBatchStream for Filtering {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
