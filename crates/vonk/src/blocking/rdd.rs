//! RDDs without async: transformations are passed on, actions wait for their result.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;

use super::{DataFrame, Session, wait};
use crate::dataframe::{Row, StorageLevel};
use crate::error::Result;
use crate::rdd::{self, Accumulator, Broadcast, Data, Key, Number, Rows, Stats};

/// A [`crate::SparkContext`] whose RDDs are those of this module.
#[derive(Debug, Clone)]
pub struct SparkContext(rdd::SparkContext);

/// A [`crate::Rdd`] whose actions wait for their result.
#[derive(Debug)]
pub struct Rdd<T>(rdd::Rdd<T>);

impl<T> Clone for Rdd<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> From<rdd::Rdd<T>> for Rdd<T> {
    fn from(rdd: rdd::Rdd<T>) -> Self {
        Self(rdd)
    }
}

impl<T> From<Rdd<T>> for rdd::Rdd<T> {
    fn from(rdd: Rdd<T>) -> Self {
        rdd.0
    }
}

impl Session {
    /// As [`crate::Session::context`].
    ///
    /// ```
    /// # fn main() -> vonk::Result<()> {
    /// let context = vonk::blocking::Session::new().context();
    /// let counts = context
    ///     .parallelize(["to", "be", "or", "to"].map(str::to_owned))
    ///     .map(|word| (word, 1))
    ///     .reduce_by_key(|a, b| a + b);
    /// assert_eq!(counts.collect_as_map()?["to"], 2);
    /// # Ok(()) }
    /// ```
    pub fn context(&self) -> SparkContext {
        SparkContext(self.0.context())
    }
}

/// Methods of the context that give an RDD, passed on.
macro_rules! sources {
    ($($name:ident [$($generics:tt)*] ($($arg:ident: $type:ty),*) -> $element:ty;)*) => {
        impl SparkContext {
            $(#[doc = concat!("As [`crate::SparkContext::", stringify!($name), "`].")]
            pub fn $name<$($generics)*>(&self, $($arg: $type),*) -> Rdd<$element> {
                Rdd(self.0.$name($($arg),*))
            })*
        }
    };
}

