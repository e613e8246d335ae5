//! Writes to files and tables.

use spark_connect_proto::write_operation::save_table::TableSaveMethod;
use spark_connect_proto::write_operation::{SaveMode as Mode, SaveType};
use spark_connect_proto::write_operation_v2::Mode as ModeV2;
use spark_connect_proto::{WriteOperation, WriteOperationV2};
use vonk::write::{DataFrameWriter, SaveMode};
use vonk::{Result, Session};

use crate::errors::{self, required};
use crate::execute::Context;
use crate::expression::attribute_name;
use crate::relation;

pub(super) async fn run(context: &Context, write: WriteOperation) -> Result<()> {
    let frame = relation::frame(&context.session, required(write.input.as_ref(), "input")?).await?;
    let mut path = None;
    let mut writer = frame.write().mode(save_mode(write.mode()));
    for (name, value) in &write.options {
        match name.eq_ignore_ascii_case("path") {
            true => path = Some(value.clone()),
            false => writer = writer.option(name, value),
        }
    }
    if let Some(format) = source(&context.session.engine, write.source.as_ref()) {
        writer = writer.format(format);
    }
    if !write.partitioning_columns.is_empty() {
        writer = writer.partition_by(write.partitioning_columns.clone());
    }
    // Buckets and the order within them are for Spark's planner: the rows of the table are the same.
    let is_table = matches!(write.save_type, Some(SaveType::Table(_)));
    if (write.bucket_by.is_some() || !write.sort_column_names.is_empty()) && !is_table {
        return Err(errors::unsupported("buckets but in tables").hint("use `saveAsTable`"));
    }
    match write.save_type {
        Some(SaveType::Path(path)) => writer.save(&path).await.map(drop),
        Some(SaveType::Table(table)) => match table.save_method() {
            TableSaveMethod::InsertInto => writer.insert_into(&table.table_name).await.map(drop),
            _ => save_as_table(writer, &table.table_name, path).await,
        },
        None => writer.save(&required(path, "path to write to")?).await.map(drop),
    }
}

async fn save_as_table(writer: DataFrameWriter, name: &str, path: Option<String>) -> Result<()> {
    let writer = match path {
        Some(path) => writer.option("path", path),
        None => writer,
    };
    writer.save_as_table(name).await.map(drop)
}

/// The format that was asked for, else the session's default.
fn source(session: &Session, source: Option<&String>) -> Option<String> {
    let given = source.filter(|source| !source.is_empty()).cloned();
    given.or_else(|| session.config().get("spark.sql.sources.default").map(str::to_owned))
}

fn save_mode(mode: Mode) -> SaveMode {
    match mode {
        Mode::Append => SaveMode::Append,
        Mode::Overwrite => SaveMode::Overwrite,
        Mode::Ignore => SaveMode::Ignore,
        Mode::ErrorIfExists | Mode::Unspecified => SaveMode::ErrorIfExists,
    }
}

/// `df.writeTo(table)`.
pub(super) async fn run_v2(context: &Context, write: WriteOperationV2) -> Result<()> {
    let frame = relation::frame(&context.session, required(write.input.as_ref(), "input")?).await?;
    let mut writer = frame.write();
    for (name, value) in &write.options {
        writer = writer.option(name, value);
    }
    if let Some(provider) = write.provider.as_ref().filter(|provider| !provider.is_empty()) {
        writer = writer.format(provider.clone());
    }
    let keys = write.partitioning_columns.iter().map(attribute_name);
    let keys: Option<Vec<&str>> = keys.collect();
    let keys = keys.ok_or_else(|| errors::unsupported("partitions by an expression"))?;
    if !keys.is_empty() {
        writer = writer.partition_by(keys.into_iter().map(str::to_owned));
    }
    let name = &write.table_name;
    match write.mode() {
        ModeV2::Create => writer.save_as_table(name).await.map(drop),
        ModeV2::Replace | ModeV2::CreateOrReplace => {
            writer.mode(SaveMode::Overwrite).save_as_table(name).await.map(drop)
        }
        ModeV2::Append => writer.insert_into(name).await.map(drop),
        ModeV2::OverwritePartitions => {
            let writer = writer.option("partitionOverwriteMode", "dynamic");
            writer.mode(SaveMode::Overwrite).insert_into(name).await.map(drop)
        }
        ModeV2::Overwrite => Err(errors::unsupported("overwriting of rows by a condition")),
        ModeV2::Unspecified => Err(errors::missing("mode of writing")),
    }
}
