//! Makes joins give way now and then, so that a query that was cancelled ends.
//!
//! Tasks of tokio end where they give way. DataFusion counts the batches that scans give; one batch of a
//! scan can become millions in a cross join, which then holds its thread for as long.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::unnest::UnnestExec;

use crate::operators::spilling_join::SpillingJoinExec;

/// Counts the batches of every operator that makes many out of one.
#[derive(Debug)]
pub(super) struct WhereBatchesMultiply;

impl PhysicalOptimizerRule for WhereBatchesMultiply {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            Ok(match multiplies(&plan) {
                true => Transformed::yes(Arc::new(CooperativeExec::new(plan))),
                false => Transformed::no(plan),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "yielding"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn multiplies(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<CrossJoinExec>()
        || plan.is::<NestedLoopJoinExec>()
        || plan.is::<HashJoinExec>()
        || plan.is::<SortMergeJoinExec>()
        || plan.is::<SpillingJoinExec>()
        || plan.is::<UnnestExec>()
}
