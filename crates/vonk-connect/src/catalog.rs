//! `spark.catalog`: databases, tables, columns and functions as relations.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, ListBuilder, RecordBatch, StringArray, StringBuilder};
use spark_connect_proto as proto;
use spark_connect_proto::catalog::CatType;
use vonk::catalog::TableInfo;
use vonk::sql::fits;
use vonk::{Error, Result};

use crate::config;
use crate::errors::{self, required};
use crate::expression::quoted;
use crate::relation::Query;
use crate::session::{ConnectSession, cached_table};

mod tables;

use tables::{columns, tables, views};

/// The one catalog that there is.
const CATALOG: &str = "spark_catalog";

/// The relation that a call of the catalog gives; what it does is done first.
///
/// # Errors
/// `TABLE_OR_VIEW_NOT_FOUND`, `SCHEMA_NOT_FOUND` and `UNRESOLVED_ROUTINE` for names that are not there.
pub(crate) async fn relation(
    session: &Arc<ConnectSession>,
    catalog: &proto::Catalog,
) -> Result<Query> {
    use CatType as Type;
    let engine = &session.engine;
    let batch = match required(catalog.cat_type.as_ref(), "call of the catalog")? {
        Type::CurrentDatabase(_) => text(&engine.catalog()?.current_database())?,
        Type::SetCurrentDatabase(set) => {
            engine.catalog()?.set_current_database(bare(&set.db_name))?;
            nothing()
        }
        Type::CurrentCatalog(_) => text(CATALOG)?,
        Type::SetCurrentCatalog(set) if set.catalog_name == CATALOG => nothing(),
        Type::SetCurrentCatalog(_) => return Err(errors::unsupported("other catalogs")),
        Type::ListCatalogs(list) => catalogs(list.pattern.as_deref())?,
        Type::ListDatabases(list) => databases(session, list.pattern.as_deref(), None)?,
        Type::GetDatabase(get) => databases(session, None, Some(bare(&get.db_name)))?,
        Type::DatabaseExists(exists) => {
            boolean(engine.catalog()?.database_exists(bare(&exists.db_name)))?
        }
        Type::ListTables(list) => {
            tables(session, list.db_name.as_deref(), list.pattern.as_deref())?
        }
        Type::ListViews(list) => views(session, list.db_name.as_deref(), list.pattern.as_deref())?,
        Type::GetTable(get) => tables::one(session, &get.table_name, get.db_name.as_deref())?,
        Type::TableExists(exists) => {
            boolean(tables::find(session, &exists.table_name, exists.db_name.as_deref()).is_ok())?
        }
        Type::ListColumns(list) => {
            columns(session, &list.table_name, list.db_name.as_deref()).await?
        }
        Type::ListFunctions(list) => functions(session, list.pattern.as_deref())?,
        Type::GetFunction(get) => function(session, &get.function_name)?,
        Type::FunctionExists(exists) => boolean(is_function(session, &exists.function_name))?,
        Type::DropTempView(drop) => boolean(engine.drop_temp_view(&drop.view_name))?,
        Type::DropGlobalTempView(drop) => {
            boolean(engine.drop_temp_view(&format!("global_temp.{}", drop.view_name)))?
        }
        Type::CreateTable(create) => return created(session, create).await,
        Type::CreateExternalTable(create) => {
            let create = proto::CreateTable {
                table_name: create.table_name.clone(),
                path: create.path.clone(),
                source: create.source.clone(),
                description: None,
                schema: create.schema.clone(),
                options: create.options.clone(),
            };
            return created(session, &create).await;
        }
        other => return cached(session, other).await,
    };
    rows(session, batch).await
}

async fn rows(session: &Arc<ConnectSession>, batch: RecordBatch) -> Result<Query> {
    Query::new(session.engine.from_batches(vec![batch])?).await
}

/// Calls about tables that are cached.
async fn cached(session: &Arc<ConnectSession>, call: &CatType) -> Result<Query> {
    use CatType as Type;
    let engine = &session.engine;
    let batch = match call {
        Type::IsCached(cached) => {
            engine.table(&cached.table_name).check().await?;
            boolean(session.kept.lock().tables.contains_key(&cached_table(&cached.table_name)))?
        }
        Type::CacheTable(cache) => {
            let frame = engine.table(&cache.table_name);
            frame.check().await?;
            session.kept.lock().tables.insert(cached_table(&cache.table_name), frame.cache());
            nothing()
        }
        Type::UncacheTable(uncache) => {
            engine.table(&uncache.table_name).check().await?;
            session.kept.lock().tables.remove(&cached_table(&uncache.table_name));
            nothing()
        }
        Type::ClearCache(_) => {
            session.kept.lock().clear_cache();
            nothing()
        }
        other => return statement(session, other).await,
    };
    rows(session, batch).await
}

