//! The source of the formats whose files are never split: one reader takes each from end to end.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use object_store::{ObjectMeta, ObjectStore};

/// Rows of a batch, where the session does not say.
const BATCH_ROWS: usize = 8192;

/// Where a reader finds its file, and what is wanted of it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) url: ObjectStoreUrl,
    /// The columns, none of which is one of the partitions.
    pub(super) schema: SchemaRef,
    pub(super) batch_rows: usize,
}

/// Reads one file of a format.
pub(super) type Reader = fn(Wanted, ObjectMeta) -> FileOpenFuture;

/// The files of one table.
#[derive(Debug, Clone)]
pub(super) struct WholeFiles {
    format: &'static str,
    reader: Reader,
    schema: TableSchema,
    projection: SplitProjection,
    batch_rows: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl WholeFiles {
    pub(super) fn new(format: &'static str, reader: Reader, schema: TableSchema) -> Self {
        Self {
            format,
            reader,
            projection: SplitProjection::unprojected(&schema),
            schema,
            batch_rows: BATCH_ROWS,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl FileSource for WholeFiles {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        _partition: usize,
    ) -> DfResult<Arc<dyn FileOpener>> {
        let file_schema = self.schema.file_schema();
        let schema = Arc::new(file_schema.project(&self.projection.file_indices)?);
        let (url, batch_rows) = (config.object_store_url.clone(), self.batch_rows);
        let wanted = Wanted { store, url, schema, batch_rows };
        let opener = Opener { reader: self.reader, wanted };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, batch_rows: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_rows, ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> DfResult<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.format
    }

    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), visit)
    }
}

struct Opener {
    reader: Reader,
    wanted: Wanted,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> DfResult<FileOpenFuture> {
        Ok((self.reader)(self.wanted.clone(), file.object_meta))
    }
}
