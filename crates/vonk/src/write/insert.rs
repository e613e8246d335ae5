//! Writes of statements: INSERT, CREATE TABLE AS and COPY, and `save_as_table`.

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast};

use super::frame::path_spec;
use super::options::format_of_path;
use super::{
    Existing, Format, Layout, SaveMode, Target, WriteOptions, WriteReport, WriteSpec, write_plan,
};
use crate::catalog::{Catalog, CreateMode, TableKind, TableMeta, TableName};
use crate::display::type_name;
use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};

/// `INSERT INTO` and `INSERT OVERWRITE`.
#[derive(Debug)]
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
    let of_path = || format_of_path(&spec.path).map(str::to_owned);
    let format = spec.format.clone().or_else(of_path).unwrap_or_else(|| "parquet".to_owned());
    let target = Target::parse(&Policy::of(state), Access::Write, &spec.path)?;
    let is_file = target.layout(&format, !spec.partition_by.is_empty()) == Layout::File;
    let default = if is_file { SaveMode::Overwrite } else { SaveMode::ErrorIfExists };
    let mode = spec.mode.unwrap_or(default);
    let how = (format.as_str(), &spec.options, spec.partition_by);
    match path_spec(state, &target, how, mode)? {
        Some(write) => write_plan(state, query, write).await,
        None => Ok(WriteReport::default()),
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
    let target = catalog.data_location(&meta)?;
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
        target: catalog.data_location(&meta)?,
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
                let target = Target::parse(&Policy::of(state), Access::Write, value)?;
                meta.location = Some(target.path.display().to_string());
            }
            _ => drop(meta.options.insert(name.to_owned(), value.to_owned())),
        }
    }
    let made = create_table_as(catalog, state, (meta, &spec.partition_by), mode, query).await?;
    Ok(made.unwrap_or_default())
}

/// The query's columns as the table's: in their order, under their names, cast to their types.
fn assign(query: &LogicalPlan, table: &SchemaRef, spec: &InsertSpec) -> Result<LogicalPlan> {
    let sources = sources_of(query, table, spec)?;
    let exprs = table.fields().iter().zip(sources).map(|(field, source)| {
        let expr = match source {
            None => cast(Expr::Literal(ScalarValue::Null, None), field.data_type().clone()),
            Some(source) => {
                let found = source.get_type(query.schema().as_ref())?;
                check_assignable(field.name(), &found, field.data_type())?;
                if &found == field.data_type() {
                    source
                } else {
                    cast(source, field.data_type().clone())
                }
            }
        };
        Ok(expr.alias(field.name()))
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlanBuilder::from(query.clone()).project(exprs)?.build()?)
}

/// For each column of the table what it is filled from; `None` is NULL.
fn sources_of(query: &LogicalPlan, table: &Schema, spec: &InsertSpec) -> Result<Vec<Option<Expr>>> {
    let mut sources: Vec<Option<Expr>> = vec![None; table.fields().len()];
    let mut is_set = vec![false; sources.len()];
    let mut fill = |index: usize, source: Expr| {
        if std::mem::replace(&mut is_set[index], true) {
            let message = format!("column `{}` is given twice", table.field(index).name());
            return Err(Error::new(Condition::COLUMN_ALREADY_EXISTS, message));
        }
        sources[index] = Some(source);
        Ok(())
    };
    for (name, value) in &spec.partition {
        // What PARTITION says is text of a path, of whatever type the column is.
        let index = column_index(table, name)?;
        fill(index, cast(value.clone(), table.field(index).data_type().clone()))?;
    }
    let columns = query.schema().columns();
    let receivers: Vec<usize> = if spec.by_name {
        columns.iter().map(|column| column_index(table, &column.name)).collect::<Result<_>>()?
    } else if spec.columns.is_empty() {
        let is_fixed = |index: &usize| {
            let name = table.field(*index).name();
            spec.partition.iter().any(|(fixed, _)| fixed.eq_ignore_ascii_case(name))
        };
        (0..table.fields().len()).filter(|index| !is_fixed(index)).collect()
    } else {
        spec.columns.iter().map(|name| column_index(table, name)).collect::<Result<_>>()?
    };
    if receivers.len() != columns.len() {
        let message = format!(
            "the query gives {} columns, but {} of `{}` are to be filled",
            columns.len(),
            receivers.len(),
            spec.table
        );
        return Err(Error::new(Condition::INSERT_COLUMN_ARITY_MISMATCH, message)
            .hint("name the columns behind the table, or give one value for each"));
    }
    for (index, column) in receivers.into_iter().zip(columns) {
        fill(index, Expr::Column(column))?;
    }
    Ok(sources)
}

fn column_index(table: &Schema, name: &str) -> Result<usize> {
    let names = || table.fields().iter().map(|field| field.name().as_str());
    names().position(|field| field.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let message = format!("column `{name}` is not among the table's columns");
        let error = Error::new(Condition::UNRESOLVED_COLUMN, message);
        error.did_you_mean(name, names())
    })
}

/// Spark's ANSI store assignment: what is stored is the value that was given, or an error.
///
/// # Errors
/// `INCOMPATIBLE_DATA_FOR_TABLE` for types between which a cast could mean something else.
fn check_assignable(column: &str, from: &DataType, to: &DataType) -> Result<()> {
    if is_assignable(from, to) {
        return Ok(());
    }
    let (from, to) = (type_name(from), type_name(to));
    let message = format!("a value of type {from} cannot be stored in column `{column}` of {to}");
    Err(Error::new(Condition::INCOMPATIBLE_DATA_FOR_TABLE, message)
        .hint("cast it in the query if that is what you mean"))
}

fn is_assignable(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Date32, Dictionary, FixedSizeList, LargeBinary, LargeList, LargeUtf8,
        List, Map, Null, Struct, Timestamp, Utf8, Utf8View,
    };
    let is_text = |data_type: &DataType| matches!(data_type, Utf8 | LargeUtf8 | Utf8View);
    let is_binary = |data_type: &DataType| matches!(data_type, Binary | LargeBinary | BinaryView);
    match (from, to) {
        (from, to) if from == to => true,
        (Null, _) => true,
        (Dictionary(_, value), to) => is_assignable(value, to),
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (from, to) if is_text(to) => !from.is_nested(),
        (from, to) if is_binary(from) && is_binary(to) => true,
        (Date32 | Timestamp(..), Date32 | Timestamp(..)) => true,
        (List(from) | LargeList(from) | FixedSizeList(from, _), List(to)) => {
            is_assignable(from.data_type(), to.data_type())
        }
        (Struct(from), Struct(to)) => {
            let mut pairs = from.iter().zip(to);
            from.len() == to.len()
                && pairs.all(|(from, to)| is_assignable(from.data_type(), to.data_type()))
        }
        (Map(from, _), Map(to, _)) => is_assignable(from.data_type(), to.data_type()),
        _ => false,
    }
}
