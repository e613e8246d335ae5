//! `collations()`: how texts may compare.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result;

/// What Spark tells of a collation, and what it tells of the one that there is here.
const BINARY: [(&str, Option<&str>); 9] = [
    ("CATALOG", Some("SYSTEM")),
    ("SCHEMA", Some("BUILTIN")),
    ("NAME", Some(crate::collation::BINARY)),
    ("LANGUAGE", None),
    ("COUNTRY", None),
    ("ACCENT_SENSITIVITY", Some("ACCENT_SENSITIVE")),
    ("CASE_SENSITIVITY", Some("CASE_SENSITIVE")),
    ("PAD_ATTRIBUTE", Some("NO_PAD")),
    ("ICU_VERSION", None),
];

/// The one row.
pub(super) fn rows() -> Result<RecordBatch> {
    let fields = BINARY.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true));
    let columns =
        BINARY.iter().map(|(_, value)| Arc::new(StringArray::from(vec![*value])) as ArrayRef);
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    Ok(RecordBatch::try_new(schema, columns.collect())?)
}
