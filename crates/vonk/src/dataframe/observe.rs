//! Figures that are taken of rows while they pass, so that they cost no second run of the query.

use std::sync::{Arc, Once};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session as Planner, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr as Resolved, LogicalPlan, LogicalPlanBuilder, TableType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect};
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::DataFrame;
use super::column::{Column, columns};
use super::source::{behind_table, renamed, scan_plan, stored_schema};
use super::syntax::{self, Select};
use crate::error::{Error, Result};
use crate::operators::slices;

/// Batches that may wait to be looked at.
const BATCHES_WAITING: usize = 4;

/// Figures of the rows that have passed a place in a query.
#[derive(Debug, Clone)]
pub struct Observation {
    observed: Arc<Observed>,
}

#[derive(Debug, Default)]
struct Observed {
    computed: Mutex<Option<JoinHandle<DfResult<Vec<RecordBatch>>>>>,
}

impl Observation {
    /// The figures as one row, once the query has run; nothing if it has not, or a second time.
    ///
    /// # Errors
    /// Those of computing them.
    pub async fn figures(&self) -> Result<Option<RecordBatch>> {
        let computed = self.observed.computed.lock().take();
        let Some(computed) = computed else { return Ok(None) };
        let failed = |error| Error::internal(format!("the figures of an observation: {error}"));
        Ok(computed.await.map_err(failed)??.into_iter().find(|batch| batch.num_rows() > 0))
    }
}

impl DataFrame {
    /// Computes aggregates of the rows while an action reads them.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # use vonk::functions as f;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let (rows, seen) = Session::new().range(0, 9).observe([f::max("id").alias("most")]);
    /// assert_eq!(rows.filter("id < 3").count().await?, 3);
    /// let figures = seen.figures().await?.expect("the query has run");
    /// assert_eq!(figures.schema().field(0).name(), "most");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn observe<C: Into<Column>>(
        &self,
        figures: impl IntoIterator<Item = C>,
    ) -> (Self, Observation) {
        let figures = columns(figures);
        let observed = Arc::<Observed>::default();
        let observation = Observation { observed: Arc::clone(&observed) };
        let frame = self.derive(move |plan, session| {
            let passing = Arc::new(Passing {
                schema: stored_schema(plan.schema()),
                batches: Mutex::default(),
            });
            let list = syntax::items(&figures, plan.schema())?;
            let seen = seen(&passing, &plan)?;
            let figures = Select::over(&[seen], list)?.plan(session)?;
            let observed = Arc::clone(&observed);
            behind_table("observed", plan, |input, schema| {
                Arc::new(ObservedTable { input, schema, figures, passing, observed })
            })
        });
        (frame, observation)
    }
}

/// The plan that reads what passes, with the names of what it passes in.
fn seen(passing: &Arc<Passing>, plan: &LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(&passing.schema);
    let stream: Arc<dyn PartitionStream> = Arc::clone(passing) as Arc<dyn PartitionStream>;
    let scan = scan_plan("observed", Arc::new(StreamingTable::try_new(schema, vec![stream])?))?;
    let names =
        plan.schema().iter().zip(scan.schema().columns()).map(|((table, field), column)| {
            Resolved::Column(column).alias_qualified(table.cloned(), field.name())
        });
    let names: Vec<Resolved> = names.collect();
    Ok(LogicalPlanBuilder::from(scan).project(names)?.build()?)
}

/// What passes, for the one that looks at it.
#[derive(Debug)]
struct Passing {
    schema: SchemaRef,
    batches: Mutex<Option<Receiver<RecordBatch>>>,
}

impl PartitionStream for Passing {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = self.batches.lock().take();
        let batches = futures::stream::unfold(batches, |batches| async {
            let mut batches = batches?;
            batches.recv().await.map(|batch| (Ok(batch), Some(batches)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// A query whose rows are looked at.
#[derive(Debug)]
struct ObservedTable {
    input: LogicalPlan,
    schema: SchemaRef,
    figures: LogicalPlan,
    passing: Arc<Passing>,
    observed: Arc<Observed>,
}

/// The query whose rows a table of this kind passes on.
pub(super) fn input_of(table: &dyn TableProvider) -> Option<&LogicalPlan> {
    table.downcast_ref::<ObservedTable>().map(|table| &table.input)
}

#[async_trait]
impl TableProvider for ObservedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Planner,
        projection: Option<&Vec<usize>>,
        _filters: &[Resolved],
        _limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let plan = state.create_physical_plan(&self.input).await?;
        let figures = state.create_physical_plan(&self.figures).await?;
        let (sender, receiver) = channel(BATCHES_WAITING);
        let start = Arc::new(Start {
            once: Once::new(),
            figures,
            receiver: Mutex::new(Some(receiver)),
            passing: Arc::clone(&self.passing),
            observed: Arc::clone(&self.observed),
        });
        let slice = |index| {
            let (plan, schema) = (Arc::clone(&plan), Arc::clone(&self.schema));
            let sender = Mutex::new(Some(sender.clone()));
            Slice { plan, schema, index, sender, start: Arc::clone(&start) }
        };
        let count = plan.output_partitioning().partition_count();
        Ok(Arc::new(slices::scan(&self.schema, count, slice, projection, None)?))
    }
}

/// Begins to look when the first rows are asked for.
#[derive(Debug)]
struct Start {
    once: Once,
    figures: Arc<dyn ExecutionPlan>,
    receiver: Mutex<Option<Receiver<RecordBatch>>>,
    passing: Arc<Passing>,
    observed: Arc<Observed>,
}

impl Start {
    fn begin(&self, context: &Arc<TaskContext>) {
        self.once.call_once(|| {
            *self.passing.batches.lock() = self.receiver.lock().take();
            let figures = collect(Arc::clone(&self.figures), Arc::clone(context));
            *self.observed.computed.lock() = Some(tokio::spawn(figures));
        });
    }
}

/// One partition of the rows; it is read once.
#[derive(Debug)]
struct Slice {
    plan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    index: usize,
    sender: Mutex<Option<Sender<RecordBatch>>>,
    start: Arc<Start>,
}

impl PartitionStream for Slice {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.start.begin(&context);
        let sender = self.sender.lock().take();
        let (plan, schema, index) = (Arc::clone(&self.plan), Arc::clone(&self.schema), self.index);
        let rows = futures::stream::once(async move { plan.execute(index, context) });
        let rows = rows.flat_map(|rows| match rows {
            Ok(rows) => rows.boxed(),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        });
        let stored = Arc::clone(&schema);
        // The sender goes with the stream: when all are gone, all rows were seen.
        let rows = rows.then(move |batch| {
            let (sender, stored) = (sender.clone(), Arc::clone(&stored));
            async move {
                let batch = renamed(&batch?, &stored).map_err(DataFusionError::from)?;
                if let Some(sender) = sender {
                    // Whoever looks may have failed, which its figures tell.
                    let _ = sender.send(batch.clone()).await;
                }
                Ok::<RecordBatch, DataFusionError>(batch)
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}
