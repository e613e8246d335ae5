//! Gives filters the expression of `operators/text_is.rs` where they compare texts with a constant.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};

use super::guarded_conditions::{and, is_equality};
use super::upwards::{Rewrite, Rewritten};
use crate::operators::text_is::TextIs;

/// Replaces such comparisons, but for equalities that all rows have to meet: what those tell of the rows
/// is known by their form, and operators above were planned with it.
#[derive(Debug)]
pub(super) struct WhereTextsAreCompared;

impl Rewrite for WhereTextsAreCompared {
    fn name(&self) -> &'static str {
        "text_comparisons"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        let Some(filter) = plan.downcast_ref::<FilterExec>() else {
            return Ok(Transformed::no(plan));
        };
        let schema = filter.input().schema();
        let replaced = |expr: Arc<dyn PhysicalExpr>| {
            Ok(match TextIs::of(&expr, &schema)? {
                Some(comparison) => Transformed::yes(Arc::new(comparison) as _),
                None => Transformed::no(expr),
            })
        };
        let mut changed = false;
        let conditions = split_conjunction(filter.predicate()).into_iter().map(|condition| {
            let condition = Arc::clone(condition);
            if is_equality(&condition) {
                return Ok(condition);
            }
            let made = condition.transform_up(replaced)?;
            changed |= made.transformed;
            Ok(made.data)
        });
        let conditions = conditions.collect::<DfResult<Vec<_>>>()?;
        match conditions.into_iter().reduce(and) {
            Some(predicate) if changed => {
                let filter = FilterExecBuilder::from(filter).with_predicate(predicate).build()?;
                Ok(Transformed::yes(Arc::new(filter)))
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}
