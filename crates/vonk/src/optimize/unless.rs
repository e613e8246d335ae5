//! The frame of DataFusion's logical rules that are left out where they would be wrong.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// A rule, for the plans that it does not get wrong.
#[derive(Debug)]
pub(super) struct Unless {
    pub(super) rule: Arc<dyn OptimizerRule + Send + Sync>,
    pub(super) is_wrong: fn(&LogicalPlan) -> DfResult<bool>,
}

impl OptimizerRule for Unless {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        if (self.is_wrong)(&plan)? {
            return Ok(Transformed::no(plan));
        }
        self.rule.rewrite(plan, config)
    }
}
