//! From RDDs to DataFrames: a table whose partitions run as tasks of the RDD.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::TryStreamExt;
use futures::channel::mpsc;
use futures::{SinkExt, stream};
use tokio::sync::OnceCell;

use super::context::slice_of;
use super::job::{CancelOnDrop, Job, Task};
use super::{Data, Parts, Rdd};
use crate::dataframe::{DataFrame, Row, named_fields, scan_plan, traced_fields};
use crate::error::{Error, Result};
use crate::operators::slices;

/// Batches that a partition may be ahead of the query.
const BATCHES_AHEAD: usize = 2;

impl<T: Data> Rdd<T> {
    /// The elements as a query: each is a row, a struct with its fields or a tuple.
    ///
    /// The names are those of the columns; without any, a struct gives its own and a tuple `_1`,
    /// `_2`, …. The RDD runs when the query does, and only as far as the query reads it.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let words = Session::new().context().parallelize(["to", "be"].map(str::to_owned));
    /// let lengths = words.map(|word| (word.len() as i64, word)).to_df(["length", "word"]);
    /// assert_eq!(lengths.filter("word = 'be'").rows::<(i64, String)>().await?, [(2, "be".to_owned())]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The action fails with `UNABLE_TO_INFER_SCHEMA` if the type is no row, with
    /// `INVALID_PARAMETER_VALUE` if the numbers of names and fields differ, and as [`Rdd::collect`].
    pub fn to_df<N: Into<String>>(&self, names: impl IntoIterator<Item = N>) -> DataFrame {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let rdd = self.clone();
        DataFrame::deferred(self.context.session().clone(), move |_| {
            let (rdd, names) = (rdd.clone(), names.clone());
            Box::pin(async move {
                let traced = traced_fields::<T>()?;
                let fields = named_fields(&traced, &names)?;
                let schema = Arc::new(Schema::new(fields));
                let named = Arc::clone(&schema);
                let encode = Arc::new(move |rows: &[T]| encode(rows, &traced, &named));
                scan_plan("rdd", Arc::new(RddTable { rdd, encode, schema }))
            })
        })
    }
}

impl Rdd<Row> {
    /// The rows as a query with these columns, which are found in each row by their names.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let orders = Session::new().sql("SELECT * FROM VALUES ('NL', 7), ('BE', 4) AS t(country, amount)");
    /// let schema = orders.schema().await?;
    /// let large = orders.rdd().filter(|row| row.get::<i32>("amount").is_ok_and(|amount| amount > 5));
    /// assert_eq!(large.with_schema(schema).rows::<(String, i32)>().await?, [("NL".to_owned(), 7)]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The action fails with `UNRESOLVED_COLUMN` if a row has no such column, with
    /// `CAST_INVALID_INPUT` if its value is of another type, and as [`Rdd::collect`].
    pub fn with_schema(&self, schema: SchemaRef) -> DataFrame {
        let rdd = self.clone();
        DataFrame::deferred(self.context.session().clone(), move |_| {
            let (rdd, schema) = (rdd.clone(), Arc::clone(&schema));
            Box::pin(async move {
                let wanted = Arc::clone(&schema);
                let encode = Arc::new(move |rows: &[Row]| Row::to_batch(rows, &wanted));
                scan_plan("rdd", Arc::new(RddTable { rdd, encode, schema }))
            })
        })
    }
}

/// Makes a batch of elements.
type Encode<T> = Arc<dyn Fn(&[T]) -> Result<RecordBatch> + Send + Sync>;

/// Makes a batch of elements by the fields that serde finds in them, under the names of the schema.
fn encode<T: Data>(rows: &[T], traced: &[FieldRef], schema: &SchemaRef) -> Result<RecordBatch> {
    let batch = serde_arrow::to_record_batch(traced, &rows).map_err(|error| {
        let kind = std::any::type_name::<T>();
        Error::new(
            crate::Condition::CAST_INVALID_INPUT,
            format!("an element does not fit the columns of `{kind}`: {}", error.message()),
        )
    })?;
    Ok(RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec())?)
}

