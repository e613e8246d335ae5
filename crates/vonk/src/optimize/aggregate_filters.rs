//! Keeps filters above aggregates that give a row even for no rows.
//!
//! DataFusion 55 pushes a condition below an aggregate if all columns of the condition are keys of
//! the groups, which holds for one without columns: `SELECT 3 AS k FROM (SELECT count(*) FROM t)
//! WHERE k = 4` becomes a count of no rows and gives its row. Without GROUP BY, and for grouping
//! sets, of which one may be empty, no condition may pass. sql/queries/aggregates.slt has a query
//! that tells when this can go.

use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Whether the plan is a filter over an aggregate of no rows.
pub(super) fn filters_what_none_give(plan: &LogicalPlan) -> DfResult<bool> {
    Ok(matches!(plan, LogicalPlan::Filter(filter) if gives_row_for_none(&filter.input)))
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
