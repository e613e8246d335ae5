//! Forms of SQL that the planner below does not know, in words that it does.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, SelectItem, VisitMut, VisitorMut};
use vonk_functions::arithmetic::{Mode, negative_udf};

use super::syntax::call;

/// `FROM t` is `SELECT * FROM t`; `a RLIKE b` is `rlike(a, b)`; `-a` is `negative(a)`.
pub(super) fn spell_out(query: &mut ast::Query, mode: Mode) {
    let negative = negative_udf(mode).name().to_owned();
    let _ = VisitMut::visit(query, &mut Speller { negative });
}

struct Speller {
    /// The function behind a minus sign.
    negative: String,
}

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
        if let Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr: operand } = expr
            && !matches!(**operand, Expr::Value(_) | Expr::Interval(_))
        {
            *expr = call(&self.negative, vec![(**operand).clone()]);
        }
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
