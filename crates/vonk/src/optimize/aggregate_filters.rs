//! Keeps filters above aggregates that give a row even for no rows.
//!
//! DataFusion 55 pushes a condition below an aggregate if all columns of the condition are keys of
//! the groups, which holds for one without columns: `SELECT 3 AS k FROM (SELECT count(*) FROM t)
//! WHERE k = 4` becomes a count of no rows and gives its row. Without GROUP BY, and for grouping
//! sets, of which one may be empty, no condition may pass. sql/queries/aggregates.slt has a query
//! that tells when this can go.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// DataFusion's filter pushdown, except into aggregates of no rows.
#[derive(Debug)]
pub(super) struct AboveAggregates {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl AboveAggregates {
    pub(super) fn new(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Self {
        Self { rule }
    }
}

/// Whether the plan, or what it filters, gives a row where its input has none. DataFusion's rule
/// makes one filter of two before it looks at what is below.
fn gives_row_for_none(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Filter(filter) => gives_row_for_none(&filter.input),
        LogicalPlan::Aggregate(aggregate) => {
            aggregate.group_expr.iter().all(|key| matches!(key, Expr::GroupingSet(_)))
        }
        _ => false,
    }
}

impl OptimizerRule for AboveAggregates {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Filter(filter) if gives_row_for_none(&filter.input) => {
                Ok(Transformed::no(plan))
            }
            _ => self.rule.rewrite(plan, config),
        }
    }
}
