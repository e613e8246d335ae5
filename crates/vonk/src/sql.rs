//! SQL text to plans: parse, run commands, find what the names mean, plan queries.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Column, ScalarValue, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};
use datafusion::physical_plan::collect;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::resolve::resolve_table_references;
use sqlparser::ast::{self, Spanned, Visit, Visitor};
use sqlparser::tokenizer::TokenWithSpan;
use vonk_functions::bounded_text::{self, BoundedText};

use crate::analyze::{self, Relation, Routines, Variables};
use crate::catalog::{Catalog, TableKind, TableMeta, TableName};
use crate::config::{self, Config};
use crate::error::{Condition, Error, Place, Result};
use crate::limits;
use crate::policy::Policy;
use crate::sources;

mod bangs;
mod cached;
mod desugar;
pub mod dialect;
mod extract;
mod forms;
mod identifiers;
mod literals;
mod parameters;
mod parse;
mod refused;
mod rows;
mod statement;
mod steps;
mod strings;
mod typed;
mod views;

pub(crate) use cached::{Cached, Kept, KeptRows, cache_key, sources_of};
pub use parse::{is_complete, split};
pub(crate) use parse::{query as parse_query, select_item as parse_select_item};
pub use statement::{STATEMENTS, fits};
pub(crate) use views::Views;
pub use vonk_functions::NamePattern;

/// What help says of every function and operator, by name.
///
/// ```
/// let all = vonk::sql::functions();
/// let explode = all.iter().find(|row| row.names[0] == "explode").unwrap();
/// assert_eq!(explode.usage, "explode(collection)");
/// ```
pub fn functions() -> Vec<vonk_functions::Description> {
    analyze::descriptions()
}

/// The database of the views that all sessions of Spark share; here each session has its own.
pub(crate) const GLOBAL_DATABASE: &str = "global_temp";

/// What a statement may see and change of the session that runs it.
pub(crate) trait Environment: Send + Sync {
    /// Functions, rules and options for planning.
    fn state(&self) -> Arc<SessionState>;
    /// The temporary views.
    fn views(&self) -> &Views;
    /// The tables and views that outlive the session.
    fn catalog(&self) -> Result<Catalog>;
    /// The options as they are now.
    fn config(&self) -> Config;
    /// The variables.
    fn variables(&self) -> &Variables;
    /// The functions written in SQL.
    fn routines(&self) -> &Routines;
    /// The relations that statements have cached.
    fn cached(&self) -> &Cached;
    /// Keeps the rows of a plan from the first query that reads them, where a level says.
    fn keep(&self, plan: LogicalPlan, level: Option<&str>) -> Result<Kept>;
    /// Sets an option.
    fn set(&self, name: &str, value: &str) -> Result<()>;
    /// Puts an option back to its default.
    fn unset(&self, name: &str) -> Result<()>;
}

/// Parses one statement and plans it; a command is run and its plan holds its answer.
pub(crate) async fn plan_text(session: &dyn Environment, text: &str) -> Result<LogicalPlan> {
    limits::check_text(&session.config(), text)?;
    let tokens = identifiers::resolve(session, tokens_of(session, text)?).await?;
    plan_parsed(session, parse::statement_of(tokens, text)?).await
}

/// As [`plan_text`], with values in the place of its parameters; each may have a name.
pub(crate) async fn plan_text_with(
    session: &dyn Environment,
    text: &str,
    arguments: Vec<(Option<String>, ast::Expr)>,
) -> Result<LogicalPlan> {
    limits::check_text(&session.config(), text)?;
    let (names, values): (Vec<_>, Vec<_>) = arguments.into_iter().unzip();
    let values = match values.is_empty() {
        true => Vec::new(),
        false => statement::values_of(session, values).await?,
    };
    let arguments = names.into_iter().zip(values);
    let arguments = arguments.map(|(name, value)| parameters::Argument { name, value });
    let arguments: Vec<_> = arguments.collect();
    let tokens = parameters::bind(tokens_of(session, text)?, &arguments, session.variables())?;
    let tokens = identifiers::resolve(session, tokens).await?;
    plan_parsed(session, parse::statement_of(tokens, text)?).await
}

