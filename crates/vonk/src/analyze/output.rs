//! The names of a query's columns: Spark's for what has no alias, and room for the same name twice.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Ident, SelectItem, SetExpr, VisitMut, VisitorMut};

use super::fold::Names;
use super::generators;
use super::names::{Paths, name_of};
use crate::display::DUPLICATE_MARK;

/// Gives every column of every SELECT in a query the name that Spark gives it.
pub(super) fn name_columns(query: &mut ast::Query, names: &Names) {
    let _ = VisitMut::visit(query, &mut Namer { names });
    if let SetExpr::Select(select) = query.body.as_mut() {
        part_duplicates(&mut select.projection);
    }
}

struct Namer<'a> {
    names: &'a Names,
}

impl VisitorMut for Namer<'_> {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = item else { continue };
            let keeps_its_name = match &*expr {
                Expr::Identifier(_) => true,
                Expr::CompoundIdentifier(parts) => {
                    parts.first().is_some_and(|first| self.names.is_qualifier(&first.value))
                        && parts.len() == 2
                }
                // Its columns have names of their own.
                other => generators::call_of(other).is_some(),
            };
            if !keeps_its_name {
                let name = match &*expr {
                    Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()),
                    other => Some(name_of(other, self.names)),
                };
                let alias = Ident::with_quote('`', name.unwrap_or_default());
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
        }
        ControlFlow::Continue(())
    }
}

/// Marks the second and later columns of one name, so that the plan can tell them apart.
fn part_duplicates(items: &mut [SelectItem]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for item in items {
        let (name, expr) = match item {
            SelectItem::UnnamedExpr(Expr::Identifier(ident)) => {
                (ident.value.clone(), Expr::Identifier(ident.clone()))
            }
            SelectItem::ExprWithAlias { expr, alias } => (alias.value.clone(), expr.clone()),
            _ => continue,
        };
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            let alias = Ident::with_quote('`', format!("{name}{DUPLICATE_MARK}{count}"));
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
    }
}

impl Paths for Names {
    fn word(&self, parts: &[Ident]) -> String {
        let parts = match parts {
            [first, rest @ ..] if !rest.is_empty() && self.is_qualifier(&first.value) => rest,
            parts => parts,
        };
        parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".")
    }

    fn outer_columns(&self, _query: &ast::Query) -> String {
        String::new()
    }
}