/// Calls that are statements of SQL in other words.
async fn statement(session: &Arc<ConnectSession>, call: &CatType) -> Result<Query> {
    use CatType as Type;
    let if_exists = |is: bool| if is { "IF EXISTS " } else { "" };
    let text = match call {
        Type::RefreshTable(refresh) => format!("REFRESH TABLE {}", refresh.table_name),
        Type::RefreshByPath(_) | Type::RecoverPartitions(_) => {
            // Files and partitions are listed anew by every query.
            return rows(session, nothing()).await;
        }
        Type::DropTable(drop) => {
            format!("DROP TABLE {}{}", if_exists(drop.if_exists), drop.table_name)
        }
        Type::DropView(drop) => {
            format!("DROP VIEW {}{}", if_exists(drop.if_exists), drop.view_name)
        }
        Type::CreateDatabase(create) => {
            let if_not_exists = if create.if_not_exists { "IF NOT EXISTS " } else { "" };
            format!("CREATE DATABASE {if_not_exists}{}", bare(&create.db_name))
        }
        Type::DropDatabase(drop) => {
            let cascade = if drop.cascade { " CASCADE" } else { "" };
            format!("DROP DATABASE {}{}{cascade}", if_exists(drop.if_exists), bare(&drop.db_name))
        }
        Type::GetTableProperties(get) => format!("SHOW TBLPROPERTIES {}", get.table_name),
        Type::GetCreateTableString(get) => format!("SHOW CREATE TABLE {}", get.table_name),
        Type::AnalyzeTable(analyze) => {
            format!("ANALYZE TABLE {} COMPUTE STATISTICS", analyze.table_name)
        }
        Type::ListPartitions(list) => format!("SHOW PARTITIONS {}", list.table_name),
        Type::TruncateTable(truncate) => format!("TRUNCATE TABLE {}", truncate.table_name),
        _ => return Err(errors::unsupported("this call of the catalog")),
    };
    let rows = session.engine.sql(text).to_arrow().await?;
    Query::new(session.engine.from_batches(vec![rows])?).await
}

/// Makes a table, and gives its rows.
async fn created(session: &Arc<ConnectSession>, create: &proto::CreateTable) -> Result<Query> {
    let engine = &session.engine;
    let columns = match &create.schema {
        Some(schema) => crate::types::columns_ddl(schema)?,
        None => String::new(),
    };
    let columns = if columns.is_empty() { columns } else { format!(" ({columns})") };
    let source = config::format(engine, create.source.as_deref());
    let escape = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut text = format!("CREATE TABLE {}{columns} USING {source}", create.table_name);
    let options = create.options.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("path"));
    let options: Vec<String> =
        options.map(|(name, value)| format!("{} '{}'", quoted(name), escape(value))).collect();
    if !options.is_empty() {
        text.push_str(&format!(" OPTIONS ({})", options.join(", ")));
    }
    let path = create.path.as_ref().or_else(|| create.options.get("path"));
    if let Some(path) = path {
        text.push_str(&format!(" LOCATION '{}'", escape(path)));
    }
    if let Some(comment) = create.description.as_ref().filter(|comment| !comment.is_empty()) {
        text.push_str(&format!(" COMMENT '{}'", escape(comment)));
    }
    engine.sql(text).collect().await?;
    Query::new(engine.table(&create.table_name)).await
}

fn catalogs(pattern: Option<&str>) -> Result<RecordBatch> {
    let names: &Texts = match fits(pattern, CATALOG) {
        true => &[Some(CATALOG.to_owned())],
        false => &[],
    };
    table(&[("name", names), ("description", &vec![None; names.len()])])
}

/// A name of a database, without the catalog that may stand before it.
fn bare(name: &str) -> &str {
    name.strip_prefix(CATALOG).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name)
}

