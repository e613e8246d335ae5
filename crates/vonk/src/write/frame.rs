//! `DataFrame::write`: formats, options and modes under PySpark's names.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::execution::SessionState;

use super::options::format_of_path;
use super::{Existing, Format, Layout, Place, WriteOptions, WriteReport, WriteSpec};
use crate::dataframe::DataFrame;
use crate::error::{Condition, Error, Result};
use crate::limits::Deadline;
use crate::policy::Access;
use crate::session::Session;
use crate::sources::{self, ReadSpec};

/// What becomes of a target that is there already.
///
/// ```
/// use vonk::SaveMode;
/// assert_eq!("overwrite".parse::<SaveMode>()?, SaveMode::Overwrite);
/// # Ok::<(), vonk::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SaveMode {
    /// It is an error. The default.
    #[default]
    ErrorIfExists,
    /// The rows come to it.
    Append,
    /// It is replaced at once: a reader sees the old rows or the new ones.
    Overwrite,
    /// Nothing is written.
    Ignore,
}

impl FromStr for SaveMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_lowercase().as_str() {
            "error" | "errorifexists" | "default" => Ok(Self::ErrorIfExists),
            "append" => Ok(Self::Append),
            "overwrite" => Ok(Self::Overwrite),
            "ignore" => Ok(Self::Ignore),
            _ => Err(Error::new(
                Condition::INVALID_PARAMETER,
                format!("save mode `{text}` is not known"),
            )
            .hint("use `error`, `append`, `overwrite` or `ignore`")),
        }
    }
}

impl TryFrom<&str> for SaveMode {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        text.parse()
    }
}

/// Collects how and where to write a query; made by [`DataFrame::write`].
///
/// A path that ends as the format's files do (`out.parquet`, `out.csv.gz`) becomes one file, any
/// other a directory with one file per partition of the query, as in Spark. Nothing of a write is
/// seen before all of it is there.
#[derive(Clone)]
pub struct DataFrameWriter {
    pub(crate) query: DataFrame,
    pub(crate) format: Option<String>,
    pub(crate) mode: Result<SaveMode, String>,
    pub(crate) options: WriteOptions,
    pub(crate) partition_by: Vec<String>,
}

impl fmt::Debug for DataFrameWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataFrameWriter")
            .field("format", &self.format)
            .field("mode", &self.mode)
            .field("options", &self.options)
            .field("partition_by", &self.partition_by)
            .finish_non_exhaustive()
    }
}

impl DataFrame {
    /// Writes the query to files or a table.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// # let directory = tempfile::tempdir()?;
    /// let path = directory.path().join("numbers.csv");
    /// let numbers = Session::new().sql("SELECT * FROM VALUES (1), (2) AS t(n)");
    /// let report = numbers.write().mode("overwrite").csv(path.to_str().unwrap()).await?;
    /// assert_eq!(report.rows, 2);
    /// assert_eq!(std::fs::read_to_string(path)?, "n\n1\n2\n");
    /// # Ok(()) }
    /// ```
    pub fn write(&self) -> DataFrameWriter {
        DataFrameWriter {
            query: self.clone(),
            format: None,
            mode: Ok(SaveMode::default()),
            options: WriteOptions::default(),
            partition_by: Vec::new(),
        }
    }
}

