//! Keeps joins that take NULL for equal apart from those that do not.
//!
//! DataFusion 55 puts the inner joins of a FROM into a new order and gives every one of them the
//! meaning of the last: `a JOIN b ON a.k <=> b.k CROSS JOIN c` loses the rows with NULL, and
//! `a JOIN b ON a.k = b.k JOIN c ON b.k <=> c.k` gains some. tests/it/repairs.rs has a query that
//! tells when this can go.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{NullEquality, Result as DfResult};
use datafusion::logical_expr::{JoinType, LogicalPlan};

/// Whether some inner joins take NULL for equal and others do not.
pub(super) fn mixes_joins(plan: &LogicalPlan) -> DfResult<bool> {
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
