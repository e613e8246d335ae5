//! Cached queries: their rows kept as Arrow batches, in memory while it lasts, then on disk.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, SpillManager};
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use super::DataFrame;
use super::source::{behind_table, renamed};
use crate::error::{Condition, Error, Result};
use crate::session::Session;
use crate::sql::{Kept, KeptRows};

mod table;

use table::CacheTable;

/// Where the rows of a cached query, or the elements of a cached RDD, may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StorageLevel {
    /// In memory; what the memory limit refuses goes to disk.
    #[default]
    MemoryAndDisk,
    /// In memory; what the memory limit refuses is computed anew by each action: the partition of
    /// an RDD, or all of a query.
    MemoryOnly,
    /// On disk.
    DiskOnly,
}

impl DataFrame {
    /// Keeps the rows that the first action computes, in memory and, past the memory limit, on disk.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let chance = Session::new().range(0, 3).select_expr(["random() AS x"]).cache();
    /// let first = chance.rows::<(f64,)>().await?;
    /// assert_eq!(chance.rows::<(f64,)>().await?, first);
    /// chance.unpersist();
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cache(&self) -> Self {
        self.persist(StorageLevel::default())
    }

    /// Keeps the rows that the first action computes, where the level says.
    #[must_use]
    pub fn persist(&self, level: StorageLevel) -> Self {
        let cache = Arc::new(Cache::new(level));
        self.session.caches().add(&cache);
        let kept = Arc::clone(&cache);
        let mut cached = self.derive(move |plan, _| {
            behind_table("cache", plan, |input, schema| {
                Arc::new(CacheTable::new(input, schema, Arc::clone(&kept)))
            })
        });
        cached.cache = Some(cache);
        cached
    }

    /// Drops the rows that [`DataFrame::cache`] kept; later actions compute them anew.
    pub fn unpersist(&self) -> &Self {
        if let Some(cache) = &self.cache {
            cache.clear();
        }
        self
    }
}

/// Keeps the rows of a plan from the first query that reads them, for `CACHE TABLE`.
///
/// # Errors
/// `INVALID_CONF_VALUE` for a storage level that does not exist.
pub(crate) fn keep_plan(session: &Session, plan: LogicalPlan, level: Option<&str>) -> Result<Kept> {
    let level = match level {
        None => StorageLevel::default(),
        Some(name) => StorageLevel::named(name).ok_or_else(|| {
            Error::new(
                Condition::INVALID_CONFIG_VALUE,
                format!("the storage level `{name}` does not exist"),
            )
            .hint("it is one of MEMORY_AND_DISK, MEMORY_ONLY and DISK_ONLY")
        })?,
    };
    let cache = Arc::new(Cache::new(level));
    session.caches().add(&cache);
    let kept = Arc::clone(&cache);
    let plan = behind_table("cache", plan, |input, schema| {
        Arc::new(CacheTable::new(input, schema, kept))
    })?;
    Ok(Kept { plan, rows: cache })
}

impl StorageLevel {
    /// The level that Spark calls so; how often rows are kept, and in which form, makes no difference.
    fn named(name: &str) -> Option<Self> {
        let name = name.to_uppercase();
        let name = name.trim_end_matches("_2").trim_end_matches("_SER");
        Some(match name {
            "MEMORY_AND_DISK" | "OFF_HEAP" => StorageLevel::MemoryAndDisk,
            "MEMORY_ONLY" => StorageLevel::MemoryOnly,
            "DISK_ONLY" | "DISK_ONLY_3" => StorageLevel::DiskOnly,
            _ => return None,
        })
    }
}

impl KeptRows for Cache {
    fn release(&self) {
        self.clear();
    }
}

/// The caches of a session, to be dropped with it.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    caches: Mutex<Vec<Weak<Cache>>>,
}

impl Caches {
    fn add(&self, cache: &Arc<Cache>) {
        let mut caches = self.caches.lock();
        caches.retain(|cache| cache.strong_count() > 0);
        caches.push(Arc::downgrade(cache));
    }

