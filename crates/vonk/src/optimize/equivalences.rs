//! Keeps from DataFusion what it knows of columns where it goes wrong by it.
//!
//! Beyond outer joins, ROLLUP and UNION ALL stands `operators/forgetful.rs`. And where a filter takes an expression for equal
//! to a column of its own, as in `abs(a) = a`, DataFusion puts each in the place of the other again and
//! again, until no order is the one that was asked for; such conditions are hidden from it.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal, lit};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};

use super::guarded_conditions::{and, is_equality};
use super::upwards::{Rewrite, Rewritten};
use crate::operators::forgetful::{all_forgotten, forgotten};
use crate::operators::guarded::Guarded;
use crate::operators::replace_children;

/// Stands before the rules that decide what is sorted; operators above decide again how they group.
#[derive(Debug)]
pub(super) struct WhereTheyMislead {
    /// Nothing is told at all.
    pub(super) everywhere: bool,
}

impl Rewrite for WhereTheyMislead {
    fn name(&self) -> &'static str {
        "equivalences"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        let inputs = match self.everywhere {
            true => all_forgotten(&plan),
            false => forgotten(&plan),
        };
        if let Some(inputs) = inputs {
            return Ok(Transformed::yes(replace_children(&plan, inputs)?));
        }
        let hidden = plan.downcast_ref::<FilterExec>().and_then(|filter| {
            let predicate = hidden(filter.predicate())?;
            Some(FilterExecBuilder::from(filter).with_predicate(predicate))
        });
        Ok(match hidden {
            Some(filter) => Transformed::yes(Arc::new(filter.build()?)),
            None => Transformed::no(plan),
        })
    }
}

/// The condition with its equalities of computed values in a form that tells nothing; `None` if it has none.
fn hidden(predicate: &Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>> {
    let mut changed = false;
    let conditions = split_conjunction(predicate).into_iter().map(|condition| {
        if !is_tangled(condition) {
            return Arc::clone(condition);
        }
        match Guarded::of(Arc::clone(condition), Operator::And, lit(true)) {
            Some(opaque) => {
                changed = true;
                Arc::new(opaque) as Arc<dyn PhysicalExpr>
            }
            None => Arc::clone(condition),
        }
    });
    let all = conditions.reduce(and);
    all.filter(|_| changed)
}

/// Whether a condition takes something that is computed for equal to something that is not constant.
fn is_tangled(condition: &Arc<dyn PhysicalExpr>) -> bool {
    let Some(equality) = condition.downcast_ref::<BinaryExpr>() else { return false };
    let sides = [equality.left(), equality.right()];
    is_equality(condition)
        && sides.iter().all(|side| !side.is::<Literal>())
        && sides.iter().any(|side| !side.is::<Column>())
}
