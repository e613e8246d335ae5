//! Queries over sources without an end, which have columns and cannot be run to an end.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as Planner, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr as Resolved, LogicalPlan, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::DataFrame;
use super::source::scan;
use crate::error::{Error, Result};
use crate::session::Session;

/// A source of rows without an end.
#[derive(Debug)]
struct Unbounded {
    schema: SchemaRef,
}

impl Session {
    /// A query over a source without an end: it tells its columns, and actions refuse it.
    ///
    /// # Errors
    /// Those of a schema with two columns of a name.
    pub fn unbounded(&self, schema: SchemaRef) -> Result<DataFrame> {
        scan(self, "stream", Arc::new(Unbounded { schema }))
    }
}

impl DataFrame {
    /// Whether the query reads a source without an end.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn is_unbounded(&self) -> Result<bool> {
        let reads = |plan: &LogicalPlan| match plan {
            LogicalPlan::TableScan(scan) => match source_as_provider(&scan.source) {
                Ok(table) => Ok(table.is::<Unbounded>()),
                Err(_) => Ok(false),
            },
            _ => Ok(false),
        };
        Ok(self.logical_plan().await?.exists(reads)?)
    }
}

#[async_trait]
impl TableProvider for Unbounded {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Planner,
        _projection: Option<&Vec<usize>>,
        _filters: &[Resolved],
        _limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Err(Error::unsupported("queries over a source without an end")
            .hint("read a table or files")
            .into())
    }
}
