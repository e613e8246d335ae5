//! Actions by key, and counts of values.

use std::collections::HashMap;
use std::hash::Hash;

use super::job::Job;
use super::shuffle::{bucket_of, stable_hash};
use super::{Data, Key, Rdd};
use crate::error::Result;

impl<T: Data + Hash + Eq> Rdd<T> {
    /// How often each element occurs.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let counts = Session::new().context().parallelize([7, 9, 7]).count_by_value().await?;
    /// assert_eq!((counts[&7], counts[&9]), (2, 1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn count_by_value(&self) -> Result<HashMap<T, usize>> {
        self.map(|element| (element, 1)).reduce_by_key_locally(|a, b| a + b).await
    }
}

impl<K: Key, V: Data> Rdd<(K, V)> {
    /// How many pairs each key has.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn count_by_key(&self) -> Result<HashMap<K, usize>> {
        self.keys().count_by_value().await
    }

    /// Combines the values of each key and gives them as a map.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn reduce_by_key_locally<F>(&self, function: F) -> Result<HashMap<K, V>>
    where
        F: Fn(V, V) -> V + Send + Sync + 'static,
    {
        Ok(self.reduce_by_key(function).collect().await?.into_iter().collect())
    }

    /// All pairs as a map; of pairs with the same key the last one counts.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn collect_as_map(&self) -> Result<HashMap<K, V>> {
        Ok(self.collect().await?.into_iter().collect())
    }

    /// The values of one key, in order; only one partition is read if pairs lie by key.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let pairs = Session::new().context().parallelize([(1, 'a'), (2, 'b'), (1, 'c')]);
    /// assert_eq!(pairs.lookup(1).await?, ['a', 'c']);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn lookup(&self, key: K) -> Result<Vec<V>> {
        let (job, _cancel) = Job::start(self)?;
        let parts = self.prepare(&job).await?;
        job.run_stages().await?;
        let partitions = if parts.by_key {
            let bucket = bucket_of(stable_hash(&key), parts.count);
            bucket..bucket + 1
        } else {
            0..parts.count
        };
        let found = job
            .run(partitions, move |task| {
                let rows = task.watch(parts.rows(task, task.partition)?);
                let values = rows.filter(|pair| pair.0 == key).map(|(_, value)| value);
                Ok(values.collect::<Vec<V>>())
            })
            .await?;
        Ok(found.into_iter().flatten().collect())
    }
}
