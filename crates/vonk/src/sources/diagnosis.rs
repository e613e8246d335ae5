//! Where a damaged Parquet file is damaged: its reader says what is wrong, but not where.
//!
//! The file is read once more, one column of one row group at a time, until that fails; only errors
//! pay for it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::DefaultParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::{FutureExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};

/// A search that takes longer gives no place.
const TIME_MAX: Duration = Duration::from_secs(2);

/// The row group and column that cannot be read, if they are found in time.
pub(super) async fn damaged_column(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
) -> Option<String> {
    let search = AssertUnwindSafe(search(store, file)).catch_unwind();
    tokio::time::timeout(TIME_MAX, search).await.ok()?.ok()?
}

async fn search(store: Arc<dyn ObjectStore>, file: ObjectMeta) -> Option<String> {
    let readers = DefaultParquetFileReaderFactory::new(store);
    let metrics = ExecutionPlanMetricsSet::new();
    let open = || -> Option<Box<dyn AsyncFileReader>> {
        let file = PartitionedFile::new_from_meta(file.clone());
        Some(readers.create_reader(0, file, None, &metrics).ok()?)
    };
    let metadata = ArrowReaderMetadata::load_async(&mut open()?, Default::default()).await.ok()?;
    let columns = metadata.parquet_schema().columns().to_vec();
    for row_group in 0..metadata.metadata().num_row_groups() {
        for (leaf, column) in columns.iter().enumerate() {
            let read = read_column(open()?, metadata.clone(), row_group, leaf);
            if !matches!(AssertUnwindSafe(read).catch_unwind().await, Ok(Ok(()))) {
                return Some(format!("in row group {row_group}, column `{}`", column.path()));
            }
            tokio::task::yield_now().await;
        }
    }
    None
}

async fn read_column(
    reader: Box<dyn AsyncFileReader>,
    metadata: ArrowReaderMetadata,
    row_group: usize,
    leaf: usize,
) -> parquet::errors::Result<()> {
    let mask = ProjectionMask::leaves(metadata.parquet_schema(), [leaf]);
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
    let mut rows = builder.with_row_groups(vec![row_group]).with_projection(mask).build()?;
    while rows.try_next().await?.is_some() {}
    Ok(())
}