    pub(crate) fn clear(&self) {
        for cache in self.caches.lock().drain(..) {
            if let Some(cache) = cache.upgrade() {
                cache.clear();
            }
        }
    }
}

/// The rows of one cached query, from its first action to `unpersist`.
#[derive(Debug)]
pub(crate) struct Cache {
    level: StorageLevel,
    is_active: AtomicBool,
    rows: Mutex<Arc<OnceCell<Arc<Filled>>>>,
}

/// The rows by partition, or nothing if the memory limit refused them.
struct Filled {
    parts: Option<Vec<Part>>,
    spills: SpillManager,
    /// Holds the memory in the session's pool for as long as the rows live.
    _memory: MemoryReservation,
}

/// The rows of one partition: those in memory come before those on disk.
#[derive(Default)]
struct Part {
    batches: Vec<RecordBatch>,
    spilled: Option<Arc<dyn datafusion::execution::SpillFile>>,
}

impl Cache {
    fn new(level: StorageLevel) -> Self {
        Self { level, is_active: AtomicBool::new(true), rows: Mutex::default() }
    }

    fn clear(&self) {
        self.is_active.store(false, Ordering::Release);
        *self.rows.lock() = Arc::default();
    }

    fn is_active(&self) -> bool {
        self.is_active.load(Ordering::Acquire)
    }

    /// The rows, if an action has computed them.
    fn filled(&self) -> Option<Arc<Filled>> {
        self.rows.lock().get().cloned()
    }

    /// The rows; the first to ask computes them while the others wait.
    async fn fill(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        schema: &SchemaRef,
        context: &Arc<TaskContext>,
    ) -> Result<Arc<Filled>> {
        let rows = Arc::clone(&self.rows.lock());
        let filled = rows.get_or_try_init(|| compute(self.level, input, schema, context)).await?;
        Ok(Arc::clone(filled))
    }
}

/// Runs all partitions of a plan and keeps their rows.
async fn compute(
    level: StorageLevel,
    input: &Arc<dyn ExecutionPlan>,
    schema: &SchemaRef,
    context: &Arc<TaskContext>,
) -> Result<Arc<Filled>> {
    // A plan runs once; an action that was cancelled may have begun this one.
    let input = reset_plan_states(Arc::clone(input))?;
    let runtime = context.runtime_env();
    let memory = Arc::new(MemoryConsumer::new("cache").register(&runtime.memory_pool));
    let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
    let spills = SpillManager::new(runtime, metrics, Arc::clone(schema));
    let count = input.output_partitioning().partition_count();
    let mut tasks = JoinSet::new();
    for index in 0..count {
        let stream = input.execute(index, Arc::clone(context))?;
        let (memory, spills) = (Arc::clone(&memory), spills.clone());
        tasks.spawn(async move { (index, keep(level, stream, &memory, &spills).await) });
    }
    let mut parts: Vec<Option<Part>> = (0..count).map(|_| None).collect();
    let mut is_refused = false;
    while let Some(joined) = tasks.join_next().await {
        let (index, part) = joined.map_err(|error| Error::internal(error.to_string()))?;
        match part? {
            Some(part) => parts[index] = Some(part),
            None => {
                is_refused = true;
                tasks.abort_all();
                break;
            }
        }
    }
    let parts = (!is_refused).then(|| parts.into_iter().map(Option::unwrap_or_default).collect());
    drop(tasks);
    let _memory = match Arc::try_unwrap(memory) {
        Ok(memory) if parts.is_some() => memory,
        _ => MemoryConsumer::new("cache").register(&context.runtime_env().memory_pool),
    };
    Ok(Arc::new(Filled { parts, spills, _memory }))
}

