//! `CREATE TABLE`: a table of the catalog, empty, over files that are there, or with a query's rows.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::columns::{self, Declared};
use super::{Changes, Command, Source, no_answer, table_name};
use crate::catalog::{ColumnMeta, CreateMode, TableMeta, TableName};
use crate::error::{Condition, Error, Result};
use crate::sources;
use crate::sql::{Environment, plan_query};
use crate::write;

struct CreateTable {
    name: TableName,
    mode: CreateMode,
    columns: Vec<Declared>,
    clauses: Clauses,
    query: Option<Box<ast::Query>>,
}

#[derive(Default)]
struct Clauses {
    format: Option<String>,
    options: Vec<(String, String)>,
    partition_by: Vec<String>,
    /// Those of the partition columns that are declared there.
    partition_columns: Vec<Declared>,
    location: Option<String>,
    comment: Option<String>,
    properties: Vec<(String, String)>,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let mode = match source.take(&["IF", "NOT", "EXISTS"]) {
        true => CreateMode::IfNotExists,
        false => CreateMode::Create,
    };
    parse_rest(source, mode)
}

pub(super) fn parse_or_replace(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_rest(source, CreateMode::OrReplace)
}

fn parse_rest(source: &mut Source<'_>, mode: CreateMode) -> Result<Box<dyn Command>> {
    let name = table_name(&source.relation()?)?;
    let mut columns = match source.parser.peek_token_ref().token {
        Token::LParen => columns::parse_list(source)?,
        _ => Vec::new(),
    };
    let mut clauses = parse_clauses(source)?;
    columns.append(&mut clauses.partition_columns);
    let _ = source.take(&["AS"]);
    let query = if source.at_end() { None } else { Some(source.query()?) };
    Ok(Box::new(CreateTable { name, mode, columns, clauses, query }))
}

fn parse_clauses(source: &mut Source<'_>) -> Result<Clauses> {
    let mut clauses = Clauses::default();
    loop {
        if source.take(&["USING"]) {
            clauses.format = Some(source.parse(Parser::parse_identifier)?.value);
        } else if source.take(&["OPTIONS"]) {
            clauses.options.extend(source.options()?);
        } else if source.take(&["PARTITIONED", "BY"]) {
            parse_partitioning(source, &mut clauses)?;
        } else if source.take(&["LOCATION"]) {
            clauses.location = Some(source.string()?);
        } else if source.take(&["CLUSTERED", "BY"]) {
            // Files are not put into buckets: what they hold is the same without.
            source.names_in_parentheses()?;
            if source.take(&["SORTED", "BY"]) {
                source.parse(|parser| {
                    parser.parse_parenthesized(|parser| {
                        parser.parse_comma_separated(Parser::parse_order_by_expr)
                    })
                })?;
            }
            source.expect(&["INTO"])?;
            source.parse(Parser::parse_literal_uint)?;
            source.expect(&["BUCKETS"])?;
        } else if source.take(&["COMMENT"]) {
            clauses.comment = Some(source.string()?);
        } else if source.take(&["TBLPROPERTIES"]) {
            clauses.properties.extend(source.options()?);
        } else {
            return Ok(clauses);
        }
    }
}

/// `(column, …)`, or `(column type, …)` for columns that stand nowhere else.
fn parse_partitioning(source: &mut Source<'_>, clauses: &mut Clauses) -> Result<()> {
    source.parse(|parser| parser.expect_token(&Token::LParen))?;
    loop {
        let is_name_only =
            matches!(source.parser.peek_nth_token_ref(1).token, Token::Comma | Token::RParen);
        if is_name_only {
            clauses.partition_by.push(source.parse(Parser::parse_identifier)?.value);
        } else {
            let column = columns::parse(source)?;
            clauses.partition_by.push(column.name.clone());
            clauses.partition_columns.push(column);
        }
        if !source.parser.consume_token(&Token::Comma) {
            break;
        }
    }
    source.parse(|parser| parser.expect_token(&Token::RParen))?;
    Ok(())
}

impl Command for CreateTable {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let catalog = session.catalog()?;
            let format = self.clauses.format.as_deref().unwrap_or("parquet");
            let mut meta = TableMeta::table(catalog.qualified(&self.name), format);
            meta.location.clone_from(&self.clauses.location);
            meta.comment.clone_from(&self.clauses.comment);
            meta.properties = self.clauses.properties.iter().cloned().collect();
            for (name, value) in &self.clauses.options {
                match name.eq_ignore_ascii_case("path") {
                    true => meta.location = Some(value.clone()),
                    false => drop(meta.options.insert(name.clone(), value.clone())),
                }
            }
            let partition_by = &self.clauses.partition_by;
            if let Some(query) = &self.query {
                let plan = plan_query(session, (**query).clone()).await?;
                let state = session.state();
                let target = (meta, partition_by.as_slice());
                write::create_table_as(&catalog, &state, target, self.mode, &plan).await?;
                return no_answer();
            }
            let meta = match self.columns.as_slice() {
                [] => {
                    let schema = found_schema(session, &meta).await?;
                    let partition_by = complete(session, &mut meta, &schema, partition_by).await?;
                    meta.with_schema(&schema, &partition_by)?
                }
                declared => {
                    let columns = columns::metas(session, declared).await?;
                    let fields = columns.iter().map(ColumnMeta::to_field);
                    let schema = Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?));
                    let partition_by = complete(session, &mut meta, &schema, partition_by).await?;
                    meta.with_columns(columns, &partition_by)?
                }
            };
            catalog.create_table(&meta, self.mode)?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.name)
    }

    fn query(&self) -> Option<&ast::Query> {
        self.query.as_deref()
    }
}

/// The columns of the files that are there.
async fn found_schema(session: &dyn Environment, meta: &TableMeta) -> Result<SchemaRef> {
    let Some(location) = &meta.location else {
        let message = format!("the columns of table `{}` are not known", meta.name);
        return Err(Error::new(Condition::UNABLE_TO_INFER_SCHEMA, message)
            .hint("name them, or give a LOCATION or a query"));
    };
    let spec = meta.read_spec(location, None);
    Ok(sources::open(&session.state(), &spec).await?.schema())
}

/// Keeps with a table what files that are there tell, so that what it writes itself is read alike; gives the
/// partition columns: those that were named, else those of the table's columns that directories name.
async fn complete(
    session: &dyn Environment,
    meta: &mut TableMeta,
    schema: &SchemaRef,
    partition_by: &[String],
) -> Result<Vec<String>> {
    let Some(location) = &meta.location else { return Ok(partition_by.to_vec()) };
    let spec = meta.read_spec(location, Some(Arc::clone(schema)));
    let told = sources::told(&session.state(), &spec).await?;
    meta.options.extend(told.options.into_iter().map(|(name, value)| (name.to_owned(), value)));
    if !partition_by.is_empty() {
        return Ok(partition_by.to_vec());
    }
    let columns = told.partition_columns.into_iter();
    let fields = schema.fields();
    let is_column =
        |name: &String| fields.iter().any(|field| field.name().eq_ignore_ascii_case(name));
    Ok(columns.filter(is_column).collect())
}
