//! Between DataFrames and RDDs.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlanProperties;
use futures::StreamExt;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use super::job::{Task, or_throw};
use super::{Outline, Parts, Preparing, Rdd};
use crate::dataframe::DataFrame;
use crate::error::{Condition, Error, Result};

impl DataFrame {
    /// The rows as an RDD of a Rust type: a struct with the columns' names, or a tuple.
    ///
    /// A column that may be NULL is an `Option` in the type. Partitions are those of the query.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let data = Session::new().sql("SELECT 2 AS n, 'two' AS name");
    /// let names = data.rdd_of::<(i32, String)>().map(|(n, name)| format!("{n} is {name}"));
    /// assert_eq!(names.collect().await?, ["2 is two"]);
    /// # Ok(()) }
    /// ```
    pub fn rdd_of<T: DeserializeOwned + Send + 'static>(&self) -> Rdd<T> {
        let query = self.clone();
        Rdd::new(
            &self.session().context(),
            Outline::source("data frame"),
            move |preparing: Preparing| {
                let query = query.clone();
                async move { partitions(&query, preparing.read_again).await }
            },
        )
    }
}

/// One partition of a query: the stream that the first reader takes.
type First = Mutex<Option<SendableRecordBatchStream>>;

/// The partitions of a query, planned once per job; each is run as a task reads it.
async fn partitions<T: DeserializeOwned + Send + 'static>(
    query: &DataFrame,
    read_again: bool,
) -> Result<Parts<T>> {
    let state = query.session().state();
    let plan = state.create_physical_plan(query.logical_plan().await?).await?;
    if read_again {
        return Ok(repeatable(query.collect().await?));
    }
    let count = plan.output_partitioning().partition_count();
    let context = state.task_ctx();
    let streams =
        (0..count).map(|at| Ok(Mutex::new(Some(plan.execute(at, Arc::clone(&context))?))));
    let streams: Vec<First> = streams.collect::<Result<_>>()?;
    Ok(Parts::new(count, move |task, partition| {
        let stream = streams[partition].lock().take();
        let stream =
            stream.ok_or_else(|| Error::internal("a partition of a query is read twice"))?;
        let batches = Batches { stream, task: Arc::clone(task) };
        Ok(task.watch(batches.flat_map(|batch| or_throw(typed::<T>(&batch)))))
    }))
}

/// Batches that can be read any number of times, one partition each.
fn repeatable<T: DeserializeOwned + Send + 'static>(batches: Vec<RecordBatch>) -> Parts<T> {
    Parts::new(batches.len(), move |task, partition| {
        Ok(task.watch(typed::<T>(&batches[partition])?.into_iter()))
    })
}

/// The batches of a stream for a thread that may block.
struct Batches {
    stream: SendableRecordBatchStream,
    task: Arc<Task>,
}

impl Iterator for Batches {
    type Item = RecordBatch;

    fn next(&mut self) -> Option<RecordBatch> {
        let batch = self.task.wait(self.stream.next())?;
        Some(or_throw(batch.map_err(Error::from)))
    }
}

fn typed<T: DeserializeOwned>(batch: &RecordBatch) -> Result<Vec<T>> {
    serde_arrow::from_record_batch(batch).map_err(|error| {
        let fields = batch.schema();
        let columns: Vec<String> = fields
            .fields()
            .iter()
            .map(|field| format!("`{}` {}", field.name(), field.data_type()))
            .collect();
        Error::new(
            Condition::CAST_INVALID_INPUT,
            format!("the rows do not fit `{}`: {}", std::any::type_name::<T>(), error.message()),
        )
        .hint(format!("the columns are {}; one with NULL needs an `Option`", columns.join(", ")))
    })
}
