//! DuckDB gives the same rows for a query that means the same there.

use futures::future::BoxFuture;

use super::{Difference, Oracle, Side, Verdict, ask, settle};
use crate::bench::Bench;
use crate::generate::Question;
use crate::print::{self, Dialect, MISSING};
use crate::reply::Reply;

pub(super) struct SameInDuckDb;

impl Oracle for SameInDuckDb {
    fn name(&self) -> &'static str {
        "duckdb"
    }

    fn check<'a>(&'a self, bench: &'a Bench, question: &'a Question) -> BoxFuture<'a, Verdict> {
        Box::pin(async move { settle(compare(bench, question).await) })
    }
}

async fn compare(bench: &Bench, question: &Question) -> Result<Verdict, Verdict> {
    let theirs = print::query(&question.query, Dialect::DuckDb);
    if theirs.contains(MISSING) {
        return Err(Verdict::Inapplicable);
    }
    let kinds = question.query.kinds();
    let ours = ask(bench, &print::query(&question.query, Dialect::Vonk), &kinds).await;
    ours.rows()?;
    let reply = bench.ask_duckdb(&theirs).await;
    let theirs = Side::new("duckdb", &theirs, reply, &kinds);
    theirs.rows()?;
    let agree = matches!((&ours.reply, &theirs.reply), (Reply::Rows(a), Reply::Rows(b)) if a == b);
    if agree {
        return Ok(Verdict::Agree);
    }
    let message = "DuckDB gives other rows".to_owned();
    Ok(Verdict::Differ(Difference { message, sides: vec![ours, theirs] }))
}