sources! {
    parallelize [T: Clone + Send + Sync + 'static] (elements: impl IntoIterator<Item = T>) -> T;
    parallelize_in [T: Clone + Send + Sync + 'static] (elements: impl IntoIterator<Item = T>, partitions: usize) -> T;
    range [] (start: i64, end: i64) -> i64;
    range_in [] (start: i64, end: i64, step: i64, partitions: usize) -> i64;
    empty_rdd [T: Send + 'static] () -> T;
    text_file [] (path: impl Into<String>) -> String;
    text_file_in [] (path: impl Into<String>, min_partitions: usize) -> String;
    whole_text_files [] (path: impl Into<String>) -> (String, String);
    binary_files [] (path: impl Into<String>) -> (String, Vec<u8>);
}

impl SparkContext {
    /// As [`crate::SparkContext::broadcast`].
    pub fn broadcast<T: Send + Sync + 'static>(&self, value: T) -> Broadcast<T> {
        self.0.broadcast(value)
    }

    /// As [`crate::SparkContext::long_accumulator`].
    pub fn long_accumulator(&self) -> Accumulator<i64> {
        self.0.long_accumulator()
    }

    /// As [`crate::SparkContext::double_accumulator`].
    pub fn double_accumulator(&self) -> Accumulator<f64> {
        self.0.double_accumulator()
    }

    /// As [`crate::SparkContext::stop`].
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// Transformations, passed on.
macro_rules! transformations {
    ($($name:ident [$($generics:tt)*] ($($arg:ident: $type:ty),*) -> $element:ty;)*) => {
        $(#[doc = concat!("As [`crate::Rdd::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name<$($generics)*>(&self, $($arg: $type),*) -> Rdd<$element> {
            Rdd(self.0.$name($($arg),*))
        })*
    };
}

/// Transformations with another RDD, passed on.
macro_rules! combinations {
    ($($name:ident [$($generics:tt)*] ($other:ty) -> $element:ty;)*) => {
        $(#[doc = concat!("As [`crate::Rdd::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name<$($generics)*>(&self, other: &Rdd<$other>) -> Rdd<$element> {
            Rdd(self.0.$name(&other.0))
        })*
    };
}

/// Actions: each waits for its result.
macro_rules! actions {
    ($($name:ident [$($generics:tt)*] ($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        $(#[doc = concat!("As [`crate::Rdd::", stringify!($name), "`], waiting for the result.")]
        ///
        /// # Errors
        /// Those of the same method there.
        pub fn $name<$($generics)*>(&self, $($arg: $type),*) -> Result<$result> {
            let rdd = self.0.clone();
            wait(async move { rdd.$name($($arg),*).await })
        })*
    };
}

impl<T: Send + 'static> Rdd<T> {
    transformations! {
        map [U: Send + 'static, F: Fn(T) -> U + Send + Sync + 'static] (function: F) -> U;
        flat_map [I: IntoIterator<IntoIter: 'static, Item: Send + 'static> + 'static, F: Fn(T) -> I + Send + Sync + 'static] (function: F) -> I::Item;
        filter [F: Fn(&T) -> bool + Send + Sync + 'static] (predicate: F) -> T;
        map_partitions [I: IntoIterator<IntoIter: 'static, Item: Send + 'static> + 'static, F: Fn(Rows<T>) -> I + Send + Sync + 'static] (function: F) -> I::Item;
        map_partitions_with_index [I: IntoIterator<IntoIter: 'static, Item: Send + 'static> + 'static, F: Fn(usize, Rows<T>) -> I + Send + Sync + 'static] (function: F) -> I::Item;
        glom [] () -> Vec<T>;
        key_by [K: Send + 'static, F: Fn(&T) -> K + Send + Sync + 'static] (key: F) -> (K, T);
        coalesce [] (partitions: usize) -> T;
        zip_with_index [] () -> (T, usize);
        zip_with_unique_id [] () -> (T, usize);
    }

    combinations! {
        union [] (T) -> T;
        zip [U: Send + 'static] (U) -> (T, U);
    }

    actions! {
        collect [] () -> Vec<T>;
        count [] () -> usize;
        take [] (limit: usize) -> Vec<T>;
        first [] () -> T;
        is_empty [] () -> bool;
        num_partitions [] () -> usize;
        reduce [F: Fn(T, T) -> T + Send + Sync + 'static] (function: F) -> Option<T>;
        aggregate [C: Clone + Send + Sync + 'static, A: Fn(C, T) -> C + Send + Sync + 'static, M: Fn(C, C) -> C + Send + Sync + 'static] (zero: C, add: A, merge: M) -> C;
        foreach [F: Fn(T) + Send + Sync + 'static] (function: F) -> ();
        for_each_partition [F: Fn(Rows<T>) + Send + Sync + 'static] (function: F) -> ();
        take_ordered_by [K: Ord + Send + 'static, F: Fn(&T) -> K + Send + Sync + 'static] (limit: usize, key: F) -> Vec<T>;
    }

    /// As [`crate::Rdd::to_debug_string`].
    pub fn to_debug_string(&self) -> String {
        self.0.to_debug_string()
    }

    /// As [`crate::Rdd::unpersist`].
    pub fn unpersist(&self) {
        self.0.unpersist();
    }

    /// As [`crate::Rdd::is_cached`].
    pub fn is_cached(&self) -> bool {
        self.0.is_cached()
    }
}

impl<T: Clone + Send + Sync + 'static> Rdd<T> {
    actions! {
        fold [F: Fn(T, T) -> T + Send + Sync + 'static] (zero: T, function: F) -> T;
        take_sample [] (with_replacement: bool, size: usize, seed: u64) -> Vec<T>;
    }

    transformations! {
        sample [] (with_replacement: bool, fraction: f64, seed: u64) -> T;
    }

    combinations! {
        cartesian [U: Data] (U) -> (T, U);
    }

    /// As [`crate::Rdd::random_split`].
    pub fn random_split(&self, weights: &[f64], seed: u64) -> Vec<Rdd<T>> {
        self.0.random_split(weights, seed).into_iter().map(Rdd).collect()
    }
}

impl<T: Display + Send + 'static> Rdd<T> {
    transformations! {
        pipe [] (command: &str) -> String;
    }

    /// As [`crate::Rdd::save_as_text_file`], waiting for the result.
    ///
    /// # Errors
    /// Those of the same method there.
    pub fn save_as_text_file(&self, path: &str) -> Result<()> {
        let (rdd, path) = (self.0.clone(), path.to_owned());
        wait(async move { rdd.save_as_text_file(&path).await })
    }
}

impl<T: Data> Rdd<T> {
    transformations! {
        cache [] () -> T;
        persist [] (level: StorageLevel) -> T;
        repartition [] (partitions: usize) -> T;
        group_by [K: Key, F: Fn(&T) -> K + Send + Sync + 'static] (key: F) -> (K, Vec<T>);
        sort_by [K: Data + Ord, F: Fn(&T) -> K + Send + Sync + 'static] (key: F, ascending: bool) -> T;
    }

    /// As [`crate::Rdd::to_df`].
    pub fn to_df<N: Into<String>>(&self, names: impl IntoIterator<Item = N>) -> DataFrame {
        DataFrame::from(self.0.to_df(names))
    }
}

impl<T: Data + Hash + Eq> Rdd<T> {
    transformations! {
        distinct [] () -> T;
    }

    combinations! {
        intersection [] (T) -> T;
        subtract [] (T) -> T;
    }

    actions! {
        count_by_value [] () -> HashMap<T, usize>;
    }
}

impl<T: Ord + Send + Sync + Clone + 'static> Rdd<T> {
    actions! {
        min [] () -> Option<T>;
        max [] () -> Option<T>;
        top [] (limit: usize) -> Vec<T>;
        take_ordered [] (limit: usize) -> Vec<T>;
    }
}

impl<T: Number> Rdd<T> {
    actions! {
        sum [] () -> T;
        mean [] () -> f64;
        stats [] () -> Stats;
        histogram [] (ranges: usize) -> (Vec<f64>, Vec<usize>);
    }
}

impl<K: Send + 'static, V: Send + 'static> Rdd<(K, V)> {
    transformations! {
        keys [] () -> K;
        values [] () -> V;
        map_values [W: Send + 'static, F: Fn(V) -> W + Send + Sync + 'static] (function: F) -> (K, W);
    }
}

impl<K: Key, V: Data> Rdd<(K, V)> {
    transformations! {
        flat_map_values [I: IntoIterator<IntoIter: 'static, Item: Send + 'static> + 'static, F: Fn(V) -> I + Send + Sync + 'static] (function: F) -> (K, I::Item);
        reduce_by_key [F: Fn(V, V) -> V + Send + Sync + 'static] (function: F) -> (K, V);
        combine_by_key [C: Data, F: Fn(V) -> C + Send + Sync + 'static, A: Fn(C, V) -> C + Send + Sync + 'static, M: Fn(C, C) -> C + Send + Sync + 'static] (create: F, add: A, merge: M) -> (K, C);
        aggregate_by_key [C: Data, A: Fn(C, V) -> C + Send + Sync + 'static, M: Fn(C, C) -> C + Send + Sync + 'static] (zero: C, add: A, merge: M) -> (K, C);
        fold_by_key [F: Fn(V, V) -> V + Send + Sync + 'static] (zero: V, function: F) -> (K, V);
        group_by_key [] () -> (K, Vec<V>);
        partition_by [] (partitions: usize) -> (K, V);
    }

    combinations! {
        join [W: Data] ((K, W)) -> (K, (V, W));
        left_outer_join [W: Data] ((K, W)) -> (K, (V, Option<W>));
        right_outer_join [W: Data] ((K, W)) -> (K, (Option<V>, W));
        full_outer_join [W: Data] ((K, W)) -> (K, (Option<V>, Option<W>));
        cogroup [W: Data] ((K, W)) -> (K, (Vec<V>, Vec<W>));
        subtract_by_key [W: Data] ((K, W)) -> (K, V);
    }

    actions! {
        count_by_key [] () -> HashMap<K, usize>;
        reduce_by_key_locally [F: Fn(V, V) -> V + Send + Sync + 'static] (function: F) -> HashMap<K, V>;
        collect_as_map [] () -> HashMap<K, V>;
        lookup [] (key: K) -> Vec<V>;
    }
}

impl<K: Data + Ord, V: Data> Rdd<(K, V)> {
    transformations! {
        sort_by_key [] (ascending: bool) -> (K, V);
    }
}

impl DataFrame {
    /// As [`crate::DataFrame::rdd`].
    pub fn rdd(&self) -> Rdd<Row> {
        Rdd(self.0.rdd())
    }

    /// As [`crate::DataFrame::rdd_of`].
    pub fn rdd_of<T: serde::de::DeserializeOwned + Send + 'static>(&self) -> Rdd<T> {
        Rdd(self.0.rdd_of())
    }
}
