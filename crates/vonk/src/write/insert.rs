//! Writes of statements: INSERT, CREATE TABLE AS and COPY, and `save_as_table`.

use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::assign::assign;
use super::frame::path_spec;
use super::options::format_of_path;
use super::{
    Existing, Format, Layout, Place, SaveMode, WriteOptions, WriteReport, WriteSpec, write_plan,
};
use crate::catalog::{Catalog, CreateMode, TableKind, TableMeta, TableName};
use crate::error::{Condition, Error, Result};
use crate::policy::Access;

/// `INSERT INTO` and `INSERT OVERWRITE`.
#[derive(Debug, Clone)]
pub(crate) struct InsertSpec {
    pub(crate) table: TableName,
    /// The columns that the query's go to, in its order; all that are left, in the table's, if empty.
    pub(crate) columns: Vec<String>,
    /// Whether the query's columns find the table's by their names.
    pub(crate) by_name: bool,
    /// Whether the rows replace those that are there.
    pub(crate) overwrite: bool,
    /// `PARTITION (day = '2026-01-01')`: columns with one value for all rows.
    pub(crate) partition: Vec<(String, Expr)>,
    /// What columns hold that are given no value; NULL where none stands here.
    pub(crate) defaults: Vec<(String, Expr)>,
    /// Writer options of this statement, over those of the table.
    pub(crate) options: WriteOptions,
}

impl InsertSpec {
    /// Rows to add, by position.
    pub(crate) fn new(table: TableName) -> Self {
        Self {
            table,
            columns: Vec::new(),
            by_name: false,
            overwrite: false,
            partition: Vec::new(),
            defaults: Vec::new(),
            options: WriteOptions::default(),
        }
    }
}

/// `DataFrameWriter::save_as_table`.
#[derive(Debug)]
pub(crate) struct SaveTableSpec {
    pub(crate) table: TableName,
    pub(crate) format: Option<String>,
    pub(crate) options: WriteOptions,
    pub(crate) partition_by: Vec<String>,
    pub(crate) mode: SaveMode,
}

/// `COPY … TO`.
#[derive(Debug)]
pub(crate) struct CopySpec {
    pub(crate) path: String,
    /// The format; told by the path's ending if `None`.
    pub(crate) format: Option<String>,
    pub(crate) options: WriteOptions,
    pub(crate) partition_by: Vec<String>,
    /// If `None`, a file is replaced, as elsewhere, and a directory is an error.
    pub(crate) mode: Option<SaveMode>,
}

/// Writes a query's rows to a path.
///
/// # Errors
/// Those of [`write_plan`], and for options and formats that are not known.
pub(crate) async fn copy_to(
    state: &SessionState,
    spec: CopySpec,
    query: &LogicalPlan,
) -> Result<WriteReport> {
    spec.options.check_names()?;
    let format = match (&spec.format, format_of_path(&spec.path)) {
        (Some(format), _) => format.as_str(),
        (None, Some(format)) => format,
        (None, None) => format_of_directory(&spec.path)?,
    };
    let format = format.to_owned();
    let target = Place::find(state, Access::Write, &spec.path, &spec.options).await?;
    let is_file = target.layout(&format, !spec.partition_by.is_empty()) == Layout::File;
    let default = if is_file { SaveMode::Overwrite } else { SaveMode::ErrorIfExists };
    let mode = spec.mode.unwrap_or(default);
    let how = (format.as_str(), &spec.options, spec.partition_by);
    match path_spec(state, &target, how, mode, query.schema().inner()).await? {
        Some(write) => write_plan(state, query, write).await,
        None => Ok(WriteReport::default()),
    }
}

/// The format of a path that tells none: a directory of Parquet files, unless its ending promises something else.
fn format_of_directory(path: &str) -> Result<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        None | Some(("", _)) => Ok("parquet"),
        Some((_, ending)) => {
            let message =
                format!("the format of `{path}` cannot be told from its ending `.{ending}`");
            Err(Error::new(Condition::INVALID_PARAMETER, message)
                .hint("name the format, as in `COPY … TO '…' (FORMAT csv)`"))
        }
    }
}

