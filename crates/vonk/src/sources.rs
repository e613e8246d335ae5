//! Where rows come from: files by path, in the formats of [`formats::FORMATS`], listed anew by every query.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::error::{Condition, Error, Result};

mod avro;
mod binary;
pub(crate) mod compression;
mod csv;
mod decoding;
mod diagnosis;
mod failure;
mod formats;
mod guard;
mod input;
mod ipc;
mod json;
mod late_columns;
pub(crate) mod ledger;
mod lines;
mod listed;
mod literal;
mod malformed;
mod option_values;
mod orc;
mod partitions;
mod paths;
mod samples;
mod snappy;
mod split;
pub(crate) mod store;
mod table;
#[cfg(test)]
mod testing;
mod text;
mod times;
mod tolerance;
pub(crate) mod travel;
mod whole;
mod zlib;

pub use compression::uncompressed;
pub(crate) use option_values::is_of_stores;

/// What to read: paths, and optionally format, options and schema.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadSpec {
    /// Files, directories and globs.
    pub(crate) paths: Vec<String>,
    /// The name of the format; found from the files' endings and contents if `None`.
    pub(crate) format: Option<String>,
    /// Spark's reader options; names are compared without regard to case.
    pub(crate) options: ReadOptions,
    /// The columns and types; found from the files if `None`.
    pub(crate) schema: Option<SchemaRef>,
}

/// Reader options by lower-case name.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadOptions(BTreeMap<String, String>);

impl ReadOptions {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_lowercase(), value.into());
    }

    /// Sets those that there are.
    pub(crate) fn extend<'a>(&mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) {
        options.into_iter().for_each(|(name, value)| self.set(name, value));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    /// The option as `true` or `false`; `false` when it is not set.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for any other text.
    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name).map(str::to_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(bad_option(name, other, "`true` or `false`")),
        }
    }

    /// The options by name, lower case.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// An error for a reader option whose value does not fit.
pub(crate) fn bad_option(name: &str, value: &str, expected: &str) -> Error {
    Error::new(Condition::INVALID_PARAMETER, format!("option `{name}` cannot be `{value}`"))
        .hint(format!("give {expected}"))
}

impl ReadSpec {
    pub(crate) fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        Self { paths: paths.into_iter().map(str::to_owned).collect(), ..Self::default() }
    }

    pub(crate) fn with_format(mut self, format: &str) -> Self {
        self.format = Some(format.to_owned());
        self
    }
}

/// Whether the name of a table can only be a path: it has a slash, a glob or a known ending.
pub(crate) fn looks_like_path(name: &str) -> bool {
    name.contains(['/', '*', '?']) || name.contains('.')
}

/// Whether a word before a path names a format, as in `` csv.`path` ``.
pub(crate) fn is_format(name: &str) -> bool {
    ["parquet", "csv", "json", "text", "avro", "arrow", "binaryfile", "orc"]
        .contains(&name.to_lowercase().as_str())
}

/// Lists the files at the paths of `spec`, as the user would write them, with their sizes in bytes.
///
/// # Errors
/// `PATH_NOT_FOUND` if there is nothing to read.
pub(crate) async fn list(state: &SessionState, spec: &ReadSpec) -> Result<Vec<(String, u64)>> {
    let root = paths::Root::find(state, spec)?;
    let found = root.list().await?.into_iter();
    Ok(found.map(|file| (root.display(&file.meta.location), file.meta.size)).collect())
}

/// The store that an address other than of the local disk leads to, and the path in it.
///
/// # Errors
/// Those of connecting, and for a path that the store cannot have.
pub(crate) fn locate(
    state: &SessionState,
    text: &str,
    options: &ReadOptions,
) -> Result<(ObjectStoreUrl, Arc<dyn ObjectStore>, Path)> {
    paths::locate(state, text, options)
}

/// Whether a path names another store than the local disk.
pub(crate) fn is_remote(path: &str) -> bool {
    paths::is_remote(path)
}

/// Finds the files, their format and their schema, and gives a table over them.
///
/// # Errors
/// `PATH_NOT_FOUND` if there is nothing to read, `DATA_SOURCE_NOT_FOUND` for an unknown format,
/// `UNABLE_TO_INFER_SCHEMA` if the files do not tell it, and whatever reading them gives.
pub(crate) async fn open(state: &SessionState, spec: &ReadSpec) -> Result<Arc<dyn TableProvider>> {
    let root = paths::Root::find(state, spec)?;
    let files = match (root.list().await, &spec.schema) {
        // Nothing has to be found out of files: there are no rows.
        (Err(_), Some(schema)) if spec.format.is_some() && root.is_of_empty_directories() => {
            return Ok(Arc::new(EmptyTable::new(Arc::clone(schema))));
        }
        (files, _) => files?,
    };
    if files.is_empty() {
        let message = "no file is left by the options `pathGlobFilter` and `modified…`";
        return Err(
            Error::new(Condition::UNABLE_TO_INFER_SCHEMA, message).hint("check their values")
        );
    }
    let format = match &spec.format {
        Some(name) => formats::by_name(name)?,
        None => formats::detect(&root, &files).await?,
    };
    let table = table::FileTable::open(state, spec, root, files, format).await?;
    Ok(Arc::new(table))
}

/// What the files of a table tell that has to be kept with it, as files that come later may tell otherwise.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The columns that directories name.
    pub(crate) partition_columns: Vec<String>,
    /// Options that say how the files are written, where their reader would have to guess.
    pub(crate) options: Vec<(&'static str, String)>,
}

/// Looks at the files of a table that is made over them; there may be none yet.
///
/// # Errors
/// For options and paths that cannot be, and those of reading the first file.
pub(crate) async fn told(state: &SessionState, spec: &ReadSpec) -> Result<Told> {
    let root = paths::Root::find(state, spec)?;
    let files = root.list().await.unwrap_or_default();
    let columns = partitions::columns(&files, spec.schema.as_deref(), None)?;
    let is_csv = spec.format.as_deref().is_some_and(|format| format.eq_ignore_ascii_case("csv"));
    let options = match is_csv {
        true => csv::told(spec, &root.store, &files).await?,
        false => Vec::new(),
    };
    let partition_columns = columns.iter().map(|column| column.name().clone()).collect();
    Ok(Told { partition_columns, options })
}

/// Whether a table tells how many rows it has, without work of its own.
pub(crate) fn tells_rows(table: &dyn TableProvider) -> bool {
    match table.downcast_ref::<table::FileTable>() {
        Some(files) => files.tells_rows(),
        None => table.downcast_ref::<MemTable>().is_some(),
    }
}

#[cfg(test)]
mod tests;
