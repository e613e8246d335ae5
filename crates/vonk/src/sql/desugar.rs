//! Syntax that stands for other syntax: pipes, PIVOT and UNPIVOT, paths of variants, collations,
//! and names of WITH that hide others.
//!
//! It is spelled out before any name is looked up, so that all that follows sees plain queries.

use std::cell::OnceCell;
use std::ops::ControlFlow;

use sqlparser::ast::{self, SetExpr, TableFactor, VisitMut, VisitorMut};

use super::{Environment, parse};
use crate::analyze;
use crate::error::{Error, Result};

mod collations;
mod ctes;
mod pipes;
mod pivot;
mod samples;
mod variants;

/// The call by which the parser tells of an aggregate of PIVOT that is more than a call.
pub(super) const PIVOTED: &str = "__pivoted";

/// Which calls bring rows together.
type Aggregates<'a> = &'a dyn Fn(&ast::Function) -> bool;

/// Spells out a query and all queries in it, for a session with its functions.
pub(super) fn spell_out(query: &mut ast::Query, session: &dyn Environment) -> Result<()> {
    // Few queries have a step or a PIVOT that asks.
    let state = OnceCell::new();
    let calls = |function: &ast::Function| {
        let functions = analyze::Functions::of(state.get_or_init(|| session.state()));
        let name = function.name.0.last().and_then(ast::ObjectNamePart::as_ident);
        name.is_some_and(|name| functions.aggregate(&name.value).is_some())
    };
    ctes::part_names(query)?;
    match VisitMut::visit(query, &mut Speller(&calls)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Speller<'a>(Aggregates<'a>);

impl VisitorMut for Speller<'_> {
    type Break = Error;

    fn post_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Error> {
        done(samples::order_parts(query).and_then(|()| pipes::spell_out(query, self.0)))
    }

    fn post_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<Error> {
        collations::spell_out(expr);
        spell_when(expr);
        done(variants::spell_out(expr))
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        done(samples::spell_out(factor).and_then(|()| pivot::spell_out(factor, self.0)))
    }
}

/// `when(a, b, c)` is `CASE WHEN a THEN b ELSE c END`.
fn spell_when(expr: &mut ast::Expr) {
    let ast::Expr::Function(function) = &*expr else { return };
    let ast::FunctionArguments::List(list) = &function.args else { return };
    if function.over.is_some() || !function.name.to_string().eq_ignore_ascii_case("when") {
        return;
    }
    let args = list.args.iter().map(|arg| match arg {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(arg)) => Some(arg.clone()),
        _ => None,
    });
    if let Some(args) = args.collect::<Option<Vec<_>>>().filter(|args| args.len() > 1) {
        *expr = analyze::case_of(args);
    }
}

fn done(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// `SELECT * FROM factor`.
fn select_all(factor: TableFactor) -> Result<(ast::Query, Box<ast::Select>)> {
    let mut query = parse::query("SELECT * FROM spelled")?;
    let body = std::mem::replace(query.body.as_mut(), SetExpr::Values(no_values()));
    let SetExpr::Select(mut select) = body else {
        return Err(Error::internal("a SELECT was read as something else"));
    };
    if let Some(from) = select.from.first_mut() {
        from.relation = factor;
    }
    Ok((query, select))
}

fn no_values() -> ast::Values {
    ast::Values { explicit_row: false, value_keyword: false, rows: Vec::new() }
}

/// A query in FROM.
fn derived(query: ast::Query, alias: Option<ast::TableAlias>) -> TableFactor {
    TableFactor::Derived { lateral: false, subquery: Box::new(query), alias, sample: None }
}

fn alias_of(name: ast::Ident) -> ast::TableAlias {
    ast::TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}
