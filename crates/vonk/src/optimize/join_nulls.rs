//! Keeps joins that take NULL for equal apart from those that do not.
//!
//! DataFusion 55 puts the inner joins of a FROM into a new order and gives every one of them the
//! meaning of the last: `a JOIN b ON a.k <=> b.k CROSS JOIN c` loses the rows with NULL, and
//! `a JOIN b ON a.k = b.k JOIN c ON b.k <=> c.k` gains some. It makes keys of the equalities of WHERE as
//! well, there and where it looks for keys in conditions (`extract_equijoin_predicate`), so that
//! `a JOIN b ON a.k <=> b.k WHERE a.v = b.v` gains those with NULL in `v`.
//! tests/it/repairs.rs and sql/queries/joins.slt have queries that tell when this can go.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{NullEquality, Result as DfResult};
use datafusion::logical_expr::{JoinType, LogicalPlan};

/// Whether some inner join takes NULL for equal.
pub(super) fn takes_null_for_equal(plan: &LogicalPlan) -> DfResult<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|plan| {
        found |= matches!(plan, LogicalPlan::Join(join)
            if join.join_type == JoinType::Inner
                && join.null_equality == NullEquality::NullEqualsNull);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Whether an operator is a join with keys that take NULL for equal.
pub(super) fn has_such_keys(plan: &LogicalPlan) -> DfResult<bool> {
    Ok(matches!(plan, LogicalPlan::Join(join)
        if !join.on.is_empty() && join.null_equality == NullEquality::NullEqualsNull))
}
