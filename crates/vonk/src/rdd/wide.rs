//! Transformations that exchange elements between partitions.

use std::hash::Hash;

use super::groups::Aggregate;
use super::join::place_by_key;
use super::shuffle::{Exchange, Shape};
use super::{Data, Key, Outline, Parts, Preparing, Rdd};

impl<T: Data> Rdd<T> {
    /// The elements in `partitions` partitions of about the same size.
    pub fn repartition(&self, partitions: usize) -> Rdd<T> {
        let (input, buckets) = (self.clone(), partitions.max(1));
        let outline = Outline::wide("repartition", [self.parent()]);
        Rdd::new(&self.context, outline, move |preparing: Preparing| {
            let input = input.clone();
            async move {
                let parts = input.prepare(&preparing.job).await?;
                let shape = Shape { buckets, read_again: preparing.read_again };
                let exchange =
                    Exchange::plan(&preparing.job, parts, shape, move |task, rows, out| {
                        for (at, element) in rows.enumerate() {
                            out.push((task.partition + at) % buckets, element)?;
                        }
                        Ok(())
                    });
                Ok(Parts::new(buckets, move |task, bucket| exchange.read(task, bucket)))
            }
        })
    }

    /// The elements by a key that a function gives, each group in order.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().range(1, 6);
    /// let mut groups = numbers.group_by(|n| n % 2).collect().await?;
    /// groups.sort();
    /// assert_eq!(groups, [(0, vec![2, 4]), (1, vec![1, 3, 5])]);
    /// # Ok(()) }
    /// ```
    pub fn group_by<K, F>(&self, key: F) -> Rdd<(K, Vec<T>)>
    where
        K: Key,
        F: Fn(&T) -> K + Send + Sync + 'static,
    {
        self.key_by(key).group_by_key()
    }
}

impl<T: Data + Hash + Eq> Rdd<T> {
    /// Every element once.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let distinct = Session::new().context().parallelize([3, 1, 3, 3]).distinct();
    /// assert_eq!(distinct.count().await?, 2);
    /// # Ok(()) }
    /// ```
    pub fn distinct(&self) -> Rdd<T> {
        self.marked().reduce_by_key(|(), ()| ()).keys().named("distinct")
    }

    /// As [`Rdd::distinct`], with the number of partitions of the result.
    pub fn distinct_in(&self, partitions: usize) -> Rdd<T> {
        self.marked().reduce_by_key_in(partitions, |(), ()| ()).keys().named("distinct")
    }

    /// Every element that both RDDs have, once.
    pub fn intersection(&self, other: &Rdd<T>) -> Rdd<T> {
        let both = self.marked().join_as("intersection", &other.marked(), |left, right| {
            (!left.is_empty() && !right.is_empty()).then_some(())
        });
        both.keys()
    }

    /// The elements that the other RDD has not, as often as they are here.
    pub fn subtract(&self, other: &Rdd<T>) -> Rdd<T> {
        self.marked().subtract_by_key(&other.marked()).keys().named("subtract")
    }

    fn marked(&self) -> Rdd<(T, ())> {
        self.map(|element| (element, ()))
    }
}

impl<K: Key, V: Data> Rdd<(K, V)> {
    /// The values of each key, in order, as one vector.
    ///
    /// To combine values, [`Rdd::reduce_by_key`] needs less memory.
    pub fn group_by_key(&self) -> Rdd<(K, Vec<V>)> {
        self.group_as(None)
    }

    /// As [`Rdd::group_by_key`], with the number of partitions of the result.
    pub fn group_by_key_in(&self, partitions: usize) -> Rdd<(K, Vec<V>)> {
        self.group_as(Some(partitions))
    }

    fn group_as(&self, partitions: Option<usize>) -> Rdd<(K, Vec<V>)> {
        let add = |mut group: Vec<V>, value| {
            group.push(value);
            group
        };
        let merge = |mut first: Vec<V>, second: Vec<V>| {
            first.extend(second);
            first
        };
        self.combine("group_by_key", partitions, Aggregate(|value| vec![value], add, merge))
    }

    /// The pairs in `partitions` partitions, each where a stable hash of its key says.
    ///
    /// Steps by key on the result need no further exchange.
    pub fn partition_by(&self, partitions: usize) -> Rdd<(K, V)> {
        let (input, buckets) = (self.clone(), partitions.max(1));
        let outline = Outline::by_key("partition_by", [self.parent()]);
        Rdd::new(&self.context, outline, move |preparing: Preparing| {
            let input = input.clone();
            async move {
                let parts = input.prepare(&preparing.job).await?;
                let shape = Shape { buckets, read_again: preparing.read_again };
                Ok(place_by_key(&preparing.job, parts, shape))
            }
        })
    }
}