/// The tokens of a user's statement, as the options of the session have them read.
fn tokens_of(session: &dyn Environment, text: &str) -> Result<Vec<TokenWithSpan>> {
    let config = session.config();
    let tokens = parse::tokens_with(text, config.is_on(config::RAW_TEXTS))?;
    bangs::spell(tokens, config.is_on(config::BANG_AS_NOT))
}

/// Whether a statement gives rows and does nothing else: it is a query, not a command.
///
/// ```
/// assert!(vonk::sql::is_query("SELECT 1")?);
/// assert!(!vonk::sql::is_query("CREATE TEMP VIEW a AS SELECT 1")?);
/// # Ok::<(), vonk::Error>(())
/// ```
///
/// # Errors
/// `PARSE_SYNTAX_ERROR` if it is no statement.
pub fn is_query(text: &str) -> Result<bool> {
    Ok(matches!(parse::statement(text)?, parse::Parsed::Query(_)))
}

/// Plans a query, or runs a command.
pub(crate) async fn plan_parsed(
    session: &dyn Environment,
    parsed: parse::Parsed,
) -> Result<LogicalPlan> {
    match parsed {
        parse::Parsed::Query(query) => plan_query(session, *query).await,
        parse::Parsed::Command(command) => {
            let answer = command.run(session).await;
            // Also after a failure: what it did until then may have changed what is kept.
            match command.changes() {
                statement::Changes::Nothing => {}
                statement::Changes::Everything => session.cached().forget(None),
                statement::Changes::Table(name) => {
                    let name = session.catalog()?.qualified(name);
                    session.cached().forget(Some(&name.to_string().to_lowercase()));
                }
            }
            answer
        }
    }
}

/// Plans a scan of a table, view or file.
pub(crate) async fn plan_table(session: &dyn Environment, name: &str) -> Result<LogicalPlan> {
    plan_text(session, &format!("SELECT * FROM {name}")).await
}

/// Plans a query over the tables, views and files that it names.
pub(crate) async fn plan_query(
    session: &dyn Environment,
    mut query: ast::Query,
) -> Result<LogicalPlan> {
    desugar::spell_out(&mut query, session)?;
    let mut relations = resolve_relations(session, &query).await?;
    for body in session.routines().queries_of(&query) {
        relations.extend(resolve_relations(session, &body).await?);
    }
    analyze::plan_over(&session.state(), relations, query)
}

/// Runs a query whose few rows a statement needs, and gives the types of its columns with them.
pub(crate) async fn rows_of_query(
    session: &dyn Environment,
    query: ast::Query,
) -> Result<(Vec<DataType>, Vec<Vec<ScalarValue>>)> {
    let plan = plan_query(session, query).await?;
    let types = plan.schema().fields().iter().map(|field| field.data_type().clone()).collect();
    let state = session.state();
    let physical = state.create_physical_plan(&plan).await?;
    let mut rows = Vec::new();
    for batch in collect(physical, state.task_ctx()).await? {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|c| ScalarValue::try_from_array(c, row));
            rows.push(values.collect::<Result<Vec<_>, _>>()?);
        }
    }
    Ok((types, rows))
}

/// Finds every table, view and file that a query names outside its own WITH clauses.
async fn resolve_relations(
    session: &dyn Environment,
    query: &ast::Query,
) -> Result<HashMap<String, Relation>> {
    let wrapped = ast::Statement::Query(Box::new(query.clone()));
    let wrapped = DfStatement::Statement(Box::new(wrapped));
    let (names, _) = resolve_table_references(&wrapped, false)?;
    let called = called_in_from(query);
    let mut relations = HashMap::new();
    for name in names {
        if called.contains(name.table()) {
            continue;
        }
        // A name may yet turn out to be one of a WITH clause, in another case.
        let relation = resolve_relation(session, &name).await.unwrap_or_else(|error| {
            Relation::Unknown(Arc::new(match place_of_relation(query, &name) {
                Some(place) if error.place().is_none() => error.at(place),
                _ => error,
            }))
        });
        relations.insert(name.to_string(), relation);
    }
    Ok(relations)
}

