//! The same API without async: every action waits for its result.
//!
//! Queries run on threads of their own, so it may be used anywhere, also inside an async runtime,
//! where it blocks the calling thread.
//!
//! ```
//! use vonk::blocking::Session;
//! # fn main() -> vonk::Result<()> {
//! let session = Session::new();
//! let rows: Vec<(i64,)> = session.sql("SELECT 40 + 2").rows()?;
//! assert_eq!(rows, [(42,)]);
//! let big = session.range(0, 10).filter("id > 7");
//! assert_eq!(big.count()?, 2);
//! # Ok(()) }
//! ```

use std::future::Future;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::{OnceLock, mpsc};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use crate::dataframe::{self, Column, JoinOn, Operand, Row, StorageLevel};
use crate::error::{Error, Result};
use crate::session;

mod files;
mod rdd;

pub use files::{Reader, Writer};
pub use rdd::{Rdd, SparkContext};

/// A [`crate::Session`] whose queries are [`DataFrame`]s of this module.
///
/// What it does not have itself, such as options and user-defined functions, is the session's.
#[derive(Debug, Clone, Default)]
pub struct Session(session::Session);

/// A [`crate::DataFrame`] whose actions wait for their result.
#[derive(Debug, Clone)]
pub struct DataFrame(dataframe::DataFrame);

impl Deref for Session {
    type Target = session::Session;

    fn deref(&self) -> &session::Session {
        &self.0
    }
}

impl From<session::Session> for Session {
    fn from(session: session::Session) -> Self {
        Self(session)
    }
}

impl From<dataframe::DataFrame> for DataFrame {
    fn from(data: dataframe::DataFrame) -> Self {
        Self(data)
    }
}

impl From<DataFrame> for dataframe::DataFrame {
    fn from(data: DataFrame) -> Self {
        data.0
    }
}

impl Session {
    /// A session with default options; others come from [`crate::Session::builder`] by `into()`.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`crate::Session::sql`].
    pub fn sql(&self, text: impl Into<String>) -> DataFrame {
        DataFrame(self.0.sql(text))
    }

    /// As [`crate::Session::table`].
    pub fn table(&self, name: impl Into<String>) -> DataFrame {
        DataFrame(self.0.table(name))
    }

    /// As [`crate::Session::range`].
    pub fn range(&self, start: i64, end: i64) -> DataFrame {
        DataFrame(self.0.range(start, end))
    }

    /// As [`crate::Session::list_files`].
    ///
    /// # Errors
    /// As of that.
    pub fn list_files<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<(String, u64)>> {
        let (session, paths) = (self.0.clone(), paths.into_iter().map(str::to_owned));
        let paths: Vec<String> = paths.collect();
        wait(async move { session.list_files(paths.iter().map(String::as_str)).await })
    }

    /// As [`crate::Session::read_bytes`].
    ///
    /// # Errors
    /// As of that.
    pub fn read_bytes(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        let (session, path) = (self.0.clone(), path.to_owned());
        wait(async move { session.read_bytes(&path, range).await })
    }

    /// As [`crate::Session::publish_files`].
    ///
    /// # Errors
    /// As of that.
    pub fn publish_files(&self, from: &Path, to: &str) -> Result<()> {
        let (session, from, to) = (self.0.clone(), from.to_owned(), to.to_owned());
        wait(async move { session.publish_files(&from, &to).await })
    }

    /// As [`crate::Session::create_data_frame`].
    ///
    /// # Errors
    /// If the rows have no common type.
    pub fn create_data_frame<T: Serialize>(
        &self,
        rows: impl IntoIterator<Item = T>,
    ) -> Result<DataFrame> {
        Ok(DataFrame(self.0.create_data_frame(rows)?))
    }

    /// As [`crate::Session::from_batches`].
    ///
    /// # Errors
    /// If there is no batch, or the batches differ in schema.
    pub fn from_batches(&self, batches: Vec<RecordBatch>) -> Result<DataFrame> {
        Ok(DataFrame(self.0.from_batches(batches)?))
    }
}

