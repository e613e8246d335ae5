//! A fence around the readers of files: their errors name the file, their panics are errors, what
//! they read is what was listed, and filters that they would get wrong for NaN stay outside.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{
    FileOpener, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, DynamicFilterPhysicalExpr, Literal,
};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, SortOrderPushdownResult};
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::{ObjectMeta, ObjectStore};

use super::late_columns::{reading_late, spreads};
use super::listed::ListedStore;
use super::paths::display_path;
use super::tolerance::Tolerance;
use super::{ReadOptions, diagnosis, failure};
use crate::error::{Condition, Error, panic_text};

/// What an error has to say about where it happened.
#[derive(Debug, Clone)]
struct Place {
    store: Arc<ListedStore>,
    meta: ObjectMeta,
    file: Arc<str>,
    format: &'static str,
    tolerance: Tolerance,
}

impl Place {
    /// Runs a piece of the reader; `None` if its file is to be left out from here on.
    fn run<T>(&self, work: impl FnOnce() -> DfResult<T>) -> Result<Option<T>, Error> {
        self.judge(catch_unwind(AssertUnwindSafe(work)))
    }

    /// What a piece of the reader gave, under the name of the file.
    fn judge<T>(&self, outcome: std::thread::Result<DfResult<T>>) -> Result<Option<T>, Error> {
        let error = match outcome {
            Ok(Ok(value)) => return Ok(Some(value)),
            Ok(Err(error)) => failure::in_file(error, &self.file, self.format),
            Err(payload) => panicked(&self.file, self.format, payload.as_ref()),
        };
        if self.tolerance.allows(&error) {
            log::warn!("left out: {error}");
            return Ok(None);
        }
        Err(error)
    }

    /// The error with the place in the file, as far as it can be known; text formats know it.
    async fn locate(&self, error: Error, rows: usize) -> Error {
        if error.condition() != Condition::CANNOT_PARSE_FILE {
            return error;
        }
        let found = match self.format {
            "parquet" => {
                let store = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
                diagnosis::damaged_column(store, self.meta.clone()).await
            }
            _ => None,
        };
        let place = found.unwrap_or_else(|| format!("after {rows} rows"));
        let message = format!("{}, {place}", error.message());
        let hint = error.hint_text().unwrap_or_default().to_owned();
        Error::new(error.condition(), message).hint(hint).file(&*self.file).caused_by(error)
    }
}

fn panicked(file: &str, format: &str, payload: &(dyn Any + Send)) -> Error {
    failure::not_readable(file, format, panic_text(payload).unwrap_or("the reader gave up"))
}

/// Awaits work on one file; an error or panic names the file.
pub(super) async fn call<T>(
    file: &str,
    format: &str,
    work: impl Future<Output = DfResult<T>>,
) -> Result<T, Error> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result.map_err(|error| failure::in_file(error, file, format)),
        Err(payload) => Err(panicked(file, format, payload.as_ref())),
    }
}

/// How a scan is fenced.
pub(super) struct Fence {
    pub(super) format: &'static str,
    pub(super) tolerance: Tolerance,
    /// What the reader was made with.
    pub(super) options: ReadOptions,
    /// The files as they were listed.
    pub(super) store: Arc<ListedStore>,
    /// The footers of Parquet files that are known already.
    pub(super) footers: Arc<FileMetadataCache>,
    /// Whether columns may be read only for the rows that pass the filters.
    pub(super) reads_late: bool,
}

/// Puts the source of a scan behind the fence; other plans stay as they are.
pub(super) fn fence(plan: Arc<dyn ExecutionPlan>, fence: Fence) -> Arc<dyn ExecutionPlan> {
    let Some(scan) = plan.downcast_ref::<DataSourceExec>() else { return plan };
    let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else { return plan };
    let Fence { format, tolerance, options, store, footers, reads_late } = fence;
    let inner = match config.file_source().downcast_ref::<ParquetSource>() {
        // This source reads with what it was given when it was planned.
        Some(parquet) => {
            let files = Arc::clone(&store) as Arc<dyn ObjectStore>;
            let reader = CachedParquetFileReaderFactory::new(files, footers);
            Arc::new(parquet.clone().with_parquet_file_reader_factory(Arc::new(reader)))
        }
        None => Arc::clone(config.file_source()),
    };
    let url = config.object_store_url.clone();
    let late = reads_late.then(|| spreads(&config.statistics()).into());
    let source = Guarded { inner, store, url, format, tolerance, options, late };
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    DataSourceExec::from_data_source(config)
}

