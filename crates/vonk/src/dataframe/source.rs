//! Queries over what the program already has: rows of Rust types, Arrow batches, ranges.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{TableFunctionArgs, TableProvider};
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{
    Expr as Resolved, LogicalPlan, LogicalPlanBuilder, lit as resolved_literal,
};
use serde::Serialize;
use serde_arrow::schema::{SchemaLike, TracingOptions};

use super::DataFrame;
use crate::error::{Condition, Error, Result};
use crate::session::Session;

impl Session {
    /// A query over rows of a Rust type: a struct gives the names, a tuple's columns are `_1`, `_2`, ….
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// #[derive(serde::Serialize)]
    /// struct Person { name: &'static str, age: Option<i32> }
    ///
    /// let people = [Person { name: "Ada", age: Some(36) }, Person { name: "Bob", age: None }];
    /// let people = Session::new().create_dataframe(people)?;
    /// assert_eq!(people.filter("age IS NULL").count().await?, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `UNABLE_TO_INFER_SCHEMA` if there are no rows or the rows differ in type.
    pub fn create_dataframe<T: Serialize>(
        &self,
        rows: impl IntoIterator<Item = T>,
    ) -> Result<DataFrame> {
        let rows: Vec<T> = rows.into_iter().collect();
        if rows.is_empty() {
            return Err(Error::new(Condition::UNABLE_TO_INFER_SCHEMA, "there are no rows")
                .hint("use `from_batches` with an empty batch, which has a schema"));
        }
        let options = TracingOptions::default()
            .allow_null_fields(true)
            .strings_as_large_utf8(false)
            .sequence_as_large_list(false)
            .bytes_as_large_binary(false)
            .map_as_struct(false)
            .coerce_numbers(true);
        let failed = |error: serde_arrow::Error| {
            Error::new(
                Condition::UNABLE_TO_INFER_SCHEMA,
                format!("the rows have no common type: {}", error.message()),
            )
        };
        let fields = Vec::<FieldRef>::from_samples(&rows, options).map_err(failed)?;
        let batch = serde_arrow::to_record_batch(&fields, &rows).map_err(failed)?;
        let names: Vec<FieldRef> = fields.iter().map(tuple_name).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(names)), batch.columns().to_vec())?;
        self.from_batches(vec![batch])
    }

    /// A query over Arrow batches, which have one schema.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// let batches = session.range(0, 5).collect().await?;
    /// assert_eq!(session.from_batches(batches)?.count().await?, 5);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `UNABLE_TO_INFER_SCHEMA` without a batch, `DATATYPE_MISMATCH` if the batches differ.
    pub fn from_batches(&self, batches: Vec<RecordBatch>) -> Result<DataFrame> {
        let Some(schema) = batches.first().map(RecordBatch::schema) else {
            return Err(Error::new(Condition::UNABLE_TO_INFER_SCHEMA, "there is no batch")
                .hint("give at least one batch; it may be empty"));
        };
        let table = datafusion::datasource::MemTable::try_new(schema, vec![batches])?;
        scan(self, "rows", Arc::new(table))
    }

    /// The whole numbers from `start` up to but without `end`, as the column `id`.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// assert_eq!(Session::new().range(2, 5).rows::<(i64,)>().await?, [(2,), (3,), (4,)]);
    /// # Ok(()) }
    /// ```
    pub fn range(&self, start: i64, end: i64) -> DataFrame {
        DataFrame::deferred(self.clone(), move |session| {
            Box::pin(async move { plan_range(&session, start, end) })
        })
    }
}

/// A query that scans a table under a name that messages and plans show.
pub(super) fn scan(
    session: &Session,
    name: &str,
    table: Arc<dyn TableProvider>,
) -> Result<DataFrame> {
    let plan = scan_plan(name, table)?;
    Ok(DataFrame::deferred(session.clone(), move |_| {
        let plan = plan.clone();
        Box::pin(async move { Ok(plan) })
    }))
}

/// The plan of [`scan`].
pub(super) fn scan_plan(name: &str, table: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let name = TableReference::bare(name);
    Ok(LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.build()?)
}

fn plan_range(session: &Session, start: i64, end: i64) -> Result<LogicalPlan> {
    let state = session.state();
    let Some(range) = state.table_functions().get("range") else {
        return Err(Error::internal("there is no table function `range`"));
    };
    let numbers = [start, end.max(start)].map(resolved_literal);
    let args = TableFunctionArgs::new(&numbers, state.as_ref());
    let plan = scan_plan("range", range.create_table_provider_with_args(args)?)?;
    let value = Resolved::Column(plan.schema().columns()[0].clone());
    let id = value.alias_qualified(Some("range"), "id");
    Ok(LogicalPlanBuilder::from(plan).project([id])?.build()?)
}

/// Tuples have fields `0`, `1`, …; Spark calls them `_1`, `_2`, ….
fn tuple_name(field: &FieldRef) -> FieldRef {
    match field.name().parse::<usize>() {
        Ok(index) => Arc::new(field.as_ref().clone().with_name(format!("_{}", index + 1))),
        Err(_) => Arc::clone(field),
    }
}
