//! Rows without a Rust type of their own: values by position or name, and text as PySpark writes it.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::DataFrame;
use super::value::{typed_row, typed_value};
use crate::display::type_name;
use crate::error::{Condition, Error, Result};

mod text;

/// One row of a result, whose values are got by position or by name.
///
/// It points into an Arrow batch, so cloning is cheap, and a row that is kept keeps its batch.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let people = Session::new().sql("SELECT 'Ada' AS name, 36 AS age, NULL AS email");
/// let row = people.collect_rows().await?.remove(0);
/// assert_eq!(row.get::<String>("name")?, "Ada");
/// assert_eq!(row.get::<i64>(1)?, 36);
/// assert_eq!(row.get::<Option<String>>("email")?, None);
/// assert_eq!(row.to_string(), "Row(name='Ada', age=36, email=None)");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Row {
    batch: Arc<RecordBatch>,
    index: usize,
}

/// Which value of a [`Row`]: a position from 0, or a column's name.
pub trait RowIndex {
    /// The position in a row of this schema.
    ///
    /// # Errors
    /// `UNRESOLVED_COLUMN` if there is no such value.
    fn position(&self, schema: &SchemaRef) -> Result<usize>;
}

impl RowIndex for usize {
    fn position(&self, schema: &SchemaRef) -> Result<usize> {
        let columns = schema.fields().len();
        if *self < columns {
            return Ok(*self);
        }
        Err(Error::new(
            Condition::UNRESOLVED_COLUMN,
            format!("a row of {columns} values has none at position {self}"),
        )
        .hint("positions count from 0"))
    }
}

impl RowIndex for &str {
    fn position(&self, schema: &SchemaRef) -> Result<usize> {
        schema.fields().iter().position(|field| field.name() == self).ok_or_else(|| {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            Error::new(Condition::UNRESOLVED_COLUMN, format!("the row has no column `{self}`"))
                .did_you_mean(self, names)
        })
    }
}

impl Row {
    /// A batch of rows that may come from several batches; columns are found by name.
    pub(crate) fn to_batch(rows: &[Self], schema: &SchemaRef) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let name = field.name().as_str();
            let mut sources: Vec<ArrayRef> = Vec::new();
            let mut places = Vec::with_capacity(rows.len());
            for row in rows {
                let column = row.batch.column(name.position(row.batch.schema_ref())?);
                // Neighbours are mostly of one batch.
                if sources.last().is_none_or(|last| !Arc::ptr_eq(last, column)) {
                    sources.push(Arc::clone(column));
                }
                places.push((sources.len() - 1, row.index));
            }
            if let Some(other) =
                sources.iter().find(|source| source.data_type() != field.data_type())
            {
                let (given, wanted) = (type_name(other.data_type()), type_name(field.data_type()));
                let message = format!("a row's `{name}` is of type {given}, not {wanted}");
                return Err(Error::new(Condition::CAST_INVALID_INPUT, message));
            }
            let sources: Vec<&dyn Array> = sources.iter().map(AsRef::as_ref).collect();
            columns.push(interleave(&sources, &places)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }

    /// All rows of a batch.
    pub(crate) fn all(batch: RecordBatch) -> impl Iterator<Item = Self> {
        let batch = Arc::new(batch);
        (0..batch.num_rows()).map(move |index| Self { batch: Arc::clone(&batch), index })
    }

    /// A value as a Rust type; one that may be NULL as an `Option`.
    ///
    /// # Errors
    /// `UNRESOLVED_COLUMN` if there is no such value, `CAST_INVALID_INPUT` if it does not fit.
    pub fn get<T: DeserializeOwned>(&self, which: impl RowIndex) -> Result<T> {
        let at = which.position(self.batch.schema_ref())?;
        typed_value(self.batch.schema_ref().field(at).name(), self.batch.column(at), self.index)
    }

    /// Whether a value is NULL.
    ///
    /// # Errors
    /// `UNRESOLVED_COLUMN` if there is no such value.
    pub fn is_null(&self, which: impl RowIndex) -> Result<bool> {
        let column = self.batch.column(which.position(self.batch.schema_ref())?);
        Ok(column.is_null(self.index) || column.data_type().is_null())
    }

