//! A query gives the same rows under any threads, batch size, memory, storage and rules of ours.

use futures::future::BoxFuture;

use super::{Difference, Oracle, Side, Verdict, ask, settle};
use crate::bench::{Bench, depends_on_plan};
use crate::generate::Question;
use crate::print::{self, Dialect};
use crate::reply::Reply;

/// All settings, or only one of them, against the first.
#[derive(Default)]
pub(super) struct Configuration {
    only: Option<String>,
}

impl Oracle for Configuration {
    fn name(&self) -> &'static str {
        "configuration"
    }

    fn check<'a>(&'a self, bench: &'a Bench, question: &'a Question) -> BoxFuture<'a, Verdict> {
        Box::pin(async move { settle(self.compare(bench, question).await) })
    }

    fn narrow(&self, difference: &Difference) -> Option<Box<dyn Oracle>> {
        let only = difference.sides.last().map(|side| side.setting.clone());
        Some(Box::new(Self { only }))
    }
}

impl Configuration {
    async fn compare(&self, bench: &Bench, question: &Question) -> Result<Verdict, Verdict> {
        let kinds = question.query.kinds();
        let sql = print::query(&question.query, Dialect::Vonk);
        let first = ask(bench, &sql, &kinds).await;
        if let Reply::Broken(_) = first.reply {
            first.rows()?;
        }
        for (index, setting) in bench.settings().enumerate().skip(1) {
            if self.only.as_ref().is_some_and(|only| *only != setting.name) {
                continue;
            }
            let reply = bench.ask_under(index, &sql).await;
            let other = Side::new(&setting.name, &sql, reply, &kinds);
            if let Some(message) = difference(&first.reply, &other.reply) {
                let sides = vec![first, other];
                return Ok(Verdict::Differ(Difference { message, sides }));
            }
        }
        first.rows()?;
        Ok(Verdict::Agree)
    }
}

/// What is wrong with two replies to the same statement.
fn difference(one: &Reply, other: &Reply) -> Option<String> {
    let message = match (one, other) {
        (Reply::Absent, _) | (_, Reply::Absent) | (Reply::Refused(_), Reply::Refused(_)) => {
            return None;
        }
        (Reply::Rows(a), Reply::Rows(b)) if a == b => return None,
        (Reply::Rows(_), Reply::Rows(_)) => "the rows differ",
        (Reply::Broken(error), _) | (_, Reply::Broken(error)) => error,
        (Reply::Refused(error), _) | (_, Reply::Refused(error)) if depends_on_plan(error) => {
            return None;
        }
        (Reply::Refused(error), _) | (_, Reply::Refused(error)) => {
            // The condition belongs to it: a smaller finding has the same.
            let condition = error.split(']').next().unwrap_or_default();
            return Some(format!("one gives rows, the other {condition}]"));
        }
    };
    Some(message.to_owned())
}
