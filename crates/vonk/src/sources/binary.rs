//! The format `binaryFile`: each file is one row of its path, time, length and bytes.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryViewArray, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as DfResult, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use futures::{FutureExt, StreamExt, stream};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::paths::display_path;
use crate::error::{Condition, Error, Result};

/// The largest file that fits into one value.
const FILE_BYTES_MAX: u64 = i32::MAX as u64;

/// The format `binaryFile`.
#[derive(Debug)]
pub(super) struct BinaryFormat;

/// Spark's columns of this format.
fn columns() -> Vec<Field> {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    vec![
        Field::new("path", DataType::Utf8View, true),
        Field::new("modificationTime", time, true),
        Field::new("length", DataType::Int64, true),
        Field::new("content", DataType::BinaryView, true),
    ]
}

#[async_trait]
impl FileFormat for BinaryFormat {
    fn get_ext(&self) -> String {
        String::new()
    }

    fn get_ext_with_compression(&self, _: &FileCompressionType) -> DfResult<String> {
        Ok(String::new())
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        _files: &[ObjectMeta],
    ) -> DfResult<SchemaRef> {
        Ok(Arc::new(Schema::new(columns())))
    }

    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        _file: &ObjectMeta,
    ) -> DfResult<Statistics> {
        Ok(Statistics::new_unknown(&schema))
    }

    async fn create_physical_plan(
        &self,
        _state: &dyn Session,
        config: FileScanConfig,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(BinarySource {
            projection: SplitProjection::unprojected(&schema),
            schema,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

#[derive(Debug, Clone)]
struct BinarySource {
    schema: TableSchema,
    projection: SplitProjection,
    metrics: ExecutionPlanMetricsSet,
}

impl FileSource for BinarySource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        _partition: usize,
    ) -> DfResult<Arc<dyn FileOpener>> {
        let file_schema = self.schema.file_schema();
        let schema = Arc::new(file_schema.project(&self.projection.file_indices)?);
        let opener = BinaryOpener { store, url: config.object_store_url.clone(), schema };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, _batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(self.clone())
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
        "binaryFile"
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

struct BinaryOpener {
    store: Arc<dyn ObjectStore>,
    url: ObjectStoreUrl,
    schema: SchemaRef,
}

impl FileOpener for BinaryOpener {
    fn open(&self, file: PartitionedFile) -> DfResult<FileOpenFuture> {
        let (store, url, schema) =
            (Arc::clone(&self.store), self.url.clone(), Arc::clone(&self.schema));
        let row = async move { read_row(&*store, &url, &schema, &file.object_meta).await };
        let row = row.map(|batch| batch.map_err(DataFusionError::from));
        Ok(Box::pin(async move { Ok(stream::once(row).boxed()) }))
    }
}

/// The row of one file; its bytes are read only if the column is wanted.
async fn read_row(
    store: &dyn ObjectStore,
    url: &ObjectStoreUrl,
    schema: &SchemaRef,
    file: &ObjectMeta,
) -> Result<RecordBatch> {
    let mut arrays = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let array: ArrayRef = match field.name().to_lowercase().as_str() {
            "path" => Arc::new(StringViewArray::from_iter_values([spark_path(url, file)])),
            "modificationtime" => {
                let micros = file.last_modified.timestamp_micros();
                Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
            }
            "length" => Arc::new(Int64Array::from(vec![file.size.cast_signed()])),
            "content" => Arc::new(BinaryViewArray::from_iter_values([content(store, file).await?])),
            other => {
                let names: Vec<String> = columns().iter().map(|c| c.name().clone()).collect();
                let message = format!("binary files have no column `{other}`");
                return Err(Error::new(Condition::UNRESOLVED_COLUMN, message)
                    .hint(format!("the columns are {}", names.join(", "))));
            }
        };
        arrays.push(cast(&array, field.data_type())?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}

async fn content(store: &dyn ObjectStore, file: &ObjectMeta) -> Result<bytes::Bytes> {
    let name = format!("/{}", file.location);
    if file.size > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes, more than one value can hold", file.size);
        return Err(Error::new(Condition::CANNOT_READ_FILE, message)
            .file(name)
            .hint("leave out the column `content`, or filter by `length`"));
    }
    let read = async { store.get(&file.location).await?.bytes().await };
    read.await.map_err(|error| Error::from(error).file(name))
}

/// Spark writes the paths of local files with their scheme.
fn spark_path(url: &ObjectStoreUrl, file: &ObjectMeta) -> String {
    let path = display_path(url, &file.location);
    if path.starts_with('/') { format!("file:{path}") } else { path }
}
