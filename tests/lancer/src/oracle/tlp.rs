//! Ternary logic partitioning (Rigger and Su 2020): every row is in exactly one of `WHERE p`,
//! `WHERE NOT p` and `WHERE p IS NULL`.

use futures::future::BoxFuture;

use super::{Difference, Oracle, Side, Verdict, ask, settle};
use crate::ast::{Aggregate, Body, Expr, From, Query, Select, outputs};
use crate::bench::Bench;
use crate::generate::{OUTER, Question};
use crate::print::{self, Dialect};
use crate::reply::{Reply, sorted};
use crate::value::Kind;

/// The rows of a plain SELECT are those of its three parts.
pub(super) struct Rows;

/// Aggregates over all rows are those over the aggregates of the three parts.
pub(super) struct Aggregates;

/// The rows of any query are those of three filters around it.
pub(super) struct Around;

/// The conditions of the three parts.
fn parts(condition: &Expr) -> [Expr; 3] {
    let inner = || Box::new(condition.clone());
    [condition.clone(), Expr::Not(inner()), Expr::IsNull(inner())]
}

fn filtered(select: &Select, filter: Option<Expr>) -> Query {
    Query::of(Select { filter, ..select.clone() })
}

/// Holds the rows of `all` against those of `parts` together.
async fn compare(bench: &Bench, all: &Query, parts: &[Query], distinct: bool) -> Verdict {
    settle(compare_rows(bench, all, parts, distinct).await)
}

async fn compare_rows(
    bench: &Bench,
    all: &Query,
    parts: &[Query],
    distinct: bool,
) -> Result<Verdict, Verdict> {
    let kinds = all.kinds();
    let all = ask(bench, &print::query(all, Dialect::Vonk), &kinds).await;
    let expected = all.rows()?.clone();
    let mut sides = vec![all];
    let mut together = Vec::new();
    for part in parts {
        let side = ask(bench, &print::query(part, Dialect::Vonk), &kinds).await;
        together.extend(side.rows()?.iter().cloned());
        sides.push(side);
    }
    let mut together = sorted(together);
    if distinct {
        together.dedup();
    }
    if together == expected {
        return Ok(Verdict::Agree);
    }
    let message = "the parts do not make the whole".to_owned();
    Ok(Verdict::Differ(Difference { message, sides }))
}

impl Oracle for Rows {
    fn name(&self) -> &'static str {
        "tlp"
    }

    fn check<'a>(&'a self, bench: &'a Bench, question: &'a Question) -> BoxFuture<'a, Verdict> {
        Box::pin(async move {
            let select = question.select();
            if select.is_grouped() || select.has_window() {
                return Verdict::Inapplicable;
            }
            let parts = parts(&question.inner).map(|part| filtered(select, Some(part)));
            compare(bench, &filtered(select, None), &parts, select.distinct).await
        })
    }
}

impl Oracle for Around {
    fn name(&self) -> &'static str {
        "tlp around"
    }

    fn check<'a>(&'a self, bench: &'a Bench, question: &'a Question) -> BoxFuture<'a, Verdict> {
        Box::pin(async move {
            let select = Select {
                distinct: false,
                items: outputs(OUTER, &question.query.kinds()),
                from: From::Query(Box::new(question.query.clone()), OUTER.to_owned()),
                filter: None,
                group: None,
                having: None,
            };
            let parts = parts(&question.outer).map(|part| filtered(&select, Some(part)));
            compare(bench, &question.query, &parts, false).await
        })
    }
}

impl Oracle for Aggregates {
    fn name(&self) -> &'static str {
        "tlp aggregates"
    }

    fn check<'a>(&'a self, bench: &'a Bench, question: &'a Question) -> BoxFuture<'a, Verdict> {
        Box::pin(async move {
            let select = question.select();
            if select.is_grouped() || select.has_window() {
                return Verdict::Inapplicable;
            }
            let plain = select.items.iter().filter(|item| aggregate_of(item.kind()).is_some());
            let mut items = vec![aggregate("count", None)];
            items.extend(plain.filter_map(|item| {
                Some(aggregate(aggregate_of(item.kind())?, Some(item.clone())))
            }));
            let select = Select { items, distinct: false, ..select.clone() };
            let whole = filtered(&select, None);
            settle(compare_one(bench, &whole, &of_parts(&select, &question.inner)).await)
        })
    }
}

/// The aggregate whose value for all rows follows from its values for parts of them.
fn aggregate_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Integer | Kind::Double | Kind::Decimal => Some("sum"),
        Kind::Boolean => Some("bool_or"),
        Kind::Text | Kind::Date => Some("min"),
        Kind::Timestamp | Kind::Ratio => Some("max"),
        Kind::List | Kind::Struct => None,
    }
}

fn aggregate(name: &'static str, argument: Option<Expr>) -> Expr {
    let argument = argument.map(Box::new);
    Expr::Aggregate(Aggregate { name, distinct: false, argument, filter: None })
}

/// Aggregates over the aggregates of the three parts, which UNION ALL brings together.
fn of_parts(select: &Select, condition: &Expr) -> Query {
    let [a, b, c] = parts(condition).map(|part| Box::new(filtered(select, Some(part))));
    let union =
        |left, right| Query { body: Body::Set { operator: "UNION ALL", left, right }, limit: None };
    let union = union(Box::new(union(a, b)), c);
    let kinds = union.kinds();
    let items = outputs(OUTER, &kinds).into_iter().zip(&select.items).map(|(column, item)| {
        let name = match item {
            Expr::Aggregate(Aggregate { name: "count", .. }) => "sum",
            Expr::Aggregate(aggregate) => aggregate.name,
            _ => "min",
        };
        aggregate(name, Some(column))
    });
    Query::of(Select {
        distinct: false,
        items: items.collect(),
        from: From::Query(Box::new(union), OUTER.to_owned()),
        filter: None,
        group: None,
        having: None,
    })
}

/// Holds two queries of one row against each other.
async fn compare_one(bench: &Bench, one: &Query, other: &Query) -> Result<Verdict, Verdict> {
    let kinds = one.kinds();
    let one = ask(bench, &print::query(one, Dialect::Vonk), &kinds).await;
    one.rows()?;
    let other: Side = ask(bench, &print::query(other, Dialect::Vonk), &kinds).await;
    other.rows()?;
    let agree = matches!((&one.reply, &other.reply), (Reply::Rows(a), Reply::Rows(b)) if a == b);
    if agree {
        return Ok(Verdict::Agree);
    }
    let message = "the aggregates of the parts do not make those of the whole".to_owned();
    Ok(Verdict::Differ(Difference { message, sides: vec![one, other] }))
}
