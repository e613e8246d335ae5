//! Where a recursive query may name itself: not where rows would have to be taken back.

use std::ops::ControlFlow;

use sqlparser::ast::{self, JoinOperator, SetExpr, SetOperator, TableFactor, Visit, Visitor};

use super::refusals::finds;
use crate::error::{Condition, Error, Result};

/// Refuses references of recursive queries to themselves at places that Spark does not allow.
///
/// # Errors
/// `INVALID_RECURSIVE_REFERENCE.PLACE`.
pub(super) fn check(query: &ast::Query, is_aggregate: &dyn Fn(&str) -> bool) -> Result<()> {
    match query.visit(&mut Queries { is_aggregate }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Queries<'a> {
    is_aggregate: &'a dyn Fn(&str) -> bool,
}

impl Visitor for Queries<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<Error> {
        let Some(with) = query.with.as_ref().filter(|with| with.recursive) else {
            return ControlFlow::Continue(());
        };
        for cte in &with.cte_tables {
            let name = &cte.alias.name.value;
            let SetExpr::SetOperation { op: SetOperator::Union, right, .. } =
                cte.query.body.as_ref()
            else {
                continue;
            };
            let misplaced = misplaced(right, name, self.is_aggregate);
            if let Some(place) = misplaced.filter(|_| names(cte.query.body.as_ref(), name)) {
                let message = format!("the recursive query `{name}` cannot name itself {place}");
                return ControlFlow::Break(
                    Error::new(Condition::INVALID_RECURSIVE_REFERENCE_PLACE, message)
                        .hint("name it in FROM, or on the side of a join that keeps its rows"),
                );
            }
        }
        ControlFlow::Continue(())
    }
}

/// Where the part of a recursive query that is run again names it and must not.
fn misplaced(
    body: &SetExpr,
    name: &str,
    is_aggregate: &dyn Fn(&str) -> bool,
) -> Option<&'static str> {
    match body {
        SetExpr::Query(query) if query.order_by.is_some() && names(body, name) => {
            Some("in a query that is sorted")
        }
        SetExpr::Query(query) => misplaced(&query.body, name, is_aggregate),
        SetExpr::SetOperation { left, right, .. } => {
            misplaced(left, name, is_aggregate).or_else(|| misplaced(right, name, is_aggregate))
        }
        SetExpr::Select(select) => in_select(select, name, is_aggregate),
        _ => None,
    }
}

fn in_select(
    select: &ast::Select,
    name: &str,
    is_aggregate: &dyn Fn(&str) -> bool,
) -> Option<&'static str> {
    let in_from = select.from.iter().any(|table| names(table, name));
    let groups = match &select.group_by {
        ast::GroupByExpr::All(_) => true,
        ast::GroupByExpr::Expressions(exprs, _) => !exprs.is_empty(),
    };
    if in_from && (groups || calls(select, is_aggregate)) {
        return Some("in a query that groups rows or looks at windows of them");
    }
    let conditions = [&select.selection, &select.having];
    let in_expressions = select.projection.iter().any(|item| names(item, name))
        || conditions.iter().any(|condition| names(*condition, name));
    if in_expressions {
        return Some("in an expression");
    }
    select.from.iter().find_map(|table| in_joins(table, name, is_aggregate))
}

fn in_joins(
    table: &ast::TableWithJoins,
    name: &str,
    is_aggregate: &dyn Fn(&str) -> bool,
) -> Option<&'static str> {
    let mut left = names(&table.relation, name);
    let mut found = in_factor(&table.relation, name, is_aggregate);
    for join in &table.joins {
        let right = names(&join.relation, name);
        let (refuses_left, refuses_right) = match &join.join_operator {
            JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => (false, true),
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) => (true, false),
            JoinOperator::FullOuter(_) => (true, true),
            JoinOperator::Semi(_)
            | JoinOperator::LeftSemi(_)
            | JoinOperator::Anti(_)
            | JoinOperator::LeftAnti(_) => (false, true),
            _ => (false, false),
        };
        if (left && refuses_left) || (right && refuses_right) {
            return Some("on the side of a join that may leave rows out");
        }
        found = found.or_else(|| in_factor(&join.relation, name, is_aggregate));
        left |= right;
    }
    found
}

fn in_factor(
    factor: &TableFactor,
    name: &str,
    is_aggregate: &dyn Fn(&str) -> bool,
) -> Option<&'static str> {
    match factor {
        TableFactor::Derived { subquery, .. } => misplaced(&subquery.body, name, is_aggregate),
        TableFactor::NestedJoin { table_with_joins, .. } => {
            in_joins(table_with_joins, name, is_aggregate)
        }
        _ => None,
    }
}

/// Whether a part of a query names a relation.
fn names(part: &impl Visit, name: &str) -> bool {
    struct Finder<'a>(&'a str);
    impl Visitor for Finder<'_> {
        type Break = ();

        fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<()> {
            match relation.0.as_slice() {
                [ast::ObjectNamePart::Identifier(ident)]
                    if ident.value.eq_ignore_ascii_case(self.0) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    part.visit(&mut Finder(name)).is_break()
}

/// Whether the items of a SELECT call an aggregate or a window function, not in queries of theirs.
fn calls(select: &ast::Select, is_aggregate: &dyn Fn(&str) -> bool) -> bool {
    finds(&select.projection, &|call| {
        call.over.is_some() || is_aggregate(&call.name.to_string().to_lowercase())
    })
}
