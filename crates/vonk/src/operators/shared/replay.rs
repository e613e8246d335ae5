//! One partition of a shared plan: run by whoever asks first, kept until all have read it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::spill_file::SpillFile;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::metrics::SpillMetrics;
use datafusion::physical_plan::{ExecutionPlan, SpillManager};
use futures::StreamExt;
use parking_lot::{Mutex, MutexGuard};

/// The rows of one partition, for a known number of readers.
///
/// A reader that finds no batch at its position runs the plan itself, as far as its next batch, while
/// others give way: nothing is made that nobody asked for, and no reader waits for one that is not
/// being polled.
pub(super) struct Replay {
    input: Mutex<Option<SendableRecordBatchStream>>,
    /// Whether someone found the input taken since it was taken.
    is_wanted: AtomicBool,
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
    /// What the batches take; nothing once no more can come.
    memory: Option<MemoryReservation>,
    /// Counts what batches share once, as slices of one result do.
    counter: RecordBatchMemoryCounter,
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
        let (memory, counter) = (Some(memory), RecordBatchMemoryCounter::new());
        let kept = Kept { batches, first: 0, readers, end: None, memory, counter };
        Ok(Arc::new(Self {
            input: Mutex::new(Some(plan.execute(partition, Arc::clone(context))?)),
            is_wanted: AtomicBool::new(false),
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
        // Whoever has the input wakes those that wait once it has let go of it, thus after this.
        self.waiting.add(context.waker());
        let Some(mut input) = self.taken_input() else { return Poll::Pending };
        let known = self.kept.lock().take(position);
        let made = match known {
            Some(known) => Some(known),
            None if self.run(&mut input) => self.kept.lock().take(position),
            None => None,
        };
        drop(input);
        if made.is_some() || self.is_wanted.swap(false, Ordering::SeqCst) {
            self.waiting.wake_all();
        }
        made.map_or(Poll::Pending, Poll::Ready)
    }

    /// The input, or nothing if another has it, who knows by then that it is wanted.
    fn taken_input(&self) -> Option<MutexGuard<'_, Option<SendableRecordBatchStream>>> {
        self.input.try_lock().or_else(|| {
            self.is_wanted.store(true, Ordering::SeqCst);
            self.input.try_lock()
        })
    }

    /// Runs the plan as far as its next batch or its end; says whether it came so far.
    fn run(&self, input: &mut Option<SendableRecordBatchStream>) -> bool {
        let waker = Waker::from(Arc::clone(&self.waiting));
        let made = match input.as_mut() {
            Some(rows) => match rows.poll_next_unpin(&mut Context::from_waker(&waker)) {
                Poll::Ready(made) => made,
                Poll::Pending => return false,
            },
            None => None,
        };
        let end = match made.map(|batch| self.keep(&batch?)) {
            Some(Ok(())) => return true,
            Some(Err(error)) => End::Failed(Arc::new(error)),
            None => End::Whole,
        };
        *input = None;
        self.kept.lock().end = Some(end);
        true
    }

    /// Keeps a batch for those who read on, on disk if the memory is short.
    fn keep(&self, batch: &RecordBatch) -> DfResult<()> {
        let mut kept = self.kept.lock();
        let is_last = kept.readers == 1;
        let bytes = if is_last { 0 } else { kept.counter.count_batch(batch) };
        let memory = kept.memory.as_ref();
        let (held, bytes) = match memory.is_none_or(|memory| memory.try_grow(bytes).is_ok()) {
            true => (Held::Here(batch.clone()), bytes),
            false => {
                drop(kept);
                let batches = std::slice::from_ref(batch);
                let written = self.files.spill_record_batch_and_finish(batches, "a shared plan")?;
                kept = self.kept.lock();
                (written.map_or_else(|| Held::Here(batch.clone()), Held::OnDisk), 0)
            }
        };
        let readers = kept.readers;
        kept.batches.push_back(Entry { batch: held, readers, bytes });
        Ok(())
    }

    /// Counts a reader out that has read up to a position; the last one ends the plan.
    fn leave(&self, position: usize) {
        let is_last = {
            let mut kept = self.kept.lock();
            kept.leave(position);
            kept.readers == 0
        };
        if is_last && let Some(mut input) = self.input.try_lock() {
            *input = None;
        }
        // It may have been the one that was told to go on.
        self.waiting.wake_all();
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
            let Some(entry) = self.batches.pop_front() else { break };
            if let Some(memory) = &self.memory {
                memory.shrink(entry.bytes);
            }
            self.first += 1;
            // What is made from now on may lie where this was.
            self.counter = RecordBatchMemoryCounter::new();
        }
        if self.batches.is_empty() && (self.end.is_some() || self.readers == 0) {
            self.memory = None;
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
    /// Whether the plan failed, which is told once.
    has_failed: bool,
}

impl Reader {
    pub(super) fn new(replay: Arc<Replay>) -> Self {
        Self { replay, position: 0, file: None, has_failed: false }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(self.replay.files.schema())
    }

    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<DfResult<RecordBatch>>> {
        loop {
            if self.has_failed {
                return Poll::Ready(None);
            }
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
                Some(Err(error)) => {
                    self.has_failed = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.replay.leave(self.position);
    }
}
