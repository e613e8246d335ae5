//! Expressions one step simpler, of the same kind.

use super::query;
use crate::ast::Expr;
use crate::value::{Kind, Value};

/// Every expression that is one step simpler.
pub(super) fn smaller(expr: &Expr) -> Vec<Expr> {
    let mut found = Vec::new();
    if let Expr::Literal(..) = expr {
        return found;
    }
    if expr.kind() == Kind::Boolean {
        found.push(Expr::Literal(Kind::Boolean, Value::Boolean(true)));
    }
    let same_kind = |part: &&Expr| part.kind() == expr.kind();
    found.extend(expr.parts().into_iter().filter(same_kind).cloned());
    found.extend(without_clauses(expr));
    found.extend(simple_literal(expr));
    let parts: Vec<Expr> = expr.parts().into_iter().cloned().collect();
    for (index, part) in parts.iter().enumerate() {
        for simpler in smaller(part) {
            let mut parts = parts.clone();
            parts[index] = simpler;
            found.push(expr.with_parts(parts));
        }
    }
    found
}

/// The simplest value, for what is neither a column nor decides the shape of a query.
fn simple_literal(expr: &Expr) -> Option<Expr> {
    let value = match expr.kind() {
        Kind::Integer => Value::Integer(0),
        Kind::Text => Value::Text("a".to_owned()),
        Kind::Double => Value::Double(0.0),
        Kind::Decimal => Value::Decimal(0),
        Kind::Date => Value::Date(0),
        _ => return None,
    };
    let shapes = matches!(expr, Expr::Aggregate(_) | Expr::Window(_));
    (!shapes).then_some(Expr::Literal(expr.kind(), value))
}

/// The expression with less of what is not an expression right below it.
fn without_clauses(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::InList { negated, value, list } if list.len() > 1 => {
            let without = |index| {
                let mut list = list.clone();
                list.remove(index);
                Expr::InList { negated: *negated, value: value.clone(), list }
            };
            (0..list.len()).map(without).collect()
        }
        Expr::Case { branches, otherwise } if branches.len() > 1 => {
            let without = |index| {
                let mut branches = branches.clone();
                branches.remove(index);
                Expr::Case { branches, otherwise: otherwise.clone() }
            };
            (0..branches.len()).map(without).collect()
        }
        Expr::Aggregate(aggregate) if aggregate.filter.is_some() || aggregate.distinct => {
            let mut unfiltered = aggregate.clone();
            unfiltered.filter = None;
            let mut all = aggregate.clone();
            all.distinct = false;
            let simpler = [unfiltered, all].into_iter().filter(|simpler| simpler != aggregate);
            simpler.map(Expr::Aggregate).collect()
        }
        Expr::Window(window) => {
            let mut whole = window.clone();
            whole.partition.clear();
            let mut unframed = window.clone();
            unframed.frame = None;
            let simpler = [whole, unframed].into_iter().filter(|simpler| simpler != window);
            simpler.map(Expr::Window).collect()
        }
        Expr::Scalar(kind, inner) => {
            // Without its aggregate it could give more than one row.
            let smaller = query::smaller(inner).into_iter().filter(query::is_aggregate);
            smaller.map(|q| Expr::Scalar(*kind, Box::new(q))).collect()
        }
        Expr::Exists(negated, inner) => {
            let smaller = query::smaller(inner).into_iter();
            smaller.map(|q| Expr::Exists(*negated, Box::new(q))).collect()
        }
        Expr::InQuery(negated, value, inner) => {
            let smaller = query::smaller(inner).into_iter();
            smaller.map(|q| Expr::InQuery(*negated, value.clone(), Box::new(q))).collect()
        }
        _ => Vec::new(),
    }
}
