//! Tables, views and their columns.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use vonk::catalog::TableInfo;
use vonk::sql::fits;
use vonk::{Error, Result};

use super::{table_rows, texts};
use crate::expression::quoted;
use crate::session::ConnectSession;

pub(super) fn tables(
    session: &Arc<ConnectSession>,
    database: Option<&str>,
    pattern: Option<&str>,
) -> Result<RecordBatch> {
    let mut infos = session.engine.tables(database)?;
    infos.retain(|info| fits(pattern, &info.name));
    table_rows(&infos)
}

pub(super) fn views(
    session: &Arc<ConnectSession>,
    database: Option<&str>,
    pattern: Option<&str>,
) -> Result<RecordBatch> {
    let mut infos = session.engine.tables(database)?;
    infos.retain(|info| info.kind == "VIEW" || info.is_temporary);
    infos.retain(|info| fits(pattern, &info.name));
    table_rows(&infos)
}

/// The table or view of a name, which may have its database before it.
pub(super) fn find(
    session: &Arc<ConnectSession>,
    name: &str,
    database: Option<&str>,
) -> Result<TableInfo> {
    let parts: Vec<&str> = name.split('.').map(|part| part.trim_matches('`')).collect();
    let (database, table) = match (parts.as_slice(), database) {
        ([table], database) => (database, *table),
        ([database, table] | [_, database, table], None) => (Some(*database), *table),
        _ => (database, name),
    };
    let missing = || {
        let message = format!("table or view `{name}` does not exist");
        Error::new(vonk::Condition::TABLE_OR_VIEW_NOT_FOUND, message)
            .parameter("relationName", quoted(name))
    };
    let found = session.engine.tables(database).map_err(|_| missing())?.into_iter().find(|info| {
        info.name.eq_ignore_ascii_case(table)
            && (database.is_none() || info.database.as_deref() == database)
    });
    found.ok_or_else(missing)
}

pub(super) fn one(
    session: &Arc<ConnectSession>,
    name: &str,
    database: Option<&str>,
) -> Result<RecordBatch> {
    table_rows(&[find(session, name, database)?])
}

pub(super) async fn columns(
    session: &Arc<ConnectSession>,
    name: &str,
    database: Option<&str>,
) -> Result<RecordBatch> {
    let info = find(session, name, database)?;
    let whole = match (&info.database, info.is_temporary) {
        (Some(database), _) => format!("{}.{}", quoted(database), quoted(&info.name)),
        _ => quoted(&info.name),
    };
    let schema = session.engine.table(whole).schema().await?;
    let names: Vec<Option<String>> =
        schema.fields().iter().map(|field| Some(field.name().clone())).collect();
    let none = vec![None; names.len()];
    let types = schema.fields().iter();
    let types: Vec<Option<String>> =
        types.map(|field| Some(vonk::display::field_type_name(field))).collect();
    let flags = |of: &dyn Fn(&str, bool) -> bool| {
        let values = schema.fields().iter().map(|field| of(field.name(), field.is_nullable()));
        Arc::new(BooleanArray::from(values.collect::<Vec<_>>()))
    };
    let is_key = |name: &str, _| info.partition_columns.iter().any(|key| key == name);
    let mut columns = texts(&[("name", &names), ("description", &none), ("dataType", &types)]);
    columns.push(("nullable", flags(&|_, is_nullable| is_nullable)));
    columns.push(("isPartition", flags(&is_key)));
    columns.push(("isBucket", flags(&|_, _| false)));
    columns.push(("isCluster", flags(&|_, _| false)));
    Ok(RecordBatch::try_from_iter(columns)?)
}
