//! `CREATE [OR REPLACE] TEMP VIEW`: a name for a query, or for files with their options.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::{Command, Source, last_part, no_answer};
use crate::catalog::stored_schema;
use crate::display::shown;
use crate::error::{Condition, Error, Result};
use crate::sources::{self, ReadSpec};
use crate::sql::{Environment, GLOBAL_DATABASE, parse_query, plan_query};

struct CreateView {
    name: String,
    replace: bool,
    if_not_exists: bool,
    columns: Vec<String>,
    /// The types of the columns, all or none.
    types: Vec<ast::DataType>,
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

pub(super) fn parse_global(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_in_global(source, false)
}

pub(super) fn parse_global_or_replace(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_in_global(source, true)
}

fn parse_in_global(source: &mut Source<'_>, replace: bool) -> Result<Box<dyn Command>> {
    if !source.take(&["TEMPORARY"]) {
        source.expect(&["TEMP"])?;
    }
    let mut view = parse_view(source, replace)?;
    view.name = format!("{GLOBAL_DATABASE}.{}", view.name);
    Ok(Box::new(view))
}

fn parse_rest(source: &mut Source<'_>, replace: bool) -> Result<Box<dyn Command>> {
    Ok(Box::new(parse_view(source, replace)?))
}

fn parse_view(source: &mut Source<'_>, replace: bool) -> Result<CreateView> {
    source.expect(&["VIEW"])?;
    let if_not_exists = source.take(&["IF", "NOT", "EXISTS"]);
    let name = last_part(&source.relation()?)?.to_owned();
    let (columns, types) = parse_columns(source)?;
    loop {
        if source.take(&["COMMENT"]) {
            source.string()?;
        } else if source.take(&["TBLPROPERTIES"]) {
            source.options()?;
        } else {
            break;
        }
    }
    let body = if source.take(&["USING"]) {
        let spec = parse_files(source)?;
        if !types.is_empty() && types.len() < columns.len() {
            let message = "some columns of the view have a type, others have none";
            return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, message)
                .hint("give all of them a type, or none"));
        }
        match (spec.paths.is_empty(), types.is_empty()) {
            (false, _) => Body::Files(Box::new(spec)),
            (true, false) => Body::Query(no_rows(&columns, &types)?),
            (true, true) => {
                let message = "the view over files has no path";
                return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, message)
                    .hint("add `OPTIONS (path 'data/*.csv')`"));
            }
        }
    } else {
        source.expect(&["AS"])?;
        Body::Query(source.query()?)
    };
    Ok(CreateView { name, replace, if_not_exists, columns, types, body })
}

/// `(name [type] [COMMENT 'text'], …)`, which may be left out; types come for all or for none.
fn parse_columns(source: &mut Source<'_>) -> Result<(Vec<String>, Vec<ast::DataType>)> {
    if source.parser.peek_token_ref().token != Token::LParen {
        return Ok((Vec::new(), Vec::new()));
    }
    let columns = source.parse(|parser| {
        parser.parse_parenthesized(|parser| {
            parser.parse_comma_separated(|parser| {
                let name = parser.parse_identifier()?.value;
                let next = parser.peek_token_ref().token.clone();
                let has_type =
                    matches!(&next, Token::Word(word) if word.keyword != Keyword::COMMENT);
                let data_type = has_type.then(|| parser.parse_data_type()).transpose()?;
                if parser.parse_keyword(Keyword::COMMENT) {
                    parser.parse_literal_string()?;
                }
                Ok((name, data_type))
            })
        })
    })?;
    let types = columns.iter().filter_map(|(_, data_type)| data_type.clone()).collect();
    Ok((columns.into_iter().map(|(name, _)| name).collect(), types))
}

/// A query with these columns and no row: what files give that are not there.
fn no_rows(columns: &[String], types: &[ast::DataType]) -> Result<Box<ast::Query>> {
    let columns = columns.iter().zip(types);
    let columns = columns.map(|(name, data_type)| format!("CAST(NULL AS {data_type}) AS `{name}`"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    Ok(Box::new(parse_query(&format!("SELECT {columns} WHERE false"))?))
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
    Ok(spec)
}

impl Command for CreateView {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let exists = session.views().contains(&self.name);
            if exists && self.if_not_exists {
                return no_answer();
            }
            if exists && !self.replace {
                return Err(Error::new(
                    Condition::TEMP_VIEW_ALREADY_EXISTS,
                    format!("view `{}` exists already", self.name),
                )
                .hint("use `CREATE OR REPLACE TEMP VIEW`"));
            }
            let mut plan = match &self.body {
                Body::Query(query) => plan_query(session, (**query).clone()).await?,
                Body::Files(spec) => {
                    let mut spec = spec.clone();
                    if !self.types.is_empty() {
                        let columns = no_rows(&self.columns, &self.types)?;
                        let columns = plan_query(session, *columns).await?;
                        spec.schema = Some(Arc::new(stored_schema(columns.schema().as_arrow())));
                    }
                    let provider = sources::open(&session.state(), &spec).await?;
                    let source = provider_as_source(provider);
                    LogicalPlanBuilder::scan(self.name.as_str(), source, None)?.build()?
                }
            };
            if !self.columns.is_empty() && self.types.is_empty() {
                plan = rename(plan, &self.columns)?;
            }
            check_columns(&plan)?;
            session.views().insert(&self.name, plan);
            session.cached().remove(&self.name.to_lowercase());
            no_answer()
        })
    }
}

/// Refuses a view with two columns of one name.
fn check_columns(plan: &LogicalPlan) -> Result<()> {
    let mut known = HashSet::new();
    for field in plan.schema().fields() {
        let name = shown(field.name());
        if !known.insert(name.to_lowercase()) {
            let message = format!("two columns of the view are called `{name}`");
            return Err(Error::new(Condition::COLUMN_ALREADY_EXISTS, message)
                .hint("give one of them another name with AS"));
        }
    }
    Ok(())
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
