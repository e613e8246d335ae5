//! Counts the levels and rows of recursive queries, which would else run for ever.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;

use super::upwards::{Rewrite, Rewritten};
use crate::display::LEVEL_MARK;
use crate::operators::recursion::{LevelExec, Levels};
use crate::operators::replace_children;

/// Puts a counter over both parts of every recursive query.
#[derive(Debug)]
pub(super) struct WhereQueriesRecur {
    /// How often a query may recur whose name tells no level.
    pub(super) levels_max: usize,
    /// How many rows it may make.
    pub(super) rows_max: usize,
}

impl Rewrite for WhereQueriesRecur {
    fn name(&self) -> &'static str {
        "recursion"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        let Some(query) = plan.downcast_ref::<RecursiveQueryExec>() else {
            return Ok(Transformed::no(plan));
        };
        let told = query.name().split_once(LEVEL_MARK).and_then(|(_, level)| level.parse().ok());
        let levels = Levels::new(told.unwrap_or(self.levels_max), self.rows_max);
        let parts: Vec<Arc<dyn ExecutionPlan>> = vec![
            Arc::new(LevelExec::first(Arc::clone(query.static_term()), &levels)),
            Arc::new(LevelExec::next(Arc::clone(query.recursive_term()), &levels)),
        ];
        Ok(Transformed::yes(replace_children(&plan, parts)?))
    }
}
