//! `EXPLAIN`: how a query is run, one line of the plan a row; with ANALYZE, how long each part took.

use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use futures::future::BoxFuture;
use sqlparser::ast;

use super::{Command, Source, answer};
use crate::error::Result;
use crate::placement;
use crate::sql::{Environment, plan_query};

struct Explain {
    explained: Explained,
    detail: Detail,
}

enum Explained {
    Query(Box<ast::Query>),
    /// A statement, which is not run, by the words that it begins with.
    Statement(String, Box<dyn Command>),
}

/// The headline of the operators.
const PHYSICAL: &str = "== Physical Plan ==\n";

/// How much of a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The operators that run.
    Physical,
    /// The logical plan before and after the rules, then the operators.
    Extended,
    /// The operators with rows and times; the query is run.
    Analyze,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let detail = if source.take(&["ANALYZE"]) {
        Detail::Analyze
    } else if source.take(&["EXTENDED"]) || source.take(&["COST"]) {
        Detail::Extended
    } else {
        let _ = source.take(&["FORMATTED"]) || source.take(&["CODEGEN"]);
        Detail::Physical
    };
    if source.begins_query() {
        return Ok(Box::new(Explain { explained: Explained::Query(source.query()?), detail }));
    }
    let explained = match super::parse_row(source)? {
        Some((row, command)) => Explained::Statement(row.words.join(" "), command),
        None => Explained::Query(source.query()?),
    };
    Ok(Box::new(Explain { explained, detail }))
}

impl Command for Explain {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let (query, statement) = match &self.explained {
                Explained::Query(query) => (Some(query.as_ref()), None),
                Explained::Statement(words, command) => (command.query(), Some(words)),
            };
            let detail = match (self.detail, statement) {
                // What a statement would do is not done to see how long it takes.
                (Detail::Analyze, Some(_)) => Detail::Physical,
                (detail, _) => detail,
            };
            let mut text = match query {
                Some(query) => {
                    let plan = plan_query(session, query.clone()).await?;
                    explain(&session.state(), &plan, detail).await?
                }
                None => PHYSICAL.to_owned(),
            };
            if let Some(words) = statement {
                text = text.replacen(PHYSICAL, &format!("{PHYSICAL}Execute {words}\n"), 1);
            }
            let rows: Vec<_> = text.lines().map(|line| [Some(line.to_owned())]).collect();
            answer(["plan"], &rows)
        })
    }
}

/// The text of a plan.
pub(crate) async fn explain(
    state: &SessionState,
    plan: &LogicalPlan,
    detail: Detail,
) -> Result<String> {
    let placed = placement::plan(state, plan).await?;
    let physical = &placed.plan;
    let text = match detail {
        Detail::Physical => format!("{PHYSICAL}{}", placed.describe(false).await?),
        Detail::Extended => {
            let optimized = state.optimize(plan)?;
            format!(
                "== Analyzed Logical Plan ==\n{}\n== Optimized Logical Plan ==\n{}\n{PHYSICAL}{}",
                plan.display_indent(),
                optimized.display_indent(),
                placed.describe(false).await?
            )
        }
        Detail::Analyze => {
            let mut stream = execute_stream(Arc::clone(physical), state.task_ctx())?;
            let mut rows = 0;
            while let Some(batch) = stream.next().await {
                rows += batch?.num_rows();
            }
            drop(stream);
            let operators = placed.describe(true).await?;
            format!("== Physical Plan, {rows} rows ==\n{operators}")
        }
    };
    Ok(text)
}
