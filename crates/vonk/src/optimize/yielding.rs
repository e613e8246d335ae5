//! Makes joins give way now and then, so that a query that was cancelled ends.
//!
//! Tasks of tokio end where they give way. DataFusion counts the batches that scans give; one batch of a
//! scan can become millions in a cross join, which then holds its thread for as long.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::unnest::UnnestExec;

use super::upwards::{Rewrite, Rewritten};
use crate::operators::spilling_join::SpillingJoinExec;

/// Counts the batches of every operator that makes many out of one.
#[derive(Debug)]
pub(super) struct WhereBatchesMultiply;

impl Rewrite for WhereBatchesMultiply {
    fn name(&self) -> &'static str {
        "yielding"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        Ok(match multiplies(&plan) {
            true => Transformed::yes(Arc::new(CooperativeExec::new(plan))),
            false => Transformed::no(plan),
        })
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