/// An RDD with the columns that its elements have.
struct RddTable<T> {
    rdd: Rdd<T>,
    encode: Encode<T>,
    schema: SchemaRef,
}

impl<T> fmt::Debug for RddTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.rdd)
    }
}

#[async_trait]
impl<T: Data> TableProvider for RddTable<T> {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let (job, cancel) = Job::start(&self.rdd)?;
        let parts = self.rdd.prepare(&job).await?;
        // Never more streams than threads: each holds a thread while the query reads another one.
        let count = parts.count.min(job.threads()).max(1);
        let prepared = Arc::new(Prepared {
            rdd: self.rdd.clone(),
            encode: Arc::clone(&self.encode),
            schema: Arc::clone(&self.schema),
            parts,
            job,
            stages: OnceCell::new(),
            rows_max: state.config().batch_size(),
            _cancel: cancel,
        });
        let slice = |index| Slice { prepared: Arc::clone(&prepared), index, count };
        Ok(Arc::new(slices::scan(&self.schema, count, slice, projection, limit)?))
    }
}

/// An RDD whose partitions are known and whose shuffles run once, for all slices.
struct Prepared<T> {
    rdd: Rdd<T>,
    encode: Encode<T>,
    schema: SchemaRef,
    parts: Parts<T>,
    job: Arc<Job>,
    stages: OnceCell<()>,
    /// Rows per batch.
    rows_max: usize,
    _cancel: CancelOnDrop,
}

/// Neighbouring partitions that one stream reads, one after the other.
struct Slice<T> {
    prepared: Arc<Prepared<T>>,
    index: usize,
    count: usize,
}

impl<T> fmt::Debug for Slice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, slice {} of {}", self.prepared.rdd, self.index, self.count)
    }
}

type Batches = mpsc::Sender<DfResult<RecordBatch>>;

impl<T: Data> PartitionStream for Slice<T> {
    fn schema(&self) -> &SchemaRef {
        &self.prepared.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let prepared = Arc::clone(&self.prepared);
        let partitions = slice_of(prepared.parts.count, self.index, self.count);
        let schema = Arc::clone(&prepared.schema);
        let start = async move {
            let stages = || prepared.job.run_stages();
            prepared.stages.get_or_try_init(stages).await?;
            // The slice has a job of its own, so that its tasks end when its stream is dropped.
            let (job, cancel) = Job::start(&prepared.rdd)?;
            let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
            let mut failed = sender.clone();
            tokio::spawn(async move {
                for partition in partitions {
                    let (prepared, sender) = (Arc::clone(&prepared), sender.clone());
                    let work = move |task: &Arc<Task>| prepared.send(task, sender.clone());
                    if let Err(error) = job.run(partition..partition + 1, work).await {
                        // Nobody waits for the error if the receiver is gone.
                        let _gone = failed.send(Err(error.into())).await;
                        return;
                    }
                }
            });
            let rows = stream::unfold((receiver, cancel), |(mut receiver, cancel)| async {
                use futures::StreamExt;
                receiver.next().await.map(|batch| (batch, (receiver, cancel)))
            });
            Ok::<_, DataFusionError>(rows)
        };
        let rows = stream::once(start).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

impl<T: Data> Prepared<T> {
    /// Sends the rows of a task's partition as batches.
    fn send(&self, task: &Arc<Task>, mut sender: Batches) -> Result<()> {
        let mut rows = task.watch(self.parts.rows(task, task.partition)?);
        loop {
            let some: Vec<T> = rows.by_ref().take(self.rows_max).collect();
            if some.is_empty() {
                return Ok(());
            }
            let batch = (self.encode)(&some)?;
            if task.wait(sender.send(Ok(batch))).is_err() {
                return Ok(());
            }
        }
    }
}
