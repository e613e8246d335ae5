//! Random parts of an RDD, the same for the same seed.

use std::sync::Arc;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Rdd;
use crate::error::Result;

/// The random numbers of one partition.
pub(crate) fn random(seed: u64, partition: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(partition as u64);
    random
}

impl<T: Clone + Send + 'static> Rdd<T> {
    /// A random part of the elements.
    ///
    /// Without replacement each element is taken with probability `fraction`; with replacement it is
    /// taken `fraction` times on average. The same seed takes the same elements.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().range(0, 10_000);
    /// let tenth = numbers.sample(false, 0.1, 42);
    /// assert!((800..1200).contains(&tenth.count().await?));
    /// assert_eq!(tenth.collect().await?, tenth.collect().await?);
    /// # Ok(()) }
    /// ```
    pub fn sample(&self, with_replacement: bool, fraction: f64, seed: u64) -> Rdd<T> {
        if with_replacement {
            return self.each_in_place("sample", move |partition, rows| {
                let mut random = random(seed, partition);
                Box::new(rows.flat_map(move |element| {
                    let times = poisson(&mut random, fraction);
                    std::iter::repeat_n(element, times)
                }))
            });
        }
        self.each_in_place("sample", move |partition, rows| {
            let mut random = random(seed, partition);
            Box::new(rows.filter(move |_| random.random::<f64>() < fraction))
        })
    }

    /// Divides the elements at random into RDDs of about these shares.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().range(0, 1000);
    /// let parts = numbers.random_split(&[3.0, 1.0], 7);
    /// assert_eq!(parts[0].count().await? + parts[1].count().await?, 1000);
    /// # Ok(()) }
    /// ```
    pub fn random_split(&self, weights: &[f64], seed: u64) -> Vec<Rdd<T>> {
        let total: f64 = weights.iter().sum();
        let mut low = 0.0;
        let shares = weights.iter().map(|weight| {
            let share = low..low + weight / total;
            low = share.end;
            share
        });
        let mut shares: Vec<_> = shares.collect();
        if let Some(last) = shares.last_mut() {
            // Rounding must not lose elements.
            last.end = 1.0;
        }
        let part = |share: std::ops::Range<f64>| {
            self.each_in_place("random_split", move |partition, rows| {
                let (mut random, share) = (random(seed, partition), share.clone());
                Box::new(rows.filter(move |_| share.contains(&random.random::<f64>())))
            })
        };
        shares.into_iter().map(part).collect()
    }

    /// A random sample of exactly `size` elements, or of all if there are fewer and none is replaced.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn take_sample(
        &self,
        with_replacement: bool,
        size: usize,
        seed: u64,
    ) -> Result<Vec<T>> {
        let counts = self.run(|_, rows| Ok(rows.count())).await?;
        let total: usize = counts.iter().sum();
        if total == 0 || size == 0 {
            return Ok(Vec::new());
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let places: Vec<usize> = if with_replacement {
            (0..size).map(|_| random.random_range(0..total)).collect()
        } else {
            rand::seq::index::sample(&mut random, total, size.min(total)).into_vec()
        };
        self.at(&counts, places).await
    }

    /// The elements at these places of the whole RDD, in the order of `places`.
    async fn at(&self, counts: &[usize], places: Vec<usize>) -> Result<Vec<T>> {
        let mut starts = vec![0];
        counts.iter().for_each(|count| starts.push(starts[starts.len() - 1] + count));
        let mut wanted: Vec<(usize, usize)> =
            places.into_iter().enumerate().map(|(n, at)| (at, n)).collect();
        wanted.sort_unstable();
        let wanted = Arc::new(wanted);
        let found = self
            .run(move |task, rows| {
                let start = starts[task.partition];
                let first = wanted.partition_point(|(at, _)| *at < start);
                let mut next = wanted[first..].iter().peekable();
                let mut taken = Vec::new();
                for (at, element) in rows.enumerate() {
                    while let Some((_, number)) = next.next_if(|(wish, _)| *wish == start + at) {
                        taken.push((*number, element.clone()));
                    }
                }
                Ok(taken)
            })
            .await?;
        let mut found: Vec<(usize, T)> = found.into_iter().flatten().collect();
        found.sort_by_key(|(number, _)| *number);
        Ok(found.into_iter().map(|(_, element)| element).collect())
    }
}

/// A number from the Poisson distribution (Knuth's method, in parts that do not underflow).
fn poisson(random: &mut impl Rng, mean: f64) -> usize {
    const PART: f64 = 32.0;
    let (mut left, mut count) = (mean.max(0.0), 0);
    while left > 0.0 {
        let part = left.min(PART);
        left -= part;
        let limit = (-part).exp();
        let mut product = random.random::<f64>();
        while product > limit {
            count += 1;
            product *= random.random::<f64>();
        }
    }
    count
}
