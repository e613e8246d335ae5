//! From DataFrames to RDDs: the partitions of a query, read as rows.

use std::sync::Arc;

use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlanProperties;
use futures::StreamExt;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use super::job::{Task, or_throw};
use super::{Outline, Parts, Preparing, Rdd};
use crate::dataframe::{DataFrame, Row, typed};
use crate::display::{JsonValues, Style, Zone, result_stream};
use crate::error::{Error, Result};

impl DataFrame {
    /// The rows as an RDD, for queries whose columns the program does not know.
    ///
    /// Partitions are those of the query. Rows that are kept keep their Arrow batch; map them to
    /// what is needed before a shuffle.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let data = Session::new().sql("SELECT 2 AS n, 'two' AS name");
    /// let names = data.rdd().map(|row| row.get::<String>("name").unwrap_or_default());
    /// assert_eq!(names.collect().await?, ["two"]);
    /// # Ok(()) }
    /// ```
    pub fn rdd(&self) -> Rdd<Row> {
        rows_of(self, |batch| Ok(Row::all(batch).collect()))
    }

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
        rows_of(self, |batch| typed(&batch))
    }

    /// The rows as JSON objects, without the fields that are NULL.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let data = Session::new().sql("SELECT 'Ada' AS name, 36 AS age, NULL AS email");
    /// assert_eq!(data.to_json().collect().await?, [r#"{"name":"Ada","age":36}"#]);
    /// # Ok(()) }
    /// ```
    pub fn to_json(&self) -> Rdd<String> {
        rows_of(self, |batch| json_lines(&batch))
    }
}

fn json_lines(batch: &RecordBatch) -> Result<Vec<String>> {
    let values = JsonValues::new(Style::cast(Zone::Fixed(0)));
    let builder = WriterBuilder::new().with_encoder_factory(Arc::new(values));
    let mut writer = builder.build::<_, LineDelimited>(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    let text = String::from_utf8(writer.into_inner());
    let text = text.map_err(|_| Error::internal("JSON was written that is no UTF-8"))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// How a batch becomes elements.
type Read<T> = fn(RecordBatch) -> Result<Vec<T>>;

fn rows_of<T: Send + 'static>(query: &DataFrame, read: Read<T>) -> Rdd<T> {
    let query = query.clone();
    let context = query.session().context();
    Rdd::new(&context, Outline::source("data frame"), move |preparing: Preparing| {
        let query = query.clone();
        async move { partitions(&query, read, preparing.read_again).await }
    })
}

/// One partition of a query: the stream that the first reader takes.
type First = Mutex<Option<SendableRecordBatchStream>>;

/// The partitions of a query, planned once per job; each is run as a task reads it.
async fn partitions<T: Send + 'static>(
    query: &DataFrame,
    read: Read<T>,
    read_again: bool,
) -> Result<Parts<T>> {
    if read_again {
        return Ok(repeatable(query.collect().await?, read));
    }
    let plan = query.physical_plan().await?;
    let context = query.session().state().task_ctx();
    let count = plan.output_partitioning().partition_count();
    let streams = (0..count).map(|at| {
        let stream = plan.execute(at, Arc::clone(&context))?;
        Ok(Mutex::new(Some(result_stream(stream))))
    });
    let streams: Vec<First> = streams.collect::<Result<_>>()?;
    Ok(Parts::new(count, move |task, partition| {
        let stream = streams[partition].lock().take();
        let stream =
            stream.ok_or_else(|| Error::internal("a partition of a query is read twice"))?;
        let batches = Batches { stream, task: Arc::clone(task) };
        Ok(task.watch(batches.flat_map(move |batch| or_throw(read(batch)))))
    }))
}

/// Batches that can be read any number of times, one partition each.
fn repeatable<T: Send + 'static>(batches: Vec<RecordBatch>, read: Read<T>) -> Parts<T> {
    Parts::new(batches.len(), move |task, partition| {
        Ok(task.watch(read(batches[partition].clone())?.into_iter()))
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
