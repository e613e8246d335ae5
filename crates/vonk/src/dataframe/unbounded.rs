//! Queries over sources without an end, which have columns and cannot be run to an end.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as Planner, TableProvider};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DataFusionError, JoinType, Result as DfResult};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr as Resolved, Join, LogicalPlan, TableType};
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
        is_unbounded(self.logical_plan().await?)
    }

    /// What the query does to a source without an end that can be done to all of its rows only, so that
    /// new rows alone do not give what they add to the result.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn needs_all_rows(&self) -> Result<Option<&'static str>> {
        needs_all_rows(self.logical_plan().await?)
    }
}

fn is_unbounded(plan: &LogicalPlan) -> Result<bool> {
    let reads = |plan: &LogicalPlan| match plan {
        LogicalPlan::TableScan(scan) => match source_as_provider(&scan.source) {
            Ok(table) if table.is::<Unbounded>() => Ok(true),
            Ok(table) => match behind(table.as_ref()) {
                Some(input) => is_unbounded(input).map_err(DataFusionError::from),
                None => Ok(false),
            },
            Err(_) => Ok(false),
        },
        _ => Ok(false),
    };
    Ok(plan.exists(reads)?)
}

/// The query whose rows a table passes on.
fn behind(table: &dyn TableProvider) -> Option<&LogicalPlan> {
    super::outside::input_of(table)
        .or_else(|| super::observe::input_of(table))
        .or_else(|| super::partitions::input_of(table))
}

fn needs_all_rows(plan: &LogicalPlan) -> Result<Option<&'static str>> {
    if !is_unbounded(plan)? {
        return Ok(None);
    }
    let own = match plan {
        LogicalPlan::TableScan(scan) => {
            let table = source_as_provider(&scan.source)?;
            return behind(table.as_ref()).map_or(Ok(None), needs_all_rows);
        }
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Union(_) => None,
        LogicalPlan::Join(join) => needed_by_join(join)?,
        LogicalPlan::Aggregate(_) => Some("aggregates"),
        LogicalPlan::Distinct(_) => Some("distinct rows"),
        LogicalPlan::Sort(_) => Some("an order of its rows"),
        LogicalPlan::Limit(_) => Some("a limit"),
        LogicalPlan::Window(_) => Some("windows"),
        _ => Some("steps of this kind"),
    };
    if own.is_some() {
        return Ok(own);
    }
    for input in plan.inputs() {
        if let Some(what) = needs_all_rows(input)? {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

/// A join gives for new rows of one side what it would give for all of them, unless rows of the other
/// side are left over at the end.
fn needed_by_join(join: &Join) -> Result<Option<&'static str>> {
    use JoinType as Type;
    let is_fit = match (is_unbounded(&join.left)?, is_unbounded(&join.right)?) {
        (true, true) => return Ok(Some("a join of two streams")),
        (true, false) => matches!(
            join.join_type,
            Type::Inner | Type::Left | Type::LeftSemi | Type::LeftAnti | Type::LeftMark
        ),
        (false, true) => matches!(
            join.join_type,
            Type::Inner | Type::Right | Type::RightSemi | Type::RightAnti | Type::RightMark
        ),
        (false, false) => true,
    };
    Ok((!is_fit).then_some("an outer join that keeps rows of what is no stream"))
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
