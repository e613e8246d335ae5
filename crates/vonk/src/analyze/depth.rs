//! How deep a query may nest: long chains are made flat, and what is too deep is refused.
//!
//! Everything after the parser walks trees by recursion, and frees them so. A program that writes
//! `a = 1 OR a = 2 OR …` ten thousand times means a list, not a depth. Of other conditions the planner
//! makes one chain again, so their number is limited like a depth.

use std::mem::replace;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Query, SetExpr, SetOperator, SetQuantifier, Value, Visit, VisitMut,
    Visitor, VisitorMut,
};

use crate::config;
use crate::error::{self, Condition, Error};

/// Chains of more links than this are balanced; shorter ones stay as they are written, for EXPLAIN.
const CHAIN: usize = 64;

/// Balances long chains of AND, OR and UNION, and makes lists of comparisons with one value.
pub(crate) fn balance(query: &mut Query) {
    let _ = VisitMut::visit(query, &mut Balancer);
}

/// Refuses a query deeper than `depth_max`.
///
/// # Errors
/// `MAX_EXPRESSION_DEPTH_EXCEEDED`, with the option that raises the limit.
pub(super) fn limit(query: &Query, depth_max: usize) -> error::Result<()> {
    let mut gauge = Gauge { depth: 0, depth_max };
    match Visit::visit(query, &mut gauge) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(
            Condition::EXPRESSION_TOO_DEEP,
            format!("the query nests more than {depth_max} deep"),
        )
        .hint(format!(
            "use IN for long lists, split it with views, or raise the option `{}`",
            config::DEPTH_MAX
        ))),
    }
}

/// Measures how deep expressions and queries nest in each other.
struct Gauge {
    depth: usize,
    depth_max: usize,
}

impl Gauge {
    fn deeper(&mut self) -> ControlFlow<()> {
        self.depth += 1;
        if self.depth > self.depth_max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn back(&mut self) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

impl Visitor for Gauge {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.deeper()
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.back()
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } = expr
            && links_of(expr, op) >= self.depth_max
        {
            return ControlFlow::Break(());
        }
        self.deeper()
    }

    fn post_visit_expr(&mut self, _expr: &Expr) -> ControlFlow<()> {
        self.back()
    }
}

/// How many `op` hang together at the top of an expression, which is balanced if they are many.
fn links_of(expr: &Expr, op: &BinaryOperator) -> usize {
    match expr {
        Expr::BinaryOp { left, op: own, right } if own == op => {
            1 + links_of(left, op) + links_of(right, op)
        }
        _ => 0,
    }
}

struct Balancer;

impl VisitorMut for Balancer {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        balance_unions(&mut query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        balance_conditions(expr);
        ControlFlow::Continue(())
    }
}

/// `((a OR b) OR c) OR d` as `(a OR b) OR (c OR d)`; AND likewise.
fn balance_conditions(expr: &mut Expr) {
    let Expr::BinaryOp { op, .. } = &*expr else { return };
    let chained = op.clone();
    if !matches!(chained, BinaryOperator::And | BinaryOperator::Or) {
        return;
    }
    let nothing = Expr::Value(Value::Null.into());
    let terms = long_chain(
        expr,
        nothing,
        |expr| match expr {
            Expr::BinaryOp { left, op, .. } if *op == chained => Some(left.as_ref()),
            _ => None,
        },
        |expr| match expr {
            Expr::BinaryOp { left, op, right } if op == chained => (*left, Some(*right)),
            other => (other, None),
        },
    );
    let Some(terms) = terms else { return };
    let terms = match as_list(terms, &chained) {
        Ok(list) => {
            *expr = list;
            return;
        }
        Err(terms) => terms,
    };
    let join = |left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: chained.clone(),
        right: Box::new(right),
    };
    if let Some(balanced) = balanced(terms, &join) {
        *expr = balanced;
    }
}

/// `a = 1 OR a = 2` as `a IN (1, 2)`, and `a <> 1 AND a <> 2` as `a NOT IN (1, 2)`; else the terms.
fn as_list(terms: Vec<Expr>, chained: &BinaryOperator) -> Result<Expr, Vec<Expr>> {
    let (comparison, negated) = match chained {
        BinaryOperator::Or => (BinaryOperator::Eq, false),
        _ => (BinaryOperator::NotEq, true),
    };
    let parts = |term: &Expr| match term {
        Expr::BinaryOp { left, op, right }
            if *op == comparison && matches!(**right, Expr::Value(_)) =>
        {
            Some((left.as_ref().clone(), right.as_ref().clone()))
        }
        _ => None,
    };
    let Some(compared) = terms.iter().map(parts).collect::<Option<Vec<_>>>() else {
        return Err(terms);
    };
    let Some((first, _)) = compared.first().cloned() else { return Err(terms) };
    let is_column = matches!(first, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    if !is_column || compared.iter().any(|(left, _)| *left != first) {
        return Err(terms);
    }
    let list = compared.into_iter().map(|(_, value)| value).collect();
    Ok(Expr::InList { expr: Box::new(first), list, negated })
}

/// `((a UNION b) UNION c) UNION d` as `(a UNION b) UNION (c UNION d)`, where all are of one kind.
fn balance_unions(body: &mut SetExpr) {
    let SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, .. } = &*body else {
        return;
    };
    let quantifier: SetQuantifier = *set_quantifier;
    let nothing = SetExpr::Values(sqlparser::ast::Values {
        explicit_row: false,
        value_keyword: false,
        rows: Vec::new(),
    });
    let terms = long_chain(
        body,
        nothing,
        |body| match body {
            SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, .. }
                if *set_quantifier == quantifier =>
            {
                Some(left.as_ref())
            }
            _ => None,
        },
        |body| match body {
            SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, right }
                if set_quantifier == quantifier =>
            {
                (*left, Some(*right))
            }
            other => (other, None),
        },
    );
    let Some(terms) = terms else { return };
    let join = |left, right| SetExpr::SetOperation {
        op: SetOperator::Union,
        set_quantifier: quantifier,
        left: Box::new(left),
        right: Box::new(right),
    };
    if let Some(balanced) = balanced(terms, &join) {
        *body = balanced;
    }
}

/// Takes the terms out of a chain of more than [`CHAIN`] links, which hangs to the left, and leaves
/// `nothing` in its place; a shorter chain stays.
fn long_chain<T>(
    top: &mut T,
    nothing: T,
    left_of: impl Fn(&T) -> Option<&T>,
    split: impl Fn(T) -> (T, Option<T>),
) -> Option<Vec<T>> {
    let links = std::iter::successors(left_of(top), |node| left_of(node)).count();
    if links <= CHAIN {
        return None;
    }
    let mut terms = Vec::with_capacity(links + 1);
    let mut rest = split(replace(top, nothing));
    while let (left, Some(right)) = rest {
        terms.push(right);
        rest = split(left);
    }
    terms.push(rest.0);
    terms.reverse();
    Some(terms)
}

/// Joins neighbours in pairs until one is left.
fn balanced<T>(mut terms: Vec<T>, join: &impl Fn(T, T) -> T) -> Option<T> {
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        terms = pairs;
    }
    terms.pop()
}
