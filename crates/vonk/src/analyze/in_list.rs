//! IN lists with more than literals become equalities.
//!
//! DataFusion 55 intersects and unites IN lists as sets of expressions, which holds for literals
//! only: `a NOT IN (a, 0) AND a IN (abs(a), a)` comes out true for `a = 0`, and not for NULL among
//! them: `a NOT IN (NULL) AND a IN (1)` does for `a = 1`. Spelled as equalities, no such rule sees them. sql/queries/filters.slt has a query that tells when this can go.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Spells the IN lists of a plan; a left side that gives another value each time stays in its list.
pub(super) fn spell(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let spelled = plan.transform_up_with_subqueries(|plan| {
        // The plans above refer to an expression by the name that it had.
        let names = NamePreserver::new(&plan);
        let spelled = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let spelled = expr.transform_up(|expr| Ok(spell_one(expr)))?;
            Ok(spelled.update_data(|expr| name.restore(expr)))
        })?;
        spelled.map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(spelled.data)
}

fn spell_one(expr: Expr) -> Transformed<Expr> {
    let Expr::InList(list) = expr else { return Transformed::no(expr) };
    // What is constant altogether is computed before `optimize::zeros_in_lists` sees it.
    let is_constant = is_literal(&list.expr);
    let only_literals = !is_constant && list.list.iter().all(is_literal);
    if only_literals || list.list.is_empty() || list.expr.is_volatile() {
        return Transformed::no(Expr::InList(list));
    }
    let InList { expr, list, negated } = list;
    let stays = |item: &Expr| !is_constant && is_literal(item);
    let (literals, others): (Vec<Expr>, Vec<Expr>) = list.into_iter().partition(stays);
    let in_literals =
        (!literals.is_empty()).then(|| Expr::InList(InList::new(expr.clone(), literals, false)));
    let equal = others.into_iter().map(|item| expr.as_ref().clone().eq(item));
    match in_literals.into_iter().chain(equal).reduce(Expr::or) {
        Some(any) if negated => Transformed::yes(Expr::Not(Box::new(any))),
        Some(any) => Transformed::yes(any),
        None => Transformed::no(Expr::InList(InList::new(expr, Vec::new(), negated))),
    }
}

/// Whether an expression is a literal other than NULL, or becomes one before the lists are looked at.
fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => !value.is_null(),
        Expr::Cast(cast) => is_literal(&cast.expr),
        Expr::Negative(inner) => is_literal(inner),
        _ => false,
    }
}
