//! `CREATE [OR REPLACE] TEMP VIEW`: a name for a query, or for files with their options.

use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::future::BoxFuture;
use sqlparser::ast;

use super::{Command, Source, last_part, no_answer};
use crate::error::{Condition, Error, Result};
use crate::sources::{self, ReadSpec};
use crate::sql::{Environment, plan_query};

struct CreateView {
    name: String,
    replace: bool,
    if_not_exists: bool,
    columns: Vec<String>,
    body: Body,
}

enum Body {
    Query(Box<ast::Query>),
    Files(Box<ReadSpec>),
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_rest(source, false)
}

pub(super) fn parse_or_replace(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_rest(source, true)
}

fn parse_rest(source: &mut Source<'_>, replace: bool) -> Result<Box<dyn Command>> {
    source.expect(&["VIEW"])?;
    let if_not_exists = source.take(&["IF", "NOT", "EXISTS"]);
    let name = last_part(&source.relation()?)?.to_owned();
    let columns = source.parse(|parser| {
        let columns = parser
            .parse_parenthesized_column_list(sqlparser::parser::IsOptional::Optional, false)?;
        Ok(columns.into_iter().map(|column| column.value).collect())
    })?;
    let body = if source.take(&["USING"]) {
        Body::Files(Box::new(parse_files(source)?))
    } else {
        source.expect(&["AS"])?;
        Body::Query(source.query()?)
    };
    Ok(Box::new(CreateView { name, replace, if_not_exists, columns, body }))
}

/// `format [OPTIONS (…)] [LOCATION 'path']`; the path may also be the option `path`.
fn parse_files(source: &mut Source<'_>) -> Result<ReadSpec> {
    let format = source.parse(sqlparser::parser::Parser::parse_identifier)?.value;
    let mut spec = ReadSpec::default().with_format(&format);
    loop {
        if source.take(&["OPTIONS"]) {
            for (name, value) in source.options()? {
                if name.eq_ignore_ascii_case("path") {
                    spec.paths.push(value);
                } else {
                    spec.options.set(&name, value);
                }
            }
        } else if source.take(&["LOCATION"]) {
            spec.paths.push(source.string()?);
        } else {
            break;
        }
    }
    if spec.paths.is_empty() {
        return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, "the view over files has no path")
            .hint("add `OPTIONS (path 'data/*.csv')`"));
    }
    Ok(spec)
}

impl Command for CreateView {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let exists = session.views().get(&self.name).is_some();
            if exists && self.if_not_exists {
                return no_answer();
            }
            if exists && !self.replace {
                return Err(Error::new(
                    Condition::TABLE_ALREADY_EXISTS,
                    format!("view `{}` exists already", self.name),
                )
                .hint("use `CREATE OR REPLACE TEMP VIEW`"));
            }
            let mut plan = match &self.body {
                Body::Query(query) => plan_query(session, (**query).clone()).await?,
                Body::Files(spec) => {
                    let provider = sources::open(&session.state(), spec).await?;
                    let source = provider_as_source(provider);
                    LogicalPlanBuilder::scan(self.name.as_str(), source, None)?.build()?
                }
            };
            if !self.columns.is_empty() {
                plan = rename(plan, &self.columns)?;
            }
            session.views().insert(&self.name, plan);
            no_answer()
        })
    }
}

/// Gives the columns of a plan other names, in order.
fn rename(plan: LogicalPlan, names: &[String]) -> Result<LogicalPlan> {
    let found = plan.schema().fields().len();
    if found != names.len() {
        return Err(Error::new(
            Condition::INVALID_PARAMETER,
            format!("the view names {} columns, its query has {found}", names.len()),
        ));
    }
    let columns = plan.schema().columns();
    let renamed = columns
        .into_iter()
        .zip(names)
        .map(|(column, name)| datafusion::prelude::Expr::Column(column).alias(name));
    Ok(LogicalPlanBuilder::from(plan).project(renamed)?.build()?)
}
