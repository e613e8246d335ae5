//! Partitions of tables: `SHOW PARTITIONS`, `MSCK REPAIR TABLE`, and those that ALTER TABLE changes.
//!
//! A partition is a directory, and every query lists them anew, so that there are none to register.

use std::path::PathBuf;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan};
use futures::future::BoxFuture;

use super::{Changes, Command, Source, answer, columns, insert, no_answer, table_name};
use crate::catalog::{Catalog, TableMeta, TableName};
use crate::error::{Condition, Error, Result};
use crate::sql::Environment;
use crate::write::partition_directory;

/// Values of partition columns, in any order.
pub(super) type Partition = Vec<(String, Expr)>;

struct ShowPartitions {
    name: TableName,
    only: Option<Partition>,
}

struct Repair {
    name: TableName,
}

/// `(column = value, …)`.
pub(super) fn parse(source: &mut Source<'_>) -> Result<Partition> {
    let values = source.parse(|parser| {
        parser.parse_parenthesized(|parser| parser.parse_comma_separated(insert::parse_partition))
    })?;
    let count = values.len();
    let values: Partition = values.into_iter().flatten().collect();
    match values.len() == count {
        true => Ok(values),
        false => {
            Err(Error::new(Condition::EMPTY_PARTITION_VALUE, "a partition column has no value")
                .hint("write `column = value`"))
        }
    }
}

/// `SHOW PARTITIONS name [PARTITION (…)]`.
pub(super) fn parse_show(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = table_name(&source.relation()?)?;
    let only = if source.take(&["PARTITION"]) { Some(parse(source)?) } else { None };
    Ok(Box::new(ShowPartitions { name, only }))
}

/// `[MSCK] REPAIR TABLE name [{ADD | DROP | SYNC} PARTITIONS]`.
pub(super) fn parse_repair(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = table_name(&source.relation()?)?;
    let _ = source.rest();
    Ok(Box::new(Repair { name }))
}

impl Command for ShowPartitions {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let catalog = session.catalog()?;
            let meta = columns::table(session, &self.name, "SHOW PARTITIONS")?;
            check_partitioned(&meta)?;
            let found = match &self.only {
                Some(only) => fitting(&catalog, &meta, only)?,
                None => catalog.partitions(&meta)?,
            };
            let rows: Vec<_> =
                found.iter().map(|found| [Some(found.display().to_string())]).collect();
            answer(["partition"], &rows)
        })
    }
}

impl Command for Repair {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            check_partitioned(&columns::table(session, &self.name, "MSCK REPAIR TABLE")?)?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.name)
    }
}

/// Sees that a table has partitions.
///
/// # Errors
/// `INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY` if it has none.
pub(super) fn check_partitioned(meta: &TableMeta) -> Result<()> {
    if meta.partition_columns.is_empty() {
        let message = format!("table `{}` is not partitioned", meta.name);
        return Err(Error::new(Condition::PARTITION_SCHEMA_IS_EMPTY, message));
    }
    Ok(())
}

/// `name=value` of every partition column that is given, in the table's order.
fn names_of(meta: &TableMeta, partition: &Partition) -> Result<Vec<Option<PathBuf>>> {
    check_partitioned(meta)?;
    let is_column =
        |name: &str| meta.partition_columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    if let Some((name, _)) = partition.iter().find(|(name, _)| !is_column(name)) {
        let message = format!("`{name}` is no partition column of table `{}`", meta.name);
        return Err(Error::new(Condition::PARTITIONS_NOT_FOUND, message)
            .did_you_mean(name, meta.partition_columns.iter().map(String::as_str)));
    }
    let name = |column: &String| {
        let given = partition.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        let Some((_, value)) = given else { return Ok(None) };
        let field = meta.columns[columns::position(meta, column)?].to_field()?;
        let value = match value {
            Expr::Literal(value, _) => value.cast_to(field.data_type())?,
            _ => ScalarValue::try_from(field.data_type())?,
        };
        Ok(Some(partition_directory(&[(column.clone(), value)])?))
    };
    meta.partition_columns.iter().map(name).collect()
}

/// The directory of a partition of which every column is given.
fn directory(meta: &TableMeta, partition: &Partition) -> Result<PathBuf> {
    let names = names_of(meta, partition)?;
    let count = names.len();
    let given: Vec<PathBuf> = names.into_iter().flatten().collect();
    if given.len() < count {
        let message = format!("table `{}` has {count} partition columns", meta.name);
        return Err(Error::new(Condition::INVALID_PARTITION_SPEC, message)
            .hint("give a value for each of them"));
    }
    Ok(given.iter().collect())
}

/// The partitions that have the values that are given.
fn fitting(catalog: &Catalog, meta: &TableMeta, partition: &Partition) -> Result<Vec<PathBuf>> {
    let names = names_of(meta, partition)?;
    let fits = |found: &PathBuf| {
        let mut parts = found.iter().zip(&names);
        parts.all(|(part, name)| name.as_ref().is_none_or(|name| name.as_os_str() == part))
    };
    Ok(catalog.partitions(meta)?.into_iter().filter(fits).collect())
}

/// Makes partitions without rows.
pub(super) fn add(
    catalog: &Catalog,
    meta: &TableMeta,
    partitions: &[Partition],
    if_not_exists: bool,
) -> Result<()> {
    let there = catalog.partitions(meta)?;
    let wanted = partitions.iter().map(|partition| directory(meta, partition));
    for wanted in wanted.collect::<Result<Vec<_>>>()? {
        if !there.contains(&wanted) {
            catalog.add_partition(meta, &wanted)?;
        } else if !if_not_exists {
            let message =
                format!("partition `{}` of `{}` already exists", wanted.display(), meta.name);
            return Err(Error::new(Condition::PARTITIONS_ALREADY_EXIST, message)
                .hint("use ADD IF NOT EXISTS"));
        }
    }
    Ok(())
}

/// Drops partitions with their rows.
pub(super) fn drop(
    catalog: &Catalog,
    meta: &TableMeta,
    partitions: &[Partition],
    if_exists: bool,
) -> Result<()> {
    for partition in partitions {
        let found = fitting(catalog, meta, partition)?;
        if found.is_empty() && !if_exists {
            return Err(not_found(meta, partition));
        }
        for found in found {
            catalog.drop_partition(meta, &found)?;
        }
    }
    Ok(())
}

/// Gives a partition other values.
pub(super) fn rename(
    catalog: &Catalog,
    meta: &TableMeta,
    from: &Partition,
    to: &Partition,
) -> Result<()> {
    let (source, target) = (directory(meta, from)?, directory(meta, to)?);
    if !catalog.partitions(meta)?.contains(&source) {
        return Err(not_found(meta, from));
    }
    catalog.rename_partition(meta, &source, &target)
}

/// The error of a partition that is not there.
fn not_found(meta: &TableMeta, partition: &Partition) -> Error {
    let values = partition.iter().map(|(name, value)| format!("{name} = {value}"));
    let values = values.collect::<Vec<_>>().join(", ");
    let message = format!("table `{}` has no partition with {values}", meta.name);
    Error::new(Condition::PARTITIONS_NOT_FOUND, message).hint("`SHOW PARTITIONS` lists them")
}

/// The directory of the one partition with these values.
///
/// # Errors
/// `PARTITIONS_NOT_FOUND` if there is none.
pub(super) fn one(catalog: &Catalog, meta: &TableMeta, partition: &Partition) -> Result<PathBuf> {
    let wanted = directory(meta, partition)?;
    match catalog.partitions(meta)?.contains(&wanted) {
        true => Ok(wanted),
        false => Err(not_found(meta, partition)),
    }
}
