//! `SHOW TABLES`, `VIEWS`, `COLUMNS`, `FUNCTIONS` and their kin: what there is to ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::describe::redacted;
use super::{Command, Source, answer, fits, rows_of, table_name};
use crate::analyze;
use crate::catalog::{ColumnMeta, TableKind, TableMeta};
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, GLOBAL_DATABASE, parse_query, plan_query};

struct ShowTables {
    database: Option<String>,
    pattern: Option<String>,
    only_views: bool,
}

struct ShowColumns {
    name: ast::ObjectName,
    database: Option<String>,
}

struct ShowFunctions {
    pattern: Option<String>,
    /// Whether those are shown that statements and programs have made.
    users: bool,
    /// Whether those are shown that are always there.
    systems: bool,
}

enum ShowOne {
    Catalogs { pattern: Option<String> },
    CurrentNamespace,
    Properties { name: ast::ObjectName, key: Option<String> },
    CreateTable { name: ast::ObjectName },
}

pub(super) fn parse_tables(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_relations(source, false)
}

pub(super) fn parse_views(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_relations(source, true)
}

fn parse_relations(source: &mut Source<'_>, only_views: bool) -> Result<Box<dyn Command>> {
    let database = parse_database(source)?;
    Ok(Box::new(ShowTables { database, pattern: parse_pattern(source)?, only_views }))
}

/// `IN name` or `FROM name`.
pub(super) fn parse_database(source: &mut Source<'_>) -> Result<Option<String>> {
    if !source.take(&["IN"]) && !source.take(&["FROM"]) {
        return Ok(None);
    }
    let name = source.parse(|parser| parser.parse_object_name(false))?;
    Ok(Some(super::last_part(&name)?.to_owned()))
}

pub(super) fn parse_columns(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if !source.take(&["FROM"]) {
        source.expect(&["IN"])?;
    }
    Ok(Box::new(ShowColumns { name: source.relation()?, database: parse_database(source)? }))
}

pub(super) fn parse_functions(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = parse_database(source)?;
    Ok(Box::new(ShowFunctions { pattern: parse_pattern(source)?, users: true, systems: true }))
}

pub(super) fn parse_user_functions(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = parse_database(source)?;
    Ok(Box::new(ShowFunctions { pattern: parse_pattern(source)?, users: true, systems: false }))
}

pub(super) fn parse_system_functions(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = parse_database(source)?;
    Ok(Box::new(ShowFunctions { pattern: parse_pattern(source)?, users: false, systems: true }))
}

pub(super) fn parse_catalogs(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    Ok(Box::new(ShowOne::Catalogs { pattern: parse_pattern(source)? }))
}

pub(super) fn parse_current(_source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    Ok(Box::new(ShowOne::CurrentNamespace))
}

pub(super) fn parse_properties(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = source.relation()?;
    let key = match source.parser.consume_token(&Token::LParen) {
        true => {
            let key = match source.next() {
                Token::Word(_) => {
                    source.parse(|parser| parser.parse_object_name(false))?.to_string()
                }
                _ => source.string()?,
            };
            source.parse(|parser| parser.expect_token(&Token::RParen))?;
            Some(key)
        }
        false => None,
    };
    Ok(Box::new(ShowOne::Properties { name, key }))
}

pub(super) fn parse_create_table(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = source.relation()?;
    let _ = source.take(&["AS", "SERDE"]);
    Ok(Box::new(ShowOne::CreateTable { name }))
}

pub(super) fn parse_pattern(source: &mut Source<'_>) -> Result<Option<String>> {
    let _ = source.take(&["LIKE"]);
    match source.next() {
        _ if source.at_end() => Ok(None),
        Token::Word(_) => Ok(Some(source.parse(Parser::parse_identifier)?.value)),
        _ => source.string().map(Some),
    }
}

/// A table or view that there is.
pub(super) struct Listed {
    /// Nothing for a view of the session's.
    pub(super) database: String,
    pub(super) name: String,
    /// Whether it ends with the session.
    pub(super) is_temporary: bool,
}

