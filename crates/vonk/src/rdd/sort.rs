//! Sorting: ranges of keys by sampling, one range per partition, each sorted in memory or by merging
//! sorted runs from disk.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::job::Task;
use super::shuffle::{BucketWriter, Exchange, Shape};
use super::spill::{Budget, Meter, Run, RunReader, RunWriter};
use super::{Data, Outline, Parts, Preparing, Rdd, Rows};
use crate::error::{Error, Result};

/// Sampled keys per partition of the result, as in Spark.
const SAMPLES_PER_PARTITION: usize = 60;

/// One seed for all samples, so that borders do not depend on chance.
const SEED: u64 = 0x766f_6e6b;

impl<T: Data> Rdd<T> {
    /// Sorts by a key; partitions hold rising ranges of it, or falling ones if not `ascending`.
    ///
    /// Elements with the same key keep their order.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let words = ["pear", "fig", "apple"].map(str::to_owned);
    /// let words = Session::new().context().parallelize(words);
    /// assert_eq!(words.sort_by(|word| word.len(), true).collect().await?, ["fig", "pear", "apple"]);
    /// # Ok(()) }
    /// ```
    pub fn sort_by<K, F>(&self, key: F, ascending: bool) -> Rdd<T>
    where
        K: Data + Ord,
        F: Fn(&T) -> K + Send + Sync + 'static,
    {
        sort(&self.key_by(key), "sort_by", None, ascending).values()
    }

    /// As [`Rdd::sort_by`], with the number of partitions of the result.
    pub fn sort_by_in<K, F>(&self, partitions: usize, key: F, ascending: bool) -> Rdd<T>
    where
        K: Data + Ord,
        F: Fn(&T) -> K + Send + Sync + 'static,
    {
        sort(&self.key_by(key), "sort_by", Some(partitions), ascending).values()
    }
}

impl<K: Data + Ord, V: Data> Rdd<(K, V)> {
    /// Sorts pairs by key; partitions hold rising ranges, or falling ones if not `ascending`.
    ///
    /// Pairs with the same key keep their order.
    pub fn sort_by_key(&self, ascending: bool) -> Rdd<(K, V)> {
        sort(self, "sort_by_key", None, ascending)
    }

    /// As [`Rdd::sort_by_key`], with the number of partitions of the result.
    pub fn sort_by_key_in(&self, partitions: usize, ascending: bool) -> Rdd<(K, V)> {
        sort(self, "sort_by_key", Some(partitions), ascending)
    }
}

fn sort<K: Data + Ord, V: Data>(
    input: &Rdd<(K, V)>,
    name: &str,
    partitions: Option<usize>,
    ascending: bool,
) -> Rdd<(K, V)> {
    let partitions = partitions.or_else(|| input.context.set_parallelism());
    let outline = Outline::wide(name, [input.parent()]);
    let source = input.clone();
    Rdd::new(&input.context, outline, move |preparing: Preparing| {
        let input = source.clone();
        async move {
            let parts = input.prepare(&preparing.job).await?;
            let buckets = partitions.unwrap_or(parts.count).max(1);
            Ok(plan_sort(&preparing, parts, buckets, ascending))
        }
    })
}

/// Computes the input once while sampling its keys, deals it into ranges, and sorts each range.
fn plan_sort<K: Data + Ord, V: Data>(
    preparing: &Preparing,
    parts: Parts<(K, V)>,
    buckets: usize,
    ascending: bool,
) -> Parts<(K, V)> {
    let (job, count) = (&preparing.job, parts.count);
    let samples = Arc::new(Mutex::new(Vec::new()));
    let sample_size = buckets * SAMPLES_PER_PARTITION / count.max(1) + 1;
    let filled = Arc::clone(&samples);
    let once = Shape { buckets: 1, read_again: false };
    let held = Exchange::plan(job, parts, once, move |task, rows, out| {
        let sample = sample_into(task, rows, sample_size, out)?;
        filled.lock().push((task.partition, sample));
        Ok(())
    });
    let borders = Arc::new(OnceLock::new());
    let made = Arc::clone(&borders);
    job.add_stage(move |_| {
        let found = find_borders(std::mem::take(&mut *samples.lock()), buckets);
        std::future::ready(made.set(found).map_err(|_| Error::internal("borders found twice")))
    });
    let input = Parts::new(count, move |task, partition| held.read_from(task, partition, 0));
    let shape = Shape { buckets, read_again: preparing.read_again };
    let ranges =
        Exchange::plan(job, input, shape, move |_, rows, out: &mut BucketWriter<(K, V)>| {
            let borders = borders.get().ok_or_else(|| Error::internal("borders are missing"))?;
            for pair in rows {
                let range = borders.partition_point(|border| *border < pair.0);
                out.push(if ascending { range } else { buckets - 1 - range }, pair)?;
            }
            Ok(())
        });
    Parts::new(buckets, move |task, bucket| sort_rows(task, ranges.read(task, bucket)?, ascending))
}

/// Keys of a partition taken at random, and how many elements each stands for.
struct Sample<K> {
    keys: Vec<K>,
    elements: usize,
}