/// Adds a query's rows to a table, or replaces the table's rows with them.
///
/// # Errors
/// `TABLE_OR_VIEW_NOT_FOUND`, `INSERT_COLUMN_ARITY_MISMATCH`, `INCOMPATIBLE_DATA_FOR_TABLE`, and those
/// of [`write_plan`].
pub(crate) async fn insert_into(
    catalog: &Catalog,
    state: &SessionState,
    spec: &InsertSpec,
    query: &LogicalPlan,
) -> Result<WriteReport> {
    let meta = catalog.existing_table(&spec.table)?;
    if meta.kind == TableKind::View {
        let message = format!("`{}` is a view, which cannot be inserted into", spec.table);
        return Err(Error::new(Condition::WRONG_COMMAND_FOR_OBJECT_TYPE, message)
            .hint("insert into the table below it"));
    }
    let schema = match meta.columns.as_slice() {
        [] => catalog.open(state, &meta).await?.schema(),
        _ => meta.schema()?,
    };
    let plan = assign(query, &schema, spec)?;
    let only_partitions = !spec.partition.is_empty() || spec.options.is_dynamic(state)?;
    let existing = match (spec.overwrite, only_partitions && !meta.partition_columns.is_empty()) {
        (false, _) => Existing::Append,
        (true, true) => Existing::ReplacePartitions,
        (true, false) => Existing::ReplaceData,
    };
    let mut options: WriteOptions = meta.options.iter().collect();
    spec.options.iter().for_each(|(name, value)| options.set(name, value));
    let target = data_place(catalog, state, &meta, &options).await?;
    if target.is_file() {
        return Err(Error::unsupported(format!("`{}` is one file", spec.table))
            .hint("only tables over a directory can be inserted into"));
    }
    let write = WriteSpec {
        format: Format::new(&meta.format, &options, "", Layout::Directory)?,
        rows_per_file_max: options.count("maxRecordsPerFile")?,
        target,
        layout: Layout::Directory,
        existing,
        partition_by: meta.partition_columns.clone(),
        companions: super::success_marker(state, &options)?.into_iter().collect(),
        schema: Some(schema),
        guard: Some(catalog.guard(&meta)?),
    };
    write_plan(state, &plan, write).await
}

/// Makes a table of a query's columns with its rows; `None` if a table is there and stays.
///
/// `meta` has name, format, options and location; the columns come from the query.
///
/// # Errors
/// `TABLE_OR_VIEW_ALREADY_EXISTS`, and those of [`write_plan`]. After an error there is no table.
pub(crate) async fn create_table_as(
    catalog: &Catalog,
    state: &SessionState,
    (meta, partition_by): (TableMeta, &[String]),
    mode: CreateMode,
    query: &LogicalPlan,
) -> Result<Option<WriteReport>> {
    let name = meta.name.to_name();
    if !catalog.may_create(&name, TableKind::Table, mode)? {
        return Ok(None);
    }
    super::check_names(query.schema().as_arrow())?;
    let columns = super::nullable(query.schema().as_arrow());
    let meta = meta.with_schema(&columns, partition_by)?.completed();
    let schema = meta.schema()?;
    let plan = assign(query, &schema, &InsertSpec { by_name: true, ..InsertSpec::new(name) })?;
    let options: WriteOptions = meta.options.iter().collect();
    let replaces = mode == CreateMode::OrReplace;
    // The metadata is published together with the data, unless that lies elsewhere.
    let mut companions: Vec<_> = super::success_marker(state, &options)?.into_iter().collect();
    if meta.location.is_none() {
        companions.push(Catalog::companion(&meta)?);
    }
    let write = WriteSpec {
        target: data_place(catalog, state, &meta, &options).await?,
        layout: Layout::Directory,
        existing: if replaces { Existing::Replace } else { Existing::Refuse },
        format: Format::new(&meta.format, &options, "", Layout::Directory)?,
        partition_by: meta.partition_columns.clone(),
        rows_per_file_max: options.count("maxRecordsPerFile")?,
        companions,
        schema: Some(schema),
        guard: None,
    };
    let report = write_plan(state, &plan, write).await?;
    if meta.location.is_some() {
        catalog.create_table(&meta, mode)?;
    }
    Ok(Some(report))
}

/// Where the rows of a table lie.
async fn data_place(
    catalog: &Catalog,
    state: &SessionState,
    meta: &TableMeta,
    options: &WriteOptions,
) -> Result<Place> {
    let address = catalog.data_address(meta)?;
    Place::find(state, Access::Read, &address, options).await
}

/// Writes a query to a table as a mode says.
pub(crate) async fn save_as_table(
    catalog: &Catalog,
    state: &SessionState,
    spec: SaveTableSpec,
    query: &LogicalPlan,
) -> Result<WriteReport> {
    if spec.mode == SaveMode::Append && catalog.table(&spec.table)?.is_some() {
        let insert =
            InsertSpec { by_name: true, options: spec.options, ..InsertSpec::new(spec.table) };
        return insert_into(catalog, state, &insert, query).await;
    }
    let mode = match spec.mode {
        SaveMode::ErrorIfExists | SaveMode::Append => CreateMode::Create,
        SaveMode::Overwrite => CreateMode::OrReplace,
        SaveMode::Ignore => CreateMode::IfNotExists,
    };
    let format = spec.format.as_deref().unwrap_or("parquet");
    let mut meta = TableMeta::table(catalog.qualified(&spec.table), format);
    for (name, value) in spec.options.iter() {
        match name {
            "path" => {
                let place = Place::find(state, Access::Write, value, &spec.options).await?;
                meta.location = Some(place.name());
            }
            _ => drop(meta.options.insert(name.to_owned(), value.to_owned())),
        }
    }
    let made = create_table_as(catalog, state, (meta, &spec.partition_by), mode, query).await?;
    Ok(made.unwrap_or_default())
}
