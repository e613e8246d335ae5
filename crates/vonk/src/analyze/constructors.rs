//! Makers of structs and maps by the functions below them: `struct(a, 1)` is `named_struct('a', a, 'col2', 1)`.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, FunctionArg, FunctionArgExpr, VisitMut, VisitorMut};

use super::syntax::call;

/// The call that a list of patterns is while rows in parentheses become structs.
const PATTERNS: &str = "__patterns";

/// Gives the fields of `struct` and `arrays_zip` their names, and `map` the name that takes pairs.
pub(super) fn spell(query: &mut ast::Query) {
    let _ = VisitMut::visit(query, &mut Speller);
}

struct Speller;

impl VisitorMut for Speller {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        // Lists of patterns are rows in parentheses as well: `LIKE ANY ('a%', 'b%')`.
        if let Expr::Like { pattern, .. } | Expr::ILike { pattern, .. } = expr
            && let Expr::Tuple(patterns) = pattern.as_mut()
        {
            **pattern = call(PATTERNS, std::mem::take(patterns));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let spelled = match expr {
            Expr::Struct { values, fields } if fields.is_empty() => {
                Some(named_struct(std::mem::take(values), |at| format!("col{}", at + 1)))
            }
            Expr::Like { pattern, .. } | Expr::ILike { pattern, .. } => {
                if let Expr::Function(function) = pattern.as_ref()
                    && function.name.to_string() == PATTERNS
                    && let Some(patterns) = arguments(function)
                {
                    **pattern = Expr::Tuple(patterns);
                }
                None
            }
            Expr::Tuple(values) if !values.is_empty() => {
                Some(named_struct(std::mem::take(values), |at| format!("col{}", at + 1)))
            }
            Expr::Function(function) => spelled(function),
            _ => None,
        };
        if let Some(spelled) = spelled {
            *expr = spelled;
        }
        ControlFlow::Continue(())
    }
}

fn spelled(function: &ast::Function) -> Option<Expr> {
    let name = function.name.to_string().to_lowercase();
    // `struct(*)` is in quotes, so that the parser takes it for a call like any other.
    match name.trim_matches('`') {
        "struct" => Some(named_struct(arguments(function)?, |at| format!("col{}", at + 1))),
        "arrays_zip" => {
            let arrays = named_struct(arguments(function)?, |at| at.to_string());
            Some(call("arrays_zip", vec![arrays]))
        }
        // The planner below makes something else of `map` with two arrays.
        "map" => Some(call("create_map", arguments(function)?)),
        _ => None,
    }
}

fn arguments(function: &ast::Function) -> Option<Vec<Expr>> {
    let ast::FunctionArguments::List(list) = &function.args else { return None };
    let argument = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    list.args.iter().map(argument).collect()
}

/// A struct whose fields are named as their columns, or by their place.
fn named_struct(values: Vec<Expr>, unnamed: impl Fn(usize) -> String) -> Expr {
    let fields = values.into_iter().enumerate().flat_map(|(at, value)| {
        let (name, value) = match value {
            Expr::Named { expr, name } => (name.value, *expr),
            Expr::Identifier(name) => (name.value.clone(), Expr::Identifier(name)),
            Expr::CompoundIdentifier(parts) => {
                let name = parts.last().map(|last| last.value.clone());
                (name.unwrap_or_else(|| unnamed(at)), Expr::CompoundIdentifier(parts))
            }
            other => (unnamed(at), other),
        };
        [Expr::value(ast::Value::SingleQuotedString(name)), value]
    });
    call("named_struct", fields.collect())
}
