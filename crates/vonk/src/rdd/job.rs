//! The running of one action: stages of tasks on threads, their failures, and cancelling.
//!
//! An error in the middle of a partition travels as an unwinding panic that [`throw`] starts and the
//! border of the task catches. So iterators carry plain elements, and a closure of the user never
//! mistakes a partition that broke off for one that ended.

use std::any::Any;
use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio_util::sync::CancellationToken;

use super::shared::{self, Updates};
use super::{Rdd, Rows, Step};
use crate::error::{Condition, Error, Result, panic_text};
use crate::session::Session;

/// One run of an action.
pub(super) struct Job {
    session: Session,
    threads: usize,
    cancelled: AtomicBool,
    /// Tells of cancelling where a task waits for something.
    ending: CancellationToken,
    prepared: Mutex<FxHashMap<u64, Box<dyn Any + Send + Sync>>>,
    reads: FxHashMap<u64, u32>,
    stages: Mutex<VecDeque<StageFn>>,
}

/// A shuffle that must have run before the tasks of the action can.
type StageFn = Box<dyn FnOnce(Arc<Job>) -> BoxFuture<'static, Result<()>> + Send>;

/// Cancels its job when the future of the action is dropped.
pub(super) struct CancelOnDrop(Arc<Job>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
        self.0.ending.cancel();
    }
}

/// One partition of one stage at work on a thread.
pub(super) struct Task {
    pub(super) job: Arc<Job>,
    pub(super) partition: usize,
    stage: Arc<Stage>,
}

/// The tasks that run at the same time, and the first partition among them that failed.
struct Stage {
    failed: AtomicUsize,
}

/// An error of ours on its way through the user's closures to the border of the task.
struct Thrown(Error);

/// A task on its way out because the job was cancelled or an earlier partition failed.
struct Stopped;

/// Leaves the task with this error.
pub(super) fn throw(error: Error) -> ! {
    resume_unwind(Box::new(Thrown(error)))
}

/// The value, or leaves the task with the error.
pub(super) fn or_throw<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| throw(error))
}

impl Job {
    pub(super) fn start<T: Send + 'static>(rdd: &Rdd<T>) -> Result<(Arc<Self>, CancelOnDrop)> {
        let session = rdd.context.session().clone();
        let mut reads = FxHashMap::default();
        count_reads(&rdd.node.step, 1, &mut reads);
        let job = Arc::new(Self {
            threads: session.config().threads()?,
            session,
            cancelled: AtomicBool::new(false),
            ending: CancellationToken::new(),
            prepared: Mutex::default(),
            reads,
            stages: Mutex::default(),
        });
        Ok((Arc::clone(&job), CancelOnDrop(job)))
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// How many tasks run at the same time.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Whether the job reads the partitions of this step more than once.
    pub(super) fn reads_again(&self, step: u64) -> bool {
        self.reads.get(&step).is_none_or(|reads| *reads > 1)
    }

    pub(super) fn prepared<P: Clone + 'static>(&self, step: u64) -> Option<P> {
        self.prepared.lock().get(&step)?.downcast_ref::<P>().cloned()
    }

    pub(super) fn remember<P: Send + Sync + 'static>(&self, step: u64, parts: P) {
        self.prepared.lock().insert(step, Box::new(parts));
    }

    /// Adds a stage; stages run in the order in which they were added.
    pub(super) fn add_stage<F, Fut>(&self, stage: F)
    where
        F: FnOnce(Arc<Job>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.stages.lock().push_back(Box::new(move |job| Box::pin(stage(job))));
    }

    /// Runs the stages that were added.
    pub(super) async fn run_stages(self: &Arc<Self>) -> Result<()> {
        while let Some(stage) = self.next_stage() {
            stage(Arc::clone(self)).await?;
        }
        Ok(())
    }

    fn next_stage(&self) -> Option<StageFn> {
        self.stages.lock().pop_front()
    }

    /// Runs one task per partition on the session's threads and gives their results in order.
    ///
    /// # Errors
    /// That of the first partition that fails, whatever the number of threads.
    pub(super) async fn run<R, F>(
        self: &Arc<Self>,
        partitions: Range<usize>,
        work: F,
    ) -> Result<Vec<R>>
    where
        R: Send + 'static,
        F: Fn(&Arc<Task>) -> Result<R> + Send + Sync + 'static,
    {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| {
            Error::new(Condition::INVALID_PARAMETER, "an action needs a running tokio runtime")
                .hint("call it under `#[tokio::main]`, or use `vonk::blocking`")
        })?;
        let workers = self.threads.min(partitions.len());
        let shared = Arc::new(Shared {
            job: Arc::clone(self),
            stage: Arc::new(Stage { failed: AtomicUsize::new(usize::MAX) }),
            next: AtomicUsize::new(partitions.start),
            end: partitions.end,
            work,
        });
        let handles: Vec<_> = (0..workers)
            .map(|_| {
                let shared = Arc::clone(&shared);
                runtime.spawn_blocking(move || work_off(&shared))
            })
            .collect();
        let mut outcomes = Vec::with_capacity(partitions.len());
        for handle in handles {
            outcomes.extend(handle.await.map_err(|lost| Error::internal(lost.to_string()))?);
        }
        outcomes.sort_by_key(|outcome: &Outcome<R>| outcome.partition);
        let (mut results, mut updates) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            results.push(outcome.result?);
            updates.push(outcome.updates);
        }
        if results.len() < partitions.len() {
            return Err(cancelled());
        }
        updates.iter_mut().for_each(Updates::apply);
        Ok(results)
    }
}

