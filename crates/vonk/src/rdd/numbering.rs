//! Transformations that put elements side by side: zip, numbers, and the Cartesian product.

use std::sync::{Arc, OnceLock};

use super::held::{Held, Place};
use super::job::{Task, or_throw, throw};
use super::spill::Budget;
use super::{Data, Outline, Parent, Parts, Preparing, Rdd, Rows};
use crate::error::{Condition, Error, Result};

impl<T: Send + 'static> Rdd<T> {
    /// Pairs the elements of two RDDs that have the same partitions and elements per partition.
    ///
    /// The action fails if they have not.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().range(1, 4);
    /// let squares = numbers.map(|n| n * n);
    /// assert_eq!(numbers.zip(&squares).collect().await?, [(1, 1), (2, 4), (3, 9)]);
    /// # Ok(()) }
    /// ```
    pub fn zip<U: Send + 'static>(&self, other: &Rdd<U>) -> Rdd<(T, U)> {
        let (left, right) = (self.clone(), other.clone());
        let outline = Outline::narrow("zip", [self.parent(), other.parent()]);
        Rdd::new(&self.context, outline, move |preparing: Preparing| {
            let (left, right) = (left.clone(), right.clone());
            async move {
                let left = left.prepare(&preparing.job).await?;
                let right = right.prepare(&preparing.job).await?;
                if left.count != right.count {
                    return Err(uneven(format!("{} and {} partitions", left.count, right.count)));
                }
                Ok(Parts::new(left.count, move |task, partition| {
                    let (left, right) = (left.rows(task, partition)?, right.rows(task, partition)?);
                    Ok(Box::new(Zipped { left, right, partition }))
                }))
            }
        })
    }

    /// Pairs every element with its place in the whole RDD, from 0.
    ///
    /// The elements of each partition are counted first, unless there is only one.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let letters = Session::new().context().parallelize_in(["a", "b", "c"], 2);
    /// assert_eq!(letters.zip_with_index().collect().await?, [("a", 0), ("b", 1), ("c", 2)]);
    /// # Ok(()) }
    /// ```
    pub fn zip_with_index(&self) -> Rdd<(T, usize)> {
        let input = self.clone();
        let twice = Parent { reads: 2, ..self.parent() };
        let outline = Outline::narrow("zip_with_index", [twice]);
        Rdd::new(&self.context, outline, move |preparing: Preparing| {
            let input = input.clone();
            async move {
                let parts = input.prepare(&preparing.job).await?;
                let starts = plan_counting(&preparing, &parts);
                Ok(Parts::new(parts.count, move |task, partition| {
                    let start = starts.get().and_then(|starts| starts.get(partition));
                    let start = *start.ok_or_else(|| Error::internal("a count is missing"))?;
                    let rows = parts.rows(task, partition)?;
                    Ok(Box::new(rows.enumerate().map(move |(at, row)| (row, start + at))))
                }))
            }
        })
    }

    /// Pairs every element with a number of its own, without counting first: the elements of
    /// partition `p` of `n` get `p`, `p + n`, `p + 2n`, ….
    pub fn zip_with_unique_id(&self) -> Rdd<(T, usize)> {
        let input = self.clone();
        let outline = Outline::narrow("zip_with_unique_id", [self.parent()]);
        Rdd::new(&self.context, outline, move |preparing: Preparing| {
            let input = input.clone();
            async move {
                let parts = input.prepare(&preparing.job).await?;
                let count = parts.count;
                Ok(Parts::new(count, move |task, partition| {
                    let rows = parts.rows(task, partition)?.enumerate();
                    Ok(Box::new(rows.map(move |(at, row)| (row, at * count + partition))))
                }))
            }
        })
    }
}

impl<T: Clone + Send + 'static> Rdd<T> {
    /// Every element of this RDD with every element of another.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let context = Session::new().context();
    /// let pairs = context.parallelize_in([1, 2], 1).cartesian(&context.parallelize_in([5, 6], 1));
    /// assert_eq!(pairs.collect().await?, [(1, 5), (1, 6), (2, 5), (2, 6)]);
    /// # Ok(()) }
    /// ```
    pub fn cartesian<U: Data>(&self, other: &Rdd<U>) -> Rdd<(T, U)> {
        let (left, right) = (self.clone(), other.clone());
        let often = |parent: Parent| Parent { reads: u32::MAX, ..parent };
        let outline = Outline::narrow("cartesian", [often(self.parent()), often(other.parent())]);
        Rdd::new(&self.context, outline, move |preparing: Preparing| {
            let (left, right) = (left.clone(), right.clone());
            async move {
                let left = left.prepare(&preparing.job).await?;
                let right = right.prepare(&preparing.job).await?;
                let width = right.count;
                Ok(Parts::new(left.count * width, move |task, partition| {
                    let held = hold(task, right.rows(task, partition % width)?)?;
                    let rows = left.rows(task, partition / width)?;
                    Ok(task.watch(rows.flat_map(move |row| {
                        or_throw(held.rows()).map(move |other| (row.clone(), other))
                    })))
                }))
            }
        })
    }
}

/// Holds a partition that is read again and again, on disk if memory is short.
fn hold<U: Data>(task: &Arc<Task>, rows: Rows<U>) -> Result<Held<U>> {
    let place = Place { memory: true, disk: true };
    let budget = Budget::spillable(&task.job, "cartesian");
    match Held::of(task, rows, place, budget)? {
        Ok(held) => Ok(held),
        Err(_) => Err(Error::internal("a partition fits neither memory nor disk")),
    }
}

/// Plans a stage that counts the elements of every partition but the last, and gives the place of
/// each partition's first element.
fn plan_counting<T: Send + 'static>(
    preparing: &Preparing,
    parts: &Parts<T>,
) -> Arc<OnceLock<Vec<usize>>> {
    let starts = Arc::new(OnceLock::new());
    let (made, input) = (Arc::clone(&starts), parts.clone());
    let counted = parts.count.saturating_sub(1);
    preparing.job.add_stage(move |job| async move {
        let count =
            move |task: &Arc<Task>| Ok(task.watch(input.rows(task, task.partition)?).count());
        let counts = job.run(0..counted, count).await?;
        let mut places = vec![0];
        for count in counts {
            places.push(places.last().map_or(0, |place| place + count));
        }
        made.set(places).map_err(|_| Error::internal("partitions were counted twice"))
    });
    starts
}

struct Zipped<T, U> {
    left: Rows<T>,
    right: Rows<U>,
    partition: usize,
}

impl<T, U> Iterator for Zipped<T, U> {
    type Item = (T, U);

    fn next(&mut self) -> Option<(T, U)> {
        match (self.left.next(), self.right.next()) {
            (Some(left), Some(right)) => Some((left, right)),
            (None, None) => None,
            _ => throw(uneven(format!("partition {} of different lengths", self.partition))),
        }
    }
}

fn uneven(what: String) -> Error {
    Error::new(Condition::INVALID_PARAMETER, format!("cannot zip RDDs with {what}"))
        .hint("zip an RDD with one that was made of it by `map`, or number both and `join`")
}
