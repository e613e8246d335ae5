//! Queries over what the program already has: rows of Rust types, Arrow batches, ranges.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::{TableFunctionArgs, TableProvider};
use datafusion::common::{DFSchema, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{
    Expr as Resolved, LogicalPlan, LogicalPlanBuilder, lit as resolved_literal,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
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
    /// let people = Session::new().create_data_frame(people)?;
    /// assert_eq!(people.filter("age IS NULL").count().await?, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `UNABLE_TO_INFER_SCHEMA` if there are no rows or the rows differ in type.
    pub fn create_data_frame<T: Serialize>(
        &self,
        rows: impl IntoIterator<Item = T>,
    ) -> Result<DataFrame> {
        let rows: Vec<T> = rows.into_iter().collect();
        if rows.is_empty() {
            return Err(Error::new(Condition::UNABLE_TO_INFER_SCHEMA, "there are no rows")
                .hint("use `from_batches` with an empty batch, which has a schema"));
        }
        let failed = |error: serde_arrow::Error| {
            Error::new(
                Condition::UNABLE_TO_INFER_SCHEMA,
                format!("the rows have no common type: {}", error.message()),
            )
        };
        let fields = Vec::<FieldRef>::from_samples(&rows, tracing_options()).map_err(failed)?;
        let batch = serde_arrow::to_record_batch(&fields, &rows).map_err(failed)?;
        let schema = Arc::new(Schema::new(named_fields(&fields, &[])?));
        let batch = RecordBatch::try_new(schema, batch.columns().to_vec())?;
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
            Box::pin(async move { plan_range(&session, start, end, 1) })
        })
    }

    /// The whole numbers from `start` by `step` up to but without `end`, as the column `id`.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let odd = Session::new().range_by(1, 6, 2);
    /// assert_eq!(odd.rows::<(i64,)>().await?, [(1,), (3,), (5,)]);
    /// # Ok(()) }
    /// ```
    pub fn range_by(&self, start: i64, end: i64, step: i64) -> DataFrame {
        DataFrame::deferred(self.clone(), move |session| {
            Box::pin(async move { plan_range(&session, start, end, step) })
        })
    }

    /// As [`Session::range_by`], in so many partitions, each with its share of the numbers.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let parts = Session::new().range_in(0, 5, 1, 2).rdd_of::<i64>().glom().collect().await?;
    /// assert_eq!(parts, [vec![0, 1], vec![2, 3, 4]]);
    /// # Ok(()) }
    /// ```
    pub fn range_in(&self, start: i64, end: i64, step: i64, partitions: usize) -> DataFrame {
        let whole = self.range_by(start, end, step);
        let count = match step {
            0 => 0,
            step => {
                let (distance, step) = (i128::from(end) - i128::from(start), i128::from(step));
                (distance / step + i128::from(distance % step != 0)).max(0)
            }
        };
        let parts = partitions as i128;
        // A part without numbers would be no part; many are dealt out instead of written down.
        if count < parts || partitions > PARTS_MAX {
            return whole.repartition(partitions);
        }
        let border = |part: i128| {
            let number = i128::from(start) + i128::from(step) * (count * part / parts);
            i64::try_from(number).unwrap_or(end)
        };
        let shares = (0..parts).map(|part| self.range_by(border(part), border(part + 1), step));
        let joined = shares.reduce(|before, share| before.union(&share));
        joined.map_or(whole, |joined| joined.coalesce(partitions))
    }
}

/// Parts of a range that are written down in a plan.
const PARTS_MAX: usize = 200;

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
pub(crate) fn scan_plan(name: &str, table: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let name = TableReference::bare(name);
    Ok(LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.build()?)
}

