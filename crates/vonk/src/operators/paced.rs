//! Batches in the size that the work above them can bear: small ones where a function takes long.
//!
//! A task of tokio ends where it gives way, which is between batches. A function that takes a
//! millisecond for a row takes eight seconds for a batch of 8,192, and a query that was cancelled
//! would go on for as long.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};
use rustix::time::{ClockId, clock_gettime};

use super::only_input;

/// Rows of the first slice, when nothing is known yet.
const ROWS_FIRST: usize = 16;

/// Slices of so many rows grow only while they come back as soon, too: a function that waits is at no work.
/// Smaller ones do anyway, since the time that others take is in that as well.
const ROWS_UNWATCHED: usize = 128;

/// Slices grow while the work on one takes less than this.
const SHORT: Duration = Duration::from_millis(4);

/// Slices shrink when the work on one takes more than this, and the task gives way when it has not for so long.
const LONG: Duration = Duration::from_millis(30);

/// Slices of which one took so long with all waiting have no more than [`ROWS_UNWATCHED`] rows.
const WAITED: Duration = Duration::from_millis(100);

/// Gives the rows of its input in slices whose size follows the time that is spent on them.
#[derive(Debug)]
pub(crate) struct PacedExec {
    input: Arc<dyn ExecutionPlan>,
}

impl PacedExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input }
    }
}

impl DisplayAs for PacedExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PacedExec")
    }
}

impl ExecutionPlan for PacedExec {
    fn name(&self) -> &'static str {
        "PacedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(only_input(self.name(), children)?)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(Paced::new(input)))
    }
}

/// One partition on its way.
struct Paced {
    input: SendableRecordBatchStream,
    /// What is left of a batch.
    held: Option<RecordBatch>,
    /// Rows of the next slice.
    rows: usize,
    given: Option<Given>,
    /// When the task has given way for the last time, or later.
    awake: Option<Instant>,
}

/// A slice that was given: its rows, when, and the thread that took it with the time it had been at work.
struct Given {
    rows: usize,
    at: Instant,
    thread: ThreadId,
    since: Duration,
}

/// The time that this thread has been at work, without what it waited.
fn time_at_work() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

impl Paced {
    fn new(input: SendableRecordBatchStream) -> Self {
        Self { input, held: None, rows: ROWS_FIRST, given: None, awake: None }
    }

    /// Learns from the last slice.
    fn learn(&mut self) {
        let Some(given) = self.given.take() else { return };
        // Work that went on on another thread is not known.
        if given.thread != thread::current().id() {
            return;
        }
        let spent = time_at_work().saturating_sub(given.since);
        if spent > LONG {
            let target = (SHORT + LONG) / 2;
            let fits = given.rows as u128 * target.as_nanos() / spent.as_nanos().max(1);
            self.rows = usize::try_from(fits).unwrap_or(usize::MAX).max(1);
            return;
        }
        let elapsed = given.at.elapsed();
        if elapsed > WAITED {
            self.rows = self.rows.min(ROWS_UNWATCHED);
        }
        let is_soon = self.rows < ROWS_UNWATCHED || elapsed < LONG;
        if spent < SHORT && is_soon && given.rows >= self.rows {
            self.rows = self.rows.saturating_mul(8);
        }
    }

    fn slice(&mut self, batch: RecordBatch) -> RecordBatch {
        let rows = batch.num_rows();
        let slice = if rows > self.rows {
            self.held = Some(batch.slice(self.rows, rows - self.rows));
            batch.slice(0, self.rows)
        } else {
            batch
        };
        let (at, thread, since) = (Instant::now(), thread::current().id(), time_at_work());
        self.awake.get_or_insert(at);
        self.given = Some(Given { rows: slice.num_rows(), at, thread, since });
        slice
    }
}

impl Stream for Paced {
    type Item = DfResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.learn();
        if self.awake.take_if(|since| since.elapsed() > LONG).is_some() {
            // A task that wakes itself stays with its thread, which looks for others only every 61st time:
            // those that nobody waits for any more would not end. This way tokio looks for them first.
            let _ready = pin!(tokio::task::yield_now()).poll(context);
            return Poll::Pending;
        }
        let batch = match self.held.take() {
            Some(batch) => batch,
            None => match self.input.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(batch))) => batch,
                other => {
                    self.awake = None;
                    return other;
                }
            },
        };
        Poll::Ready(Some(Ok(self.slice(batch))))
    }
}

impl RecordBatchStream for Paced {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int32Array};
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use futures::stream;

    use super::*;

    /// The sizes of the slices of 10,000 rows, when the work on a slice of so many rows is this.
    async fn slices(work: impl Fn(usize)) -> Vec<usize> {
        let column: ArrayRef = Arc::new(Int32Array::from_iter_values(0..10_000));
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let schema = batch.schema();
        let input = RecordBatchStreamAdapter::new(schema, stream::iter([Ok(batch)]));
        let mut paced = Paced::new(Box::pin(input));
        let mut sizes = Vec::new();
        while let Some(batch) = paced.next().await {
            let rows = batch.unwrap().num_rows();
            sizes.push(rows);
            work(rows);
        }
        sizes
    }

    fn busy(per_row: Duration, rows: usize) {
        let start = Instant::now();
        while start.elapsed() < per_row * rows as u32 {}
    }

    #[tokio::test]
    async fn no_row_is_lost_and_the_first_slice_is_small() {
        for per_row in [Duration::ZERO, Duration::from_micros(100)] {
            let sizes = slices(|rows| busy(per_row, rows)).await;
            assert_eq!(sizes.iter().sum::<usize>(), 10_000);
            assert_eq!(sizes[0], ROWS_FIRST);
        }
    }

    /// A function that begins to wait when slices have grown: by its time at work alone they would stay as large.
    #[tokio::test]
    async fn slices_shrink_where_a_function_waits() {
        let large = ROWS_UNWATCHED + 1;
        let sizes = slices(|rows| {
            if rows >= large {
                thread::sleep(WAITED + SHORT);
            }
        })
        .await;
        let first = sizes.iter().position(|rows| *rows >= large);
        let next = first.and_then(|at| sizes.get(at + 1));
        assert_eq!(next, Some(&ROWS_UNWATCHED), "{sizes:?}");
    }
}