fn databases(
    session: &Arc<ConnectSession>,
    pattern: Option<&str>,
    only: Option<&str>,
) -> Result<RecordBatch> {
    let catalog = session.engine.catalog()?;
    let mut names = catalog.list_databases()?;
    names.retain(|name| fits(pattern, name));
    if let Some(only) = only {
        names.retain(|name| name.eq_ignore_ascii_case(only));
        if names.is_empty() {
            let message = format!("database `{only}` does not exist");
            return Err(Error::new(vonk::Condition::SCHEMA_NOT_FOUND, message));
        }
    }
    let catalogs = vec![Some(CATALOG.to_owned()); names.len()];
    let described = |name: &String| (name == "default").then(|| "default database".to_owned());
    let descriptions: Vec<Option<String>> = names.iter().map(described).collect();
    let locations: Vec<Option<String>> =
        names.iter().map(|name| catalog.database_location(name)).collect();
    let names: Vec<Option<String>> = names.into_iter().map(Some).collect();
    table(&[
        ("name", &names),
        ("catalog", &catalogs),
        ("description", &descriptions),
        ("locationUri", &locations),
    ])
}

fn functions(session: &Arc<ConnectSession>, pattern: Option<&str>) -> Result<RecordBatch> {
    let mut names = session.engine.function_names();
    names.retain(|name| fits(pattern, name));
    function_rows(&names)
}

fn is_function(session: &Arc<ConnectSession>, name: &str) -> bool {
    let name = name.rsplit('.').next().unwrap_or(name);
    session.engine.function_names().iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn function(session: &Arc<ConnectSession>, name: &str) -> Result<RecordBatch> {
    if !is_function(session, name) {
        let message = format!("function `{name}` does not exist");
        return Err(Error::new(vonk::Condition::UNRESOLVED_ROUTINE, message)
            .parameter("routineName", quoted(name)));
    }
    function_rows(&[name.to_owned()])
}

fn function_rows(names: &[String]) -> Result<RecordBatch> {
    let names: Vec<Option<String>> = names.iter().cloned().map(Some).collect();
    let none = vec![None; names.len()];
    let classes: Vec<Option<String>> =
        names.iter().map(|name| name.as_ref().map(|name| format!("vonk.{name}"))).collect();
    let mut columns = texts(&[("name", &names), ("catalog", &none)]);
    columns.push(("namespace", namespaces(&none)));
    columns.extend(texts(&[("description", &none), ("className", &classes)]));
    columns.push(("isTemporary", Arc::new(BooleanArray::from(vec![true; names.len()]))));
    Ok(RecordBatch::try_from_iter(columns)?)
}

type Texts = [Option<String>];

fn texts<'a>(columns: &[(&'a str, &Texts)]) -> Vec<(&'a str, ArrayRef)> {
    let column = |values: &Texts| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    columns.iter().map(|(name, values)| (*name, column(values))).collect()
}

fn table(columns: &[(&str, &Texts)]) -> Result<RecordBatch> {
    Ok(RecordBatch::try_from_iter(texts(columns))?)
}

/// The database of each row as a list of one name.
fn namespaces(databases: &Texts) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for database in databases {
        if let Some(database) = database {
            lists.values().append_value(database);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

fn text(value: &str) -> Result<RecordBatch> {
    table(&[("value", &[Some(value.to_owned())])])
}

fn boolean(value: bool) -> Result<RecordBatch> {
    let column: ArrayRef = Arc::new(BooleanArray::from(vec![value]));
    Ok(RecordBatch::try_from_iter([("value", column)])?)
}

/// What calls give that only do something.
fn nothing() -> RecordBatch {
    RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()))
}

/// The rows of a list of tables.
fn table_rows(infos: &[TableInfo]) -> Result<RecordBatch> {
    let column = |of: fn(&TableInfo) -> Option<String>| infos.iter().map(of).collect::<Vec<_>>();
    let names = column(|info| Some(info.name.clone()));
    let catalogs = column(|info| info.database.as_ref().map(|_| CATALOG.to_owned()));
    let databases = column(|info| info.database.clone());
    let comments = column(|info| info.comment.clone());
    let kinds = column(|info| Some(info.kind.to_owned()));
    let temporary = infos.iter().map(|info| info.is_temporary).collect::<Vec<_>>();
    let mut columns = texts(&[("name", &names), ("catalog", &catalogs)]);
    columns.push(("namespace", namespaces(&databases)));
    columns.extend(texts(&[("description", &comments), ("tableType", &kinds)]));
    columns.push(("isTemporary", Arc::new(BooleanArray::from(temporary))));
    Ok(RecordBatch::try_from_iter(columns)?)
}
