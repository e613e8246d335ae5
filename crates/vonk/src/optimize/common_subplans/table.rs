//! The table whose rows are those of a query that is run once.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{
    Expr, LogicalPlan, TableProviderFilterPushDown, TableScan, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::operators::projected;
use crate::operators::shared::{Shared, SharedExec};

/// A query, and its plan once it is known what is read of it.
#[derive(Debug, Clone)]
pub(super) struct SharedTable {
    name: Arc<str>,
    plan: Arc<LogicalPlan>,
    prepared: Arc<Mutex<Option<Prepared>>>,
}

/// A plan, and which columns of the query it gives, ascending.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) shared: Arc<Shared>,
    pub(super) columns: Vec<usize>,
}

impl SharedTable {
    /// `name` is one that no other table has.
    pub(super) fn new(name: String, plan: LogicalPlan) -> Self {
        Self { name: name.into(), plan: Arc::new(plan), prepared: Arc::default() }
    }

    /// The table that a scan reads, if it is one of these.
    pub(super) fn of(scan: &TableScan) -> Option<Self> {
        let provider = source_as_provider(&scan.source).ok()?;
        provider.downcast_ref::<Self>().cloned()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.prepared, &other.prepared)
    }

    /// What a scan of it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// Makes the scans that are planned from now on read this plan.
    pub(super) fn prepare(&self, prepared: Prepared) {
        *self.prepared.lock() = Some(prepared);
    }

    fn place(&self, projection: Option<&Vec<usize>>) -> DfResult<Arc<dyn ExecutionPlan>> {
        let Some(Prepared { shared, columns }) = self.prepared.lock().clone() else {
            return internal_err!("a shared plan was not prepared");
        };
        let place: Arc<dyn ExecutionPlan> = Arc::new(SharedExec::new(&shared));
        let Some(projection) = projection else { return Ok(place) };
        if *projection == columns {
            return Ok(place);
        }
        let taken = projection.iter().map(|column| match columns.binary_search(column) {
            Ok(index) => Ok(index),
            Err(_) => internal_err!("column {column} of a shared plan was not prepared"),
        });
        projected(place, taken.collect::<DfResult<Vec<_>>>()?)
    }
}

impl TableProvider for SharedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    /// Filters are seen, so that rows that none of the places takes are not made.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn scan<'a, 'b, 'c, 'd, 'all>(
        &'a self,
        _state: &'b dyn Session,
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
        let place = self.place(projection);
        Box::pin(async move { place })
    }
}
