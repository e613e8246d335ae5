//! A table over files: columns known from the start, files listed anew by every scan.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result as DfResult, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;

use super::compression::Compression;
use super::formats::Format;
use super::guard::{self, Fence};
use super::listed::ListedStore;
use super::option_values::RECORD_OPTION;
use super::paths::{Found, Root};
use super::tolerance::{Tolerance, session_flag};
use super::{ReadOptions, ReadSpec, partitions, split};
use crate::config::{self, Config};
use crate::error::{Condition, Error, Result};

/// The session's setting for columns from the names of directories: whether they get types.
const PARTITION_TYPES: &str = "spark.sql.sources.partitionColumnTypeInference.enabled";

/// The session's setting for files with different columns: whether those of all are found.
const MERGE_SCHEMA: &str = "spark.sql.parquet.mergeSchema";

/// Files of one format, read as one table.
pub(crate) struct FileTable {
    root: Root,
    format: &'static Format,
    reader: Arc<dyn FileFormat>,
    options: ReadOptions,
    schema: TableSchema,
    tolerance: Tolerance,
}

impl FileTable {
    /// Whether the files tell how many rows they have before they are read.
    pub(super) fn tells_rows(&self) -> bool {
        self.format.statistics
    }

    /// Finds the columns of `files`, which `root` has just listed.
    pub(super) async fn open(
        state: &SessionState,
        spec: &ReadSpec,
        root: Root,
        files: Vec<Found>,
        format: &'static Format,
    ) -> Result<Self> {
        let config = state.config().get_extension::<Config>().unwrap_or_default();
        let mut options = spec.options.clone();
        if format.compressible
            && options.get(RECORD_OPTION).is_none()
            && let Some(limit) = config.bytes(config::RECORD_BYTES_MAX)?
        {
            options.set(RECORD_OPTION, limit.clamp(1, 2 << 30).to_string());
        }
        let reader = (format.make)(&options)?;
        let tolerance = Tolerance::find(state, &spec.options)?;
        let types = config.get(PARTITION_TYPES).unwrap_or("true");
        let zone = config.get(config::TIME_ZONE).filter(|_| types.eq_ignore_ascii_case("true"));
        let columns = match spec.options.flag("recursiveFileLookup")? {
            true => Vec::new(),
            false => partitions::columns(&files, spec.schema.as_deref(), zone)?,
        };
        let file_schema = match &spec.schema {
            Some(schema) => Arc::clone(schema),
            None => {
                let merge = session_flag(state, &spec.options, "mergeSchema", MERGE_SCHEMA)?;
                let found = Inference { state, root: &root, format, reader: reader.as_ref() };
                found.schema(&files, merge || !format.first_file_tells, tolerance).await?
            }
        };
        // A column that the directories name comes from there, whatever the files hold.
        let in_files = file_schema.fields().iter().filter(|field| {
            !columns.iter().any(|column| column.name().eq_ignore_ascii_case(field.name()))
        });
        let in_files: Vec<Field> =
            in_files.map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let schema = TableSchema::builder(Arc::new(Schema::new(in_files)))
            .with_table_partition_cols(columns)
            .build();
        Ok(Self { root, format, reader, options, schema, tolerance })
    }

    fn partitioned(&self, found: Found) -> Result<PartitionedFile> {
        let columns = self.schema.table_partition_cols();
        let values = partitions::values(&found, columns)?;
        Ok(PartitionedFile::new_from_meta(found.meta).with_partition_values(values))
    }

