//! Where rows come from: files by path, in the formats of [`FORMATS`], listed anew by every query.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;

use crate::error::{Error, Result};

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

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }
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

/// Finds the files, their format and their schema, and gives a table over them.
pub(crate) async fn open(_state: &SessionState, spec: &ReadSpec) -> Result<Arc<dyn TableProvider>> {
    Err(Error::unsupported(format!("reading {:?}", spec.paths)))
}
