//! Queries whose rows go through code outside of the engine, batch by batch.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::ExecutionPlan;
use futures::future::BoxFuture;

use super::DataFrame;
use super::source::scan_plan;
use crate::operators::map_batches::{Batches, Closure, MapBatchesExec, TableCode};
use crate::operators::projected;
use crate::placement::Portable;

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
        self.map_outside(schema, Arc::new(Closure(map)))
    }

    /// The rows that code makes of the batches of each partition, as by [`DataFrame::map_batches`]; with code
    /// that travels, on the workers of a cluster.
    #[must_use]
    pub fn map_outside(&self, schema: SchemaRef, code: Arc<dyn TableCode>) -> Self {
        self.derive(move |input, _| {
            let (schema, code) = (Arc::clone(&schema), Arc::clone(&code));
            scan_plan("rows", Arc::new(MapTable::new(input, schema, code)))
        })
    }
}

/// A query and what is done to its batches.
pub(crate) struct MapTable {
    input: LogicalPlan,
    schema: SchemaRef,
    code: Arc<dyn TableCode>,
}

impl MapTable {
    pub(crate) fn new(input: LogicalPlan, schema: SchemaRef, code: Arc<dyn TableCode>) -> Self {
        Self { input, schema, code }
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
        _limit: Option<usize>,
    ) -> BoxFuture<'all, DfResult<Arc<dyn ExecutionPlan>>>
    where
        'a: 'all,
        'b: 'all,
        'c: 'all,
        'd: 'all,
        Self: 'all,
    {
        Box::pin(async move {
            let input = state.create_physical_plan(&self.input).await?;
            let is_open = state.config().get_extension::<Portable>().is_some();
            let (schema, code) = (Arc::clone(&self.schema), Arc::clone(&self.code));
            let is_ordered = self.input.exists(|plan| Ok(matches!(plan, LogicalPlan::Sort(_))))?;
            let rows = MapBatchesExec::new(input, schema, code, is_open).with_order(is_ordered);
            let rows = Arc::new(rows);
            match projection {
                Some(columns) => projected(rows, columns.iter().copied()),
                None => Ok(rows as Arc<dyn ExecutionPlan>),
            }
        })
    }
}