impl Listed {
    /// The tables and views of a database, the current one if none is named, and the session's.
    pub(super) fn all(
        session: &dyn Environment,
        database: Option<&str>,
        pattern: Option<&str>,
    ) -> Result<Vec<Self>> {
        let listed = Self::of(session, database, |_| true)?;
        Ok(listed.filter(|listed| fits(pattern, &listed.name)).collect())
    }

    fn of(
        session: &dyn Environment,
        database: Option<&str>,
        is_wanted: impl Fn(&TableMeta) -> bool,
    ) -> Result<impl Iterator<Item = Self>> {
        let is_global = |database: &str| database.eq_ignore_ascii_case(GLOBAL_DATABASE);
        let of_all = database.is_some_and(is_global);
        let mut tables = match of_all {
            true => Vec::new(),
            false => session.catalog()?.list_tables(database)?,
        };
        tables.retain(is_wanted);
        let lasting = tables.into_iter().map(|meta| Self {
            database: meta.name.database,
            name: meta.name.table,
            is_temporary: false,
        });
        let temporary = session.views().names().into_iter().filter_map(move |name| {
            let (database, name) = match name.split_once('.') {
                Some((database, name)) if of_all => (database.to_owned(), name.to_owned()),
                Some(_) => return None,
                None => (String::new(), name),
            };
            Some(Self { database, name, is_temporary: true })
        });
        Ok(lasting.chain(temporary))
    }
}

impl ShowTables {
    fn rows(&self, session: &dyn Environment) -> Result<Vec<Listed>> {
        let is_wanted = |meta: &TableMeta| !self.only_views || meta.kind == TableKind::View;
        let listed = Listed::of(session, self.database.as_deref(), is_wanted)?;
        Ok(listed.filter(|listed| fits(self.pattern.as_deref(), &listed.name)).collect())
    }
}

impl Command for ShowTables {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let rows = self.rows(session)?;
            let databases = rows.iter().map(|listed| Some(listed.database.as_str()));
            let names = rows.iter().map(|listed| Some(listed.name.as_str()));
            let temporary = rows.iter().map(|listed| Some(listed.is_temporary));
            let columns: [(&str, ArrayRef); 3] = [
                ("namespace", Arc::new(databases.collect::<StringArray>())),
                (
                    if self.only_views { "viewName" } else { "tableName" },
                    Arc::new(names.collect::<StringArray>()),
                ),
                ("isTemporary", Arc::new(temporary.collect::<BooleanArray>())),
            ];
            rows_of(RecordBatch::try_from_iter(columns)?)
        })
    }
}

impl Command for ShowColumns {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let relation = match &self.database {
                Some(database) => {
                    let table = super::last_part(&self.name)?;
                    let written =
                        self.name.0.len().checked_sub(2).and_then(|at| self.name.0[at].as_ident());
                    let differs = |ident: &ast::Ident| !ident.value.eq_ignore_ascii_case(database);
                    if let Some(other) = written.filter(|ident| differs(ident)) {
                        return Err(Error::new(
                            Condition::SHOW_COLUMNS_WITH_CONFLICT,
                            format!("the table is in `{}` or in `{database}`", other.value),
                        ));
                    }
                    format!("`{database}`.`{table}`")
                }
                None => self.name.to_string(),
            };
            let query = parse_query(&format!("SELECT * FROM {relation}"))?;
            let plan = plan_query(session, query).await?;
            let fields = plan.schema().fields();
            let rows: Vec<_> = fields.iter().map(|field| [Some(field.name().clone())]).collect();
            answer(["col_name"], &rows)
        })
    }
}

