//! Scans of rows that come in slices, each as a stream of its own.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

/// The scan of some slices, which are made by their index.
pub(crate) fn scan<S: PartitionStream + 'static>(
    schema: &SchemaRef,
    count: usize,
    slice: impl Fn(usize) -> S,
    projection: Option<&Vec<usize>>,
    limit: Option<usize>,
) -> DfResult<StreamingTableExec> {
    let slices = (0..count).map(|index| Arc::new(slice(index)) as Arc<dyn PartitionStream>);
    let slices = slices.collect();
    StreamingTableExec::try_new(Arc::clone(schema), slices, projection, None, false, limit)
}
