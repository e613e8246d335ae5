//! Actions: what makes an RDD run and brings something back.

use std::sync::Arc;

use super::job::{Job, Task};
use super::{Rdd, Rows};
use crate::error::{Condition, Error, Result};

impl<T: Send + 'static> Rdd<T> {
    /// Runs `work` over every partition and gives the results in order.
    pub(super) async fn run<R, F>(&self, work: F) -> Result<Vec<R>>
    where
        R: Send + 'static,
        F: Fn(&Arc<Task>, Rows<T>) -> Result<R> + Send + Sync + 'static,
    {
        let (job, _cancel) = Job::start(self)?;
        let parts = self.prepare(&job).await?;
        job.run_stages().await?;
        job.run(0..parts.count, move |task| {
            work(task, task.watch(parts.rows(task, task.partition)?))
        })
        .await
    }

    /// All elements, in the order of the partitions.
    ///
    /// # Errors
    /// Those of the sources, and `FAILED_EXECUTE_UDF` if a closure panics.
    pub async fn collect(&self) -> Result<Vec<T>> {
        let parts = self.run(|_, rows| Ok(rows.collect::<Vec<T>>())).await?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// The number of elements.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn count(&self) -> Result<usize> {
        Ok(self.run(|_, rows| Ok(rows.count())).await?.into_iter().sum())
    }

    /// The first `limit` elements; partitions are computed in order and only as far as needed.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// assert_eq!(Session::new().context().range(0, 1_000_000).take(3).await?, [0, 1, 2]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn take(&self, limit: usize) -> Result<Vec<T>> {
        /// How much wider each wave of partitions is than the one before, as in Spark.
        const WIDER: usize = 4;
        let (job, _cancel) = Job::start(self)?;
        let parts = self.prepare(&job).await?;
        let mut taken = Vec::new();
        if limit == 0 {
            return Ok(taken);
        }
        job.run_stages().await?;
        let (mut start, mut wave) = (0, 1);
        while start < parts.count && taken.len() < limit {
            let end = parts.count.min(start + wave);
            let (missing, input) = (limit - taken.len(), parts.clone());
            let found = job
                .run(start..end, move |task| {
                    let rows = task.watch(input.rows(task, task.partition)?);
                    Ok(rows.take(missing).collect::<Vec<T>>())
                })
                .await?;
            taken.extend(found.into_iter().flatten().take(missing));
            (start, wave) = (end, wave * WIDER);
        }
        Ok(taken)
    }

    /// The first element.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`], and an error if there is no element.
    pub async fn first(&self) -> Result<T> {
        self.take(1).await?.pop().ok_or_else(|| {
            Error::new(Condition::INVALID_PARAMETER, "`first` of an RDD without elements")
                .hint("use `take(1)`, which gives an empty vector then")
        })
    }

    /// Whether there is no element.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.take(1).await?.is_empty())
    }

    /// The number of partitions; files are listed for it, but nothing is computed.
    ///
    /// # Errors
    /// If the files cannot be listed.
    pub async fn num_partitions(&self) -> Result<usize> {
        let (job, _cancel) = Job::start(self)?;
        Ok(self.prepare(&job).await?.count)
    }

    /// Combines all elements with an associative function, in order; `None` without elements.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn reduce<F>(&self, function: F) -> Result<Option<T>>
    where
        F: Fn(T, T) -> T + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        let inner = Arc::clone(&function);
        let parts = self.run(move |_, rows| Ok(rows.reduce(|a, b| inner(a, b)))).await?;
        Ok(parts.into_iter().flatten().reduce(|a, b| function(a, b)))
    }

    /// Folds each partition from `zero`, then the results of the partitions from `zero`, in order.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn fold<F>(&self, zero: T, function: F) -> Result<T>
    where
        T: Clone + Sync,
        F: Fn(T, T) -> T + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        let inner = Arc::clone(&function);
        self.aggregate(zero, move |a, b| inner(a, b), move |a, b| function(a, b)).await
    }

    /// Folds each partition from `zero` with `add`, then the results from `zero` with `merge`.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().parallelize([1, 2, 3, 4]);
    /// let sum_and_count = numbers
    ///     .aggregate((0, 0), |(sum, n), x| (sum + x, n + 1), |a, b| (a.0 + b.0, a.1 + b.1))
    ///     .await?;
    /// assert_eq!(sum_and_count, (10, 4));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn aggregate<C, A, M>(&self, zero: C, add: A, merge: M) -> Result<C>
    where
        C: Clone + Send + Sync + 'static,
        A: Fn(C, T) -> C + Send + Sync + 'static,
        M: Fn(C, C) -> C + Send + Sync + 'static,
    {
        let start = zero.clone();
        let parts = self.run(move |_, rows| Ok(rows.fold(start.clone(), &add))).await?;
        Ok(parts.into_iter().fold(zero, merge))
    }

    /// Calls a function with every element, for what it does elsewhere.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn foreach<F>(&self, function: F) -> Result<()>
    where
        F: Fn(T) + Send + Sync + 'static,
    {
        self.run(move |_, rows| {
            rows.for_each(&function);
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Calls a function with every partition, for what it does elsewhere.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn for_each_partition<F>(&self, function: F) -> Result<()>
    where
        F: Fn(Rows<T>) + Send + Sync + 'static,
    {
        self.run(move |_, rows| {
            function(rows);
            Ok(())
        })
        .await
        .map(drop)
    }
}
