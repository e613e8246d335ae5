//! Keeping the partitions of an RDD between actions.

use std::sync::Arc;

use parking_lot::Mutex;

use super::held::{Held, Place};
use super::job::Task;
use super::spill::Budget;
use super::{Data, Parts, Rdd, Rows};
use crate::dataframe::StorageLevel;
use crate::error::Result;

fn place(level: StorageLevel) -> Place {
    Place { memory: level != StorageLevel::DiskOnly, disk: level != StorageLevel::MemoryOnly }
}

/// What keeps partitions of an RDD; behind a trait, so that only caching asks for [`Data`].
pub(super) trait Store<T>: Send + Sync {
    /// All partitions, if all are kept.
    fn complete(&self) -> Option<Parts<T>>;

    /// The partitions, which are kept as they are computed.
    fn around(&self, base: Parts<T>) -> Parts<T>;
}

type Slots<T> = Arc<[Mutex<Option<Held<T>>>]>;

struct Kept<T> {
    level: StorageLevel,
    partitions: Mutex<Option<(Slots<T>, bool)>>,
}

impl<T: Data> Store<T> for Kept<T> {
    fn complete(&self) -> Option<Parts<T>> {
        let (slots, by_key) = self.partitions.lock().clone()?;
        if slots.iter().any(|slot| slot.lock().is_none()) {
            return None;
        }
        let made = Parts::new(slots.len(), move |_, partition| {
            slots[partition]
                .lock()
                .as_ref()
                .map_or_else(|| Ok(Box::new([].into_iter()) as _), Held::rows)
        });
        Some(Parts { by_key, ..made })
    }

    fn around(&self, base: Parts<T>) -> Parts<T> {
        let slots = {
            let mut partitions = self.partitions.lock();
            match &*partitions {
                Some((slots, _)) if slots.len() == base.count => Arc::clone(slots),
                _ => {
                    let empty = std::iter::repeat_with(|| Mutex::new(None)).take(base.count);
                    let slots: Slots<T> = empty.collect();
                    *partitions = Some((Arc::clone(&slots), base.by_key));
                    slots
                }
            }
        };
        let (place, by_key) = (place(self.level), base.by_key);
        let made = Parts::new(base.count, move |task, partition| {
            rows_of(task, &base, partition, &slots[partition], place)
        });
        Parts { by_key, ..made }
    }
}

/// The rows of a kept partition; the first reader computes and keeps it while others wait.
fn rows_of<T: Data>(
    task: &Arc<Task>,
    base: &Parts<T>,
    partition: usize,
    slot: &Mutex<Option<Held<T>>>,
    place: Place,
) -> Result<Rows<T>> {
    let mut slot = slot.lock();
    if let Some(held) = &*slot {
        return Ok(task.watch(held.rows()?));
    }
    let budget = Budget::kept(&task.job, "cache");
    match Held::of(task, base.rows(task, partition)?, place, budget)? {
        Ok(held) => Ok(task.watch(slot.insert(held).rows()?)),
        Err(rows) => Ok(rows),
    }
}

impl<T: Data> Rdd<T> {
    /// Keeps the partitions in memory once they are computed; one that does not fit is computed
    /// again whenever it is read. See [`Rdd::persist`].
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let squares = Session::new().context().range(0, 1000).map(|n| n * n).cache();
    /// assert_eq!(squares.count().await?, 1000);
    /// assert_eq!(squares.take(3).await?, [0, 1, 4]); // from memory
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cache(&self) -> Rdd<T> {
        self.persist(StorageLevel::MemoryOnly)
    }

    /// Keeps the partitions where `level` says once an action has computed them.
    ///
    /// It marks this RDD itself and gives it back. What is kept counts against the session's
    /// memory limit and goes with [`Rdd::unpersist`] or with the last clone of the RDD.
    #[must_use]
    pub fn persist(&self, level: StorageLevel) -> Rdd<T> {
        let kept = Kept { level, partitions: Mutex::new(None) };
        *self.node.store.write() = Some(Arc::new(kept));
        self.clone()
    }
}

impl<T: Send + 'static> Rdd<T> {
    /// Lets go of kept partitions; later actions compute them again.
    pub fn unpersist(&self) {
        *self.node.store.write() = None;
    }

    /// Whether the partitions are kept once they are computed.
    pub fn is_cached(&self) -> bool {
        self.node.store.read().is_some()
    }
}
