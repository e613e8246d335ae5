//! Projections and filters whose functions know which partition they compute.
//!
//! Where a program has put rows into partitions, `spark_partition_id` is their number, and ids and
//! random numbers go on within each, as in Spark. Everywhere else all rows are one partition, so
//! that results do not depend on threads.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use vonk_functions::Partition;

use super::named_scan::{NamedScan, Scanned};
use super::{only_input, replace_children};

/// Functions whose values depend on the partition.
const FUNCTIONS: &[&str] =
    &["monotonically_increasing_id", "rand", "randn", "randstr", "spark_partition_id", "uniform"];

/// Whether a function of this name gives something else in each partition.
pub(crate) fn depends_on_partition(function: &str) -> bool {
    FUNCTIONS.contains(&function)
}

/// A projection or filter that is made anew for each partition.
#[derive(Debug)]
pub(crate) struct NumberedExec {
    operator: Arc<dyn ExecutionPlan>,
}

impl NumberedExec {
    /// The operator, if its functions ask for the partition and its input has partitions.
    pub(crate) fn over(operator: &Arc<dyn ExecutionPlan>) -> DfResult<Option<Self>> {
        let is_known = operator.is::<ProjectionExec>() || operator.is::<FilterExec>();
        if !is_known || !has_partitions(operator) {
            return Ok(None);
        }
        let mut asks = false;
        operator.apply_expressions(&mut |expression| {
            asks |= expression.exists(|part| Ok(call_of(part).is_some()))?;
            Ok(if asks { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(asks.then(|| Self { operator: Arc::clone(operator) }))
    }

    /// The operator as it is for one partition.
    fn of(&self, partition: usize) -> DfResult<Arc<dyn ExecutionPlan>> {
        let numbered = |expr: &Arc<dyn PhysicalExpr>| numbered(expr, partition);
        if let Some(projection) = self.operator.downcast_ref::<ProjectionExec>() {
            let exprs = projection.expr().iter().map(|item| {
                Ok(ProjectionExpr { expr: numbered(&item.expr)?, alias: item.alias.clone() })
            });
            let exprs = exprs.collect::<DfResult<Vec<_>>>()?;
            return Ok(Arc::new(ProjectionExec::try_new(exprs, Arc::clone(projection.input()))?));
        }
        let Some(filter) = self.operator.downcast_ref::<FilterExec>() else {
            return Ok(Arc::clone(&self.operator));
        };
        let predicate = numbered(filter.predicate())?;
        Ok(Arc::new(FilterExec::try_new(predicate, Arc::clone(filter.input()))?))
    }
}

/// Whether the partitions of an operator are those that a program has made.
fn has_partitions(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(scan) = plan.downcast_ref::<NamedScan>() {
        return scan.scanned() == Scanned::Partitions;
    }
    let keeps = plan.is::<ProjectionExec>() || plan.is::<FilterExec>() || plan.is::<NumberedExec>();
    keeps && plan.children().into_iter().all(has_partitions)
}

fn call_of(expr: &Arc<dyn PhysicalExpr>) -> Option<&ScalarFunctionExpr> {
    let call = expr.downcast_ref::<ScalarFunctionExpr>()?;
    depends_on_partition(call.fun().name()).then_some(call)
}

/// The expression with the number of the partition among the options of its functions.
fn numbered(expr: &Arc<dyn PhysicalExpr>, partition: usize) -> DfResult<Arc<dyn PhysicalExpr>> {
    let changed = Arc::clone(expr).transform_up(|expr| {
        let Some(call) = call_of(&expr) else { return Ok(Transformed::no(expr)) };
        let mut options = call.config_options().clone();
        options.extensions.insert(Partition::new(partition));
        let field = call.return_field(&datafusion::arrow::datatypes::Schema::empty())?;
        let function = Arc::new(call.fun().clone());
        let args = call.args().to_vec();
        let call = ScalarFunctionExpr::new(call.name(), function, args, field, Arc::new(options));
        Ok(Transformed::yes(Arc::new(call)))
    })?;
    Ok(changed.data)
}

impl DisplayAs for NumberedExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberedExec: ")?;
        self.operator.fmt_as(format, f)
    }
}

impl ExecutionPlan for NumberedExec {
    fn name(&self) -> &'static str {
        "NumberedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.operator.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.operator.children()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        self.operator.maintains_input_order()
    }

    /// Rows must stay in the partitions that they are in.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        self.operator.apply_expressions(visit)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let input = only_input(self.name(), children)?;
        Ok(Arc::new(Self { operator: replace_children(&self.operator, vec![input])? }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        self.of(partition)?.execute(partition, context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        None
    }
}
