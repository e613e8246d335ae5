//! Puts [`PacedExec`] below the operators that call functions, which may take long for a row.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateInputMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;

use super::upwards::{Rewrite, Rewritten};
use crate::operators::paced::PacedExec;
use crate::operators::replace_children;

/// Cuts batches for every operator that calls a function other than arithmetic and the like.
#[derive(Debug)]
pub(super) struct WhereFunctionsAreCalled;

impl Rewrite for WhereFunctionsAreCalled {
    fn name(&self) -> &'static str {
        "pacing"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        let children = plan.children();
        let [input] = children.as_slice() else { return Ok(Transformed::no(plan)) };
        if !evaluates(&plan) || !calls_functions(&plan)? {
            return Ok(Transformed::no(plan));
        }
        let paced = Arc::new(PacedExec::new(Arc::clone(input)));
        Ok(Transformed::yes(replace_children(&plan, vec![paced])?))
    }
}

/// Whether an operator evaluates its expressions batch by batch.
fn evaluates(plan: &Arc<dyn ExecutionPlan>) -> bool {
    // Groups over states of other groups evaluate nothing.
    let takes_rows = |groups: &AggregateExec| groups.mode().input_mode() == AggregateInputMode::Raw;
    plan.is::<ProjectionExec>()
        || plan.is::<FilterExec>()
        || plan.downcast_ref::<AggregateExec>().is_some_and(takes_rows)
}

fn calls_functions(plan: &Arc<dyn ExecutionPlan>) -> DfResult<bool> {
    let mut found = false;
    plan.apply_expressions(&mut |expression| {
        found |= expression.exists(|part| Ok(may_take_long(part)))?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Named functions may; those that stand for operators, such as `+`, take a few cycles a row.
fn may_take_long(expression: &Arc<dyn PhysicalExpr>) -> bool {
    expression
        .downcast_ref::<ScalarFunctionExpr>()
        .is_some_and(|call| call.fun().name().starts_with(|letter: char| letter.is_alphabetic()))
}