/// A plan behind a table that `make` gives for it: what the table does is hidden from the rules that
/// plan the query around it. The columns keep the names and tables that they have.
pub(super) fn behind_table(
    name: &str,
    input: LogicalPlan,
    make: impl FnOnce(LogicalPlan, SchemaRef) -> Arc<dyn TableProvider>,
) -> Result<LogicalPlan> {
    let schema = Arc::clone(input.schema());
    let stored = stored_schema(&schema);
    let scan = scan_plan(name, make(input, stored))?;
    let names = schema.iter().zip(scan.schema().columns()).map(|((table, field), column)| {
        Resolved::Column(column).alias_qualified(table.cloned(), field.name())
    });
    let names: Vec<Resolved> = names.collect();
    Ok(LogicalPlanBuilder::from(scan).project(names)?.build()?)
}

/// The columns under names of which each is there once, since a table has no two of a name.
pub(super) fn stored_schema(schema: &DFSchema) -> SchemaRef {
    let mut taken = HashSet::new();
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| {
            let mut name = field.name().clone();
            while !taken.insert(name.clone()) {
                name.push('_');
            }
            field.as_ref().clone().with_name(name).with_nullable(true)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// The batch under the names that are unique within a table.
pub(super) fn renamed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = batch.columns().to_vec();
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn plan_range(session: &Session, start: i64, end: i64, step: i64) -> Result<LogicalPlan> {
    let state = session.state();
    let Some(range) = state.table_functions().get("range") else {
        return Err(Error::internal("there is no table function `range`"));
    };
    let end = if step > 0 { end.max(start) } else { end.min(start) };
    let numbers = [start, end, step].map(resolved_literal);
    let args = TableFunctionArgs::new(&numbers, state.as_ref());
    let plan = scan_plan("range", range.create_table_provider_with_args(args)?)?;
    let value = Resolved::Column(plan.schema().columns()[0].clone());
    let id = value.alias_qualified(Some("range"), "id");
    Ok(LogicalPlanBuilder::from(plan).project([id])?.build()?)
}

/// How Rust types become columns: strings, lists and maps as SQL has them.
fn tracing_options() -> TracingOptions {
    TracingOptions::default()
        .allow_null_fields(true)
        .strings_as_large_utf8(false)
        .sequence_as_large_list(false)
        .bytes_as_large_binary(false)
        .map_as_struct(false)
        .coerce_numbers(true)
}

/// The columns that a Rust type has as a row, by the names that serde gives them.
///
/// # Errors
/// `UNABLE_TO_INFER_SCHEMA` if it is neither a struct nor a tuple of types that columns can hold.
pub(crate) fn traced_fields<T: DeserializeOwned>() -> Result<Vec<FieldRef>> {
    Vec::<FieldRef>::from_type::<T>(tracing_options()).map_err(|error| {
        let kind = std::any::type_name::<T>();
        Error::new(
            Condition::UNABLE_TO_INFER_SCHEMA,
            format!("`{kind}` does not make a row: {}", error.message()),
        )
        .hint("map to a tuple, such as `(value,)`, or to a struct that serde derives")
    })
}

/// The columns under names of the program, or without any under their own; tuples have fields
/// `0`, `1`, …, which Spark calls `_1`, `_2`, ….
///
/// # Errors
/// `INVALID_PARAMETER_VALUE` if the numbers of names and columns differ.
pub(crate) fn named_fields(fields: &[FieldRef], names: &[String]) -> Result<Vec<FieldRef>> {
    if !names.is_empty() && names.len() != fields.len() {
        let (names, fields) = (names.len(), fields.len());
        return Err(Error::new(
            Condition::INVALID_PARAMETER,
            format!("{names} names were given for {fields} columns"),
        ));
    }
    let name = |(at, field): (usize, &FieldRef)| match (names.get(at), field.name().parse()) {
        (Some(name), _) => Arc::new(field.as_ref().clone().with_name(name)),
        (None, Ok(index)) => {
            let index: usize = index;
            Arc::new(field.as_ref().clone().with_name(format!("_{}", index + 1)))
        }
        (None, Err(_)) => Arc::clone(field),
    };
    Ok(fields.iter().enumerate().map(name).collect())
}
