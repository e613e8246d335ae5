//! Actions that need an order: the smallest and the largest elements.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Rdd;
use crate::error::Result;

impl<T: Ord + Send + Sync + Clone + 'static> Rdd<T> {
    /// The smallest element; `None` without elements.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn min(&self) -> Result<Option<T>> {
        self.reduce(Ord::min).await
    }

    /// The largest element; `None` without elements.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn max(&self) -> Result<Option<T>> {
        self.reduce(Ord::max).await
    }

    /// The largest elements, the largest first.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().context().parallelize([3, 1, 4, 1, 5]);
    /// assert_eq!(numbers.top(2).await?, [5, 4]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn top(&self, limit: usize) -> Result<Vec<T>> {
        self.take_ordered_by(limit, |element| Reverse(element.clone())).await
    }

    /// The smallest elements, the smallest first.
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn take_ordered(&self, limit: usize) -> Result<Vec<T>> {
        self.take_ordered_by(limit, T::clone).await
    }
}

impl<T: Send + 'static> Rdd<T> {
    /// The elements with the smallest keys, the smallest first; [`Reverse`] turns a key around.
    ///
    /// Of elements with the same key the earlier ones are taken.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// use std::cmp::Reverse;
    /// let counts = Session::new().context().parallelize([("a", 2), ("b", 7), ("c", 5)]);
    /// let most = counts.take_ordered_by(2, |(_, count)| Reverse(*count)).await?;
    /// assert_eq!(most, [("b", 7), ("c", 5)]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`].
    pub async fn take_ordered_by<K, F>(&self, limit: usize, key: F) -> Result<Vec<T>>
    where
        K: Ord + Send + 'static,
        F: Fn(&T) -> K + Send + Sync + 'static,
    {
        let parts = self
            .run(move |task, rows| {
                let mut smallest = BinaryHeap::new();
                for (at, element) in rows.enumerate() {
                    let key = key(&element);
                    let full = smallest.len() >= limit;
                    if full && smallest.peek().is_none_or(|last: &Ranked<K, T>| last.key <= key) {
                        continue;
                    }
                    smallest.push(Ranked { key, place: (task.partition, at), element });
                    if smallest.len() > limit {
                        smallest.pop();
                    }
                }
                Ok(smallest.into_vec())
            })
            .await?;
        let mut all: Vec<Ranked<K, T>> = parts.into_iter().flatten().collect();
        all.sort();
        Ok(all.into_iter().take(limit).map(|ranked| ranked.element).collect())
    }
}

/// An element ordered by key and then by place.
struct Ranked<K, T> {
    key: K,
    place: (usize, usize),
    element: T,
}

impl<K: Ord, T> Ord for Ranked<K, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then(self.place.cmp(&other.place))
    }
}

impl<K: Ord, T> PartialOrd for Ranked<K, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord, T> PartialEq for Ranked<K, T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<K: Ord, T> Eq for Ranked<K, T> {}