impl DataFrameWriter {
    /// Sets the format: `parquet` (the default), `csv`, `json`, `text`, `arrow`, `avro` or `orc`.
    #[must_use]
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.format = Some(format.into());
        self
    }

    /// Sets what becomes of a target that is there: a [`SaveMode`] or its name.
    #[must_use]
    pub fn mode(mut self, mode: impl TryInto<SaveMode, Error: fmt::Display>) -> Self {
        self.mode = mode.try_into().map_err(|error| error.to_string());
        self
    }

    /// Sets one of Spark's writer options, such as `compression`, `header` or `sep`.
    #[must_use]
    pub fn option(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.options.set(name, value.to_string());
        self
    }

    /// Sets several options.
    #[must_use]
    pub fn options<N: AsRef<str>, V: fmt::Display>(
        mut self,
        options: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        for (name, value) in options {
            self.options.set(name.as_ref(), value.to_string());
        }
        self
    }

    /// Makes a directory per value of these columns, in Hive's layout; files do not hold them.
    #[must_use]
    pub fn partition_by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.partition_by = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Writes Parquet.
    ///
    /// # Errors
    /// Those of [`DataFrameWriter::save`].
    pub async fn parquet(self, path: &str) -> Result<WriteReport> {
        self.format("parquet").save(path).await
    }

    /// Writes CSV; one file has a header unless told, files in a directory have none, as in Spark.
    ///
    /// # Errors
    /// Those of [`DataFrameWriter::save`].
    pub async fn csv(self, path: &str) -> Result<WriteReport> {
        self.format("csv").save(path).await
    }

    /// Writes JSON, one object per line.
    ///
    /// # Errors
    /// Those of [`DataFrameWriter::save`].
    pub async fn json(self, path: &str) -> Result<WriteReport> {
        self.format("json").save(path).await
    }

    /// Writes the only column, a string, as lines of text.
    ///
    /// # Errors
    /// Those of [`DataFrameWriter::save`].
    pub async fn text(self, path: &str) -> Result<WriteReport> {
        self.format("text").save(path).await
    }

    /// Writes to a path in the format that was set, or that the path's ending tells, or Parquet.
    ///
    /// # Errors
    /// Those of the query; `PATH_ALREADY_EXISTS` for a target that is there, unless the mode says
    /// otherwise; `FAILED_WRITE.DISK_FULL` and `TASK_WRITE_FAILED` naming the target. After an error
    /// the target is as it was.
    pub async fn save(self, path: &str) -> Result<WriteReport> {
        let session = self.query.session().clone();
        timed(&session, None, self.save_now(path)).await
    }

    async fn save_now(self, path: &str) -> Result<WriteReport> {
        let mode = self.save_mode()?;
        let format = self.format.as_deref().or_else(|| format_of_path(path)).unwrap_or("parquet");
        let state = self.query.session().state();
        let target = Place::find(&state, Access::Write, path, &self.options).await?;
        let query = self.query.logical_plan().await?;
        let how = (format, &self.options, self.partition_by.clone());
        let spec = path_spec(&state, &target, how, mode, query.schema().inner()).await?;
        let Some(spec) = spec else { return Ok(WriteReport::default()) };
        super::write_plan(&self.query.session().state(), query, spec).await
    }

    /// Writes to a table of the catalog: a new one, or as the mode says.
    ///
    /// Appended rows go to the columns by name.
    ///
    /// # Errors
    /// Those of the query; `TABLE_OR_VIEW_ALREADY_EXISTS` unless the mode says otherwise.
    pub async fn save_as_table(self, name: &str) -> Result<WriteReport> {
        let session = self.query.session().clone();
        timed(&session, Some(name), self.save_as_table_now(name)).await
    }

    async fn save_as_table_now(self, name: &str) -> Result<WriteReport> {
        let session = self.query.session();
        let catalog = session.catalog()?;
        let spec = super::SaveTableSpec {
            table: crate::catalog::TableName::parse(name)?,
            format: self.format.clone(),
            options: self.options.clone(),
            partition_by: self.partition_by.clone(),
            mode: self.save_mode()?,
        };
        let query = self.query.logical_plan().await?;
        super::save_as_table(&catalog, &session.state(), spec, query).await
    }

    /// Adds the rows to a table of the catalog, by position; mode `overwrite` replaces its rows.
    ///
    /// # Errors
    /// Those of the query; `TABLE_OR_VIEW_NOT_FOUND`; if columns do not fit in number or type.
    pub async fn insert_into(self, name: &str) -> Result<WriteReport> {
        let session = self.query.session().clone();
        timed(&session, Some(name), self.insert_into_now(name)).await
    }

    async fn insert_into_now(self, name: &str) -> Result<WriteReport> {
        let session = self.query.session();
        let mut spec = super::InsertSpec::new(crate::catalog::TableName::parse(name)?);
        spec.overwrite = self.save_mode()? == SaveMode::Overwrite;
        spec.options = self.options.clone();
        let query = self.query.logical_plan().await?;
        super::insert_into(&session.catalog()?, &session.state(), &spec, query).await
    }

    fn save_mode(&self) -> Result<SaveMode> {
        self.mode.clone().map_err(|message| Error::new(Condition::INVALID_PARAMETER, message))
    }
}