/// Keeps the rows of one partition; `None` if there is no room for them.
async fn keep(
    level: StorageLevel,
    mut stream: SendableRecordBatchStream,
    memory: &MemoryReservation,
    spills: &SpillManager,
) -> Result<Option<Part>> {
    let mut part = Part::default();
    let mut file = None;
    while let Some(batch) = stream.next().await {
        let batch = renamed(&batch?, spills.schema())?;
        let fits = level != StorageLevel::DiskOnly
            && file.is_none()
            && memory.try_grow(batch.get_array_memory_size()).is_ok();
        if fits {
            part.batches.push(batch);
            continue;
        }
        if level == StorageLevel::MemoryOnly {
            return Ok(None);
        }
        let mut open = match file.take() {
            Some(open) => open,
            None => spills.create_in_progress_file("cached rows")?,
        };
        open.append_batch(&batch)?;
        file = Some(open);
    }
    if let Some(mut open) = file {
        part.spilled = open.finish()?;
    }
    Ok(Some(part))
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filled({} partitions)", self.parts.as_ref().map_or(0, Vec::len))
    }
}

impl Filled {
    /// The rows of one of `count` slices of the partitions, in their order.
    fn read(&self, index: usize, count: usize) -> DfResult<Option<SendableRecordBatchStream>> {
        let Some(parts) = &self.parts else { return Ok(None) };
        let bounds = |slice: usize| slice * parts.len() / count;
        let mut streams = Vec::new();
        for part in &parts[bounds(index)..bounds(index + 1)] {
            let batches: Vec<DfResult<RecordBatch>> =
                part.batches.iter().cloned().map(Ok).collect();
            streams.push(futures::stream::iter(batches).boxed());
            if let Some(file) = &part.spilled {
                streams.push(self.spills.read_spill_as_stream(Arc::clone(file), None)?.boxed());
            }
        }
        let rows = futures::stream::iter(streams).flatten();
        let schema = Arc::clone(self.spills.schema());
        Ok(Some(Box::pin(RecordBatchStreamAdapter::new(schema, rows))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;

    /// The values in order: without one, the partitions come as they are ready.
    async fn sorted(data: &DataFrame) -> Vec<f64> {
        let rows: Vec<(f64,)> = data.rows().await.unwrap();
        let mut values: Vec<f64> = rows.into_iter().map(|(value,)| value).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    async fn is_kept(data: &DataFrame) -> bool {
        sorted(data).await == sorted(data).await
    }

    fn chance(session: &Session) -> DataFrame {
        session.range(0, 20_000).select_expr(["random() AS x"])
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_are_kept_until_unpersist_or_stop() {
        let session = Session::new();
        let data = chance(&session).cache();
        assert!(is_kept(&data).await);
        assert!(session.runtime().memory_pool.reserved() >= 20_000 * 8);
        data.unpersist();
        assert_eq!(session.runtime().memory_pool.reserved(), 0);
        assert!(!is_kept(&data).await);
        let again = chance(&session).cache();
        assert!(is_kept(&again).await);
        session.stop();
        assert_eq!(session.runtime().memory_pool.reserved(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn concurrent_first_actions_see_the_same_rows() {
        let data = chance(&Session::new()).cache();
        let (a, b) = tokio::join!(sorted(&data), sorted(&data));
        assert_eq!(a, b);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_level_decides_what_happens_past_the_memory_limit() {
        let session = Session::builder().config("vonk.memory.limit", "100k").get_or_create();
        let session = session.unwrap();
        assert!(is_kept(&chance(&session).persist(StorageLevel::MemoryAndDisk)).await);
        assert!(is_kept(&chance(&session).persist(StorageLevel::DiskOnly)).await);
        assert!(!is_kept(&chance(&session).persist(StorageLevel::MemoryOnly)).await);
    }

    #[tokio::test]
    async fn names_that_are_there_twice_stay() {
        let session = Session::new();
        let a = session.sql("SELECT 1 AS id, 2 AS x");
        let b = session.sql("SELECT 1 AS id, 3 AS x");
        let joined = a.join(&b, "id", "inner").cache();
        assert_eq!(joined.columns().await.unwrap(), ["id", "x", "x"]);
        let picked = joined.select(["left.x", "right.x"]);
        assert_eq!(picked.rows::<(i64, i64)>().await.unwrap(), [(2, 3)]);
    }
}
