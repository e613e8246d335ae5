//! Tells functions which partition they compute, where a program has put rows into partitions.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;

use super::upwards::{Rewrite, Rewritten};
use crate::operators::numbered::{NumberedExec, depends_on_partition};

/// Whether a limit stands over a projection whose functions ask for the partition: below it, the limit would
/// gather the partitions first.
pub(super) fn are_limited(plan: &LogicalPlan) -> DfResult<bool> {
    let LogicalPlan::Limit(limit) = plan else { return Ok(false) };
    let LogicalPlan::Projection(projection) = limit.input.as_ref() else { return Ok(false) };
    let asks = |expr: &Expr| {
        Ok(matches!(expr, Expr::ScalarFunction(call) if depends_on_partition(call.name())))
    };
    projection.expr.iter().try_fold(false, |found, expr| Ok(found || expr.exists(asks)?))
}

/// Stands before the rules that spread rows over threads, as these would mix the partitions.
#[derive(Debug)]
pub(super) struct WherePartitionsAreNumbered;

impl Rewrite for WherePartitionsAreNumbered {
    fn name(&self) -> &'static str {
        "partition_numbers"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        Ok(match NumberedExec::over(&plan)? {
            Some(numbered) => Transformed::yes(Arc::new(numbered)),
            None => Transformed::no(plan),
        })
    }
}
