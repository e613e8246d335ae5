//! A query on the workers, run again when one of them is lost; its rows are given when all are there.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as DfResult, internal_err};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, execute_stream,
};
use futures::{StreamExt, TryStreamExt};
use parking_lot::Mutex;
use vonk::cluster::{self, Finish};
use vonk::config;
use vonk::{Error, Result};

use crate::coordinator::Coordinator;
use crate::held::Held;
use crate::lost;
use crate::stages::Cut;

/// What a query is cut into stages from, each time that it is run.
#[derive(Clone)]
pub(crate) struct Query {
    pub(crate) coordinator: Arc<Coordinator>,
    /// The plan for one machine.
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) finish: Finish,
    pub(crate) state: Arc<SessionState>,
}

/// The plan of one attempt, and what it runs with.
#[derive(Clone)]
struct Attempt {
    stages: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
}

/// Runs stages on workers.
pub(crate) struct AttemptsExec {
    query: Query,
    first: Attempt,
    /// The attempt that ran last.
    last: Arc<Mutex<Option<Arc<dyn ExecutionPlan>>>>,
}

impl AttemptsExec {
    pub(crate) fn new(
        query: Query,
        stages: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Self {
        Self { query, first: Attempt { stages, context }, last: Arc::default() }
    }

    /// The stages that ran last, or else those that would run.
    pub(crate) fn stages(&self) -> Arc<dyn ExecutionPlan> {
        self.last.lock().clone().unwrap_or_else(|| Arc::clone(&self.first.stages))
    }
}

impl Query {
    /// Runs the query until an attempt comes to its end.
    async fn run(
        self,
        first: Attempt,
        last: Arc<Mutex<Option<Arc<dyn ExecutionPlan>>>>,
    ) -> Result<SendableRecordBatchStream> {
        let config = cluster::config_of(&self.state);
        let attempts = config.count(config::CLUSTER_ATTEMPTS)?.unwrap_or(1);
        let turn = self.coordinator.turn().await?;
        let mut attempt = first;
        for number in 1.. {
            *last.lock() = Some(Arc::clone(&attempt.stages));
            let rows = execute_stream(Arc::clone(&attempt.stages), Arc::clone(&attempt.context))?;
            if config.is_on(config::CLUSTER_STREAMED) {
                let schema = rows.schema();
                let rows = rows.map_err(|error| lost::told(error).into()).inspect(move |_| {
                    let _held = &turn;
                });
                return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)));
            }
            let mut held = Held::new(rows.schema(), &attempt.context);
            let error = match held.fill(rows).await {
                Ok(()) => return Ok(held.stream()?),
                Err(error) => lost::told(error),
            };
            if !lost::is_lost(&error) || number >= attempts {
                return Err(error);
            }
            log::warn!("attempt {number} of {attempts}: {error}");
            drop(held);
            attempt = self.again(error).await?;
        }
        Err(Error::internal("a query was run no more"))
    }

    /// The query anew, on the workers that live.
    async fn again(&self, error: Error) -> Result<Attempt> {
        self.coordinator.doubt();
        let query = Self { plan: reset_plan_states(Arc::clone(&self.plan))?, ..self.clone() };
        match self.coordinator.cut(&query).await? {
            Cut::Stages(stages, context) => Ok(Attempt { stages, context }),
            // It could travel before.
            Cut::Here(_) => Err(error),
        }
    }
}

impl fmt::Debug for AttemptsExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptsExec").field("stages", &self.first.stages).finish_non_exhaustive()
    }
}

impl DisplayAs for AttemptsExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptsExec")
    }
}

impl ExecutionPlan for AttemptsExec {
    fn name(&self) -> &'static str {
        "AttemptsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.first.stages.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.first.stages]
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
        let stages = cluster::only_input(self.name(), children)?;
        let context = Arc::clone(&self.first.context);
        Ok(Arc::new(Self::new(self.query.clone(), stages, context)))
    }

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("AttemptsExec has one partition, not {partition}");
        }
        let (query, first, last) = (self.query.clone(), self.first.clone(), Arc::clone(&self.last));
        let rows = async move { query.run(first, last).await.map_err(DataFusionError::from) };
        let rows = futures::stream::once(rows).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
