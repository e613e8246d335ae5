//! Rows sorted by partition, for a write with more partitions than files should be open.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use crate::error::{Error, Result};
use crate::operators::once::plan_once;

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
    let input = plan_once(Box::pin(all))?;
    Ok(SortExec::new(order, input).execute(0, context)?)
}
