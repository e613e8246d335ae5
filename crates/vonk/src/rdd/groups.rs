//! Combining values by key: a hash table in memory, and runs sorted by hash on disk past the limit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

use hashbrown::HashTable;

use super::job::{Task, or_throw};
use super::shuffle::{BucketWriter, bucket_of, stable_hash};
use super::spill::{Budget, Meter, Run, RunReader, RunWriter};
use super::{Data, Key, Rows};
use crate::error::{Error, Result};

/// How values of type `V` become and join combined values of type `C`.
pub(super) trait Combine<V, C>: Send + Sync + 'static {
    /// Makes a combined value of a key's first value.
    fn create(&self, value: V) -> C;
    /// Adds another value of the key.
    fn merge_value(&self, combined: C, value: V) -> C;
    /// Joins two combined values of the key; the first comes from the earlier partition.
    fn merge(&self, first: C, second: C) -> C;
}

/// Values combine by one function and keep their type.
pub(super) struct Reduce<F>(pub(super) F);

impl<V, F: Fn(V, V) -> V + Send + Sync + 'static> Combine<V, V> for Reduce<F> {
    fn create(&self, value: V) -> V {
        value
    }

    fn merge_value(&self, combined: V, value: V) -> V {
        (self.0)(combined, value)
    }

    fn merge(&self, first: V, second: V) -> V {
        (self.0)(first, second)
    }
}

/// Values combine by three functions: create, merge a value, merge two combined values.
pub(super) struct Aggregate<A, B, M>(pub(super) A, pub(super) B, pub(super) M);

impl<V, C, A, B, M> Combine<V, C> for Aggregate<A, B, M>
where
    A: Fn(V) -> C + Send + Sync + 'static,
    B: Fn(C, V) -> C + Send + Sync + 'static,
    M: Fn(C, C) -> C + Send + Sync + 'static,
{
    fn create(&self, value: V) -> C {
        (self.0)(value)
    }

    fn merge_value(&self, combined: C, value: V) -> C {
        (self.1)(combined, value)
    }

    fn merge(&self, first: C, second: C) -> C {
        (self.2)(first, second)
    }
}

struct Entry<K, C> {
    hash: u64,
    key: K,
    /// `None` only while the user's function has it.
    value: Option<C>,
}

/// Keys in the order of their first appearance, found by hash.
struct Table<K, V, C> {
    places: HashTable<usize>,
    entries: Vec<Entry<K, C>>,
    keys: Meter<K>,
    values: Meter<V>,
}

impl<K: Key, V: Data, C: Data> Table<K, V, C> {
    fn new() -> Self {
        Self {
            places: HashTable::new(),
            entries: Vec::new(),
            keys: Meter::default(),
            values: Meter::default(),
        }
    }

    /// Adds one value and estimates the memory that it took.
    ///
    /// A value that joins a combined value with heap data is counted in full: an estimate that is
    /// too high only means that a small table goes to disk early.
    #[inline]
    fn add(
        &mut self,
        key: K,
        value: V,
        create: impl FnOnce(V) -> C,
        merge: impl FnOnce(C, V) -> C,
    ) -> Result<usize> {
        const PLACE_BYTES: usize = 2 * size_of::<usize>();
        let hash = stable_hash(&key);
        let entries = &self.entries;
        if let Some(at) = self.places.find(place_of(hash), |at| entries[*at].key == key) {
            let bytes = if std::mem::needs_drop::<C>() { self.values.weigh(&value) } else { 0 };
            let slot = &mut self.entries[*at].value;
            let before = slot.take().ok_or_else(|| Error::internal("a combined value is lost"))?;
            *slot = Some(merge(before, value));
            return Ok(bytes);
        }
        let bytes = self.keys.weigh(&key)
            + self.values.weigh(&value)
            + size_of::<Entry<K, C>>()
            + PLACE_BYTES;
        let at = self.entries.len();
        self.places.insert_unique(place_of(hash), at, |at| place_of(entries[*at].hash));
        self.entries.push(Entry { hash, key, value: Some(create(value)) });
        Ok(bytes)
    }

    /// Empties the table.
    fn take(&mut self) -> Vec<Entry<K, C>> {
        self.places.clear();
        std::mem::take(&mut self.entries)
    }
}

/// The bucket of the exchange is made of the upper bits, so the table gets others there.
fn place_of(hash: u64) -> u64 {
    hash.rotate_left(20)
}

fn pair<K, C>(entry: Entry<K, C>) -> Option<(K, C)> {
    entry.value.map(|value| (entry.key, value))
}

/// Combines the pairs of one map task before they are exchanged.
///
/// # Errors
/// If memory and disk are exhausted.
pub(super) fn combine_into<K: Key, V: Data, C: Data>(
    task: &Arc<Task>,
    pairs: Rows<(K, V)>,
    combine: &impl Combine<V, C>,
    buckets: &mut BucketWriter<(K, C)>,
) -> Result<()> {
    let mut table = Table::new();
    let mut budget = Budget::spillable(&task.job, "combine");
    for (key, value) in pairs {
        let bytes = table.add(
            key,
            value,
            |value| combine.create(value),
            |combined, value| combine.merge_value(combined, value),
        )?;
        if !budget.grow(bytes) {
            budget.release();
            deal(&mut table, buckets)?;
        }
    }
    budget.release();
    deal(&mut table, buckets)
}

