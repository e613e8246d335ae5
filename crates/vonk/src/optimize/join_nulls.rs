//! Keeps joins that take NULL for equal apart from those that do not.
//!
//! DataFusion 55 puts the inner joins of a FROM into a new order and gives every one of them the
//! meaning of the last: `a JOIN b ON a.k <=> b.k CROSS JOIN c` loses the rows with NULL, and
//! `a JOIN b ON a.k = b.k JOIN c ON b.k <=> c.k` gains some. tests/it/repairs.rs has a query that
//! tells when this can go.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{NullEquality, Result as DfResult};
use datafusion::logical_expr::{JoinType, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// DataFusion's order of joins, for plans whose inner joins treat NULL alike.
#[derive(Debug)]
pub(super) struct WhereNullsAreAlike {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl WhereNullsAreAlike {
    pub(super) fn new(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Self {
        Self { rule }
    }
}

/// Whether some inner joins take NULL for equal and others do not.
fn mixes_joins(plan: &LogicalPlan) -> DfResult<bool> {
    let (mut nulls_differ, mut nulls_equal) = (false, false);
    plan.apply_with_subqueries(|plan| {
        if let LogicalPlan::Join(join) = plan
            && join.join_type == JoinType::Inner
        {
            let equal = join.null_equality == NullEquality::NullEqualsNull;
            nulls_equal |= equal;
            nulls_differ |= !equal;
        }
        let knows = nulls_equal && nulls_differ;
        Ok(if knows { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(nulls_equal && nulls_differ)
}

impl OptimizerRule for WhereNullsAreAlike {
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
        if mixes_joins(&plan)? {
            return Ok(Transformed::no(plan));
        }
        self.rule.rewrite(plan, config)
    }
}