/// Finds one table, view or file by the name that stands in a query; if it is cached, its rows.
pub(crate) async fn resolve_relation(
    session: &dyn Environment,
    name: &TableReference,
) -> Result<Relation> {
    let relation = found_relation(session, name).await?;
    let Some(key) = cached_name(session, name)? else { return Ok(relation) };
    let is_temporary = matches!(relation, Relation::View { is_temporary: true, .. });
    let cached = session.cached().plan(&key, |level| {
        let plan = match &relation {
            Relation::Table(source) => {
                LogicalPlanBuilder::scan(name.clone(), Arc::clone(source), None)?.build()?
            }
            Relation::View { plan, .. } => plan.clone(),
            Relation::Unknown(error) => return Err(error.copy()),
        };
        let sources = sources_of(&plan, &session.catalog()?.current_database());
        Ok((session.keep(plan, level)?, sources))
    })?;
    Ok(match cached {
        Some(plan) => Relation::View { plan, is_temporary },
        None => relation,
    })
}

/// The name by which a relation is cached, if it is.
fn cached_name(session: &dyn Environment, name: &TableReference) -> Result<Option<String>> {
    if session.cached().is_empty() {
        return Ok(None);
    }
    let key = relation_key(session, name)?;
    Ok(session.cached().contains(&key).then_some(key))
}

/// The name by which a relation is cached or would be.
pub(crate) fn relation_key(session: &dyn Environment, name: &TableReference) -> Result<String> {
    let is_view = name.schema().is_none() && session.views().contains(name.table());
    Ok(cache_key(name, &session.catalog()?.current_database(), is_view))
}

async fn found_relation(session: &dyn Environment, name: &TableReference) -> Result<Relation> {
    if name.schema().is_none()
        && let Some(plan) = session.views().get(name.table())
    {
        return Ok(Relation::View { plan, is_temporary: true });
    }
    if let Some(database) = name.schema()
        && database.eq_ignore_ascii_case(GLOBAL_DATABASE)
        && let Some(plan) = session.views().get(&format!("{GLOBAL_DATABASE}.{}", name.table()))
    {
        return Ok(Relation::View { plan, is_temporary: false });
    }
    let catalog = session.catalog()?;
    if let Ok(table) = TableName::new(name.schema(), name.table())
        && let Some(meta) = catalog.table(&table)?
    {
        return match (meta.kind, &meta.view_text) {
            (TableKind::View, Some(text)) => {
                let query = parse::query(text)?;
                let plan = Box::pin(plan_query(session, query)).await?;
                Ok(Relation::View { plan: as_made(plan, &meta)?, is_temporary: false })
            }
            _ => {
                let provider = catalog.open(&session.state(), &meta).await?;
                table_of(name, &meta, provider_as_source(provider))
            }
        };
    }
    if name.table().is_empty() {
        let message = "the path of the files is empty";
        return Err(Error::new(Condition::INVALID_EMPTY_LOCATION, message)
            .hint("write the path behind the format: parquet.`data/*.parquet`"));
    }
    if let Some(spec) = file_spec(name) {
        let provider = sources::open(&session.state(), &spec).await?;
        return Ok(Relation::Table(provider_as_source(provider)));
    }
    let mut known = session.views().names();
    let tables = catalog.list_tables(name.schema()).unwrap_or_default();
    known.extend(tables.into_iter().map(|meta| meta.name.table));
    let error = Error::new(
        Condition::TABLE_OR_VIEW_NOT_FOUND,
        format!("table or view `{name}` does not exist"),
    );
    let path = name.table();
    // What is on the disk is nothing to tell those whom a policy keeps away from it.
    let is_there = || !Policy::of(&session.state()).is_restricted() && Path::new(path).exists();
    if name.schema().is_none() && is_there() {
        return Err(error.hint(format!("to read the files of that name, write './{path}'")));
    }
    Err(error.did_you_mean(path, known.iter().map(String::as_str)))
}