    /// The whole row as a Rust type: a struct with the columns' names, or a tuple.
    ///
    /// # Errors
    /// `CAST_INVALID_INPUT` if a value does not fit.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T> {
        typed_row(&self.batch, self.index)
    }

    /// The names and types of the values.
    pub fn schema(&self) -> SchemaRef {
        self.batch.schema()
    }

    /// How many values the row has.
    pub fn len(&self) -> usize {
        self.batch.num_columns()
    }

    /// Whether the row has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as columns of one row.
    fn columns(&self) -> impl Iterator<Item = ArrayRef> {
        self.batch.columns().iter().map(|column| column.slice(self.index, 1))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.batch.schema_ref();
        text::row(f, schema.fields(), self.batch.columns(), self.index)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Rows are equal when their values are, whatever the names.
impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.columns().eq(other.columns())
    }
}

/// An Arrow stream of one row, for shuffles and caches; programs get values by [`Row::to`].
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let write = || -> Result<Vec<u8>, arrow::error::ArrowError> {
            let mut writer = StreamWriter::try_new(Vec::new(), self.batch.schema_ref())?;
            writer.write(&self.batch.slice(self.index, 1))?;
            writer.into_inner()
        };
        serializer.serialize_bytes(&write().map_err(serde::ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        let mut batches =
            StreamReader::try_new(bytes.as_slice(), None).map_err(D::Error::custom)?;
        let batch = batches.next().ok_or_else(|| D::Error::custom("there is no row"))?;
        Ok(Self { batch: Arc::new(batch.map_err(D::Error::custom)?), index: 0 })
    }
}

impl DataFrame {
    /// Runs the query and gives its rows, for queries whose columns the program does not know.
    ///
    /// See [`Row`] for an example, and [`DataFrame::rows`] for rows of a Rust type.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn collect_rows(&self) -> Result<Vec<Row>> {
        let mut stream = self.execute_held().await?;
        let mut rows = Vec::new();
        while let Some(batch) = stream.next().await {
            rows.extend(Row::all(batch?));
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use crate::session::Session;

    async fn row(query: &str) -> super::Row {
        Session::new().sql(query).collect_rows().await.unwrap().remove(0)
    }

    #[tokio::test]
    async fn text_is_that_of_pyspark() {
        let cases = [
            ("1 AS a, 'x' AS b", "Row(a=1, b='x')"),
            ("true AS t, CAST(1.5 AS DOUBLE) AS d", "Row(t=True, d=1.5)"),
            ("CAST(2 AS DOUBLE) AS d, CAST('1e300' AS DOUBLE) AS e", "Row(d=2.0, e=1e+300)"),
            ("concat('it', chr(39), 's') AS s", "Row(s=\"it's\")"),
            ("CAST('1.50' AS DECIMAL(5,2)) AS n", "Row(n=Decimal('1.50'))"),
            ("DATE '2024-02-29' AS day", "Row(day=datetime.date(2024, 2, 29))"),
            ("array(1, 2) AS l", "Row(l=[1, 2])"),
            ("named_struct('a', 1, 'b', NULL) AS s", "Row(s=Row(a=1, b=None))"),
            ("map('k', 1) AS m", "Row(m={'k': 1})"),
        ];
        for (query, text) in cases {
            assert_eq!(row(&format!("SELECT {query}")).await.to_string(), text, "{query}");
        }
    }

    #[tokio::test]
    async fn rows_survive_a_spill() {
        let row = row("SELECT 1 AS a, 'x' AS b, array(1, 2) AS l").await;
        let bytes = postcard::to_extend(&row, Vec::new()).unwrap();
        let back: super::Row = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(back, row);
        assert_eq!(back.schema(), row.schema());
    }

    #[tokio::test]
    async fn what_does_not_fit_is_told_with_the_column() {
        let row = row("SELECT 300 AS n, NULL AS nothing").await;
        let text = |error: crate::Error| error.to_string();
        assert!(text(row.get::<u8>("n").unwrap_err()).contains("column `n`"));
        assert!(text(row.get::<i32>("nothing").unwrap_err()).contains("NULL"));
        assert!(text(row.get::<i32>("nothin").unwrap_err()).contains("did you mean `nothing`"));
        assert!(text(row.get::<i32>(2).unwrap_err()).contains("position 2"));
        assert!(text(row.to::<(i32, i32)>().unwrap_err()).contains("column `nothing`"));
    }
}