/// A write within the time that the session gives it, after which kept rows are those of before.
async fn timed(
    session: &Session,
    table: Option<&str>,
    write: impl Future<Output = Result<WriteReport>>,
) -> Result<WriteReport> {
    let written = Deadline::start(&session.config())?.within(write).await;
    // Also after a failure, as for statements.
    session.forget_rows(table);
    written
}

/// A write of these columns to a path, or `None` if something is there and the mode is to ignore that.
pub(crate) async fn path_spec(
    state: &SessionState,
    target: &Place,
    (format, options, partition_by): (&str, &WriteOptions, Vec<String>),
    mode: SaveMode,
    columns: &SchemaRef,
) -> Result<Option<WriteSpec>> {
    let rows_per_file_max = options.count("maxRecordsPerFile")?;
    let needs_directory = !partition_by.is_empty() || rows_per_file_max.is_some();
    let layout = target.layout(format, needs_directory);
    if target.exists() {
        match mode {
            SaveMode::Ignore => return Ok(None),
            SaveMode::ErrorIfExists => {
                return Err(super::staging::already_exists(target.name().as_ref()));
            }
            SaveMode::Append if target.is_file() => return Err(append_to_file(target)),
            SaveMode::Append | SaveMode::Overwrite => target.check_replaceable()?,
        }
    }
    let adapted;
    let options = match mode {
        SaveMode::Append if target.exists() && format.eq_ignore_ascii_case("csv") => {
            adapted = like_those_there(state, target, options, columns).await;
            &adapted
        }
        _ => options,
    };
    let existing = match mode {
        SaveMode::ErrorIfExists | SaveMode::Ignore => Existing::Refuse,
        SaveMode::Append => Existing::Append,
        SaveMode::Overwrite if !partition_by.is_empty() && options.is_dynamic(state)? => {
            Existing::ReplacePartitions
        }
        SaveMode::Overwrite => Existing::Replace,
    };
    let marker = match layout {
        Layout::Directory => super::success_marker(state, options)?,
        Layout::File => None,
    };
    Ok(Some(WriteSpec {
        target: target.clone(),
        layout,
        existing,
        format: Format::new(format, options, &target.name(), layout)?,
        partition_by,
        rows_per_file_max,
        companions: marker.into_iter().collect(),
        schema: None,
        guard: None,
    }))
}

/// The options of CSV files that come to others: as those are written, unless they say otherwise. A header in
/// some of the files only would be a row, or a row a header.
async fn like_those_there(
    state: &SessionState,
    target: &Place,
    options: &WriteOptions,
    columns: &SchemaRef,
) -> WriteOptions {
    let mut adapted = options.clone();
    let mut spec = ReadSpec::new([target.name().as_str()]).with_format("csv");
    // With them only what cannot be a row is taken for a header.
    spec.schema = Some(Arc::clone(columns));
    spec.options.extend(options.separator().map(|value| ("sep", value)));
    for name in ["header", "quote", "escape"] {
        spec.options.extend(options.get(name).map(|value| (name, value)));
    }
    // What cannot be read tells nothing.
    let told = sources::told(state, &spec).await.unwrap_or_default();
    for (name, value) in told.options {
        adapted.set(name, value);
    }
    adapted
}

fn append_to_file(target: &Place) -> Error {
    Error::unsupported("rows cannot be appended to a single file")
        .hint("write to a directory, which can be read like one file")
        .file(target.name())
}
