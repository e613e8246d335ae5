//! Operations on pairs of key and value.

use std::sync::Arc;

use super::groups::{Aggregate, Combine, Reduce, combine_all, combine_into};
use super::shuffle::{Exchange, Shape};
use super::{Data, Key, Outline, Parts, Preparing, Rdd};

impl<K: Send + 'static, V: Send + 'static> Rdd<(K, V)> {
    /// The keys.
    pub fn keys(&self) -> Rdd<K> {
        self.map(|(key, _)| key).named("keys")
    }

    /// The values.
    pub fn values(&self) -> Rdd<V> {
        self.map(|(_, value)| value).named("values")
    }

    /// Applies a function to every value; keys stay where they are.
    pub fn map_values<W, F>(&self, function: F) -> Rdd<(K, W)>
    where
        W: Send + 'static,
        F: Fn(V) -> W + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        self.each_in_place("map_values", move |_, rows| {
            let function = Arc::clone(&function);
            Box::new(rows.map(move |(key, value)| (key, function(value))))
        })
    }

    /// Applies a function that gives any number of values to every value, under the same key.
    pub fn flat_map_values<I, F>(&self, function: F) -> Rdd<(K, I::Item)>
    where
        K: Clone,
        I: IntoIterator<IntoIter: 'static, Item: Send + 'static> + 'static,
        F: Fn(V) -> I + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        self.each_in_place("flat_map_values", move |_, rows| {
            let function = Arc::clone(&function);
            Box::new(rows.flat_map(move |(key, value)| {
                function(value).into_iter().map(move |value| (key.clone(), value))
            }))
        })
    }
}

impl<K: Key, V: Data> Rdd<(K, V)> {
    /// Combines the values of each key with an associative function.
    ///
    /// Values are combined before they are exchanged, and in the order of the partitions.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let pairs = Session::new().context().parallelize([(1, 10), (2, 5), (1, 7)]);
    /// let mut sums = pairs.reduce_by_key(|a, b| a + b).collect().await?;
    /// sums.sort();
    /// assert_eq!(sums, [(1, 17), (2, 5)]);
    /// # Ok(()) }
    /// ```
    pub fn reduce_by_key<F>(&self, function: F) -> Rdd<(K, V)>
    where
        F: Fn(V, V) -> V + Send + Sync + 'static,
    {
        self.combine("reduce_by_key", None, Reduce(function))
    }

    /// As [`Rdd::reduce_by_key`], with the number of partitions of the result.
    pub fn reduce_by_key_in<F>(&self, partitions: usize, function: F) -> Rdd<(K, V)>
    where
        F: Fn(V, V) -> V + Send + Sync + 'static,
    {
        self.combine("reduce_by_key", Some(partitions), Reduce(function))
    }

    /// Combines the values of each key: `create` makes a combined value of the first, `add` adds
    /// another of the same partition, `merge` joins those of two partitions.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let pairs = Session::new().context().parallelize([("a", 4.0), ("a", 6.0)]);
    /// let means = pairs
    ///     .map(|(key, value)| (key.to_owned(), value))
    ///     .combine_by_key(
    ///         |x| (x, 1.0),
    ///         |(sum, n), x| (sum + x, n + 1.0),
    ///         |a, b| (a.0 + b.0, a.1 + b.1),
    ///     )
    ///     .map_values(|(sum, n)| sum / n);
    /// assert_eq!(means.collect().await?, [("a".to_owned(), 5.0)]);
    /// # Ok(()) }
    /// ```
    pub fn combine_by_key<C, F, A, M>(&self, create: F, add: A, merge: M) -> Rdd<(K, C)>
    where
        C: Data,
        F: Fn(V) -> C + Send + Sync + 'static,
        A: Fn(C, V) -> C + Send + Sync + 'static,
        M: Fn(C, C) -> C + Send + Sync + 'static,
    {
        self.combine("combine_by_key", None, Aggregate(create, add, merge))
    }

    /// Folds the values of each key of a partition from `zero` with `add`, then joins the results
    /// of the partitions with `merge`.
    pub fn aggregate_by_key<C, A, M>(&self, zero: C, add: A, merge: M) -> Rdd<(K, C)>
    where
        C: Data,
        A: Fn(C, V) -> C + Send + Sync + 'static,
        M: Fn(C, C) -> C + Send + Sync + 'static,
    {
        let add = Arc::new(add);
        let first = Arc::clone(&add);
        let create = move |value| first(zero.clone(), value);
        let add = move |combined, value| add(combined, value);
        self.combine("aggregate_by_key", None, Aggregate(create, add, merge))
    }

    /// Folds the values of each key of a partition from `zero`, then joins the results.
    pub fn fold_by_key<F>(&self, zero: V, function: F) -> Rdd<(K, V)>
    where
        F: Fn(V, V) -> V + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        let (first, add) = (Arc::clone(&function), Arc::clone(&function));
        let create = move |value| first(zero.clone(), value);
        let add = move |combined, value| add(combined, value);
        let merge = move |a, b| function(a, b);
        self.combine("fold_by_key", None, Aggregate(create, add, merge))
    }

    /// Combines on the map side, exchanges, and combines on the reduce side; pairs that already
    /// lie where their keys belong are combined where they are.
    pub(super) fn combine<C: Data>(
        &self,
        name: &str,
        partitions: Option<usize>,
        combine: impl Combine<V, C>,
    ) -> Rdd<(K, C)> {
        let input = self.clone();
        let combine = Arc::new(combine);
        let partitions = partitions.or_else(|| self.context.set_parallelism());
        Rdd::new(
            &self.context,
            Outline::by_key(name, [self.parent()]),
            move |preparing: Preparing| {
                let (input, combine) = (input.clone(), Arc::clone(&combine));
                async move {
                    let parts = input.prepare(&preparing.job).await?;
                    let buckets = partitions.unwrap_or(parts.count).max(1);
                    if parts.by_key && parts.count == buckets {
                        return Ok(combine_in_place(parts, combine));
                    }
                    let map_side = Arc::clone(&combine);
                    let shape = Shape { buckets, read_again: preparing.read_again };
                    let exchange =
                        Exchange::plan(&preparing.job, parts, shape, move |task, rows, out| {
                            combine_into(task, rows, &*map_side, out)
                        });
                    // On the reduce side the values are combined already.
                    let merge = Arc::new(Reduce(move |a, b| combine.merge(a, b)));
                    let made = Parts::new(buckets, move |task, bucket| {
                        combine_all(task, exchange.read(task, bucket)?, &merge)
                    });
                    Ok(Parts { by_key: true, ..made })
                }
            },
        )
    }
}

fn combine_in_place<K: Key, V: Data, C: Data>(
    parts: Parts<(K, V)>,
    combine: Arc<impl Combine<V, C>>,
) -> Parts<(K, C)> {
    let made = Parts::new(parts.count, move |task, partition| {
        combine_all(task, parts.rows(task, partition)?, &combine)
    });
    Parts { by_key: true, ..made }
}
