//! Forms of SQL that the planner below does not know, in words that it does.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Ident, SelectItem, VisitMut, VisitorMut};

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
            let call = call("rlike", [(**text).clone(), (**pattern).clone()]);
            *expr = match negated {
                true => Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: Box::new(call) },
                false => call,
            };
        }
        ControlFlow::Continue(())
    }
}

fn call<const N: usize>(name: &str, args: [Expr; N]) -> Expr {
    let argument = |expr| ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr));
    let list = ast::FunctionArgumentList {
        duplicate_treatment: None,
        args: args.into_iter().map(argument).collect(),
        clauses: Vec::new(),
    };
    Expr::Function(ast::Function {
        name: ast::ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: ast::FunctionArguments::None,
        args: ast::FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
