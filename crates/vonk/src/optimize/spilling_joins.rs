//! Gives joins room on disk where their build side may not fit into memory.
//!
//! All other joins stay DataFusion's, whose filters reach the scans of the probe side while they run.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::tree_node::Transformed;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::{ExecutionPlan, StatisticsArgs, StatisticsContext};

use super::upwards::{Rewrite, Rewritten};
use crate::operators::spilling_join::SpillingJoinExec;

/// The part of the memory that the estimated build side of one join may take.
const SHARE: usize = 16;

/// Bytes of a value whose type has no fixed width.
const WIDTH_OF_TEXT: usize = 32;

/// Replaces joins whose build side is estimated at more than its share, or not at all.
#[derive(Debug)]
pub(super) struct WhereMemoryIsShort {
    /// Bytes that a build side may take without room on disk.
    pub(super) bytes: usize,
}

impl WhereMemoryIsShort {
    pub(super) fn of(memory: usize) -> Self {
        Self { bytes: memory / SHARE }
    }
}

impl Rewrite for WhereMemoryIsShort {
    fn name(&self) -> &'static str {
        "spilling_joins"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        let Some(join) = plan.downcast_ref::<HashJoinExec>() else {
            return Ok(Transformed::no(plan));
        };
        if estimate(join.left()).is_some_and(|bytes| bytes < self.bytes) {
            return Ok(Transformed::no(plan));
        }
        Ok(match SpillingJoinExec::new(join)? {
            Some(spilling) => Transformed::yes(Arc::new(spilling)),
            None => Transformed::no(plan),
        })
    }
}

/// The bytes of a plan's rows, where its sources know how many rows they have.
fn estimate(plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    let statistics =
        StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()).ok()?;
    let rows = match statistics.num_rows {
        Precision::Exact(rows) | Precision::Inexact(rows) => rows,
        Precision::Absent => return None,
    };
    let widths = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.data_type().primitive_width().unwrap_or(WIDTH_OF_TEXT))
        .sum::<usize>();
    Some(rows.saturating_mul(widths))
}