fn deal<K: Key, V: Data, C: Data>(
    table: &mut Table<K, V, C>,
    buckets: &mut BucketWriter<(K, C)>,
) -> Result<()> {
    for entry in table.take() {
        let bucket = bucket_of(entry.hash, buckets.count());
        if let Some(pair) = pair(entry) {
            buckets.push(bucket, pair)?;
        }
    }
    Ok(())
}

/// Combines all pairs of one reduce task; the result is streamed from disk if it had to spill.
///
/// # Errors
/// If memory and disk are exhausted.
pub(super) fn combine_all<K: Key, V: Data, C: Data, M: Combine<V, C>>(
    task: &Arc<Task>,
    pairs: impl Iterator<Item = (K, V)>,
    combine: &Arc<M>,
) -> Result<Rows<(K, C)>> {
    let mut table = Table::new();
    let mut budget = Budget::spillable(&task.job, "groups");
    let mut runs = Vec::new();
    for (key, value) in pairs {
        let bytes = table.add(
            key,
            value,
            |value| combine.create(value),
            |combined, value| combine.merge_value(combined, value),
        )?;
        if !budget.grow(bytes) {
            runs.push(write_run(task, table.take())?);
            budget.release();
        }
    }
    if runs.is_empty() {
        let entries = table.take().into_iter();
        return Ok(Box::new(entries.filter_map(pair).inspect(move |_| budget.hold())));
    }
    runs.push(write_run(task, table.take())?);
    budget.release();
    let merged = Merged::open(&runs, Arc::clone(combine))?;
    Ok(task.watch(merged))
}

fn write_run<K: Key, C: Data>(task: &Task, mut entries: Vec<Entry<K, C>>) -> Result<Run> {
    // Stable, so that keys with the same hash stay in order.
    entries.sort_by_key(|entry| entry.hash);
    let mut run = RunWriter::create(&task.job, "rdd groups")?;
    for entry in entries {
        task.check();
        let hash = entry.hash;
        if let Some((key, value)) = pair(entry) {
            run.push(&(hash, key, value))?;
        }
    }
    run.end_segment()?;
    run.finish()
}

/// Merges runs by hash; only the keys of one hash are in memory at a time.
struct Merged<K, V, C, M> {
    runs: Vec<RunReader<(u64, K, C)>>,
    heads: Vec<Option<(K, C)>>,
    order: BinaryHeap<Reverse<(u64, usize)>>,
    ready: std::vec::IntoIter<(K, C)>,
    combine: Arc<M>,
    value: std::marker::PhantomData<fn(V)>,
}

impl<K: Key, V: Data, C: Data, M: Combine<V, C>> Merged<K, V, C, M> {
    fn open(runs: &[Run], combine: Arc<M>) -> Result<Self> {
        let runs: Vec<_> = runs.iter().map(|run| run.read(0)).collect::<Result<_>>()?;
        let mut merged = Self {
            heads: std::iter::repeat_with(|| None).take(runs.len()).collect(),
            order: BinaryHeap::with_capacity(runs.len()),
            runs,
            ready: Vec::new().into_iter(),
            combine,
            value: std::marker::PhantomData,
        };
        (0..merged.runs.len()).for_each(|run| merged.advance(run));
        Ok(merged)
    }

    fn advance(&mut self, run: usize) {
        if let Some((hash, key, value)) = self.runs[run].next() {
            self.heads[run] = Some((key, value));
            self.order.push(Reverse((hash, run)));
        }
    }

    /// The first run whose head has this hash.
    fn pop_run(&mut self, hash: u64) -> Option<usize> {
        let top = self.order.peek_mut()?;
        if top.0.0 != hash {
            return None;
        }
        Some(PeekMut::pop(top).0.1)
    }

    /// The pairs of the smallest hash, in the order of the runs.
    fn next_hash(&mut self) -> Option<Vec<(K, C)>> {
        let Reverse((hash, _)) = *self.order.peek()?;
        let mut pairs: Vec<(K, Option<C>)> = Vec::new();
        while let Some(run) = self.pop_run(hash) {
            let Some((key, value)) = self.heads[run].take() else { continue };
            match pairs.iter_mut().find(|(known, _)| *known == key) {
                Some((_, combined)) => {
                    let before = combined.take();
                    let before = or_throw(before.ok_or_else(|| Error::internal("value lost")));
                    *combined = Some(self.combine.merge(before, value));
                }
                None => pairs.push((key, Some(value))),
            }
            self.advance(run);
        }
        Some(pairs.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }
}

impl<K: Key, V: Data, C: Data, M: Combine<V, C>> Iterator for Merged<K, V, C, M> {
    type Item = (K, C);

    fn next(&mut self) -> Option<(K, C)> {
        loop {
            if let Some(pair) = self.ready.next() {
                return Some(pair);
            }
            self.ready = self.next_hash()?.into_iter();
        }
    }
}
