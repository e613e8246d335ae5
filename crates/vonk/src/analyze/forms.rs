//! Forms of SQL that the planner below does not know, in words that it does.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, SelectItem, VisitMut, VisitorMut};

use super::syntax::call;

/// `FROM t` is `SELECT * FROM t`; `a RLIKE b` is `rlike(a, b)`.
pub(super) fn spell_out(query: &mut ast::Query) {
    let _ = VisitMut::visit(query, &mut Speller);
}

struct Speller;

impl VisitorMut for Speller {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<()> {
        if select.flavor == ast::SelectFlavor::FromFirstNoSelect && select.projection.is_empty() {
            let options = ast::WildcardAdditionalOptions::default();
            select.projection.push(SelectItem::Wildcard(options));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::RLike { negated, expr: text, pattern, .. } = expr {
            let call = call("rlike", vec![(**text).clone(), (**pattern).clone()]);
            *expr = match negated {
                true => Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: Box::new(call) },
                false => call,
            };
        }
        ControlFlow::Continue(())
    }
}
