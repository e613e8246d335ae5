//! Names of WITH: an inner one hides an outer one of the same name, whatever its case.
//!
//! The planner knows one query by each name. A name that hides another is given a number, and so is
//! every place that means it; there the name that was written becomes the alias.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, Ident, ObjectNamePart, SetExpr, TableFactor, Value, VisitMut, VisitorMut,
};

use crate::analyze::{self, empty_query};
use crate::display::{DUPLICATE_MARK, LEVEL_MARK};
use crate::error::{Condition, Error, Result};

/// Gives every query of WITH a name of its own.
pub(super) fn part_names(query: &mut ast::Query) -> Result<()> {
    let mut parter = Parter::default();
    match VisitMut::visit(query, &mut parter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// The names in scope, innermost last, and how often each has been given.
///
/// A query of WITH sees those before it, and itself if it is recursive. The visitor comes by all of
/// a query's parts in order but does not say when a query of WITH begins, so each is visited from here.
#[derive(Default)]
struct Parter {
    scopes: Vec<HashMap<String, String>>,
    /// The WITH clauses of the queries that are visited, which the visitor is kept from.
    withs: Vec<Option<ast::With>>,
    given: HashMap<String, usize>,
}

impl VisitorMut for Parter {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Error> {
        self.scopes.push(HashMap::new());
        let mut with = query.with.take();
        let parted = with.as_mut().map_or(ControlFlow::Continue(()), |with| self.part(with));
        self.withs.push(with);
        parted
    }

    fn post_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Error> {
        self.scopes.pop();
        query.with = self.withs.pop().flatten();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice()
            && let Some(own) = self.meant(&ident.value)
            && own != ident.value
        {
            if alias.is_none() {
                *alias = Some(super::alias_of(ident.clone()));
            }
            ident.value = own;
            ident.quote_style = Some('`');
        }
        ControlFlow::Continue(())
    }
}

impl Parter {
    /// Gives the queries of a WITH clause their names, and what is within them, too.
    fn part(&mut self, with: &mut ast::With) -> ControlFlow<Error> {
        let is_recursive = with.recursive;
        let mut seen = HashSet::new();
        for cte in &mut with.cte_tables {
            let written = cte.alias.name.value.clone();
            let (name, level) = match written.split_once(LEVEL_MARK) {
                Some((name, level)) => (name.to_owned(), Some(level.to_owned())),
                None => (written, None),
            };
            if !seen.insert(name.to_lowercase()) {
                return ControlFlow::Break(Error::new(
                    Condition::DUPLICATED_CTE_NAMES,
                    format!("two queries of WITH are named `{name}`"),
                ));
            }
            if let (Some(_), false) = (&level, is_recursive) {
                return ControlFlow::Break(
                    Error::new(
                        Condition::OPERATION_NOT_ALLOWED,
                        format!("`{name}` has a limit of recursion and is not recursive"),
                    )
                    .hint("write `WITH RECURSIVE`"),
                );
            }
            let own = self.own_name(&name, level.as_deref());
            if is_recursive {
                self.define(&name, &own);
            }
            // Its own queries are done now, under the names that are in scope here.
            let mut inner = std::mem::replace(&mut cte.query, Box::new(empty_query()));
            let visited = VisitMut::visit(&mut inner, self);
            cte.query = inner;
            visited?;
            if is_recursive && let Err(error) = check_recursion(&cte.query, &own) {
                return ControlFlow::Break(error);
            }
            if is_recursive {
                type_numbers(&mut cte.query.body);
            }
            self.define(&name, &own);
            cte.alias.name = Ident::with_quote('`', own);
        }
        ControlFlow::Continue(())
    }

    /// The name itself when it is first given, else with a number.
    fn own_name(&mut self, name: &str, level: Option<&str>) -> String {
        let count = self.given.entry(name.to_lowercase()).or_default();
        *count += 1;
        let mut own = match count {
            1 => name.to_owned(),
            count => format!("{name}{DUPLICATE_MARK}{count}"),
        };
        if let Some(level) = level {
            own.push(LEVEL_MARK);
            own.push_str(level);
        }
        own
    }

    fn define(&mut self, name: &str, own: &str) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_lowercase(), own.to_owned());
        }
    }

    fn meant(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        self.scopes.iter().rev().find_map(|scope| scope.get(&name).cloned())
    }
}

/// Whether a query that names itself does so in the second part of a UNION ALL only.
fn check_recursion(query: &ast::Query, own: &str) -> Result<()> {
    if !names(query, own) {
        return Ok(());
    }
    let invalid = |message: &str| {
        Err(Error::new(Condition::INVALID_RECURSIVE_CTE, format!("`{own}` {message}"))
            .hint("write `query UNION ALL query over itself`"))
    };
    match query.body.as_ref() {
        SetExpr::SetOperation { op: ast::SetOperator::Union, set_quantifier, left, .. } => {
            if !matches!(set_quantifier, ast::SetQuantifier::All) {
                return Err(Error::new(
                    Condition::UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE,
                    format!("`{own}` is recursive by UNION"),
                )
                .hint("use UNION ALL"));
            }
            if names(left, own) {
                return invalid("begins with itself");
            }
            Ok(())
        }
        _ => invalid("is recursive without UNION ALL"),
    }
}

/// Says of whole numbers that they are INT: the planner fixes the types of a recursive query by its
/// first part, before numbers are made as narrow as Spark's.
fn type_numbers(body: &mut SetExpr) {
    match body {
        SetExpr::SetOperation { left, right, .. } => {
            type_numbers(left);
            type_numbers(right);
        }
        SetExpr::Query(query) => type_numbers(&mut query.body),
        SetExpr::Select(select) => {
            let _ = VisitMut::visit(&mut select.projection, &mut NumberTyper);
            let _ = VisitMut::visit(&mut select.selection, &mut NumberTyper);
            for table in &mut select.from {
                if let TableFactor::Derived { subquery, .. } = &mut table.relation {
                    type_numbers(&mut subquery.body);
                }
            }
        }
        SetExpr::Values(values) => {
            let _ = VisitMut::visit(values, &mut NumberTyper);
        }
        _ => {}
    }
}

struct NumberTyper;

impl VisitorMut for NumberTyper {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Value(value) = expr
            && let Value::Number(digits, is_marked) = &mut value.value
            && !*is_marked
            && digits.parse::<i32>().is_ok()
        {
            // The mark by which its column is named as the number, not as a CAST.
            *is_marked = true;
            let number = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            *expr = analyze::cast(number, ast::DataType::Int(None));
        }
        ControlFlow::Continue(())
    }
}

/// Whether syntax names a relation.
fn names(syntax: &impl ast::Visit, own: &str) -> bool {
    let found = ast::visit_relations(syntax, |name| {
        let is_own = matches!(name.0.as_slice(),
            [ObjectNamePart::Identifier(ident)] if ident.value == own);
        if is_own { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}
