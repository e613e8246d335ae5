//! The frame of the physical rules that look at one operator at a time.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

/// What stands in the place of an operator, if it changes.
pub(super) type Rewritten = DfResult<Transformed<Arc<dyn ExecutionPlan>>>;

/// A rule as what it makes of one operator, whose inputs have been rewritten already.
pub(super) trait Rewrite: fmt::Debug + Send + Sync + 'static {
    fn name(&self) -> &'static str;

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten;

    /// Whether plans keep their columns to the letter.
    fn keeps_schema(&self) -> bool {
        true
    }
}

/// Applies a rule to all operators of a plan, from the scans upwards.
#[derive(Debug)]
pub(super) struct Upwards<R>(pub(super) R);

impl<R: Rewrite> PhysicalOptimizerRule for Upwards<R> {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| self.0.rewrite(plan)).data()
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.keeps_schema()
    }
}