/// Puts all rows into the one bucket and keeps a sample of their keys (Vitter's algorithm R).
fn sample_into<K: Data, V: Data>(
    task: &Task,
    rows: Rows<(K, V)>,
    size: usize,
    out: &mut BucketWriter<(K, V)>,
) -> Result<Sample<K>> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED ^ task.partition as u64);
    let mut sample = Sample { keys: Vec::with_capacity(size), elements: 0 };
    for pair in rows {
        sample.elements += 1;
        if sample.keys.len() < size {
            sample.keys.push(pair.0.clone());
        } else {
            let at = random.random_range(0..sample.elements);
            if at < size {
                sample.keys[at] = pair.0.clone();
            }
        }
        out.push(0, pair)?;
    }
    Ok(sample)
}

/// At most `buckets - 1` keys that cut the elements into ranges of about the same size.
fn find_borders<K: Ord>(mut samples: Vec<(usize, Sample<K>)>, buckets: usize) -> Vec<K> {
    samples.sort_by_key(|(partition, _)| *partition);
    let mut weighted: Vec<(K, f64)> = Vec::new();
    for (_, sample) in samples {
        let weight = sample.elements as f64 / sample.keys.len().max(1) as f64;
        weighted.extend(sample.keys.into_iter().map(|key| (key, weight)));
    }
    weighted.sort_by(|a, b| a.0.cmp(&b.0));
    let step = weighted.iter().map(|(_, weight)| weight).sum::<f64>() / buckets as f64;
    let (mut borders, mut sum) = (Vec::<K>::new(), 0.0);
    for (key, weight) in weighted {
        sum += weight;
        let due = sum >= step * (borders.len() + 1) as f64 && borders.len() + 1 < buckets;
        if due && borders.last().is_none_or(|last| *last < key) {
            borders.push(key);
        }
    }
    borders
}

fn compare<K: Ord>(a: &K, b: &K, ascending: bool) -> Ordering {
    if ascending { a.cmp(b) } else { b.cmp(a) }
}

/// Sorts rows by key, stably; sorted runs go to disk when memory is short.
fn sort_rows<K: Data + Ord, V: Data>(
    task: &Arc<Task>,
    rows: Rows<(K, V)>,
    ascending: bool,
) -> Result<Rows<(K, V)>> {
    let mut budget = Budget::spillable(&task.job, "sort");
    let mut meter = Meter::default();
    let (mut held, mut runs) = (Vec::new(), Vec::new());
    for pair in rows {
        let bytes = meter.weigh(&pair);
        held.push(pair);
        if !budget.grow(bytes) {
            runs.push(write_sorted(task, &mut held, ascending)?);
            budget.release();
        }
    }
    if runs.is_empty() {
        held.sort_by(|a, b| compare(&a.0, &b.0, ascending));
        return Ok(Box::new(held.into_iter().inspect(move |_| budget.hold())));
    }
    runs.push(write_sorted(task, &mut held, ascending)?);
    budget.release();
    Ok(task.watch(Merged::open(&runs, ascending)?))
}

fn write_sorted<K: Data + Ord, V: Data>(
    task: &Task,
    held: &mut Vec<(K, V)>,
    ascending: bool,
) -> Result<Run> {
    held.sort_by(|a, b| compare(&a.0, &b.0, ascending));
    let mut run = RunWriter::create(&task.job, "rdd sort")?;
    for pair in held.drain(..) {
        task.check();
        run.push(&pair)?;
    }
    *held = Vec::new();
    run.end_segment()?;
    run.finish()
}

/// Merges sorted runs; of equal keys, those of the earlier run come first.
struct Merged<K, V> {
    runs: Vec<RunReader<(K, V)>>,
    heads: BinaryHeap<Head<K, V>>,
    ascending: bool,
}

struct Head<K, V> {
    key: K,
    value: V,
    run: usize,
    ascending: bool,
}

impl<K: Ord, V> Ord for Head<K, V> {
    /// The greatest head of the heap is the one that comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&other.key, &self.key, self.ascending).then(other.run.cmp(&self.run))
    }
}

impl<K: Ord, V> PartialOrd for Head<K, V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord, V> PartialEq for Head<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<K: Ord, V> Eq for Head<K, V> {}

impl<K: Data + Ord, V: Data> Merged<K, V> {
    fn open(runs: &[Run], ascending: bool) -> Result<Self> {
        let runs: Vec<_> = runs.iter().map(|run| run.read(0)).collect::<Result<_>>()?;
        let mut merged = Self { runs, heads: BinaryHeap::new(), ascending };
        (0..merged.runs.len()).for_each(|run| merged.advance(run));
        Ok(merged)
    }

    fn advance(&mut self, run: usize) {
        if let Some((key, value)) = self.runs[run].next() {
            self.heads.push(Head { key, value, run, ascending: self.ascending });
        }
    }
}

impl<K: Data + Ord, V: Data> Iterator for Merged<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        let head = self.heads.pop()?;
        self.advance(head.run);
        Some((head.key, head.value))
    }
}
