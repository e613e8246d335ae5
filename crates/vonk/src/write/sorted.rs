//! Rows sorted by partition, for a write with more partitions than files should be open.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;
use parking_lot::Mutex;

use crate::error::{Error, Result};

/// What is left of a stream, sorted by some columns; it spills to disk when memory is short.
pub(super) fn sorted(
    first: RecordBatch,
    rest: SendableRecordBatchStream,
    columns: &[usize],
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let schema = rest.schema();
    let all = futures::stream::iter([Ok(first)]).chain(rest);
    let all = RecordBatchStreamAdapter::new(Arc::clone(&schema), all);
    let order = columns.iter().map(|&index| {
        let column = Column::new(schema.field(index).name(), index);
        PhysicalSortExpr::new(Arc::new(column), SortOptions::default())
    });
    let order = LexOrdering::new(order).ok_or_else(|| Error::internal("nothing to sort by"))?;
    let once = Once { schema: Arc::clone(&schema), stream: Mutex::new(Some(Box::pin(all))) };
    let input = StreamingTableExec::try_new(schema, vec![Arc::new(once)], None, [], false, None)?;
    Ok(SortExec::new(order, Arc::new(input)).execute(0, context)?)
}

/// A stream that has begun already, as the input of a plan that is run once.
struct Once {
    schema: SchemaRef,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let stream = self.stream.lock().take();
        stream.unwrap_or_else(|| {
            let error = Error::internal("the rows of a write were asked for twice");
            let error = futures::stream::iter([Err(error.into())]);
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), error))
        })
    }
}
