//! Queries one step simpler.

use super::expr;
use crate::ast::{Body, Expr, From, Join, Query, Select};

/// Every query that is one step simpler; some of them no longer make sense and are refused.
pub(super) fn smaller(query: &Query) -> Vec<Query> {
    let mut found = Vec::new();
    let with = |body: Body| Query { body, limit: query.limit.clone() };
    if let Some(limit) = &query.limit {
        found.push(Query { limit: None, ..query.clone() });
        if limit.offset > 0 {
            let mut limit = limit.clone();
            limit.offset = 0;
            found.push(Query { limit: Some(limit), ..query.clone() });
        }
    }
    match &query.body {
        Body::Set { operator, left, right } => {
            found.extend([left.as_ref().clone(), right.as_ref().clone()]);
            let set = |left, right| with(Body::Set { operator, left, right });
            let lefts = smaller(left).into_iter().filter(|q| q.kinds() == left.kinds());
            found.extend(lefts.map(|left| set(Box::new(left), right.clone())));
            let rights = smaller(right).into_iter().filter(|q| q.kinds() == right.kinds());
            found.extend(rights.map(|right| set(left.clone(), Box::new(right))));
        }
        Body::Select(select) => {
            let selects = smaller_selects(select).into_iter();
            found.extend(selects.map(|select| with(Body::Select(Box::new(select)))));
        }
    }
    found
}

/// Whether a query is a SELECT of aggregates.
pub(super) fn is_aggregate(query: &Query) -> bool {
    matches!(&query.body, Body::Select(select) if select.is_grouped())
}

fn smaller_selects(select: &Select) -> Vec<Select> {
    let mut found = Vec::new();
    let mut push = |change: &dyn Fn(&mut Select)| {
        let mut changed = select.clone();
        change(&mut changed);
        if changed != *select {
            found.push(changed);
        }
    };
    push(&|select| select.filter = None);
    push(&|select| select.having = None);
    push(&|select| select.distinct = false);
    push(&|select| select.group = None);
    for index in (0..select.items.len()).filter(|_| select.items.len() > 1) {
        push(&|select| drop(select.items.remove(index)));
    }
    if let Some(group) = &select.group {
        push(&|select| select.group.iter_mut().for_each(|group| group.rollup = false));
        for index in (0..group.keys.len()).filter(|_| group.keys.len() > 1) {
            push(&|select| {
                select.group.iter_mut().for_each(|group| drop(group.keys.remove(index)));
            });
        }
    }
    for from in smaller_from(&select.from) {
        push(&|select| {
            select.from = from.clone();
            select.items.iter_mut().for_each(|item| keep_known_order(item, &from));
        });
    }
    for (index, item) in select.items.iter().enumerate() {
        for simpler in expr::smaller(item) {
            push(&|select| select.items[index] = simpler.clone());
        }
    }
    for simpler in select.filter.iter().flat_map(expr::smaller) {
        push(&|select| select.filter = Some(simpler.clone()));
    }
    for simpler in select.having.iter().flat_map(expr::smaller) {
        push(&|select| select.having = Some(simpler.clone()));
    }
    found
}

/// Takes columns that are gone from the order of a window; those that are left still order all.
fn keep_known_order(item: &mut Expr, from: &From) {
    if let Expr::Window(window) = item {
        let columns = from.columns();
        window.order.retain(|(key, _)| columns.contains(key));
    }
}

fn smaller_from(from: &From) -> Vec<From> {
    match from {
        From::Table { .. } => Vec::new(),
        From::Query(query, alias) => {
            let smaller = smaller(query).into_iter();
            let mut found: Vec<From> =
                smaller.map(|query| From::Query(Box::new(query), alias.clone())).collect();
            // The query's own relation under the alias of the query.
            if let Body::Select(select) = &query.body
                && let From::Table { name, columns, .. } = &select.from
            {
                let columns = columns.iter().map(|column| match column {
                    Expr::Column { name, kind, .. } => {
                        Expr::Column { relation: alias.clone(), name: name.clone(), kind: *kind }
                    }
                    other => other.clone(),
                });
                let (name, columns) = (name.clone(), columns.collect());
                found.insert(0, From::Table { name, alias: alias.clone(), columns });
            }
            found
        }
        From::Join { join, left, right, on } => {
            let mut found = vec![left.as_ref().clone(), right.as_ref().clone()];
            let with = |join, left: &From, right: &From, on: &Option<Expr>| From::Join {
                join,
                left: Box::new(left.clone()),
                right: Box::new(right.clone()),
                on: on.clone(),
            };
            if !matches!(join, Join::Inner | Join::Cross) {
                found.push(with(Join::Inner, left, right, on));
            }
            found.extend(smaller_from(left).iter().map(|left| with(*join, left, right, on)));
            found.extend(smaller_from(right).iter().map(|right| with(*join, left, right, on)));
            let simpler = on.iter().flat_map(expr::smaller);
            found.extend(simpler.map(|on| with(*join, left, right, &Some(on))));
            found
        }
    }
}
