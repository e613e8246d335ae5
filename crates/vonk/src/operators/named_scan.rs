//! Scans under names that tell people and rules what they scan.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::streaming::StreamingTableExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

/// What is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// Rows that a cache keeps, by Spark's name for them.
    Kept,
    /// Rows that a program has put into partitions, which have numbers therefore.
    Partitions,
}

impl Scanned {
    fn name(self) -> &'static str {
        match self {
            Self::Kept => "InMemoryTableScan",
            Self::Partitions => "PartitionsScan",
        }
    }
}

/// A scan that tells what it scans.
#[derive(Debug)]
pub(crate) struct NamedScan {
    scanned: Scanned,
    scan: Arc<dyn ExecutionPlan>,
}

impl NamedScan {
    pub(crate) fn new(scanned: Scanned, scan: StreamingTableExec) -> Self {
        Self { scanned, scan: Arc::new(scan) }
    }

    pub(crate) fn scanned(&self) -> Scanned {
        self.scanned
    }
}

impl DisplayAs for NamedScan {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "{} [{}]", self.scanned.name(), names.join(", "))
    }
}

impl ExecutionPlan for NamedScan {
    fn name(&self) -> &'static str {
        self.scanned.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.scan.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
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
        self.scan.execute(partition, context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.scan.metrics()
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExec,
    ) -> DfResult<Option<Arc<dyn ExecutionPlan>>> {
        let swapped = self.scan.try_swapping_with_projection(projection)?;
        Ok(swapped
            .map(|scan| Arc::new(Self { scanned: self.scanned, scan }) as Arc<dyn ExecutionPlan>))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let scan = self.scan.with_fetch(limit)?;
        Some(Arc::new(Self { scanned: self.scanned, scan }))
    }

    fn fetch(&self) -> Option<usize> {
        self.scan.fetch()
    }
}