fn cancelled() -> Error {
    Error::new(Condition::OPERATION_CANCELED, "the action was cancelled")
}

/// Counts how often each step's partitions are read, as far as "once" and "more" differ.
fn count_reads(step: &Arc<Step>, times: u32, reads: &mut FxHashMap<u64, u32>) {
    let before = *reads.get(&step.id).unwrap_or(&0);
    reads.insert(step.id, before.saturating_add(times));
    if before > 1 || (before > 0 && step.keeps_output) {
        return;
    }
    let times = if step.keeps_output { 1 } else { times };
    for parent in &step.parents {
        count_reads(&parent.step, times.saturating_mul(parent.reads), reads);
    }
}

/// What the threads of a stage share.
struct Shared<F> {
    job: Arc<Job>,
    stage: Arc<Stage>,
    next: AtomicUsize,
    end: usize,
    work: F,
}

/// What came of one task.
struct Outcome<R> {
    partition: usize,
    result: Result<R>,
    updates: Updates,
}

/// Takes partitions in order until there are none left, or one fails.
fn work_off<R, F>(shared: &Shared<F>) -> Vec<Outcome<R>>
where
    F: Fn(&Arc<Task>) -> Result<R>,
{
    let mut outcomes = Vec::new();
    loop {
        let partition = shared.next.fetch_add(1, Ordering::Relaxed);
        if partition >= shared.end {
            return outcomes;
        }
        let task = Arc::new(Task {
            job: Arc::clone(&shared.job),
            partition,
            stage: Arc::clone(&shared.stage),
        });
        let Some(outcome) = run_task(&task, &shared.work) else { return outcomes };
        let failed = outcome.result.is_err();
        outcomes.push(outcome);
        if failed {
            shared.stage.failed.fetch_min(partition, Ordering::Relaxed);
            return outcomes;
        }
    }
}

/// Runs one task; `None` if it was told to stop.
fn run_task<R>(task: &Arc<Task>, work: impl Fn(&Arc<Task>) -> Result<R>) -> Option<Outcome<R>> {
    shared::begin_task();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        task.check();
        work(task)
    }));
    let updates = shared::end_task();
    let result = match ended {
        Ok(result) => result,
        Err(payload) if payload.is::<Stopped>() => return None,
        Err(payload) => match payload.downcast::<Thrown>() {
            Ok(thrown) => Err(thrown.0),
            Err(payload) => Err(panicked(task.partition, payload.as_ref())),
        },
    };
    Some(Outcome { partition: task.partition, result, updates })
}

fn panicked(partition: usize, payload: &(dyn Any + Send)) -> Error {
    let text = panic_text(payload).unwrap_or("no text");
    let message = format!("a closure panicked in partition {partition}: {text}");
    Error::new(Condition::USER_CODE_FAILED, message)
        .parameter("partition", partition.to_string())
        .parameter("reason", text)
        .hint("look at the closures of this RDD; the lineage is in `to_debug_string`")
}

impl Task {
    fn must_stop(&self) -> bool {
        self.job.cancelled.load(Ordering::Relaxed)
            || self.stage.failed.load(Ordering::Relaxed) < self.partition
    }

    /// Leaves the task if the job was cancelled or an earlier partition failed.
    pub(super) fn check(&self) {
        if self.must_stop() {
            resume_unwind(Box::new(Stopped));
        }
    }

    /// Waits for a future; leaves the task if the job is cancelled in the meantime.
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        let ended = async {
            tokio::select! {
                biased;
                () = self.job.ending.cancelled() => None,
                output = future => Some(output),
            }
        };
        // Tasks run on the threads of the runtime that are there for blocking.
        tokio::runtime::Handle::current()
            .block_on(ended)
            .unwrap_or_else(|| resume_unwind(Box::new(Stopped)))
    }

    /// The same elements, with a look at the cancel flag before each: two relaxed loads.
    pub(super) fn watch<T: 'static>(
        self: &Arc<Self>,
        rows: impl Iterator<Item = T> + 'static,
    ) -> Rows<T> {
        Box::new(Watched { rows, task: Arc::clone(self) })
    }
}

struct Watched<I> {
    rows: I,
    task: Arc<Task>,
}

impl<I: Iterator> Iterator for Watched<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.task.check();
        self.rows.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}
