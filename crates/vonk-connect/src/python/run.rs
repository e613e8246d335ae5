//! Functions that run: batches go to a worker as it asks for them, and its answers are the result.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Fields, Schema};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use tokio::runtime::{Handle, RuntimeFlavor};
use vonk::dataframe::Batches;
use vonk::udf::{Code, TableCode, TravellingCode};
use vonk::{Condition, Error, Result};

use super::function::Function;
use super::travel;
use super::worker::{Answer, Worker};
use crate::execute::{BATCH_BYTES, bytes_of, slices};

/// How often a function in an expression looks whether somebody waits for its query.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Groups that are so few bytes are not worth a second worker.
const GROUPS_BYTES_MIN: usize = 64 << 10;

/// The rows that one call of a function makes of all batches of a partition.
pub(crate) fn in_order(function: &Arc<Function>, input: Batches) -> Batches {
    let conversation =
        Conversation { function: Arc::clone(function), worker: None, input: Input::new(input) };
    let batches = stream::try_unfold(conversation, |mut conversation| async move {
        Ok(conversation.next().await?.map(|batch| (batch, conversation)))
    });
    batches.boxed()
}

/// A function over the batches of each partition.
#[derive(Debug)]
pub(crate) struct OverPartitions(pub(crate) Arc<Function>);

impl TableCode for OverPartitions {
    fn run(&self, input: Batches) -> Batches {
        in_order(&self.0, input)
    }

    fn travelling(&self) -> Option<TravellingCode> {
        travel::written(&self.0)
    }
}

/// The rows that a function makes of groups, each a row of the input; several workers share them.
pub(crate) fn in_groups(function: &Arc<Function>, input: Batches, workers: usize) -> Batches {
    let function = Arc::clone(function);
    let input = input.try_filter(|batch| futures::future::ready(batch.num_rows() > 0));
    let parts = input.map_ok(move |batch| stream::iter(parts(&batch, workers)).map(Ok));
    let run = move |part: RecordBatch| {
        let input = stream::once(async { Ok(part) }).boxed();
        in_order(&function, input).try_collect::<Vec<RecordBatch>>()
    };
    let results = parts.try_flatten().map_ok(run).try_buffered(workers.max(1));
    results.map_ok(|batches| stream::iter(batches).map(Ok)).try_flatten().boxed()
}

/// A batch of groups in parts for workers: as large as answers, and less where there are workers
/// without any.
fn parts(batch: &RecordBatch, workers: usize) -> Vec<RecordBatch> {
    let bytes = bytes_of(batch);
    let least = if bytes >= GROUPS_BYTES_MIN { workers } else { 1 };
    slices(batch, bytes.div_ceil(BATCH_BYTES).max(least)).collect()
}

/// A worker that runs a function, which is taken when there is something to run it over.
struct Conversation {
    function: Arc<Function>,
    worker: Option<Worker>,
    input: Input,
}

impl Conversation {
    /// The next batch of the result.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => {
                let mut worker = self.function.pool.take(&self.function.needs).await?;
                worker.begin(&self.function.id, &self.function.definition).await?;
                worker
            }
        };
        loop {
            match worker.answer().await? {
                Answer::Next => {
                    let message = self.input.next(&self.function).await?;
                    worker.give(message.as_deref()).await?;
                }
                Answer::Batch(data) => {
                    let batch = self.function.read(&data)?;
                    self.worker = Some(worker);
                    return Ok(Some(batch));
                }
                Answer::Done => {
                    self.function.pool.give_back(worker);
                    return Ok(None);
                }
                Answer::Failed(error) => {
                    self.function.pool.give_back(worker);
                    return Err(error);
                }
            }
        }
    }
}

/// The batches of a function's input as messages.
struct Input {
    batches: BoxStream<'static, Result<RecordBatch>>,
    waiting: Vec<bytes::Bytes>,
}

impl Input {
    fn new(batches: Batches) -> Self {
        Self { batches, waiting: Vec::new() }
    }

    async fn next(&mut self, function: &Function) -> Result<Option<bytes::Bytes>> {
        loop {
            if let Some(message) = self.waiting.pop() {
                return Ok(Some(message));
            }
            let Some(batch) = self.batches.next().await.transpose()? else { return Ok(None) };
            if batch.num_rows() > 0 {
                self.waiting = function.messages(&batch)?;
                self.waiting.reverse();
            }
        }
    }
}

/// A function within expressions, which gives a value for each row.
#[derive(Debug)]
pub(super) struct Scalar(pub(super) Arc<Function>);

impl Code for Scalar {
    fn run(
        &self,
        args: &[ArrayRef],
        rows: usize,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<ArrayRef> {
        let runtime = Handle::try_current().ok();
        let runtime = runtime
            .filter(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
            .ok_or_else(|| Error::internal("functions of Python need a runtime with threads"))?;
        let input = arguments(args, rows)?;
        let input = stream::once(async { Ok(input) }).boxed();
        let result = in_order(&self.0, input).try_collect::<Vec<RecordBatch>>();
        // Other tasks of the thread move to another one meanwhile.
        let batches = tokio::task::block_in_place(|| {
            runtime.block_on(async {
                tokio::pin!(result);
                let mut looks = tokio::time::interval(LOOK_EVERY);
                loop {
                    tokio::select! {
                        batches = &mut result => return batches,
                        _ = looks.tick() => if !is_wanted() {
                            let message = "the query was cancelled";
                            return Err(Error::new(Condition::OPERATION_CANCELED, message));
                        },
                    }
                }
            })
        })?;
        Ok(Arc::clone(concat_batches(&self.0.schema, &batches)?.column(0)))
    }

    fn travelling(&self) -> Option<TravellingCode> {
        travel::written(&self.0)
    }
}

/// Arguments as a batch.
fn arguments(args: &[ArrayRef], rows: usize) -> Result<RecordBatch> {
    let fields = args.iter().enumerate();
    let fields =
        fields.map(|(at, arg)| Field::new(format!("_{at}"), arg.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema, args.to_vec(), &options)?)
}
