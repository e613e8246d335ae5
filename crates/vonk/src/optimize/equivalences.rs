//! Forgets what DataFusion takes for known of columns where it goes wrong by it.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::physical_plan::ExecutionPlan;

use super::upwards::{Rewrite, Rewritten};
use crate::operators::forgetful::forgotten;
use crate::operators::replace_children;

/// Stands before the rules that decide what is sorted; operators above decide again how they group.
#[derive(Debug)]
pub(super) struct WhereTheyMislead;

impl Rewrite for WhereTheyMislead {
    fn name(&self) -> &'static str {
        "equivalences"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        Ok(match forgotten(&plan) {
            Some(inputs) => Transformed::yes(replace_children(&plan, inputs)?),
            None => Transformed::no(plan),
        })
    }
}