    /// The files, of which each is whole; others are an error, or left out.
    async fn whole(
        &self,
        state: &dyn Session,
        files: Vec<PartitionedFile>,
    ) -> Result<Vec<PartitionedFile>> {
        let Some(check) = self.format.check else { return Ok(files) };
        let at_once = state.config_options().execution.meta_fetch_concurrency.get();
        let checked: Vec<_> = files
            .into_iter()
            .map(|file| async move {
                let done = check(Arc::clone(&self.root.store), file.object_meta.clone());
                match guard::call(&self.root.display(file.path()), self.format.name, done).await {
                    Ok(()) => Ok(Some(file)),
                    Err(error) if self.tolerance.allows(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .collect();
        let checked = stream::iter(checked).buffered(at_once).boxed();
        let checked: Vec<Option<PartitionedFile>> = checked.try_collect().await?;
        Ok(checked.into_iter().flatten().collect())
    }

    fn is_compressed(&self, file: &PartitionedFile) -> bool {
        self.format.compressible
            && !matches!(Compression::of(file.path(), &self.options), Ok(Compression::None))
    }

    /// Adds to each file what it says about its rows, and stops once they are enough for `limit`.
    async fn with_statistics(
        &self,
        state: &dyn Session,
        files: Vec<PartitionedFile>,
        limit: Option<usize>,
    ) -> DfResult<(Vec<PartitionedFile>, Statistics)> {
        let schema = self.schema.table_schema();
        if !self.format.statistics || !state.config().collect_statistics() {
            return Ok((files, Statistics::new_unknown(schema)));
        }
        let count = files.len();
        let at_once = state.config_options().execution.meta_fetch_concurrency.get();
        let described: Vec<_> = files.into_iter().map(|file| self.describe(state, file)).collect();
        let mut described = stream::iter(described).buffered(at_once).boxed();
        let mut files = Vec::with_capacity(count);
        let mut rows = Precision::Exact(0);
        while let Some(described) = described.try_next().await? {
            let Some((mut file, statistics)) = described else { continue };
            rows = rows.add(&statistics.num_rows);
            file.statistics = Some(Arc::new(statistics));
            files.push(file);
            if limit.is_some_and(|limit| matches!(rows, Precision::Exact(n) if n >= limit)) {
                break;
            }
        }
        let all = files.iter().filter_map(|file| file.statistics.as_deref());
        let merged = Statistics::try_merge_iter(all, schema)?;
        let is_partial = files.len() < count || self.tolerance.is_any();
        let merged = if is_partial { merged.to_inexact() } else { merged };
        Ok((files, merged))
    }

    /// What a file says about its rows, with the partition columns, of which one may be NULL;
    /// `None` if it is to be left out.
    async fn describe(
        &self,
        state: &dyn Session,
        file: PartitionedFile,
    ) -> DfResult<Option<(PartitionedFile, Statistics)>> {
        let schema = Arc::clone(self.schema.file_schema());
        let store = &self.root.store;
        let name = self.root.display(file.path());
        let found = self.reader.infer_stats(state, store, schema, &file.object_meta);
        let mut statistics = match guard::call(&name, self.format.name, found).await {
            Err(error) if self.tolerance.allows(&error) => return Ok(None),
            other => other?,
        };
        let config = state.config().get_extension::<Config>().unwrap_or_default();
        if config.is_on(config::REPAIR_FLOAT_BOUNDS) {
            let fields = self.schema.file_schema().fields();
            for (column, field) in statistics.column_statistics.iter_mut().zip(fields) {
                forget_float_bounds(column, field.data_type());
            }
        }
        let columns = file.partition_values.iter();
        statistics.column_statistics.extend(columns.map(|v| constant(v, statistics.num_rows)));
        Ok(Some((file, statistics)))
    }
}

/// Writers leave NaN out of least and greatest value, so these bound a part of the rows only.
fn forget_float_bounds(column: &mut ColumnStatistics, data_type: &DataType) {
    if data_type.is_floating() {
        column.min_value = Precision::Absent;
        column.max_value = Precision::Absent;
        column.sum_value = Precision::Absent;
    }
}

/// Statistics of a column with one value in every row.
fn constant(value: &ScalarValue, rows: Precision<usize>) -> ColumnStatistics {
    if value.is_null() {
        return ColumnStatistics { null_count: rows, ..ColumnStatistics::new_unknown() };
    }
    ColumnStatistics {
        null_count: Precision::Exact(0),
        max_value: Precision::Exact(value.clone()),
        min_value: Precision::Exact(value.clone()),
        distinct_count: Precision::Exact(1),
        ..ColumnStatistics::new_unknown()
    }
}

/// What finds the columns of files.
struct Inference<'a> {
    state: &'a SessionState,
    root: &'a Root,
    format: &'static Format,
    reader: &'a dyn FileFormat,
}

impl Inference<'_> {
    /// The columns of all files or, unless `merge`, of the first that can be read.
    async fn schema(
        &self,
        files: &[Found],
        merge: bool,
        tolerance: Tolerance,
    ) -> Result<SchemaRef> {
        let files: Vec<ObjectMeta> = files.iter().map(|file| file.meta.clone()).collect();
        let used = if merge { files.len() } else { 1 };
        let error = match self.schema_of(&files[..used]).await {
            Err(error) if tolerance.allows(&error) => error,
            other => return other,
        };
        let mut readable = Vec::new();
        for file in files {
            match self.schema_of(std::slice::from_ref(&file)).await {
                Ok(schema) if !merge => return Ok(schema),
                Ok(_) => readable.push(file),
                Err(error) if tolerance.allows(&error) => {}
                Err(error) => return Err(error),
            }
        }
        if readable.is_empty() { Err(error) } else { self.schema_of(&readable).await }
    }

    /// The columns of these files; an error names the file that it comes from.
    async fn schema_of(&self, files: &[ObjectMeta]) -> Result<SchemaRef> {
        let (name, store) = (self.format.name, &self.root.store);
        let all = match files {
            [only] => self.root.display(&only.location),
            _ => String::new(),
        };
        if let Some(check) = self.format.check {
            for file in files {
                let done = check(Arc::clone(store), file.clone());
                guard::call(&self.root.display(&file.location), name, done).await?;
            }
        }
        let found = self.reader.infer_schema(self.state, store, files);
        let error = match guard::call(&all, name, found).await {
            Ok(schema) if schema.fields().is_empty() => {
                let message = format!("no columns found, reading as `{name}`");
                let error = Error::new(Condition::UNABLE_TO_INFER_SCHEMA, message);
                let error = error.hint("give the schema, or check that the file is not empty");
                return Err(if all.is_empty() { error } else { error.file(all) });
            }
            Ok(schema) => return Ok(schema),
            Err(error) if files.len() == 1 => return Err(error),
            Err(error) => error,
        };
        for file in files {
            let alone = self.reader.infer_schema(self.state, store, std::slice::from_ref(file));
            guard::call(&self.root.display(&file.location), name, alone).await?;
        }
        let message = "the files do not agree about their columns";
        Err(Error::new(Condition::UNABLE_TO_INFER_SCHEMA, message).caused_by(error))
    }
}

impl FileTable {
    /// What [`TableProvider::scan`] gives. Boxed here and not by `async_trait`, whose bounds make the
    /// compiler prove at length that expressions may cross threads.
    fn plan_scan<'a>(
        &'a self,
        state: &'a dyn Session,
        projection: Option<&'a Vec<usize>>,
        filters: &'a [Expr],
        limit: Option<usize>,
    ) -> BoxFuture<'a, DfResult<Arc<dyn ExecutionPlan>>> {
        Box::pin(async move {
            let columns = self.schema.table_partition_cols();
            let found = self.root.list().await?;
            let files =
                found.into_iter().map(|file| self.partitioned(file)).collect::<Result<_>>()?;
            let (deciding, others): (Vec<Expr>, Vec<Expr>) =
                filters.iter().cloned().partition(|filter| partitions::decides(filter, columns));
            let files = partitions::prune(state, columns, &deciding, files)?;
            let files = self.whole(state, files).await?;
            let enough = limit.filter(|_| others.is_empty());
            let (files, statistics) = self.with_statistics(state, files, enough).await?;
            if files.is_empty() {
                let schema = datafusion::common::project_schema(&self.schema(), projection)?;
                return Ok(Arc::new(EmptyExec::new(schema)) as Arc<dyn ExecutionPlan>);
            }
            let listed = files.iter().map(|file| &file.object_meta);
            let store = Arc::new(ListedStore::new(Arc::clone(&self.root.store), listed));
            let source = self.reader.file_source(self.schema.clone());
            let splits = source.supports_repartitioning();
            let splits = |file: &PartitionedFile| splits && !self.is_compressed(file);
            let threads = state.config().target_partitions();
            let groups = split::into_groups(files, threads, split::PARTITION_BYTES_MIN, splits);
            // A declared partitioning keeps the optimizer from regrouping the files, and partitions
            // from taking each other's: both would lose the order of the rows.
            let partitioning = Partitioning::UnknownPartitioning(groups.len());
            let config = FileScanConfigBuilder::new(self.root.url.clone(), source)
                .with_file_groups(groups)
                .with_statistics(statistics)
                .with_projection_indices(projection.cloned())?
                .with_limit(limit)
                .with_preserve_order(true)
                .with_output_partitioning(Some(partitioning))
                .build();
            let plan = self.reader.create_physical_plan(state, config).await?;
            let footers = state.runtime_env().cache_manager.get_file_metadata_cache();
            let (format, tolerance, options) =
                (self.format.name, self.tolerance, self.options.clone());
            let reads_late = reads_late(state);
            let fence = Fence { format, tolerance, options, store, footers, reads_late };
            Ok(guard::fence(plan, fence))
        })
    }
}

/// Whether the scans of a plan may leave columns unread where their filters drop the row.
fn reads_late(state: &dyn Session) -> bool {
    let config = state.config().get_extension::<Config>().unwrap_or_default();
    // Plans without filters that are filled while they run are for other processes. There, a scan is
    // only what was written down of it, and its filters stay operators.
    let stays = state.config_options().optimizer.enable_dynamic_filter_pushdown;
    config.is_on(config::LATE_COLUMNS) && stays
}

impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn scan<'a, 'b, 'c, 'd, 'all>(
        &'a self,
        state: &'b dyn Session,
        projection: Option<&'c Vec<usize>>,
        filters: &'d [Expr],
        limit: Option<usize>,
    ) -> BoxFuture<'all, DfResult<Arc<dyn ExecutionPlan>>>
    where
        'a: 'all,
        'b: 'all,
        'c: 'all,
        'd: 'all,
        Self: 'all,
    {
        self.plan_scan(state, projection, filters, limit)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DfResult<Vec<TableProviderFilterPushDown>> {
        let columns = self.schema.table_partition_cols();
        let support = |filter: &&Expr| match partitions::decides(filter, columns) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }
}

impl fmt::Debug for FileTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTable")
            .field("format", &self.format.name)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}
