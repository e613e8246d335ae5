//! Gives the filters of several conditions the expression of `operators/conjunction.rs`.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};

use super::guarded_conditions::{can_fail, is_equality};
use super::upwards::{Rewrite, Rewritten};
use crate::operators::conjunction::Conjunction;

/// Replaces `a AND b` where it is all that a filter asks.
///
/// What an equality tells of the rows is known by its form; operators above were planned with it.
#[derive(Debug)]
pub(super) struct WhereFiltersAskMore;

impl Rewrite for WhereFiltersAskMore {
    fn name(&self) -> &'static str {
        "conjunctions"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        let Some(filter) = plan.downcast_ref::<FilterExec>() else {
            return Ok(Transformed::no(plan));
        };
        let conditions = split_conjunction(filter.predicate());
        let stays = |condition: &&Arc<dyn PhysicalExpr>| {
            is_equality(condition) || can_fail(condition) || condition.is::<Conjunction>()
        };
        if conditions.len() < 2 || conditions.iter().any(stays) {
            return Ok(Transformed::no(plan));
        }
        let conditions = conditions.into_iter().cloned().collect();
        let all = Arc::new(Conjunction::new(conditions, can_fail)?);
        let filter = FilterExecBuilder::from(filter).with_predicate(all).build()?;
        Ok(Transformed::yes(Arc::new(filter)))
    }
}
