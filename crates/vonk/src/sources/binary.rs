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
use datafusion::common::{DataFusionError, Result as DfResult, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, future};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::paths::display_path;
use super::whole::{Wanted, WholeFiles};
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
        Arc::new(WholeFiles::new("binaryFile", read, schema))
    }
}

fn read(wanted: Wanted, file: ObjectMeta) -> FileOpenFuture {
    let row = async move { read_row(&wanted, &file).await.map_err(DataFusionError::from) };
    let rows: BoxStream<'_, _> = stream::once(row).boxed();
    future::ready(Ok(rows)).boxed()
}

/// The row of one file; its bytes are read only if the column is wanted.
async fn read_row(wanted: &Wanted, file: &ObjectMeta) -> Result<RecordBatch> {
    let Wanted { store, url, schema, .. } = wanted;
    let mut arrays = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let array: ArrayRef = match field.name().to_lowercase().as_str() {
            "path" => Arc::new(StringViewArray::from_iter_values([spark_path(url, file)])),
            "modificationtime" => {
                let micros = file.last_modified.timestamp_micros();
                Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
            }
            "length" => Arc::new(Int64Array::from(vec![file.size.cast_signed()])),
            "content" => {
                Arc::new(BinaryViewArray::from_iter_values([content(store.as_ref(), file).await?]))
            }
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
