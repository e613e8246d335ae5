//! Transformations that need no shuffle: each partition of the result comes from known partitions.

use std::sync::Arc;

use super::context::slice_of;
use super::job::{Task, or_throw};
use super::{Outline, Parts, Preparing, Rdd, Rows};
use crate::error::Result;

impl<T: Send + 'static> Rdd<T> {
    /// Applies a function to every element.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let doubled = Session::new().context().range(1, 4).map(|n| n * 2);
    /// assert_eq!(doubled.collect().await?, [2, 4, 6]);
    /// # Ok(()) }
    /// ```
    pub fn map<U, F>(&self, function: F) -> Rdd<U>
    where
        U: Send + 'static,
        F: Fn(T) -> U + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        self.each("map", move |_, rows| {
            let function = Arc::clone(&function);
            Box::new(rows.map(move |element| function(element)))
        })
    }

    /// Applies a function that gives any number of elements, and puts them after one another.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let counted = Session::new().context().parallelize([2, 0, 3]).flat_map(|n| 0..n);
    /// assert_eq!(counted.collect().await?, [0, 1, 0, 1, 2]);
    /// # Ok(()) }
    /// ```
    pub fn flat_map<I, F>(&self, function: F) -> Rdd<I::Item>
    where
        I: IntoIterator<IntoIter: 'static, Item: Send + 'static> + 'static,
        F: Fn(T) -> I + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        self.each("flat_map", move |_, rows| {
            let function = Arc::clone(&function);
            Box::new(rows.flat_map(move |element| function(element)))
        })
    }

    /// Keeps the elements for which the predicate is true.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let even = Session::new().context().range(0, 7).filter(|n| n % 2 == 0);
    /// assert_eq!(even.collect().await?, [0, 2, 4, 6]);
    /// # Ok(()) }
    /// ```
    pub fn filter<F>(&self, predicate: F) -> Rdd<T>
    where
        F: Fn(&T) -> bool + Send + Sync + 'static,
    {
        let predicate = Arc::new(predicate);
        self.each_in_place("filter", move |_, rows| {
            let predicate = Arc::clone(&predicate);
            Box::new(rows.filter(move |element| predicate(element)))
        })
    }

    /// Applies a function to each partition as a whole, as an iterator over its elements.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().parallelize_in([1, 2, 3, 4], 2);
    /// let sums = numbers.map_partitions(|rows| std::iter::once(rows.sum::<i32>()));
    /// assert_eq!(sums.collect().await?, [3, 7]);
    /// # Ok(()) }
    /// ```
    pub fn map_partitions<I, F>(&self, function: F) -> Rdd<I::Item>
    where
        I: IntoIterator<IntoIter: 'static, Item: Send + 'static> + 'static,
        F: Fn(Rows<T>) -> I + Send + Sync + 'static,
    {
        self.each("map_partitions", move |_, rows| Box::new(function(rows).into_iter()))
    }

    /// As [`Rdd::map_partitions`], with the number of the partition, from 0.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().parallelize_in([1, 2, 3, 4], 2);
    /// let sums = numbers.map_partitions_with_index(|p, rows| [(p, rows.sum::<i32>())]);
    /// assert_eq!(sums.collect().await?, [(0, 3), (1, 7)]);
    /// # Ok(()) }
    /// ```
    pub fn map_partitions_with_index<I, F>(&self, function: F) -> Rdd<I::Item>
    where
        I: IntoIterator<IntoIter: 'static, Item: Send + 'static> + 'static,
        F: Fn(usize, Rows<T>) -> I + Send + Sync + 'static,
    {
        self.each("map_partitions_with_index", move |partition, rows| {
            Box::new(function(partition, rows).into_iter())
        })
    }

    /// Makes one vector of each partition.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().parallelize_in([1, 2, 3, 4], 2);
    /// assert_eq!(numbers.glom().collect().await?, [[1, 2], [3, 4]]);
    /// # Ok(()) }
    /// ```
    pub fn glom(&self) -> Rdd<Vec<T>> {
        self.each("glom", |_, rows| Box::new(std::iter::once_with(move || rows.collect())))
    }

    /// Puts a key before every element.
    pub fn key_by<K, F>(&self, key: F) -> Rdd<(K, T)>
    where
        K: Send + 'static,
        F: Fn(&T) -> K + Send + Sync + 'static,
    {
        self.map(move |element| (key(&element), element)).named("key_by")
    }

    /// The elements of this RDD and then those of another; partitions are kept.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let context = Session::new().context();
    /// let both = context.range(0, 2).union(&context.range(5, 7));
    /// assert_eq!(both.collect().await?, [0, 1, 5, 6]);
    /// # Ok(()) }
    /// ```
    pub fn union(&self, other: &Rdd<T>) -> Rdd<T> {
        self.context.union([self.clone(), other.clone()])
    }

    /// The elements in at most `partitions` partitions, by joining neighbours without an exchange.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().parallelize_in([1, 2, 3, 4], 4).coalesce(2);
    /// assert_eq!(numbers.glom().collect().await?, [[1, 2], [3, 4]]);
    /// # Ok(()) }
    /// ```
    pub fn coalesce(&self, partitions: usize) -> Rdd<T> {
        let input = self.clone();
        Rdd::new(
            &self.context,
            Outline::narrow("coalesce", [self.parent()]),
            move |preparing: Preparing| {
                let input = input.clone();
                async move {
                    let parts = input.prepare(&preparing.job).await?;
                    let count = parts.count.min(partitions.max(1));
                    if count == parts.count {
                        return Ok(parts);
                    }
                    Ok(Parts::new(count, move |task, partition| {
                        let parts = parts.clone();
                        let (inner, source) =
                            (Arc::clone(task), slice_of(parts.count, partition, count));
                        Ok(Box::new(source.flat_map(move |at| or_throw(parts.rows(&inner, at)))))
                    }))
                }
            },
        )
    }

    /// A narrow step that may change or move keys.
    pub(super) fn each<U: Send + 'static>(
        &self,
        name: &str,
        step: impl Fn(usize, Rows<T>) -> Rows<U> + Send + Sync + 'static,
    ) -> Rdd<U> {
        self.narrow(name, false, move |_, partition, rows| Ok(step(partition, rows)))
    }

    /// A narrow step that leaves keys as they are, so that pairs stay where their keys belong.
    pub(super) fn each_in_place<U: Send + 'static>(
        &self,
        name: &str,
        step: impl Fn(usize, Rows<T>) -> Rows<U> + Send + Sync + 'static,
    ) -> Rdd<U> {
        self.narrow(name, true, move |_, partition, rows| Ok(step(partition, rows)))
    }

    pub(super) fn narrow<U: Send + 'static>(
        &self,
        name: &str,
        keeps_keys: bool,
        step: impl Fn(&Arc<Task>, usize, Rows<T>) -> Result<Rows<U>> + Send + Sync + 'static,
    ) -> Rdd<U> {
        let input = self.clone();
        let step = Arc::new(step);
        Rdd::new(
            &self.context,
            Outline::narrow(name, [self.parent()]),
            move |preparing: Preparing| {
                let (input, step) = (input.clone(), Arc::clone(&step));
                async move {
                    let parts = input.prepare(&preparing.job).await?;
                    let (count, by_key) = (parts.count, keeps_keys && parts.by_key);
                    let made = Parts::new(count, move |task, partition| {
                        step(task, partition, parts.rows(task, partition)?)
                    });
                    Ok(Parts { by_key, ..made })
                }
            },
        )
    }

    /// The same RDD under the name of the operation that the user called.
    pub(super) fn named(self, name: &str) -> Self {
        let input = self;
        let parents = input.node.step.parents.clone();
        let (wide, keeps_output) = (input.node.step.wide, input.node.step.keeps_output);
        let outline = Outline { name: name.to_owned(), parents, wide, keeps_output };
        Rdd::new(&input.context.clone(), outline, move |preparing| (input.node.prepare)(preparing))
    }
}
