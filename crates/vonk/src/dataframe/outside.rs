//! Queries whose rows go through code outside of the engine, batch by batch.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};

use super::DataFrame;
use super::source::scan_plan;
use crate::error::{Error, Result};
use crate::operators::slices;

/// The batches of one partition.
pub type Batches = BoxStream<'static, Result<RecordBatch>>;

/// What is done to them.
pub(crate) type Map = dyn Fn(Batches) -> Batches + Send + Sync;

impl DataFrame {
    /// The rows that code makes of the batches of each partition; `schema` says what they are.
    ///
    /// The query is planned without regard to what the code does. Dropping the stream that it gives
    /// has to end its work.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().range(0, 3);
    /// let same = numbers.map_batches(numbers.schema().await?, |batches| batches);
    /// assert_eq!(same.count().await?, 3);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn map_batches(
        &self,
        schema: SchemaRef,
        map: impl Fn(Batches) -> Batches + Send + Sync + 'static,
    ) -> Self {
        let map: Arc<Map> = Arc::new(map);
        self.derive(move |input, _| {
            let (schema, map) = (Arc::clone(&schema), Arc::clone(&map));
            scan_plan("rows", Arc::new(MapTable::new(input, schema, map)))
        })
    }
}

/// A query and what is done to its batches.
pub(crate) struct MapTable {
    input: LogicalPlan,
    schema: SchemaRef,
    map: Arc<Map>,
}

impl MapTable {
    pub(crate) fn new(input: LogicalPlan, schema: SchemaRef, map: Arc<Map>) -> Self {
        Self { input, schema, map }
    }
}

/// The query whose rows a table of this kind is made of.
pub(super) fn input_of(table: &dyn TableProvider) -> Option<&LogicalPlan> {
    table.downcast_ref::<MapTable>().map(|table| &table.input)
}

impl fmt::Debug for MapTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapTable").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl TableProvider for MapTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    fn scan<'a, 'b, 'c, 'd, 'all>(
        &'a self,
        state: &'b dyn Session,
        projection: Option<&'c Vec<usize>>,
        _filters: &'d [Expr],
        limit: Option<usize>,
    ) -> BoxFuture<'all, DfResult<Arc<dyn ExecutionPlan>>>
    where
        'a: 'all,
        'b: 'all,
        'c: 'all,
        'd: 'all,
        Self: 'all,
    {
        Box::pin(async move {
            let plan = state.create_physical_plan(&self.input).await?;
            let count = plan.output_partitioning().partition_count();
            let slice = |index| Slice {
                plan: Arc::clone(&plan),
                index,
                schema: Arc::clone(&self.schema),
                map: Arc::clone(&self.map),
            };
            let scan = slices::scan(&self.schema, count, slice, projection, limit)?;
            Ok(Arc::new(scan) as Arc<dyn ExecutionPlan>)
        })
    }
}

/// One partition.
struct Slice {
    plan: Arc<dyn ExecutionPlan>,
    index: usize,
    schema: SchemaRef,
    map: Arc<Map>,
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slice").field("index", &self.index).finish_non_exhaustive()
    }
}

impl PartitionStream for Slice {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = match self.plan.execute(self.index, context) {
            Ok(input) => (self.map)(input.map(|batch| batch.map_err(Error::from)).boxed()),
            Err(error) => stream::once(async { Err(error.into()) }).boxed(),
        };
        let rows = rows.map(|batch| batch.map_err(DataFusionError::from));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