/// Transformations, passed on.
macro_rules! transformations {
    ($($name:ident [$($generics:tt)*] ($($arg:ident: $type:ty),*);)*) => {
        impl DataFrame {
            $(#[doc = concat!("As [`crate::DataFrame::", stringify!($name), "`].")]
            #[must_use]
            pub fn $name<$($generics)*>(&self, $($arg: $type),*) -> DataFrame {
                DataFrame(self.0.$name($($arg),*))
            })*
        }
    };
}

transformations! {
    select [C: Into<Column>] (items: impl IntoIterator<Item = C>);
    select_expr [T: AsRef<str>] (items: impl IntoIterator<Item = T>);
    with_column [] (name: &str, value: impl Into<Column>);
    with_columns [N: Into<String>, C: Into<Column>] (values: impl IntoIterator<Item = (N, C)>);
    with_column_renamed [] (old: &str, new: &str);
    with_columns_renamed [A: Into<String>, B: Into<String>] (renames: impl IntoIterator<Item = (A, B)>);
    to_df [N: Into<String>] (names: impl IntoIterator<Item = N>);
    drop [C: Into<Column>] (names: impl IntoIterator<Item = C>);
    filter [] (condition: impl dataframe::Condition);
    where_ [] (condition: impl dataframe::Condition);
    order_by [C: Into<Column>] (keys: impl IntoIterator<Item = C>);
    sort [C: Into<Column>] (keys: impl IntoIterator<Item = C>);
    sort_within_partitions [C: Into<Column>] (keys: impl IntoIterator<Item = C>);
    agg [C: Into<Column>] (aggregates: impl IntoIterator<Item = C>);
    drop_duplicates [C: Into<Column>] (keys: impl IntoIterator<Item = C>);
    replace [A: Operand, B: Operand] (values: impl IntoIterator<Item = (A, B)>);
    describe [C: Into<Column>] (names: impl IntoIterator<Item = C>);
    summary [] ();
    freq_items [N: AsRef<str>] (names: impl IntoIterator<Item = N>, share: f64);
    limit [] (rows: usize);
    offset [] (rows: usize);
    alias [] (name: &str);
    distinct [] ();
    sample [] (fraction: f64, seed: Option<u64>);
    repartition [] (partitions: usize);
    repartition_by [C: Into<Column>] (partitions: usize, keys: impl IntoIterator<Item = C>);
    coalesce [] (partitions: usize);
    hint [] (name: &str, partitions: Option<usize>);
    unpivot [A: Into<Column>, B: Into<Column>] (ids: impl IntoIterator<Item = A>, values: impl IntoIterator<Item = B>, variable_name: &str, value_name: &str);
    melt [A: Into<Column>, B: Into<Column>] (ids: impl IntoIterator<Item = A>, values: impl IntoIterator<Item = B>, variable_name: &str, value_name: &str);
    cache [] ();
    persist [] (level: StorageLevel);
}

/// Transformations with another query, passed on.
macro_rules! combinations {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {
        impl DataFrame {
            $(#[doc = concat!("As [`crate::DataFrame::", stringify!($name), "`].")]
            #[must_use]
            pub fn $name(&self, other: &DataFrame, $($arg: $type),*) -> DataFrame {
                DataFrame(self.0.$name(&other.0, $($arg),*))
            })*
        }
    };
}

combinations! {
    join(on: impl Into<JoinOn>, how: &str);
    cross_join();
    union();
    union_all();
    union_by_name(allow_missing: bool);
    intersect();
    intersect_all();
    subtract();
    except();
    except_all();
}