/// A file source whose files are those that were listed, and none of whose panics gets out.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) inner: Arc<dyn FileSource>,
    store: Arc<ListedStore>,
    url: ObjectStoreUrl,
    pub(super) format: &'static str,
    pub(super) tolerance: Tolerance,
    pub(super) options: ReadOptions,
    /// Unless all columns are read for every row, how far apart the values of each are.
    late: Option<Arc<[Option<u64>]>>,
}

/// The fenced source of a scan, if it has one.
pub(super) fn of(config: &FileScanConfig) -> Option<&Guarded> {
    config.file_source().downcast_ref::<Guarded>()
}

impl Guarded {
    fn around(&self, inner: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self { inner, ..self.clone() })
    }
}

impl FileSource for Guarded {
    fn create_file_opener(
        &self,
        _store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> DfResult<Arc<dyn FileOpener>> {
        let store = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
        self.inner.create_file_opener(store, config, partition)
    }

    fn create_morselizer(
        &self,
        _store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> DfResult<Box<dyn Morselizer>> {
        let store = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
        let inner = self.inner.create_morselizer(store, config, partition)?;
        let (store, url) = (Arc::clone(&self.store), self.url.clone());
        let Self { format, tolerance, .. } = *self;
        Ok(Box::new(GuardedFiles { inner, store, url, format, tolerance }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.inner.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        self.around(self.inner.with_batch_size(batch_size))
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.inner.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.inner.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.inner.metrics()
    }

    fn file_type(&self) -> &str {
        self.inner.file_type()
    }

    fn fmt_extra(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_extra(kind, f)
    }

    fn supports_repartitioning(&self) -> bool {
        self.inner.supports_repartitioning()
    }

    fn repartitioned(
        &self,
        partitions: usize,
        file_size_min: usize,
        ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> DfResult<Option<FileScanConfig>> {
        self.inner.repartitioned(partitions, file_size_min, ordering, config)
    }

    /// Hands on the filters that hold for no NaN; the reader would drop rows for the others, since
    /// the bounds of its row groups leave NaN out.
    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> DfResult<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let schema = Arc::clone(self.table_schema().table_schema());
        let safe: Vec<bool> = filters.iter().map(|f| is_safe_for_nan(f, &schema)).collect();
        let handed = filters.into_iter().zip(&safe).filter(|(_, safe)| **safe);
        let handed: Vec<_> = handed.map(|(filter, _)| filter).collect();
        if handed.is_empty() {
            let none = vec![PushedDown::No; safe.len()];
            return Ok(FilterPushdownPropagation::with_parent_pushdown_result(none));
        }
        let late = self.late.as_ref();
        let late = late.and_then(|spreads| reading_late(&self.inner, &handed, spreads));
        let inner = late.as_ref().unwrap_or(&self.inner);
        let result = inner.try_pushdown_filters(handed, config)?;
        let mut taken = result.filters.into_iter();
        let taken = safe.iter().map(|safe| match safe {
            true => taken.next().unwrap_or(PushedDown::No),
            false => PushedDown::No,
        });
        Ok(FilterPushdownPropagation {
            filters: taken.collect(),
            updated_node: result.updated_node.map(|inner| self.around(inner)),
        })
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        properties: &EquivalenceProperties,
    ) -> DfResult<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        let result = self.inner.try_pushdown_sort(order, properties)?;
        Ok(result.map(|inner| self.around(inner)))
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.inner.reorder_files(files)
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> DfResult<Option<Arc<dyn FileSource>>> {
        let inner = self.inner.try_pushdown_projection(projection)?;
        Ok(inner.map(|inner| self.around(inner)))
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        self.inner.apply_expressions(visit)
    }
}

/// Whether a filter reads no floating-point column, or is of the form `column < literal`, which
/// holds for no NaN because NaN is greater than every number.
fn is_safe_for_nan(filter: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    if let Some(binary) = filter.downcast_ref::<BinaryExpr>() {
        let (left, right) = (binary.left(), binary.right());
        match binary.op() {
            Operator::And => {
                return is_safe_for_nan(left, schema) && is_safe_for_nan(right, schema);
            }
            Operator::Lt | Operator::LtEq | Operator::Eq
                if left.is::<Column>() && is_number(right) =>
            {
                return true;
            }
            Operator::Gt | Operator::GtEq | Operator::Eq
                if right.is::<Column>() && is_number(left) =>
            {
                return true;
            }
            _ => {}
        }
    }
    let is_unsure = |expr: &Arc<dyn PhysicalExpr>| {
        if let Some(column) = expr.downcast_ref::<Column>() {
            let field = schema.fields().get(column.index());
            return field.is_none_or(|field| {
                field.data_type().is_floating() || field.data_type().is_nested()
            });
        }
        // What a scan computes stands here as it is computed: where it is a zero, its sign would count.
        let computed = expr.downcast_ref::<DynamicFilterPhysicalExpr>();
        computed.is_some_and(|filter| {
            let children = filter.children().into_iter();
            let mut types = children.map(|child| child.data_type(schema));
            !types.all(|found| found.is_ok_and(|found| !found.is_floating()))
        })
    };
    let reads_float = filter.exists(|expr| Ok(is_unsure(expr)));
    // What a dynamic filter reads is not known before it runs, but it names its columns.
    matches!(reads_float, Ok(false))
}

/// Whether an expression is a literal that is no NaN, nor a zero, of which bounds may have the other sign.
fn is_number(expr: &Arc<dyn PhysicalExpr>) -> bool {
    expr.downcast_ref::<Literal>().is_some_and(|literal| match literal.value() {
        ScalarValue::Float64(Some(value)) => !value.is_nan() && *value != 0.0,
        ScalarValue::Float32(Some(value)) => !value.is_nan() && *value != 0.0,
        other => !other.data_type().is_floating(),
    })
}

#[derive(Debug)]
struct GuardedFiles {
    inner: Box<dyn Morselizer>,
    store: Arc<ListedStore>,
    url: ObjectStoreUrl,
    format: &'static str,
    tolerance: Tolerance,
}

impl Morselizer for GuardedFiles {
    fn plan_file(&self, file: PartitionedFile) -> DfResult<Box<dyn MorselPlanner>> {
        let place = Place {
            store: Arc::clone(&self.store),
            meta: file.object_meta.clone(),
            file: display_path(&self.url, file.path()).into(),
            format: self.format,
            tolerance: self.tolerance,
        };
        match place.run(|| self.inner.plan_file(file))? {
            Some(inner) => Ok(Box::new(GuardedPlanner { inner, place })),
            None => Ok(Box::new(LeftOut)),
        }
    }
}

/// A file that is left out.
#[derive(Debug)]
struct LeftOut;

impl MorselPlanner for LeftOut {
    fn plan(self: Box<Self>) -> DfResult<Option<MorselPlan>> {
        Ok(None)
    }
}

#[derive(Debug)]
struct GuardedPlanner {
    inner: Box<dyn MorselPlanner>,
    place: Place,
}

impl MorselPlanner for GuardedPlanner {
    fn plan(self: Box<Self>) -> DfResult<Option<MorselPlan>> {
        let Self { inner, place } = *self;
        let Some(mut plan) = place.run(|| inner.plan())?.flatten() else { return Ok(None) };
        let guard = |inner, place: &Place| -> Box<dyn MorselPlanner> {
            Box::new(Self { inner, place: place.clone() })
        };
        let morsels = plan.take_morsels().into_iter().map(|inner| {
            Box::new(GuardedMorsel { inner, place: place.clone() }) as Box<dyn Morsel>
        });
        let morsels = morsels.collect();
        let planners = plan.take_ready_planners().into_iter().map(|inner| guard(inner, &place));
        let mut guarded = MorselPlan::new().with_planners(planners.collect()).with_morsels(morsels);
        if let Some(pending) = plan.take_pending_planner() {
            guarded.set_pending_planner(async move {
                let done = AssertUnwindSafe(pending).catch_unwind().await;
                Ok(match place.judge(done)? {
                    Some(inner) => guard(inner, &place),
                    None => Box::new(LeftOut),
                })
            });
        }
        Ok(Some(guarded))
    }
}

#[derive(Debug)]
struct GuardedMorsel {
    inner: Box<dyn Morsel>,
    place: Place,
}

impl Morsel for GuardedMorsel {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, DfResult<RecordBatch>> {
        let Self { inner, place } = *self;
        let stream = match place.run(|| Ok(inner.into_stream())) {
            Ok(Some(stream)) => stream,
            Ok(None) => return futures::stream::empty().boxed(),
            Err(error) => return futures::stream::once(async { Err(error.into()) }).boxed(),
        };
        let batches = AssertUnwindSafe(stream).catch_unwind().boxed();
        // An error ends the file, also one that is tolerated.
        futures::stream::unfold(Some((batches, place, 0)), |reading| async {
            let (mut batches, place, rows) = reading?;
            match place.judge(batches.next().await?) {
                Ok(Some(batch)) => {
                    let rows = rows + batch.num_rows();
                    Some((Ok(batch), Some((batches, place, rows))))
                }
                Ok(None) => None,
                Err(error) => Some((Err(place.locate(error, rows).await.into()), None)),
            }
        })
        .boxed()
    }
}
