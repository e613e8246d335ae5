//! A stream that has begun already, as the input of a plan that runs once.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use parking_lot::Mutex;

use crate::error::Error;

/// The plan whose one partition is the stream.
pub(crate) fn plan_once(stream: SendableRecordBatchStream) -> DfResult<Arc<dyn ExecutionPlan>> {
    let schema = stream.schema();
    let once = Once { schema: Arc::clone(&schema), stream: Mutex::new(Some(stream)) };
    let plan = StreamingTableExec::try_new(schema, vec![Arc::new(once)], None, [], false, None)?;
    Ok(Arc::new(plan))
}

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
            let error = Error::internal("the rows of a plan that runs once were asked for twice");
            let failed = futures::stream::iter([Err(error.into())]);
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), failed))
        })
    }
}
