//! ORC files, read stripe by stripe.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result as DfResult, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_plan::ExecutionPlan;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::AsyncChunkReader;
use orc_rust::{ArrowReaderBuilder, TimestampPrecision};

use super::ReadOptions;
use super::option_values::check_names;
use super::whole::{Wanted, WholeFiles};
use crate::error::Result;

/// Makes the reader for the user's options.
///
/// # Errors
/// `INVALID_PARAMETER_VALUE` for an option that is unknown.
pub(super) fn make(options: &ReadOptions) -> Result<Arc<dyn FileFormat>> {
    check_names("orc", options, &[])?;
    Ok(Arc::new(OrcFormat))
}

/// The ORC files of one table.
#[derive(Debug)]
struct OrcFormat;

#[async_trait]
impl FileFormat for OrcFormat {
    fn get_ext(&self) -> String {
        "orc".to_owned()
    }

    fn get_ext_with_compression(&self, _: &FileCompressionType) -> DfResult<String> {
        Ok("orc".to_owned())
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        _state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> DfResult<SchemaRef> {
        let mut schemas = Vec::with_capacity(files.len());
        for file in files {
            let builder = open(Arc::clone(store), file.clone()).await?;
            let schema = builder.schema().as_ref().clone();
            // Names and values that a writer left beside the columns say nothing of them.
            schemas.push(schema.with_metadata(std::collections::HashMap::new()));
        }
        Ok(Arc::new(Schema::try_merge(schemas)?))
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
        Arc::new(WholeFiles::new("orc", |wanted, file| read(wanted, file).boxed(), schema))
    }
}

/// The rows of a file: its columns of these names, and NULL for those that it has not.
async fn read(
    wanted: Wanted,
    file: ObjectMeta,
) -> DfResult<BoxStream<'static, DfResult<RecordBatch>>> {
    let Wanted { store, schema, batch_rows, .. } = wanted;
    let builder = open(store, file).await?;
    let own = builder.schema();
    let places = schema.fields().iter().map(|field| {
        own.fields().iter().position(|one| one.name().eq_ignore_ascii_case(field.name()))
    });
    let places: Vec<Option<usize>> = places.collect();
    let wanted = places.iter().flatten().map(|at| own.field(*at).name().clone());
    let wanted: Vec<String> = wanted.collect();
    if wanted.is_empty() {
        let rows = builder.file_metadata().number_of_rows();
        return Ok(stream::iter(empty_batches(schema, rows, batch_rows)).boxed());
    }
    let mask = ProjectionMask::named_roots(builder.file_metadata().root_data_type(), &wanted);
    let batches = builder.with_projection(mask).with_batch_size(batch_rows).build_async();
    let batches = batches.map_err(|error| DataFusionError::ArrowError(Box::new(error), None));
    Ok(batches.map(move |batch| with_columns(&batch?, &schema)).boxed())
}

/// The rows of a file none of whose columns is wanted.
fn empty_batches(
    schema: SchemaRef,
    rows: u64,
    batch_rows: usize,
) -> impl Iterator<Item = DfResult<RecordBatch>> {
    let step = batch_rows.max(1);
    let starts = (0..usize::try_from(rows).unwrap_or(usize::MAX)).step_by(step);
    starts.map(move |start| {
        let count = step.min(usize::try_from(rows).unwrap_or(usize::MAX) - start);
        let nulls = schema.fields().iter().map(|field| new_null_array(field.data_type(), count));
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&schema), nulls.collect(), &options)?)
    })
}

/// The columns of a batch as the table has them.
fn with_columns(batch: &RecordBatch, schema: &SchemaRef) -> DfResult<RecordBatch> {
    let own = batch.schema();
    let column = |name: &str| {
        let at = own.fields().iter().position(|one| one.name().eq_ignore_ascii_case(name));
        at.map(|at| batch.column(at))
    };
    let columns = schema.fields().iter().map(|field| match column(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
        Some(column) => Ok(cast(column, field.data_type())?),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    let columns = columns.collect::<DfResult<Vec<ArrayRef>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Reads what a file says of itself.
async fn open(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
) -> DfResult<ArrowReaderBuilder<StoredFile>> {
    let builder = ArrowReaderBuilder::try_new_async(StoredFile { store, file }).await;
    let builder =
        builder.map_err(|error| DataFusionError::ArrowError(Box::new(error.into()), None))?;
    let builder = builder.with_timestamp_precision(TimestampPrecision::Microsecond);
    match has_union(builder.schema().fields()) {
        true => Err(crate::error::Error::unsupported("columns of unions in ORC files").into()),
        false => Ok(builder),
    }
}

fn has_union(fields: &Fields) -> bool {
    fields.iter().any(|field| match field.data_type() {
        DataType::Union(..) => true,
        DataType::Struct(fields) => has_union(fields),
        DataType::List(item) | DataType::Map(item, _) => {
            has_union(&Fields::from(vec![Arc::clone(item)]))
        }
        _ => false,
    })
}

/// A file of a store as its reader wants it.
struct StoredFile {
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
}

impl StoredFile {
    async fn bytes(&self, range: Range<u64>) -> std::io::Result<Bytes> {
        if range.end > self.file.size {
            // What a damaged file says of its lengths is not asked for.
            let reason = "it says that it is longer than it is";
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, reason));
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.store.get_range(&self.file.location, range).await.map_err(std::io::Error::other)
    }
}

impl AsyncChunkReader for StoredFile {
    fn len(&mut self) -> BoxFuture<'_, std::io::Result<u64>> {
        futures::future::ready(Ok(self.file.size)).boxed()
    }

    fn get_bytes(&mut self, start: u64, length: u64) -> BoxFuture<'_, std::io::Result<Bytes>> {
        let end = start.saturating_add(length);
        async move { self.bytes(start..end).await }.boxed()
    }
}
