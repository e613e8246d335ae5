//! Actions that give rows: Arrow batches, streams, and Rust types through serde.

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;

use super::DataFrame;
use super::value::typed;
use crate::error::{Error, Result};

impl DataFrame {
    /// Runs the query and gives its rows as a Rust type: a struct with the columns' names, or a tuple.
    ///
    /// A column that may be NULL is an `Option` in the type.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// #[derive(serde::Deserialize, PartialEq, Debug)]
    /// struct Person { name: String, age: Option<i64> }
    ///
    /// let people = Session::new().sql("SELECT * FROM VALUES ('Ada', 36), ('Bob', NULL) AS t(name, age)");
    /// let rows: Vec<Person> = people.rows().await?;
    /// assert_eq!(rows[0], Person { name: "Ada".to_owned(), age: Some(36) });
    /// assert_eq!(rows[1].age, None);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`], and `CAST_INVALID_INPUT` if a value does not fit the type.
    pub async fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let mut stream = self.execute_held().await?;
        let mut rows = Vec::new();
        while let Some(batch) = stream.next().await {
            rows.append(&mut typed(&batch?)?);
        }
        Ok(rows)
    }

    /// Runs the query and gives its batches as they come.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// use futures::TryStreamExt;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let mut batches = Session::new().range(0, 10).stream().await?;
    /// let mut rows = 0;
    /// while let Some(batch) = batches.try_next().await? {
    ///     rows += batch.num_rows();
    /// }
    /// assert_eq!(rows, 10);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of planning; errors of the data come through the stream.
    pub async fn stream(&self) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        Ok(self.execute().await?.stream.map_err(Error::from).boxed())
    }

    /// Runs the query and gives all its rows as one Arrow batch.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn to_arrow(&self) -> Result<RecordBatch> {
        let stream = self.execute_held().await?;
        let schema = stream.schema();
        let batches: Vec<RecordBatch> = stream.try_collect().await?;
        Ok(concat_batches(&schema, &batches)?)
    }

    /// The first row as a Rust type; `None` if there is no row.
    ///
    /// # Errors
    /// Those of [`DataFrame::rows`].
    pub async fn first<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        Ok(self.limit(1).rows().await?.into_iter().next())
    }

    /// The first rows as one Arrow batch.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn head(&self, rows: usize) -> Result<RecordBatch> {
        self.limit(rows).to_arrow().await
    }

    /// The first rows as a Rust type.
    ///
    /// # Errors
    /// Those of [`DataFrame::rows`].
    pub async fn take<T: DeserializeOwned>(&self, rows: usize) -> Result<Vec<T>> {
        self.limit(rows).rows().await
    }

    /// The last rows as one Arrow batch; all rows are computed, only these are kept.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn tail(&self, rows: usize) -> Result<RecordBatch> {
        let mut stream = self.execute().await?.stream;
        let schema = stream.schema();
        let mut kept = std::collections::VecDeque::new();
        let mut count = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            count += batch.num_rows();
            kept.push_back(batch);
            while let Some(oldest) = kept.front()
                && count - oldest.num_rows() >= rows
            {
                count -= oldest.num_rows();
                kept.pop_front();
            }
        }
        let last = concat_batches(&schema, kept.iter())?;
        let start = last.num_rows().saturating_sub(rows);
        Ok(last.slice(start, last.num_rows() - start))
    }

    /// Whether the query has no row.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.limit(1).count().await? == 0)
    }
}
