//! The context: where RDDs come from.

use std::sync::Arc;

use super::{Outline, Parts, Preparing, Rdd, text};
use crate::config;
use crate::session::Session;

/// Makes RDDs from files and collections; `session.context()` gives it.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let context = Session::new().context();
/// assert_eq!(context.range(1, 101).reduce(|a, b| a + b).await?, Some(5050));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SparkContext {
    session: Session,
}

impl Session {
    /// The entrance to RDDs.
    pub fn context(&self) -> SparkContext {
        SparkContext { session: self.clone() }
    }
}

impl SparkContext {
    /// The session whose options and memory the RDDs use.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The name of the application.
    pub fn app_name(&self) -> String {
        self.session.config().get(config::APP_NAME).unwrap_or_default().to_owned()
    }

    /// The version of vonk.
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// How many partitions a collection gets: the option `spark.default.parallelism`, else as many
    /// as the session has threads.
    pub fn default_parallelism(&self) -> usize {
        self.set_parallelism().unwrap_or_else(|| self.session.config().threads().unwrap_or(1))
    }

    /// The option `spark.default.parallelism`, which also holds for the results of shuffles.
    pub(super) fn set_parallelism(&self) -> Option<usize> {
        self.session.config().get("spark.default.parallelism")?.parse().ok().filter(|n| *n > 0)
    }

    /// Ends the session.
    pub fn stop(&self) {
        self.session.stop();
    }

    /// An RDD of the elements of a collection, in [`SparkContext::default_parallelism`] partitions.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let letters = Session::new().context().parallelize(["a", "b", "c"]);
    /// assert_eq!(letters.collect().await?, ["a", "b", "c"]);
    /// # Ok(()) }
    /// ```
    pub fn parallelize<T>(&self, elements: impl IntoIterator<Item = T>) -> Rdd<T>
    where
        T: Clone + Send + Sync + 'static,
    {
        self.parallelize_in(elements, self.default_parallelism())
    }

    /// An RDD of the elements of a collection, in `partitions` slices of about the same length.
    pub fn parallelize_in<T>(
        &self,
        elements: impl IntoIterator<Item = T>,
        partitions: usize,
    ) -> Rdd<T>
    where
        T: Clone + Send + Sync + 'static,
    {
        let elements: Arc<[T]> = elements.into_iter().collect();
        let count = partitions.max(1);
        Rdd::new(self, Outline::source("parallelize"), move |_| {
            let elements = Arc::clone(&elements);
            let parts = Parts::new(count, move |task, partition| {
                let elements = Arc::clone(&elements);
                let slice = slice_of(elements.len(), partition, count);
                Ok(task.watch(slice.map(move |at| elements[at].clone())))
            });
            std::future::ready(Ok(parts))
        })
    }

    /// The whole numbers from `start` up to but without `end`.
    pub fn range(&self, start: i64, end: i64) -> Rdd<i64> {
        self.range_in(start, end, 1, self.default_parallelism())
    }

    /// The whole numbers from `start` by `step`, up to but without `end`, in `partitions` slices.
    ///
    /// A step of zero gives no elements.
    pub fn range_in(&self, start: i64, end: i64, step: i64, partitions: usize) -> Rdd<i64> {
        let count = partitions.max(1);
        let length = range_length(start, end, step);
        Rdd::new(self, Outline::source("range"), move |_| {
            let parts = Parts::new(count, move |task, partition| {
                let slice = slice_of(length, partition, count);
                // Every element lies between `start` and `end`, so nothing can overflow for good.
                let element = move |at: usize| start.wrapping_add(step.wrapping_mul(at as i64));
                Ok(task.watch(slice.map(element)))
            });
            std::future::ready(Ok(parts))
        })
    }

    /// An RDD without elements and partitions.
    pub fn empty_rdd<T: Send + 'static>(&self) -> Rdd<T> {
        self.union([])
    }

    /// The elements of several RDDs, one after the other; partitions are kept.
    pub fn union<T: Send + 'static>(&self, rdds: impl IntoIterator<Item = Rdd<T>>) -> Rdd<T> {
        let inputs: Arc<[Rdd<T>]> = rdds.into_iter().collect();
        let outline = Outline::narrow("union", inputs.iter().map(Rdd::parent));
        Rdd::new(self, outline, move |preparing: Preparing| {
            let inputs = Arc::clone(&inputs);
            async move {
                let mut places = Vec::new();
                for input in inputs.iter() {
                    let parts = input.prepare(&preparing.job).await?;
                    places.extend((0..parts.count).map(|partition| (parts.clone(), partition)));
                }
                Ok(Parts::new(places.len(), move |task, partition| {
                    let (parts, inner) = &places[partition];
                    parts.rows(task, *inner)
                }))
            }
        })
    }

    /// The lines of text files, without their line ends.
    ///
    /// `path` is a file, a directory, a glob, or several of these with commas between. Large files
    /// are split at line borders; compressed files are one partition each. Lines end with `\n` or
    /// `\r\n`. Bytes that are no UTF-8 are an error that names the file and the place.
    pub fn text_file(&self, path: impl Into<String>) -> Rdd<String> {
        self.text_file_in(path, self.default_parallelism().min(2))
    }

    /// As [`SparkContext::text_file`], in at least `min_partitions` partitions if the files are
    /// large enough.
    pub fn text_file_in(&self, path: impl Into<String>, min_partitions: usize) -> Rdd<String> {
        text::lines(self, path.into(), min_partitions)
    }
}

/// The places of partition `partition` when `length` elements are cut into `count` slices.
pub(super) fn slice_of(length: usize, partition: usize, count: usize) -> std::ops::Range<usize> {
    let border = |number: usize| (length as u128 * number as u128 / count as u128) as usize;
    border(partition)..border(partition + 1)
}

fn range_length(start: i64, end: i64, step: i64) -> usize {
    let distance = i128::from(end) - i128::from(start);
    let step = i128::from(step);
    if step == 0 || distance.signum() != step.signum() {
        return 0;
    }
    usize::try_from((distance.abs() + step.abs() - 1) / step.abs()).unwrap_or(usize::MAX)
}
