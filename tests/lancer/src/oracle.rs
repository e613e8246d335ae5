//! Oracles: each makes statements from a question whose answers have to agree.

use futures::future::BoxFuture;

use crate::bench::Bench;
use crate::generate::Question;
use crate::reply::{Reply, canonical, sorted};
use crate::value::Kind;

mod configuration;
mod duckdb;
mod norec;
mod tlp;

/// Tells whether the engines agree with each other, and an engine with itself, about a question.
pub trait Oracle: Send + Sync {
    /// How reports name it.
    fn name(&self) -> &'static str;

    /// Asks the engines.
    fn check<'a>(&'a self, bench: &'a Bench, question: &'a Question) -> BoxFuture<'a, Verdict>;

    /// The part of the oracle that finds a difference again, if not all of it is needed.
    fn narrow(&self, _difference: &Difference) -> Option<Box<dyn Oracle>> {
        None
    }
}

/// All oracles; the last is there if DuckDB is.
#[must_use]
pub fn oracles(has_duckdb: bool) -> Vec<Box<dyn Oracle>> {
    let mut oracles: Vec<Box<dyn Oracle>> = vec![
        Box::new(tlp::Rows),
        Box::new(tlp::Aggregates),
        Box::new(tlp::Around),
        Box::new(norec::NoRec),
        Box::new(configuration::Configuration::default()),
    ];
    if has_duckdb {
        oracles.push(Box::new(duckdb::SameInDuckDb));
    }
    oracles
}

/// What an oracle says of a question.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The answers agree.
    Agree,
    /// An engine refuses a statement.
    Refused {
        /// Why.
        error: String,
        /// The statement.
        sql: String,
    },
    /// The question has no such form.
    Inapplicable,
    /// The answers differ, or one of them must not be.
    Differ(Difference),
}

/// Two answers that ought to agree.
#[derive(Debug, Clone)]
pub struct Difference {
    /// What is wrong with them.
    pub message: String,
    /// Who said what.
    pub sides: Vec<Side>,
}

/// A statement and its answer.
#[derive(Debug, Clone)]
pub struct Side {
    /// Under which setting or in which engine it ran.
    pub setting: String,
    /// The statement.
    pub sql: String,
    /// The answer, rows in canonical form and sorted.
    pub reply: Reply,
}

impl Side {
    fn new(setting: &str, sql: &str, reply: Reply, kinds: &[Kind]) -> Self {
        let reply = match reply {
            Reply::Rows(rows) => Reply::Rows(sorted(canonical(rows, kinds))),
            other => other,
        };
        Self { setting: setting.to_owned(), sql: sql.to_owned(), reply }
    }

    /// The rows, or the verdict that there are none.
    fn rows(&self) -> Result<&Vec<Vec<String>>, Verdict> {
        match &self.reply {
            Reply::Rows(rows) => Ok(rows),
            Reply::Refused(error) => {
                Err(Verdict::Refused { error: error.clone(), sql: self.sql.clone() })
            }
            Reply::Broken(error) => Err(Verdict::Differ(Difference {
                message: error.clone(),
                sides: vec![self.clone()],
            })),
            Reply::Absent => Err(Verdict::Inapplicable),
        }
    }
}

/// Asks the first engine, whose rows are of `kinds`.
async fn ask(bench: &Bench, sql: &str, kinds: &[Kind]) -> Side {
    let setting = bench.settings().next().map_or("", |setting| setting.name.as_str());
    Side::new(setting, sql, bench.ask(sql).await, kinds)
}

/// The verdict of a check whose failures are verdicts too.
fn settle(verdict: Result<Verdict, Verdict>) -> Verdict {
    verdict.unwrap_or_else(|verdict| verdict)
}
