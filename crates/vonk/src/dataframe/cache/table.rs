//! The table that a cached query reads: kept rows, or the query itself where none are kept.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};

use super::{Cache, Filled, renamed};
use crate::operators::named_scan::{NamedScan, Scanned};
use crate::operators::slices;

/// A query and its cache.
#[derive(Debug)]
pub(super) struct CacheTable {
    input: LogicalPlan,
    schema: SchemaRef,
    cache: Arc<Cache>,
}

/// One slice of the rows.
#[derive(Debug)]
struct Slice {
    source: Source,
    schema: SchemaRef,
    index: usize,
    count: usize,
}

/// Where rows come from, decided when the scan is planned.
#[derive(Debug, Clone)]
enum Source {
    /// The cache was filled already.
    Kept(Arc<Filled>),
    /// The first action to run fills the cache from the query; the second plan is for the rows
    /// that the cache then refuses to keep, since a plan runs once.
    Filling(Arc<Cache>, Arc<dyn ExecutionPlan>, Arc<dyn ExecutionPlan>),
    /// Nothing is kept.
    Passing(Arc<dyn ExecutionPlan>),
}

impl CacheTable {
    pub(super) fn new(input: LogicalPlan, schema: SchemaRef, cache: Arc<Cache>) -> Self {
        Self { input, schema, cache }
    }
}

impl CacheTable {
    /// What [`TableProvider::scan`] gives. Boxed here and not by `async_trait`, whose bounds make the
    /// compiler prove at length that expressions may cross threads.
    fn plan_scan<'a>(
        &'a self,
        state: &'a dyn Session,
        projection: Option<&'a Vec<usize>>,
        limit: Option<usize>,
    ) -> BoxFuture<'a, DfResult<Arc<dyn ExecutionPlan>>> {
        Box::pin(async move {
            let kept = self.cache.filled().filter(|filled| filled.parts.is_some());
            let (source, count) = match kept {
                Some(filled) => {
                    let count = filled.parts.as_ref().map_or(1, Vec::len);
                    (Source::Kept(filled), count)
                }
                None => {
                    let plan = state.create_physical_plan(&self.input).await?;
                    let count = plan.output_partitioning().partition_count();
                    let source = match self.cache.is_active() {
                        true => {
                            let spare = state.create_physical_plan(&self.input).await?;
                            Source::Filling(Arc::clone(&self.cache), plan, spare)
                        }
                        false => Source::Passing(plan),
                    };
                    (source, count)
                }
            };
            let slice = |index| {
                let (source, schema) = (source.clone(), Arc::clone(&self.schema));
                Slice { source, schema, index, count }
            };
            let scan = slices::scan(&self.schema, count, slice, projection, limit)?;
            Ok(Arc::new(NamedScan::new(Scanned::Kept, scan)) as Arc<dyn ExecutionPlan>)
        })
    }
}

impl TableProvider for CacheTable {
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
        self.plan_scan(state, projection, limit)
    }
}

impl PartitionStream for Slice {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (source, schema) = (self.source.clone(), Arc::clone(&self.schema));
        let (index, count) = (self.index, self.count);
        let rows = async move {
            let plan = match source {
                Source::Kept(filled) => match filled.read(index, count)? {
                    Some(rows) => return Ok(rows),
                    None => return Err(crate::Error::internal("a cache lost its rows").into()),
                },
                Source::Filling(cache, plan, spare) => {
                    let filled = cache.fill(&plan, &schema, &context).await?;
                    if let Some(rows) = filled.read(index, count)? {
                        return Ok(rows);
                    }
                    spare
                }
                Source::Passing(plan) => plan,
            };
            let stored = Arc::clone(&schema);
            let rows = plan
                .execute(index, context)?
                .map(move |batch| renamed(&batch?, &stored).map_err(DataFusionError::from));
            let rows: SendableRecordBatchStream =
                Box::pin(RecordBatchStreamAdapter::new(schema, rows));
            Ok::<_, DataFusionError>(rows)
        };
        let rows = futures::stream::once(rows).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
