//! The exchange: each map task sorts its records into buckets, each reduce task reads one bucket of
//! all of them, in the order of the map tasks. What exceeds the memory limit waits on disk.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustc_hash::FxHasher;

use super::job::{Job, Task, or_throw};
use super::spill::{Budget, Meter, Run, RunWriter};
use super::{Data, Parts, Rows};
use crate::error::{Error, Result};

/// A hash that is the same in every process, so that results do not depend on chance.
pub(super) fn stable_hash<K: Hash + ?Sized>(key: &K) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    // FxHash leaves the upper bits of small integers alike; this is MurmurHash3's finaliser.
    let mut hash = hasher.finish();
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The bucket of a hash among `buckets`; rising hashes have rising buckets.
pub(super) fn bucket_of(hash: u64, buckets: usize) -> usize {
    ((u128::from(hash) * buckets as u128) >> 64) as usize
}

/// Collects the records of one map task by bucket.
pub(super) struct BucketWriter<R> {
    task: Arc<Task>,
    buckets: Vec<Vec<R>>,
    meter: Meter<R>,
    budget: Budget,
    runs: Vec<Run>,
}

impl<R: Data> BucketWriter<R> {
    pub(super) fn new(task: &Arc<Task>, buckets: usize) -> Self {
        Self {
            task: Arc::clone(task),
            buckets: std::iter::repeat_with(Vec::new).take(buckets).collect(),
            meter: Meter::default(),
            budget: Budget::spillable(&task.job, "shuffle"),
            runs: Vec::new(),
        }
    }

    /// The number of buckets.
    pub(super) fn count(&self) -> usize {
        self.buckets.len()
    }

    /// Adds a record to a bucket; what is held goes to disk when memory is short.
    pub(super) fn push(&mut self, bucket: usize, record: R) -> Result<()> {
        let bytes = self.meter.weigh(&record);
        self.buckets[bucket].push(record);
        if self.budget.grow(bytes) { Ok(()) } else { self.spill() }
    }

    fn spill(&mut self) -> Result<()> {
        let mut run = RunWriter::create(&self.task.job, "rdd shuffle")?;
        for bucket in &mut self.buckets {
            for record in bucket.drain(..) {
                self.task.check();
                run.push(&record)?;
            }
            *bucket = Vec::new();
            run.end_segment()?;
        }
        self.runs.push(run.finish()?);
        self.budget.release();
        Ok(())
    }

    fn finish(mut self) -> Result<MapOutput<R>> {
        let records: usize = self.buckets.iter().map(Vec::len).sum();
        let bytes = self.budget.bytes();
        self.budget.release();
        let mut budget = Budget::kept(&self.task.job, "shuffle output");
        if records > 0 && !(budget.grow(bytes) && budget.settle()) {
            budget.release();
            self.spill()?;
        }
        let share =
            |length: usize| (bytes as u128 * length as u128 / records.max(1) as u128) as usize;
        let memory = self
            .buckets
            .into_iter()
            .map(|bucket| Bucket {
                bytes: share(bucket.len()),
                records: Mutex::new(Arc::new(bucket)),
            })
            .collect();
        Ok(MapOutput { runs: self.runs, memory, budget })
    }
}

struct Bucket<R> {
    records: Mutex<Arc<Vec<R>>>,
    bytes: usize,
}

struct MapOutput<R> {
    runs: Vec<Run>,
    memory: Vec<Bucket<R>>,
    budget: Budget,
}

/// The records between the map tasks and the reduce tasks of a wide step.
pub(super) struct Exchange<R> {
    outputs: OnceLock<Vec<MapOutput<R>>>,
    read_again: bool,
}

impl<R: Data> Exchange<R> {
    /// Plans a stage that fills an exchange: `map` puts the elements of a partition into buckets.
    pub(super) fn plan<T: Send + 'static>(
        job: &Job,
        input: Parts<T>,
        shape: Shape,
        map: impl Fn(&Arc<Task>, Rows<T>, &mut BucketWriter<R>) -> Result<()> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let exchange = Arc::new(Self { outputs: OnceLock::new(), read_again: shape.read_again });
        let filled = Arc::clone(&exchange);
        job.add_stage(move |job| async move { filled.fill(&job, input, shape.buckets, map).await });
        exchange
    }

    async fn fill<T: Send + 'static>(
        self: Arc<Self>,
        job: &Arc<Job>,
        input: Parts<T>,
        buckets: usize,
        map: impl Fn(&Arc<Task>, Rows<T>, &mut BucketWriter<R>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        let partitions = input.count;
        let work = move |task: &Arc<Task>| {
            let rows = task.watch(input.rows(task, task.partition)?);
            let mut writer = BucketWriter::new(task, buckets);
            map(task, rows, &mut writer)?;
            writer.finish()
        };
        let outputs = job.run(0..partitions, work).await?;
        self.outputs.set(outputs).map_err(|_| Error::internal("an exchange was filled twice"))
    }

    /// The records of one bucket in the order of the map tasks and of their pushes.
    pub(super) fn read(self: &Arc<Self>, task: &Arc<Task>, bucket: usize) -> Result<Rows<R>> {
        let outputs = self.outputs.get().ok_or_else(|| Error::internal("an exchange is empty"))?;
        let exchange = Arc::clone(self);
        let rows = (0..outputs.len())
            .flat_map(move |output| or_throw(exchange.read_output(output, bucket)));
        Ok(task.watch(rows))
    }

    /// The records of one bucket of one map task, in the order of their pushes.
    pub(super) fn read_from(
        &self,
        task: &Arc<Task>,
        output: usize,
        bucket: usize,
    ) -> Result<Rows<R>> {
        Ok(task.watch(self.read_output(output, bucket)?))
    }

    fn read_output(&self, output: usize, bucket: usize) -> Result<Rows<R>> {
        let Some(output) = self.outputs.get().and_then(|outputs| outputs.get(output)) else {
            return Err(Error::internal("a map output is missing"));
        };
        let runs: Vec<_> = output.runs.iter().map(|run| run.read(bucket)).collect::<Result<_>>()?;
        let memory = &output.memory[bucket];
        let records = if self.read_again {
            Arc::clone(&memory.records.lock())
        } else {
            let taken = std::mem::take(&mut *memory.records.lock());
            if !taken.is_empty() {
                output.budget.release_part(memory.bytes);
            }
            taken
        };
        let in_memory: Rows<R> = match Arc::try_unwrap(records) {
            Ok(owned) => Box::new(owned.into_iter()),
            Err(shared) => Box::new((0..shared.len()).map(move |at| shared[at].clone())),
        };
        if runs.is_empty() {
            return Ok(in_memory);
        }
        Ok(Box::new(runs.into_iter().flatten().chain(in_memory)))
    }
}

/// How many buckets an exchange has, and whether they are read more than once.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) buckets: usize,
    pub(super) read_again: bool,
}
