//! Which columns of the queries around it a plan reads, and where.

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, FetchType, JoinType, LogicalPlan, Operator, Subquery,
};

use super::super::lateral::lateral_item;

/// A column of a query around.
#[derive(Debug, Clone)]
pub(super) struct Outer {
    pub column: Column,
    pub field: FieldRef,
}

/// The columns of queries around that a plan reads, each once.
pub(super) fn outer_columns(plan: &LogicalPlan) -> Vec<Outer> {
    let mut found = Vec::new();
    collect(plan, &mut found);
    found
}

/// Whether a plan reads any column of a query around it.
pub(super) fn uses_outer(plan: &LogicalPlan) -> bool {
    !outer_columns(plan).is_empty()
}

fn collect(plan: &LogicalPlan, found: &mut Vec<Outer>) {
    let visited = plan.apply_expressions(|expr| {
        collect_expr(expr, plan, found);
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "nothing above fails");
    if let LogicalPlan::Join(join) = plan
        && let Some(item) = lateral_item(&join.right)
    {
        collect(&join.left, found);
        let beyond = outer_columns(&item);
        let schema = join.left.schema();
        add(beyond.into_iter().filter(|outer| !schema.has_column(&outer.column)), found);
        return;
    }
    for input in plan.inputs() {
        collect(input, found);
    }
}

/// What an expression of `node` reads, with what its subqueries read beyond this node.
pub(super) fn collect_expr(expr: &Expr, node: &LogicalPlan, found: &mut Vec<Outer>) {
    let visited = expr.apply(|expr| {
        match expr {
            Expr::OuterReferenceColumn(field, column) => {
                let outer = Outer { column: column.clone(), field: field.clone() };
                add([outer].into_iter(), found);
            }
            other => {
                if let Some(subquery) = subquery_of(other) {
                    let beyond = outer_columns(&subquery.subquery);
                    add(beyond.into_iter().filter(|outer| !is_own(node, &outer.column)), found);
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "nothing above fails");
}

fn add(columns: impl Iterator<Item = Outer>, found: &mut Vec<Outer>) {
    for outer in columns {
        if !found.iter().any(|known| known.column == outer.column) {
            found.push(outer);
        }
    }
}

/// Whether a column is one of what a node reads.
pub(super) fn is_own(node: &LogicalPlan, column: &Column) -> bool {
    node.inputs().iter().any(|input| input.schema().has_column(column))
}

/// The subquery of an expression.
pub(super) fn subquery_of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery) => Some(subquery),
        Expr::Exists(exists) => Some(&exists.subquery),
        Expr::InSubquery(query) => Some(&query.subquery),
        _ => None,
    }
}

/// Whether DataFusion can make a join of a subquery: its outer columns are in one filter, under
/// nothing that depends on what other rows there are, but for groups by what is compared.
pub(super) fn is_simple(plan: &LogicalPlan) -> bool {
    is_simple_below(plan, false)
}

fn is_simple_below(plan: &LogicalPlan, aggregates: bool) -> bool {
    if !uses_outer(plan) {
        return true;
    }
    let reads = |exprs: &[Expr]| {
        let mut found = Vec::new();
        exprs.iter().for_each(|expr| collect_expr(expr, plan, &mut found));
        !found.is_empty()
    };
    match plan {
        LogicalPlan::Projection(projection) => {
            !reads(&projection.expr) && is_simple_below(&projection.input, aggregates)
        }
        LogicalPlan::SubqueryAlias(aliased) => is_simple_below(&aliased.input, aggregates),
        LogicalPlan::Aggregate(aggregate) => {
            !reads(&aggregate.group_expr)
                && !reads(&aggregate.aggr_expr)
                && is_simple_below(&aggregate.input, true)
        }
        LogicalPlan::Filter(filter) => {
            let conditions = split_conjunction(&filter.predicate);
            !uses_outer(&filter.input)
                && conditions.iter().all(|condition| is_simple_condition(condition, aggregates))
        }
        LogicalPlan::Join(join) => {
            let conditions: Vec<Expr> = join.filter.iter().cloned().collect();
            let (left, right) = (uses_outer(&join.left), uses_outer(&join.right));
            join.join_type == JoinType::Inner
                && lateral_item(&join.right).is_none()
                && !reads(&conditions)
                && left != right
                && is_simple_below(if left { &join.left } else { &join.right }, aggregates)
        }
        _ => false,
    }
}

/// Whether all rows of an outer row's are brought together to one, which there is of no rows as well:
/// DataFusion's joins would lose it.
pub(super) fn aggregates_all(plan: &LogicalPlan) -> bool {
    let found = plan.exists(|node| match node {
        LogicalPlan::Aggregate(aggregate) => {
            Ok(aggregate.group_expr.is_empty() && uses_outer(&aggregate.input))
        }
        _ => Ok(false),
    });
    found.unwrap_or(true)
}

/// Whether a condition reads outer columns, if at all, where a join can compare them.
fn is_simple_condition(condition: &Expr, aggregates: bool) -> bool {
    let has_subquery = condition.exists(|expr| Ok(subquery_of(expr).is_some())).unwrap_or(true);
    if has_subquery {
        return false;
    }
    let reads = |expr: &Expr| expr.contains_outer();
    if !aggregates || !reads(condition) {
        return true;
    }
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let is_outer = |expr: &Expr| expr.contains_outer() && expr.column_refs().is_empty();
            let is_inner = |expr: &Expr| !expr.contains_outer();
            is_outer(left) && is_inner(right) || is_inner(left) && is_outer(right)
        }
        _ => false,
    }
}

/// Whether a plan gives one row at most, whatever its tables hold.
pub(super) fn gives_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::EmptyRelation(_) => true,
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Window(_) => plan.inputs().into_iter().all(gives_one_row),
        LogicalPlan::Limit(limit) => {
            matches!(limit.get_fetch_type(), Ok(FetchType::Literal(Some(0 | 1))))
                || gives_one_row(&limit.input)
        }
        LogicalPlan::Values(values) => values.values.len() <= 1,
        _ => false,
    }
}
