//! Code from outside of the engine over the batches of each partition.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, OrderingRequirements, Partitioning, PhysicalExpr,
};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties,
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
        Self { input, schema, code, is_open, properties, metrics }
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

    /// Code that is given all rows in an order may go by it; other code sees the rows of a partition only.
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let is_single = self.input.output_partitioning().partition_count() == 1;
        let one = match is_single && self.input.output_ordering().is_some() {
            true => Distribution::SinglePartition,
            false => Distribution::UnspecifiedDistribution,
        };
        InputDistributionRequirements::new(vec![one; self.children().len()])
    }

    /// The order of the input may be what the code goes by.
    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let order = || self.input.output_ordering().cloned().map(OrderingRequirements::from);
        self.children().iter().map(|_| order()).collect()
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
        let input = only_input(self.name(), children)?;
        Ok(Arc::new(Self::new(input, Arc::clone(&self.schema), Arc::clone(&self.code), true)))
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