impl ShowFunctions {
    /// The names that fit, those of lasting functions with their database.
    fn names(&self, session: &dyn Environment) -> Result<Vec<String>> {
        let is_wanted = |name: &str| fits(self.pattern.as_deref(), name);
        let state = session.state();
        let functions = analyze::Functions::of(&state);
        let own = functions.own_names();
        let mut names = Vec::new();
        if self.users {
            names.extend(own.iter().filter(|name| is_wanted(name)).cloned());
            let database = session.catalog()?.current_database();
            let routines = session.routines().all().into_iter();
            names.extend(routines.filter(|routine| is_wanted(&routine.name)).map(|routine| {
                match routine.is_temporary {
                    true => routine.name.clone(),
                    false => format!("spark_catalog.{database}.{}", routine.name),
                }
            }));
        }
        if self.systems {
            let known = functions.names().into_iter();
            names.extend(known.filter(|name| !own.contains(name) && is_wanted(name)));
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

impl Command for ShowFunctions {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let names = self.names(session)?;
            let rows: Vec<_> = names.into_iter().map(|name| [Some(name)]).collect();
            answer(["function"], &rows)
        })
    }
}

impl Command for ShowOne {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let text = |text: &str| Some(text.to_owned());
            match self {
                ShowOne::Catalogs { pattern } => {
                    let shown = fits(pattern.as_deref(), "spark_catalog");
                    let rows = [[text("spark_catalog")]];
                    answer(["catalog"], if shown { &rows } else { &[] })
                }
                ShowOne::CurrentNamespace => {
                    let database = session.catalog()?.current_database();
                    answer(["catalog", "namespace"], &[[text("spark_catalog"), Some(database)]])
                }
                ShowOne::Properties { name, key } => {
                    let meta = session.catalog()?.existing_table(&table_name(name)?)?;
                    let rows: Vec<_> = meta
                        .properties
                        .iter()
                        .filter(|(name, _)| key.as_ref().is_none_or(|key| key == *name))
                        .map(|(name, value)| [text(name), text(redacted(name, value))])
                        .collect();
                    answer(["key", "value"], &rows)
                }
                ShowOne::CreateTable { name } => {
                    let meta = session.catalog()?.existing_table(&table_name(name)?)?;
                    answer(["createtab_stmt"], &[[Some(create_statement(&meta)?)]])
                }
            }
        })
    }
}

/// The statement that makes a table or view as it is.
fn create_statement(meta: &TableMeta) -> Result<String> {
    let name = format!("spark_catalog.{}.{}", meta.name.database, meta.name.table);
    if let Some(view) = &meta.view_text {
        return Ok(format!("CREATE VIEW {name} AS {view}"));
    }
    let columns = meta.columns.iter().map(column_definition).collect::<Result<Vec<_>>>()?;
    let mut text =
        format!("CREATE TABLE {name} (\n{})\nUSING {}", columns.join(",\n"), meta.format);
    if !meta.options.is_empty() {
        text.push_str(&format!("\nOPTIONS ({})", pairs(&meta.options)));
    }
    if !meta.partition_columns.is_empty() {
        text.push_str(&format!("\nPARTITIONED BY ({})", meta.partition_columns.join(", ")));
    }
    if let Some(comment) = &meta.comment {
        text.push_str(&format!("\nCOMMENT {}", quoted(comment)));
    }
    if let Some(location) = &meta.location {
        text.push_str(&format!("\nLOCATION {}", quoted(location)));
    }
    if !meta.properties.is_empty() {
        text.push_str(&format!("\nTBLPROPERTIES ({})", pairs(&meta.properties)));
    }
    Ok(text)
}

/// `  name TYPE NOT NULL DEFAULT value COMMENT 'text'`.
fn column_definition(column: &ColumnMeta) -> Result<String> {
    let mut text = format!("  {} {}", column.name, column.declared_type()?.to_uppercase());
    if !column.nullable {
        text.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        text.push_str(&format!(" DEFAULT {default}"));
    }
    if let Some(comment) = &column.comment {
        text.push_str(&format!(" COMMENT {}", quoted(comment)));
    }
    Ok(text)
}

/// `'name' = 'value'` in lines of their own.
fn pairs(options: &BTreeMap<String, String>) -> String {
    let lines = options
        .iter()
        .map(|(name, value)| format!("\n  {} = {}", quoted(name), quoted(redacted(name, value))));
    lines.collect::<Vec<_>>().join(",")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
