//! Opens JSON files and byte ranges of them as streams of batches.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::common::Result as DataFusionResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet};
use datafusion::physical_plan::{DisplayFormatType, apply_expression_roots};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::ObjectStore;

use super::super::decoding::{self, Origin};
use super::super::input::Input;
use super::super::malformed::Mode;
use super::decode::{Decoder, Part, Plan};
use super::options::JsonOptions;
use super::records::{Layout, detect};

/// How much of a file is read to find how records stand in it, at first.
const HEAD_BYTES: usize = 16 << 10;

/// The JSON files of a scan.
#[derive(Debug, Clone)]
pub(super) struct JsonSource {
    options: Arc<JsonOptions>,
    /// Whether the schema was found from the files.
    is_inferred: bool,
    table_schema: TableSchema,
    projection: SplitProjection,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl JsonSource {
    pub(super) fn new(
        options: Arc<JsonOptions>,
        table_schema: TableSchema,
        is_inferred: bool,
    ) -> Self {
        Self {
            options,
            is_inferred,
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// Whether the columns were found from the files.
    pub(super) fn is_inferred(&self) -> bool {
        self.is_inferred
    }

    /// How the records of a file become rows of the wanted columns.
    fn plan(&self) -> DataFusionResult<Plan> {
        let file_schema = self.table_schema.file_schema();
        let wanted = &self.projection.file_indices;
        let default_mode = if self.is_inferred { Mode::Strict } else { Mode::Permissive };
        let mode = self.options.mode.unwrap_or(default_mode);
        let is_corrupt = |index: usize| {
            let field = file_schema.field(index);
            field.name() == &self.options.corrupt_column && field.data_type() == &DataType::Utf8
        };
        // Whether a record fits is known once all its members are read.
        let needs_all =
            mode == Mode::DropMalformed || wanted.iter().any(|index| is_corrupt(*index));
        let all = 0..file_schema.fields().len();
        let (read, known): (Vec<usize>, Vec<usize>) = all
            .filter(|index| !is_corrupt(*index))
            .partition(|index| needs_all || wanted.contains(index));
        let given = wanted.iter().map(|index| read.iter().position(|other| other == index));
        let given: Vec<Option<usize>> = given.collect();
        let known: Vec<String> =
            known.iter().map(|index| file_schema.field(*index).name().clone()).collect();
        Ok(Plan {
            options: Arc::clone(&self.options),
            mode,
            members: Arc::new(file_schema.project(&read)?),
            // Who reads all columns shall not miss one without being told.
            refuses_unknown: mode == Mode::Strict && known.is_empty(),
            known,
            given,
            schema: Arc::new(file_schema.project(wanted)?),
            batch_size: self.batch_size,
        })
    }
}

impl FileSource for JsonSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> DataFusionResult<Arc<dyn FileOpener>> {
        let opener = Arc::new(JsonOpener {
            plan: self.plan()?,
            store,
            url: config.object_store_url.clone(),
            metrics: self.metrics.clone(),
            partition,
        });
        ProjectionOpener::try_new(self.projection.clone(), opener, self.table_schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> DataFusionResult<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        "json"
    }

    fn supports_repartitioning(&self) -> bool {
        self.options.multi_line != Some(true)
    }

    fn fmt_extra(&self, _: DisplayFormatType, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        apply_expression_roots(self.projection.source.iter(), visit)
    }
}

struct JsonOpener {
    plan: Plan,
    store: Arc<dyn ObjectStore>,
    url: datafusion::execution::object_store::ObjectStoreUrl,
    metrics: ExecutionPlanMetricsSet,
    partition: usize,
}

impl FileOpener for JsonOpener {
    fn open(&self, file: PartitionedFile) -> DataFusionResult<FileOpenFuture> {
        let bytes = &self.plan.options.bytes;
        let input = Input::new(&self.store, &file.object_meta, Some(&self.url), bytes)?;
        let plan = self.plan.clone();
        let scanned = decoding::bytes_scanned(&input, &self.metrics, self.partition);
        Ok(async move { stream(plan, input, &file, scanned).await }.boxed())
    }
}

async fn stream(
    plan: Plan,
    input: Input,
    file: &PartitionedFile,
    scanned: Option<Count>,
) -> DataFusionResult<BoxStream<'static, DataFusionResult<RecordBatch>>> {
    let (start, end) = file.range();
    let layout = find_layout(&input, &plan.options).await?;
    // Of a document no part can be read alone: the first range takes it all.
    let is_whole = layout == Layout::Document || !input.has_ranges();
    if is_whole && start > 0 {
        return Ok(stream::empty().boxed());
    }
    let length = if is_whole || file.range.is_none() { u64::MAX } else { end - start };
    // A range begins with the first line after the line break before it.
    let (start, seeking) = match start.checked_sub(1) {
        None => (0, false),
        Some(before) => (before, true),
    };
    let length = length.saturating_add(u64::from(seeking));
    let decoder = Decoder::new(plan, Part { layout, seeking, length })?;
    let stretches = input.bytes(start).await?;
    Ok(decoding::batches(decoder, stretches, Origin { input, start, scanned }))
}

/// How the records stand in a file: as option `multiLine` says, or else as it begins.
pub(super) async fn find_layout(input: &Input, options: &JsonOptions) -> DataFusionResult<Layout> {
    match options.multi_line {
        Some(true) => return Ok(Layout::Document),
        Some(false) => return Ok(Layout::Lines),
        None => {}
    }
    let mut length = HEAD_BYTES;
    loop {
        let (bytes, is_whole) = input.head(length).await?;
        if let Some(layout) = detect(&bytes, is_whole) {
            return Ok(layout);
        }
        if is_whole || length > options.record_bytes_max {
            return Ok(Layout::Lines);
        }
        length *= 16;
    }
}
