//! Tells functions which partition they compute, where a program has put rows into partitions.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::physical_plan::ExecutionPlan;

use super::upwards::{Rewrite, Rewritten};
use crate::operators::numbered::NumberedExec;

/// Stands before the rules that spread rows over threads, as these would mix the partitions.
#[derive(Debug)]
pub(super) struct WherePartitionsAreNumbered;

impl Rewrite for WherePartitionsAreNumbered {
    fn name(&self) -> &'static str {
        "partition_numbers"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        if let Some(numbered) = NumberedExec::over(&plan)? {
            return Ok(Transformed::yes(Arc::new(numbered)));
        }
        Ok(match NumberedExec::below_limits(&plan)? {
            Some(limited) => Transformed::yes(limited),
            None => Transformed::no(plan),
        })
    }
}
