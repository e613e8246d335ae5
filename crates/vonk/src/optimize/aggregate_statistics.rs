//! Aggregates over all rows of an input whose statistics tell them are values that are known.
//!
//! DataFusion's rule of this name takes any aggregate below for the first stage of one above, if its own
//! first stage has a FILTER, and puts the value of the one in the place of the other.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::physical_expr::expressions::lit;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{
    AggregateExec, AggregateInputMode, AggregateOutputMode,
};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::udaf::StatisticsArgs as ValueArgs;

use super::upwards::{Rewrite, Rewritten};

/// Puts values where they are known without reading rows.
#[derive(Debug)]
pub(super) struct WhereValuesAreKnown;

impl Rewrite for WhereValuesAreKnown {
    fn name(&self) -> &'static str {
        "aggregate_statistics"
    }

    /// A value that is known may be known not to be NULL.
    fn keeps_schema(&self) -> bool {
        false
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        let Some(first) = plan.downcast_ref::<AggregateExec>().and_then(first_stage) else {
            return Ok(Transformed::no(plan));
        };
        let Some(values) = values(first)? else { return Ok(Transformed::no(plan)) };
        let row = Arc::new(PlaceholderRowExec::new(plan.schema()));
        Ok(Transformed::yes(Arc::new(ProjectionExec::try_new(values, row)?)))
    }
}

/// What reads the rows for a whole aggregate, if that is all rows as one group.
fn first_stage(aggregate: &AggregateExec) -> Option<&AggregateExec> {
    if aggregate.mode().output_mode() != AggregateOutputMode::Final {
        return None;
    }
    let first = match aggregate.mode().input_mode() {
        AggregateInputMode::Raw => aggregate,
        AggregateInputMode::Partial => {
            let input = aggregate.input();
            let below = match input.downcast_ref::<CoalescePartitionsExec>() {
                Some(merge) => merge.input(),
                None => input,
            };
            below.downcast_ref::<AggregateExec>()?
        }
    };
    let reads_rows = first.mode().input_mode() == AggregateInputMode::Raw;
    let is_whole = aggregate.group_expr().is_empty() && first.group_expr().is_empty();
    let takes_all = first.filter_expr().iter().all(Option::is_none);
    (reads_rows && is_whole && takes_all).then_some(first)
}

/// The values of all calls, if the statistics of the input tell each of them.
fn values(aggregate: &AggregateExec) -> DfResult<Option<Vec<ProjectionExpr>>> {
    let args = StatisticsArgs::new();
    let statistics = StatisticsContext::new().compute(aggregate.input().as_ref(), &args)?;
    let values = aggregate.aggr_expr().iter().map(|call| {
        // A literal is told to have one value, also where it is NULL and where there are no rows.
        if call.is_distinct() {
            return None;
        }
        let (field, arguments) = (call.field(), call.expressions());
        let value = call.fun().value_from_stats(&ValueArgs {
            statistics: &statistics,
            return_type: field.data_type(),
            is_distinct: call.is_distinct(),
            exprs: &arguments,
        })?;
        Some(ProjectionExpr::new(lit(value), call.name()))
    });
    Ok(values.collect())
}
