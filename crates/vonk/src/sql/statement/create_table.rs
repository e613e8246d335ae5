//! `CREATE TABLE`: a table of the catalog, empty, over files that are there, or with a query's rows.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{Changes, Command, Source, no_answer, table_name};
use crate::catalog::{CreateMode, TableMeta, TableName};
use crate::error::Result;
use crate::sources::{self, ReadSpec};
use crate::sql::{Environment, parse_query, plan_query};
use crate::write;

struct CreateTable {
    name: TableName,
    mode: CreateMode,
    columns: Vec<ast::ColumnDef>,
    clauses: Clauses,
    query: Option<Box<ast::Query>>,
}

#[derive(Default)]
struct Clauses {
    format: Option<String>,
    options: Vec<(String, String)>,
    partition_by: Vec<String>,
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
    let columns = match source.parser.peek_token_ref().token {
        Token::LParen => source.parse(|parser| {
            parser.parse_parenthesized(|parser| {
                parser.parse_comma_separated(Parser::parse_column_def)
            })
        })?,
        _ => Vec::new(),
    };
    let clauses = parse_clauses(source)?;
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
            clauses.partition_by = source.parse(|parser| {
                parser.parse_parenthesized(|parser| {
                    parser.parse_comma_separated(|parser| Ok(parser.parse_identifier()?.value))
                })
            })?;
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
            let schema = self.schema(session, &meta).await?;
            let mut meta = meta.with_schema(&schema, partition_by)?;
            self.set_comments(&mut meta);
            catalog.create_table(&meta, self.mode)?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.name)
    }
}

impl CreateTable {
    /// Gives the columns the comments that are written beside them.
    fn set_comments(&self, meta: &mut TableMeta) {
        for column in &mut meta.columns {
            let written = self.columns.iter().find(|written| written.name.value == column.name);
            column.comment = written.and_then(|written| {
                written.options.iter().find_map(|option| match &option.option {
                    ast::ColumnOption::Comment(comment) => Some(comment.clone()),
                    _ => None,
                })
            });
        }
    }

    /// The columns that are written down, else those of the files that are there.
    async fn schema(&self, session: &dyn Environment, meta: &TableMeta) -> Result<SchemaRef> {
        if self.columns.is_empty()
            && let Some(location) = &meta.location
        {
            let mut spec = ReadSpec::new([location.as_str()]).with_format(&meta.format);
            meta.options.iter().for_each(|(name, value)| spec.options.set(name, value.clone()));
            return Ok(sources::open(&session.state(), &spec).await?.schema());
        }
        let nothing = self
            .columns
            .iter()
            .map(|column| format!("CAST(NULL AS {}) AS `{}`", column.data_type, column.name.value));
        let text = format!("SELECT {}", nothing.collect::<Vec<_>>().join(", "));
        let plan = plan_query(session, parse_query(&text)?).await?;
        let fields = plan.schema().fields().iter().zip(&self.columns).map(|(field, column)| {
            let not_null =
                |option: &ast::ColumnOptionDef| option.option == ast::ColumnOption::NotNull;
            field.as_ref().clone().with_nullable(!column.options.iter().any(not_null))
        });
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }
}
