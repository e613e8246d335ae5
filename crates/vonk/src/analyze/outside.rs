//! Functions from outside: how they are told apart, and how their aggregates are called.

use std::ops::ControlFlow;

use datafusion::execution::SessionState;
use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart, Value, VisitMut,
    VisitorMut,
};

use super::syntax::call;

/// What stands between the name of a function that only its expressions know, and what tells it from
/// others of that name.
pub(crate) const MARK: char = '\u{1}';

/// What the identity of a function begins with that takes the rows of groups, as a list of structs.
pub(crate) const GROUPS: &str = "groups";

/// Writes `f(a, b)` as `f(collect_list(named_struct('_0', a, '_1', b)))`, where `f` is an aggregate
/// from outside.
pub(super) fn gather_groups(query: &mut ast::Query, state: &SessionState) {
    let functions = state.scalar_functions();
    if functions.keys().any(|name| name.split(MARK).nth(1) == Some(GROUPS)) {
        let _done = query.visit(&mut Gathering { state });
    }
}

struct Gathering<'a> {
    state: &'a SessionState,
}

impl VisitorMut for Gathering<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice()
        {
            let name = format!("{}{MARK}{GROUPS}", name.value.to_lowercase());
            if self.state.scalar_functions().contains_key(&name)
                && let Some(rows) = rows(function)
            {
                *expr = call(&name, vec![rows]);
            }
        }
        ControlFlow::Continue(())
    }
}

/// The list of the rows of a group, or of a window, that a call is given.
fn rows(function: &ast::Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let mut parts = Vec::new();
    for (at, argument) in list.args.iter().enumerate() {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = argument else { return None };
        let name = Value::SingleQuotedString(format!("_{at}"));
        parts.extend([Expr::Value(name.into()), value.clone()]);
    }
    let mut rows = call("collect_list", vec![call("named_struct", parts)]);
    if let Expr::Function(rows) = &mut rows {
        rows.over.clone_from(&function.over);
        rows.filter.clone_from(&function.filter);
    }
    Some(rows)
}
