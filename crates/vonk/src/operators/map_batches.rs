//! Code from outside of the engine over the batches of each partition.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{EmissionType, reset_plan_states};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};

use super::only_input;
use crate::error::{Error, Result};

/// The batches of one partition.
pub type Batches = BoxStream<'static, Result<RecordBatch>>;

/// Code that makes batches of the batches of a partition.
///
/// Dropping the stream that it gives has to end its work.
pub trait TableCode: fmt::Debug + Send + Sync {
    /// The batches that come of those of a partition.
    fn run(&self, input: Batches) -> Batches;

    /// The code for the workers of a cluster, which [`offer_table_code`] has told how to read its kind;
    /// `None` for code of this process only, whose queries stay here.
    ///
    /// [`offer_table_code`]: crate::udf::offer_table_code
    fn travelling(&self) -> Option<TravellingCode> {
        None
    }
}

/// Code on its way to another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TravellingCode {
    /// Who can read it: a name for [`offer_code`](crate::udf::offer_code) and its kin.
    pub kind: String,
    /// What the code is, and what it has captured.
    pub bytes: Vec<u8>,
}

/// A closure of this process as code.
pub(crate) struct Closure<F>(pub(crate) F);

impl<F> fmt::Debug for Closure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a closure of this process")
    }
}

impl<F: Fn(Batches) -> Batches + Send + Sync> TableCode for Closure<F> {
    fn run(&self, input: Batches) -> Batches {
        (self.0)(input)
    }
}

/// What code makes of the partitions of its input.
#[derive(Debug)]
pub(crate) struct MapBatchesExec {
    input: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    code: Arc<dyn TableCode>,
    /// Whether the input has an order, which the code may go by: in parts of the rows it would be another.
    is_ordered: bool,
    /// Whether the rules of plans see the input. In this process it is planned by then, and stays as it is.
    is_open: bool,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl MapBatchesExec {
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        code: Arc<dyn TableCode>,
        is_open: bool,
    ) -> Self {
        let partitions = input.output_partitioning().partition_count();
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            input.boundedness(),
        ));
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, schema, code, is_ordered: false, is_open, properties, metrics }
    }

    /// The same over an input that was given an order, if it was.
    pub(crate) fn with_order(self, is_ordered: bool) -> Self {
        Self { is_ordered, ..self }
    }

    /// The same over another input.
    pub(crate) fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        let (schema, code) = (Arc::clone(&self.schema), Arc::clone(&self.code));
        Self::new(input, schema, code, self.is_open).with_order(self.is_ordered)
    }

    /// Whether the code may go by the order of its rows.
    pub(crate) fn is_ordered(&self) -> bool {
        self.is_ordered
    }

    /// What the code runs over.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// What runs.
    pub(crate) fn code(&self) -> &Arc<dyn TableCode> {
        &self.code
    }
}

/// What an operator runs over and shows to no rule, if it hides it.
pub(crate) fn hidden_input(plan: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    plan.downcast_ref::<MapBatchesExec>().filter(|map| !map.is_open).map(|map| &map.input)
}

impl DisplayAs for MapBatchesExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "MapBatchesExec: [{}]", names.join(", "))
    }
}

impl ExecutionPlan for MapBatchesExec {
    fn name(&self) -> &'static str {
        "MapBatchesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        if self.is_open { vec![&self.input] } else { Vec::new() }
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false; self.children().len()]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.children().len()]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        if !self.is_open {
            return Ok(self);
        }
        Ok(Arc::new(self.over(only_input(self.name(), children)?)))
    }

    fn reset_state(self: Arc<Self>) -> DfResult<Arc<dyn ExecutionPlan>> {
        let input = match self.is_open {
            true => Arc::clone(&self.input),
            false => reset_plan_states(Arc::clone(&self.input))?,
        };
        Ok(Arc::new(self.over(input)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let rows = self.code.run(input.map(|batch| batch.map_err(Error::from)).boxed());
        let mut rows = rows.map(|batch| batch.map_err(DataFusionError::from));
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let rows = stream::poll_fn(move |cx| metrics.record_poll(rows.poll_next_unpin(cx)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
