//! Reads texts as files in tests of the formats.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::util::pretty::pretty_format_batches;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionContext;

use super::ReadSpec;
use crate::error::{Error, Result};
use crate::session::Session;

/// Files that are read as one table.
pub(super) struct Files {
    format: &'static str,
    folder: tempfile::TempDir,
    options: Vec<(String, String)>,
    schema: Option<SchemaRef>,
    threads: usize,
}

impl Files {
    /// One file with this content.
    pub(super) fn of(format: &'static str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Self { format, folder, options: Vec::new(), schema: None, threads: 1 };
        files.and("a", content)
    }

    /// Adds a file.
    pub(super) fn and(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(format!("{name}.{}", self.format));
        std::fs::File::create(path).unwrap().write_all(content.as_ref()).unwrap();
        self
    }

    /// Sets an option of the reader.
    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.options.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives the schema.
    pub(super) fn schema(mut self, schema: &SchemaRef) -> Self {
        self.schema = Some(SchemaRef::clone(schema));
        self
    }

    /// Reads with so many threads.
    pub(super) fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The rows of `query` over table `t`, as a box.
    pub(super) async fn query(&self, query: &str) -> Result<String> {
        let threads = format!("local[{}]", self.threads);
        let session = Session::builder().master(threads).get_or_create()?;
        let folder = self.folder.path().display().to_string();
        let mut spec = ReadSpec::new([folder.as_str()]).with_format(self.format);
        self.options.iter().for_each(|(name, value)| spec.options.set(name, value.as_str()));
        spec.schema = self.schema.clone();
        let state = session.state();
        let table = super::open(&state, &spec).await?;
        let functions = SessionStateBuilder::new_from_existing(state.as_ref().clone());
        let context = SessionContext::new_with_state(functions.with_default_features().build());
        context.register_table("t", table)?;
        let batches = context.sql(query).await?.collect().await?;
        Ok(pretty_format_batches(&batches).map_err(Error::from)?.to_string())
    }

    /// The rows, without the borders of the box: a line each, columns separated by `|`.
    pub(super) async fn rows(&self, query: &str) -> Result<Vec<String>> {
        let table = self.query(query).await?;
        let lines = table.lines().filter(|line| line.starts_with('|')).skip(1);
        let cells = |line: &str| {
            let inner = line.trim_matches('|');
            inner.split('|').map(str::trim).collect::<Vec<_>>().join("|")
        };
        Ok(lines.map(cells).collect())
    }

    /// Names and types of the columns.
    pub(super) async fn columns(&self) -> Result<Vec<String>> {
        let rows = self.rows("DESCRIBE t").await?;
        Ok(rows
            .iter()
            .map(|row| row.rsplit_once('|').map_or(row.as_str(), |(r, _)| r).to_owned())
            .collect())
    }

    /// The error of reading all rows.
    pub(super) async fn error(&self) -> Error {
        let folder = self.folder.path().display().to_string();
        let error = self.query("SELECT * FROM t").await.unwrap_err();
        assert!(error.file_path().is_some_and(|file| file.starts_with(folder)), "{error}");
        error
    }
}