/// Actions: each waits for its result.
macro_rules! actions {
    ($($name:ident$(<$item:ident>)?($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        impl DataFrame {
            $(#[doc = concat!("As [`crate::DataFrame::", stringify!($name), "`], waiting for the result.")]
            ///
            /// # Errors
            /// Those of the same method there.
            pub fn $name$(<$item: DeserializeOwned + Send + 'static>)?(
                &self,
                $($arg: $type),*
            ) -> Result<$result> {
                let data = self.0.clone();
                wait(async move { data.$name($($arg),*).await })
            })*
        }
    };
}

actions! {
    collect() -> Vec<RecordBatch>;
    collect_rows() -> Vec<Row>;
    to_arrow() -> RecordBatch;
    count() -> usize;
    is_empty() -> bool;
    rows<T>() -> Vec<T>;
    first<T>() -> Option<T>;
    take<T>(rows: usize) -> Vec<T>;
    head(rows: usize) -> RecordBatch;
    tail(rows: usize) -> RecordBatch;
    schema() -> SchemaRef;
    columns() -> Vec<String>;
    dtypes() -> Vec<(String, String)>;
    check() -> ();
    show() -> ();
    show_string(rows: usize, truncate: Option<usize>) -> String;
    print_schema() -> ();
    schema_string() -> String;
}

/// Actions that take texts: each waits for its result.
macro_rules! actions_by_text {
    ($($name:ident($($arg:ident),*) -> $result:ty;)*) => {
        impl DataFrame {
            $(#[doc = concat!("As [`crate::DataFrame::", stringify!($name), "`], waiting for the result.")]
            ///
            /// # Errors
            /// Those of the same method there.
            pub fn $name(&self, $($arg: &str),*) -> Result<$result> {
                let data = self.0.clone();
                $(let $arg = $arg.to_owned();)*
                wait(async move { data.$name($(&$arg),*).await })
            })*
        }
    };
}

actions_by_text! {
    corr(x, y) -> Option<f64>;
    cov(x, y) -> Option<f64>;
    create_temp_view(name) -> ();
    create_or_replace_temp_view(name) -> ();
    explain(mode) -> String;
}

impl DataFrame {
    /// As [`crate::DataFrame::group_by`].
    pub fn group_by<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> GroupedData {
        GroupedData(self.0.group_by(keys))
    }

    /// As [`crate::DataFrame::rollup`].
    pub fn rollup<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> GroupedData {
        GroupedData(self.0.rollup(keys))
    }

    /// As [`crate::DataFrame::cube`].
    pub fn cube<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> GroupedData {
        GroupedData(self.0.cube(keys))
    }

    /// As [`crate::DataFrame::na`].
    pub fn na(&self) -> NaFunctions {
        NaFunctions(self.0.na())
    }

    /// As [`crate::DataFrame::random_split`].
    pub fn random_split(&self, weights: &[f64], seed: Option<u64>) -> Vec<DataFrame> {
        self.0.random_split(weights, seed).into_iter().map(DataFrame).collect()
    }

    /// As [`crate::DataFrame::approx_quantile`], waiting for the result.
    ///
    /// # Errors
    /// Those of the same method there.
    pub fn approx_quantile(&self, column: &str, shares: &[f64]) -> Result<Vec<Option<f64>>> {
        let (data, column, shares) = (self.0.clone(), column.to_owned(), shares.to_vec());
        wait(async move { data.approx_quantile(&column, &shares).await })
    }

    /// As [`crate::DataFrame::crosstab`], waiting for the values that become columns.
    ///
    /// # Errors
    /// Those of the same method there.
    pub fn crosstab(&self, row: &str, column: &str) -> Result<DataFrame> {
        let (data, row, column) = (self.0.clone(), row.to_owned(), column.to_owned());
        wait(async move { data.crosstab(&row, &column).await }).map(DataFrame)
    }

    /// As [`crate::DataFrame::stream`]: the batches as they come, each waited for.
    ///
    /// ```
    /// # fn main() -> vonk::Result<()> {
    /// let mut rows = 0;
    /// for batch in vonk::blocking::Session::new().range(0, 20_000).stream()? {
    ///     rows += batch?.num_rows();
    /// }
    /// assert_eq!(rows, 20_000);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of planning; later ones come in place of a batch.
    pub fn stream(&self) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<>> {
        let data = self.0.clone();
        let mut rest = Some(wait(async move { data.stream().await })?);
        Ok(std::iter::from_fn(move || {
            let mut batches = rest.take()?;
            let next = wait(async move {
                let batch = batches.next().await;
                Ok(batch.map(|batch| (batch, batches)))
            });
            match next {
                Ok(next) => next.map(|(batch, batches)| {
                    rest = Some(batches);
                    batch
                }),
                Err(error) => Some(Err(error)),
            }
        }))
    }

    /// As [`crate::DataFrame::unpersist`].
    pub fn unpersist(&self) -> &Self {
        self.0.unpersist();
        self
    }
}

/// A [`crate::GroupedData`] whose aggregates are queries of this module.
#[derive(Debug, Clone)]
pub struct GroupedData(dataframe::GroupedData);

/// Aggregates of columns, passed on.
macro_rules! aggregates {
    ($($name:ident)*) => {
        $(#[doc = concat!("As [`crate::GroupedData::", stringify!($name), "`].")]
        pub fn $name<C: Into<Column>>(self, values: impl IntoIterator<Item = C>) -> DataFrame {
            DataFrame(self.0.$name(values))
        })*
    };
}

impl GroupedData {
    aggregates! { agg sum avg mean min max }

    /// As [`crate::GroupedData::count`].
    pub fn count(self) -> DataFrame {
        DataFrame(self.0.count())
    }

    /// As [`crate::GroupedData::pivot`].
    #[must_use]
    pub fn pivot<V: Operand>(
        self,
        column: impl Into<Column>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self(self.0.pivot(column, values))
    }
}

/// [`crate::dataframe::NaFunctions`] that give queries of this module.
#[derive(Debug, Clone)]
pub struct NaFunctions(dataframe::NaFunctions);

impl NaFunctions {
    /// As [`crate::dataframe::NaFunctions::subset`].
    #[must_use]
    pub fn subset<C: Into<Column>>(self, names: impl IntoIterator<Item = C>) -> Self {
        Self(self.0.subset(names))
    }

    /// As [`crate::dataframe::NaFunctions::fill`].
    pub fn fill(self, value: impl Operand) -> DataFrame {
        DataFrame(self.0.fill(value))
    }

    /// As [`crate::dataframe::NaFunctions::drop`].
    pub fn drop(self, how: &str) -> DataFrame {
        DataFrame(self.0.drop(how))
    }

    /// As [`crate::dataframe::NaFunctions::drop_below`].
    pub fn drop_below(self, values: usize) -> DataFrame {
        DataFrame(self.0.drop_below(values))
    }

    /// As [`crate::dataframe::NaFunctions::replace`].
    pub fn replace<A: Operand, B: Operand>(
        self,
        values: impl IntoIterator<Item = (A, B)>,
    ) -> DataFrame {
        DataFrame(self.0.replace(values))
    }
}

/// Runs a future on the threads of this module and waits for it.
///
/// ```
/// # fn main() -> vonk::Result<()> {
/// let two = vonk::blocking::wait(async { Ok(1 + 1) })?;
/// assert_eq!(two, 2);
/// # Ok(()) }
/// ```
///
/// # Errors
/// The future's own, and an internal error if it panics.
pub fn wait<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime()?.spawn(async move {
        // The receiver waits for as long as this runs.
        drop(sender.send(future.await));
    });
    receiver.recv().unwrap_or_else(|_| Err(Error::internal("a query ended without a result")))
}

/// The threads that blocking queries run on, shared by all sessions of the process.
fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.thread_name("vonk-blocking").enable_all().build()
    });
    runtime.as_ref().map_err(|error| {
        Error::internal(format!("the threads for blocking queries cannot start: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_does_not_panic_inside_a_runtime() {
        assert_eq!(Session::new().range(0, 3).count().unwrap(), 3);
    }

    #[test]
    fn errors_come_as_from_the_async_api() {
        let error = Session::new().sql("SELECT nope").collect().unwrap_err();
        assert_eq!(error.condition(), crate::Condition::UNRESOLVED_COLUMN_WITHOUT_SUGGESTION);
    }
}
