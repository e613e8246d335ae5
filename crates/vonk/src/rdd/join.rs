//! Operations on two RDDs of pairs: cogroup, and the joins made of it.

use std::sync::Arc;

use super::groups::{Aggregate, combine_all};
use super::job::{Job, Task};
use super::shuffle::{Exchange, Shape, bucket_of, stable_hash};
use super::{Data, Key, Outline, Parts, Preparing, Rdd, Rows};
use crate::error::Result;

/// The values of one key on both sides, each in order.
type Both<V, W> = (Vec<V>, Vec<W>);

/// A value of one of two sides.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
enum Side<V, W> {
    Left(V),
    Right(W),
}

impl<K: Key, V: Data> Rdd<(K, V)> {
    /// The values of each key in this RDD and in another.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let context = Session::new().context();
    /// let left = context.parallelize([(1, 'a'), (2, 'b')]);
    /// let right = context.parallelize([(1, 10), (1, 20)]);
    /// let mut groups = left.cogroup(&right).collect().await?;
    /// groups.sort();
    /// assert_eq!(groups, [(1, (vec!['a'], vec![10, 20])), (2, (vec!['b'], vec![]))]);
    /// # Ok(()) }
    /// ```
    pub fn cogroup<W: Data>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, Both<V, W>)> {
        self.cogroup_as("cogroup", None, other)
    }

    /// As [`Rdd::cogroup`], with the number of partitions of the result.
    pub fn cogroup_in<W: Data>(
        &self,
        partitions: usize,
        other: &Rdd<(K, W)>,
    ) -> Rdd<(K, Both<V, W>)> {
        self.cogroup_as("cogroup", Some(partitions), other)
    }

    /// Every pair of values that have the same key.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let context = Session::new().context();
    /// let ages = context.parallelize([(1, 36), (2, 41)]);
    /// let towns = context.parallelize([(2, 'L'), (3, 'P')]);
    /// assert_eq!(ages.join(&towns).collect().await?, [(2, (41, 'L'))]);
    /// # Ok(()) }
    /// ```
    pub fn join<W: Data>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (V, W))> {
        self.join_as("join", other, |left, right| cross(left, right, |v, w| (v, w)))
    }

    /// As [`Rdd::join`], and the values of this RDD whose key the other has not.
    pub fn left_outer_join<W: Data>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (V, Option<W>))> {
        self.join_as("left_outer_join", other, |left, right| {
            cross(left, or_none(right), |v, w| (v, w))
        })
    }

    /// As [`Rdd::join`], and the values of the other RDD whose key this one has not.
    pub fn right_outer_join<W: Data>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (Option<V>, W))> {
        self.join_as("right_outer_join", other, |left, right| {
            cross(or_none(left), right, |v, w| (v, w))
        })
    }

    /// As [`Rdd::join`], and the values of either RDD whose key the other has not.
    pub fn full_outer_join<W: Data>(
        &self,
        other: &Rdd<(K, W)>,
    ) -> Rdd<(K, (Option<V>, Option<W>))> {
        self.join_as("full_outer_join", other, |left, right| {
            cross(or_none(left), or_none(right), |v, w| (v, w))
        })
    }

    /// The pairs whose key the other RDD has not.
    pub fn subtract_by_key<W: Data>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, V)> {
        let markers =
            other.each_in_place("keys", |_, rows| Box::new(rows.map(|(key, _)| (key, ()))));
        self.join_as(
            "subtract_by_key",
            &markers,
            |left, right: Vec<()>| {
                if right.is_empty() { left } else { Vec::new() }
            },
        )
    }

    pub(super) fn join_as<W: Data, R: Data, I>(
        &self,
        name: &str,
        other: &Rdd<(K, W)>,
        match_values: impl Fn(Vec<V>, Vec<W>) -> I + Send + Sync + 'static,
    ) -> Rdd<(K, R)>
    where
        I: IntoIterator<Item = R, IntoIter: 'static> + 'static,
    {
        self.cogroup_as(name, None, other)
            .flat_map_values(move |(left, right)| match_values(left, right))
    }

    fn cogroup_as<W: Data>(
        &self,
        name: &str,
        partitions: Option<usize>,
        other: &Rdd<(K, W)>,
    ) -> Rdd<(K, Both<V, W>)> {
        let (left, right) = (self.clone(), other.clone());
        let partitions = partitions.or_else(|| self.context.set_parallelism());
        let outline = Outline::by_key(name, [self.parent(), other.parent()]);
        Rdd::new(&self.context, outline, move |preparing: Preparing| {
            let (left, right) = (left.clone(), right.clone());
            async move {
                let job = &preparing.job;
                let (left, right) = (left.prepare(job).await?, right.prepare(job).await?);
                let buckets = partitions.unwrap_or(left.count.max(right.count)).max(1);
                let shape = Shape { buckets, read_again: preparing.read_again };
                let left = place_by_key(job, left, shape);
                let right = place_by_key(job, right, shape);
                let made = Parts::new(buckets, move |task, bucket| {
                    group_sides(task, left.rows(task, bucket)?, right.rows(task, bucket)?)
                });
                Ok(Parts { by_key: true, ..made })
            }
        })
    }
}

/// Every combination of two sides.
fn cross<V: Clone + 'static, W: Clone + 'static, R>(
    left: Vec<V>,
    right: Vec<W>,
    pair: impl Fn(V, W) -> R + Copy + 'static,
) -> impl Iterator<Item = R> + 'static {
    left.into_iter().flat_map(move |v| {
        let right = right.clone();
        right.into_iter().map(move |w| pair(v.clone(), w))
    })
}

/// The values, or one `None` if there is no value.
fn or_none<V>(values: Vec<V>) -> Vec<Option<V>> {
    if values.is_empty() { vec![None] } else { values.into_iter().map(Some).collect() }
}

fn group_sides<K: Key, V: Data, W: Data>(
    task: &Arc<Task>,
    left: Rows<(K, V)>,
    right: Rows<(K, W)>,
) -> Result<Rows<(K, Both<V, W>)>> {
    let left = left.map(|(key, value)| (key, Side::Left(value)));
    let right = right.map(|(key, value)| (key, Side::Right(value)));
    let add = |mut both: Both<V, W>, value| {
        match value {
            Side::Left(value) => both.0.push(value),
            Side::Right(value) => both.1.push(value),
        }
        both
    };
    let create = move |value| add((Vec::new(), Vec::new()), value);
    let merge = |mut first: Both<V, W>, second: Both<V, W>| {
        first.0.extend(second.0);
        first.1.extend(second.1);
        first
    };
    combine_all(task, left.chain(right), &Arc::new(Aggregate(create, add, merge)))
}

/// The pairs in the partitions where their keys belong: as they are if they lie there already,
/// else through an exchange.
pub(super) fn place_by_key<K: Key, V: Data>(
    job: &Job,
    parts: Parts<(K, V)>,
    shape: Shape,
) -> Parts<(K, V)> {
    if parts.by_key && parts.count == shape.buckets {
        return parts;
    }
    let exchange = Exchange::plan(job, parts, shape, move |_, rows, out| {
        for pair in rows {
            out.push(bucket_of(stable_hash(&pair.0), shape.buckets), pair)?;
        }
        Ok(())
    });
    let made = Parts::new(shape.buckets, move |task, bucket| exchange.read(task, bucket));
    Parts { by_key: true, ..made }
}
