//! One partition of a shared plan: run by whoever asks first, kept until all have read it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::spill_file::SpillFile;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::metrics::SpillMetrics;
use datafusion::physical_plan::{ExecutionPlan, SpillManager};
use futures::StreamExt;
use parking_lot::Mutex;

/// The rows of one partition, for a known number of readers.
///
/// A reader that finds no batch at its position runs the plan itself, as far as its next batch, while
/// others give way: nothing is made that nobody asked for, and no reader waits for one that is not
/// being polled.
pub(super) struct Replay {
    input: Mutex<Option<SendableRecordBatchStream>>,
    kept: Mutex<Kept>,
    waiting: Arc<Waiting>,
    files: SpillManager,
}

/// What the readers have before them.
struct Kept {
    batches: VecDeque<Entry>,
    /// The position of the first of them among all batches of the partition.
    first: usize,
    /// Those who read on.
    readers: usize,
    end: Option<End>,
    memory: MemoryReservation,
}

#[derive(Clone)]
enum End {
    Whole,
    Failed(Arc<DataFusionError>),
}

struct Entry {
    batch: Held,
    /// How many have yet to read it.
    readers: usize,
    /// What it takes of the memory.
    bytes: usize,
}

/// A batch, or where it was written to.
#[derive(Clone)]
enum Held {
    Here(RecordBatch),
    OnDisk(Arc<dyn SpillFile>),
}

impl Replay {
    pub(super) fn new(
        plan: &Arc<dyn ExecutionPlan>,
        partition: usize,
        readers: usize,
        spill: SpillMetrics,
        context: &Arc<TaskContext>,
    ) -> DfResult<Arc<Self>> {
        let memory = MemoryConsumer::new(format!("Shared[{partition}]"))
            .with_can_spill(true)
            .register(context.memory_pool());
        let batches = VecDeque::new();
        let kept = Kept { batches, first: 0, readers, end: None, memory };
        Ok(Arc::new(Self {
            input: Mutex::new(Some(plan.execute(partition, Arc::clone(context))?)),
            kept: Mutex::new(kept),
            waiting: Arc::default(),
            files: SpillManager::new(context.runtime_env(), spill, plan.schema()),
        }))
    }

    /// The batch at this position, if it is there or can be made now.
    fn poll_at(&self, position: usize, context: &Context<'_>) -> Poll<Option<DfResult<Held>>> {
        if let Some(known) = self.kept.lock().take(position) {
            return Poll::Ready(known);
        }
        // Whoever runs the plan wakes those that wait once it has let go of it, thus after this.
        self.waiting.add(context.waker());
        let Some(mut input) = self.input.try_lock() else { return Poll::Pending };
        if let Some(known) = self.kept.lock().take(position) {
            return Poll::Ready(known);
        }
        let waker = Waker::from(Arc::clone(&self.waiting));
        let made = match input.as_mut() {
            Some(rows) => ready!(rows.poll_next_unpin(&mut Context::from_waker(&waker))),
            None => None,
        };
        let made = match made {
            Some(Ok(batch)) => self.keep(&batch),
            Some(Err(error)) => Err(error),
            None => {
                self.kept.lock().end = Some(End::Whole);
                *input = None;
                Ok(())
            }
        };
        if let Err(error) = made {
            self.kept.lock().end = Some(End::Failed(Arc::new(error)));
            *input = None;
        }
        drop(input);
        self.waiting.wake_all();
        match self.kept.lock().take(position) {
            Some(known) => Poll::Ready(known),
            None => Poll::Pending,
        }
    }

    /// Keeps a batch for those who read on, on disk if the memory is short.
    fn keep(&self, batch: &RecordBatch) -> DfResult<()> {
        let bytes = get_record_batch_memory_size(batch);
        let fits = self.kept.lock().memory.try_grow(bytes).is_ok();
        let (held, bytes) = match fits {
            true => (Held::Here(batch.clone()), bytes),
            false => {
                let written = self
                    .files
                    .spill_record_batch_and_finish(std::slice::from_ref(batch), "a shared plan")?;
                (written.map_or_else(|| Held::Here(batch.clone()), Held::OnDisk), 0)
            }
        };
        let mut kept = self.kept.lock();
        let readers = kept.readers;
        kept.batches.push_back(Entry { batch: held, readers, bytes });
        Ok(())
    }
}

impl Kept {
    /// What stands at a position, for one of the readers; nothing if that is not known yet.
    fn take(&mut self, position: usize) -> Option<Option<DfResult<Held>>> {
        let Some(entry) = self.batches.get_mut(position - self.first) else {
            return self.end.clone().map(|end| match end {
                End::Whole => None,
                End::Failed(error) => Some(Err(DataFusionError::Shared(error))),
            });
        };
        entry.readers -= 1;
        let batch = entry.batch.clone();
        self.forget();
        Some(Some(Ok(batch)))
    }

    /// Counts a reader out that has read up to a position.
    fn leave(&mut self, position: usize) {
        self.readers -= 1;
        let unread = position.saturating_sub(self.first);
        for entry in self.batches.iter_mut().skip(unread) {
            entry.readers -= 1;
        }
        self.forget();
    }

    /// Lets go of the first batches that all have read.
    fn forget(&mut self) {
        while self.batches.front().is_some_and(|entry| entry.readers == 0) {
            if let Some(entry) = self.batches.pop_front() {
                self.memory.shrink(entry.bytes);
                self.first += 1;
            }
        }
    }
}

/// Readers that wait for the next batch, whoever makes it.
#[derive(Default)]
struct Waiting(Mutex<Vec<Waker>>);

impl Waiting {
    fn add(&self, waker: &Waker) {
        let mut waiting = self.0.lock();
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn wake_all(&self) {
        let waiting = std::mem::take(&mut *self.0.lock());
        for waker in waiting {
            waker.wake();
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

/// One who reads a partition from its beginning.
pub(super) struct Reader {
    replay: Arc<Replay>,
    position: usize,
    /// The file that is being read.
    file: Option<SendableRecordBatchStream>,
}

impl Reader {
    pub(super) fn new(replay: Arc<Replay>) -> Self {
        Self { replay, position: 0, file: None }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(self.replay.files.schema())
    }

    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<DfResult<RecordBatch>>> {
        loop {
            if let Some(file) = &mut self.file {
                match ready!(file.poll_next_unpin(context)) {
                    Some(batch) => return Poll::Ready(Some(batch)),
                    None => self.file = None,
                }
            }
            match ready!(self.replay.poll_at(self.position, context)) {
                Some(Ok(Held::Here(batch))) => {
                    self.position += 1;
                    return Poll::Ready(Some(Ok(batch)));
                }
                Some(Ok(Held::OnDisk(file))) => {
                    self.position += 1;
                    self.file = Some(self.replay.files.read_spill_as_stream(file, None)?);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.replay.kept.lock().leave(self.position);
        // It may have been the one that was told to go on.
        self.replay.waiting.wake_all();
    }
}
