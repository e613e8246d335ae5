//! `DESCRIBE`: the columns and types of a table, file or query, in Spark's three columns.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;

use super::{Command, Source, answer};
use crate::display;
use crate::error::Result;
use crate::sql::{Environment, plan_query};

struct Describe {
    query: ast::Query,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = source.take(&["TABLE"]) || source.take(&["QUERY"]);
    let _ = source.take(&["EXTENDED"]) || source.take(&["FORMATTED"]);
    Ok(Box::new(Describe { query: source.query_or_relation()? }))
}

impl Command for Describe {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let plan = plan_query(session, self.query.clone()).await?;
            let rows: Vec<_> = plan
                .schema()
                .fields()
                .iter()
                .map(|field| {
                    [Some(field.name().clone()), Some(display::field_type_name(field)), None]
                })
                .collect();
            answer(["col_name", "data_type", "comment"], &rows)
        })
    }
}