/// A table as queries see it: of files that others may have written, what a CHAR column holds is filled
/// up with spaces.
fn table_of(
    name: &TableReference,
    meta: &TableMeta,
    source: Arc<dyn TableSource>,
) -> Result<Relation> {
    let schema = source.schema();
    let is_char = |field: &Field| matches!(BoundedText::of(field), Some(BoundedText::Char(_)));
    if meta.location.is_none() || !schema.fields().iter().any(|field| is_char(field)) {
        return Ok(Relation::Table(source));
    }
    let columns = schema.fields().iter().map(|field| {
        let column = Expr::Column(Column::new(Some(name.clone()), field.name()));
        match BoundedText::of(field) {
            Some(BoundedText::Char(length)) => bounded_text::filled(column, length)
                .alias_with_metadata(field.name(), Some(FieldMetadata::new_from_field(field))),
            _ => column,
        }
    });
    let columns: Vec<Expr> = columns.collect();
    let plan = LogicalPlanBuilder::scan(name.clone(), source, None)?.project(columns)?.build()?;
    Ok(Relation::View { plan, is_temporary: false })
}

/// The plan of a view, whose columns have the names that they had when it was made.
fn as_made(plan: LogicalPlan, meta: &TableMeta) -> Result<LogicalPlan> {
    let found = plan.schema().fields().len();
    let made = &meta.columns;
    if made.is_empty()
        || plan.schema().fields().iter().map(|f| f.name()).eq(made.iter().map(|c| &c.name))
    {
        return Ok(plan);
    }
    if found < made.len() {
        let message =
            format!("view `{}` has {} columns, its query now {found}", meta.name, made.len());
        return Err(Error::new(Condition::INCOMPATIBLE_VIEW_SCHEMA_CHANGE, message)
            .hint("make the view anew with `CREATE OR REPLACE VIEW`"));
    }
    let columns = plan.schema().columns().into_iter().zip(made);
    let named = columns.map(|(column, made)| Expr::Column(column).alias(&made.name));
    Ok(LogicalPlanBuilder::from(plan).project(named.collect::<Vec<_>>())?.build()?)
}

/// What to read if a table's name is a path: `'data/*.csv'`, or Spark's `` csv.`data` ``.
fn file_spec(name: &TableReference) -> Option<sources::ReadSpec> {
    match name.schema() {
        Some(format) if sources::is_format(format) || sources::looks_like_path(name.table()) => {
            Some(sources::ReadSpec::new([name.table()]).with_format(format))
        }
        Some(_) => None,
        None if sources::looks_like_path(name.table()) => {
            Some(sources::ReadSpec::new([name.table()]))
        }
        None => None,
    }
}

/// The functions that a query calls in FROM, which are no tables: `FROM range(10)`.
fn called_in_from(query: &ast::Query) -> HashSet<String> {
    struct Finder(HashSet<String>);
    impl Visitor for Finder {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
            if let ast::TableFactor::Table { name, args: Some(_), .. } = factor
                && let Some(last) = name.0.last().and_then(ast::ObjectNamePart::as_ident)
            {
                self.0.insert(last.value.clone());
            }
            ControlFlow::Continue(())
        }
    }
    let mut finder = Finder(HashSet::new());
    let _ = query.visit(&mut finder);
    finder.0
}

/// Where a query first names a relation, for the caret of an error.
fn place_of_relation(query: &ast::Query, name: &TableReference) -> Option<Place> {
    struct Finder<'a> {
        name: &'a str,
        place: Option<Place>,
    }
    impl Visitor for Finder<'_> {
        type Break = ();

        fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<()> {
            let last = relation.0.last().and_then(ast::ObjectNamePart::as_ident);
            if last.is_some_and(|ident| ident.value == self.name) {
                self.place = Place::of(relation.span());
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }
    }
    let mut finder = Finder { name: name.table(), place: None };
    let _ = query.visit(&mut finder);
    finder.place
}
