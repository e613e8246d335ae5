//! Non-optimizing reference (Rigger and Su 2020): as many rows pass a filter as have the condition
//! true among their columns, where no rule can use it.

use futures::future::BoxFuture;

use super::{Difference, Oracle, Verdict, ask, settle};
use crate::ast::{Aggregate, Expr, Query, Select};
use crate::bench::Bench;
use crate::generate::Question;
use crate::print::{self, Dialect};
use crate::value::Kind;

pub(super) struct NoRec;

impl Oracle for NoRec {
    fn name(&self) -> &'static str {
        "norec"
    }

    fn check<'a>(&'a self, bench: &'a Bench, question: &'a Question) -> BoxFuture<'a, Verdict> {
        Box::pin(async move { settle(compare(bench, question).await) })
    }
}

async fn compare(bench: &Bench, question: &Question) -> Result<Verdict, Verdict> {
    // A subquery has no place among the columns.
    if question.inner.has_subquery() {
        return Err(Verdict::Inapplicable);
    }
    let from = &question.select().from;
    let select = |item, filter| {
        Query::of(Select {
            distinct: false,
            items: vec![item],
            from: from.clone(),
            filter,
            group: None,
            having: None,
        })
    };
    let count = Aggregate { name: "count", distinct: false, argument: None, filter: None };
    let optimized = select(Expr::Aggregate(count), Some(question.inner.clone()));
    let optimized = ask(bench, &print::query(&optimized, Dialect::Vonk), &[Kind::Integer]).await;
    let passed = optimized.rows()?.first().and_then(|row| row.first()).cloned();
    let plain = select(question.inner.clone(), None);
    let plain = ask(bench, &print::query(&plain, Dialect::Vonk), &[Kind::Boolean]).await;
    let holds = plain.rows()?.iter().filter(|row| row.first().is_some_and(|v| v == "true"));
    if passed == Some(holds.count().to_string()) {
        return Ok(Verdict::Agree);
    }
    let message = "a filter lets another number of rows pass than its condition holds for";
    let sides = vec![optimized, plain];
    Ok(Verdict::Differ(Difference { message: message.to_owned(), sides }))
}
