//! `COPY … TO`: a query's rows into a file or directory.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::tokenizer::Token;

use super::{Changes, Command, Source, answer};
use crate::error::Result;
use crate::sql::{Environment, plan_query};
use crate::write::{CopySpec, SaveMode, WriteOptions, copy_to};

struct Copy {
    query: ast::Query,
    path: String,
    options: Vec<(String, String)>,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let query = source.query_or_relation()?;
    source.expect(&["TO"])?;
    let path = source.string()?;
    let _ = source.take(&["WITH"]) || source.take(&["OPTIONS"]);
    let options = match source.parser.peek_token_ref().token {
        Token::LParen => source.options()?,
        _ => Vec::new(),
    };
    Ok(Box::new(Copy { query, path, options }))
}

impl Command for Copy {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let plan = plan_query(session, self.query.clone()).await?;
            let mut spec = CopySpec {
                path: self.path.clone(),
                format: None,
                options: WriteOptions::default(),
                partition_by: Vec::new(),
                mode: None,
            };
            for (name, value) in &self.options {
                match name.to_lowercase().as_str() {
                    "format" => spec.format = Some(value.clone()),
                    "partition_by" => {
                        spec.partition_by =
                            value.split(',').map(|name| name.trim().to_owned()).collect();
                    }
                    "mode" => spec.mode = Some(value.parse::<SaveMode>()?),
                    _ => spec.options.set(name, value.clone()),
                }
            }
            let report = copy_to(&session.state(), spec, &plan).await?;
            answer(["rows"], &[[Some(report.rows.to_string())]])
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Everything
    }
}
