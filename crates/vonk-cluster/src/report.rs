//! The end of each stage: its errors leave the worker as what they are, and a panic is one of them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{FutureExt, StreamExt};
use vonk::Error;
use vonk::cluster::{self, TravellingError};
use vonk::error::panic_text;

use crate::lost;

/// Gives the rows of its input, and its errors in a form that arrives whole.
#[derive(Debug)]
pub(crate) struct ReportExec {
    input: Arc<dyn ExecutionPlan>,
}

impl ReportExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input }
    }
}

/// The error as text that keeps all of it.
fn written(error: DataFusionError) -> DataFusionError {
    DataFusionError::Execution(TravellingError::new(&lost::told(error)).to_text())
}

fn panicked(payload: &(dyn Any + Send)) -> DataFusionError {
    let text = panic_text(payload).unwrap_or("no reason is known");
    let message = format!("a worker gave up: {text}");
    written(Error::internal(message).into())
}

impl DisplayAs for ReportExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReportExec")
    }
}

impl ExecutionPlan for ReportExec {
    fn name(&self) -> &'static str {
        "ReportExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(cluster::only_input(self.name(), children)?)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        let started = catch_unwind(AssertUnwindSafe(|| self.input.execute(partition, context)));
        let rows = match started {
            Ok(rows) => rows.map_err(written)?,
            Err(payload) => return Err(panicked(payload.as_ref())),
        };
        let schema = rows.schema();
        let rows = futures::stream::unfold(Some(rows), |rows| async move {
            let mut rows = rows?;
            match AssertUnwindSafe(rows.next()).catch_unwind().await {
                Ok(None) => None,
                Ok(Some(Ok(batch))) => Some((Ok(batch), Some(rows))),
                Ok(Some(Err(error))) => Some((Err(written(error)), None)),
                Err(payload) => Some((Err(panicked(payload.as_ref())), None)),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
