//! How the CSV files of a table are written and which columns they have, from their beginnings.

use arrow::datatypes::{Field, Schema};
use datafusion::common::Result as DataFusionResult;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::super::samples::Head;
use super::infer::{Kind, Kinds, Sample, column_names};
use super::options::CsvOptions;
use super::records::{Dialect, Scanner};
use super::sniff;
use crate::error::{Condition, Error, Result};

/// How the files of a table are written.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(super) dialect: Dialect,
    pub(super) header: bool,
    /// Whether the schema was found from the files, so that their columns are known by name.
    pub(super) is_inferred: bool,
}

/// The first records of a file.
fn sample<'a>(head: &'a Head, scanner: &'a Scanner, options: &'a CsvOptions) -> Sample<'a> {
    Sample { bytes: &head.bytes, is_whole: head.is_whole, scanner, values: &options.values }
}

/// How the files are written, by the first of them that is not empty.
pub(super) fn find(options: &CsvOptions, heads: &[Head], schema: Option<&Schema>) -> Layout {
    let is_inferred = schema.is_none();
    let Some(head) = heads.iter().find(|head| !head.bytes.is_empty()) else {
        return Layout { dialect: options.dialect(), header: false, is_inferred };
    };
    let dialect = sniff::find_dialect(&head.bytes, head.is_whole, options);
    let scanner = Scanner::new(dialect, options.limits.columns);
    let header = match options.header {
        Some(header) => header,
        None => sniff::has_header(&sample(head, &scanner, options), schema),
    };
    Layout { dialect, header, is_inferred }
}

/// The union of the columns of all files, in the order in which they first appear.
pub(super) async fn schema(
    options: &CsvOptions,
    heads: &[Head],
    layout: Layout,
    zone: &str,
) -> DataFusionResult<Schema> {
    let scanner = Scanner::new(layout.dialect, options.limits.columns);
    let mut columns: Vec<(String, Kind)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for head in heads {
        let sample = sample(head, &scanner, options);
        let Some(names) = file_columns(&sample, layout.header, &head.input.name)? else { continue };
        let kinds = kinds(options, head, &scanner, layout.header).await?;
        for (index, name) in names.into_iter().enumerate() {
            let kind = kinds.get(index).copied().unwrap_or(Kind::Null);
            let place = *places.entry(name.to_lowercase()).or_insert_with(|| {
                columns.push((name, Kind::Null));
                columns.len() - 1
            });
            let (_, merged) = &mut columns[place];
            *merged = merged.merge(kind);
        }
    }
    let fields = columns.iter().map(|(name, kind)| Field::new(name, kind.data_type(zone), true));
    Ok(Schema::new(fields.collect::<Vec<Field>>()))
}

async fn kinds(
    options: &CsvOptions,
    head: &Head,
    scanner: &Scanner,
    header: bool,
) -> DataFusionResult<Vec<Kind>> {
    let mut found = Kinds { kinds: Vec::new(), skip: usize::from(header), rows_max: head.rows_max };
    if options.infer_schema {
        let values = &options.values;
        head.for_each_stretch(|bytes, is_whole| {
            Ok(found.add(&Sample { bytes, is_whole, scanner, values }))
        })
        .await?;
    }
    Ok(found.kinds)
}

/// The names of a file's columns; `None` if there is no record.
///
/// # Errors
/// If the first record does not end within the sample.
pub(super) fn file_columns(
    sample: &Sample<'_>,
    header: bool,
    file: &str,
) -> Result<Option<Vec<String>>> {
    let mut first = None;
    sample.for_each(|texts| {
        first = Some(texts.to_vec());
        false
    });
    match first {
        None if sample.is_whole => Ok(None),
        None => Err(Error::new(
            Condition::MALFORMED_RECORD,
            format!("line 1: the first record does not end within {} bytes", sample.bytes.len()),
        )
        .hint("check options `quote` and `lineSep`, or set `maxColumns`: a quote may be open")
        .file(file)),
        Some(texts) if header => Ok(Some(column_names(&texts))),
        Some(texts) => Ok(Some((0..texts.len()).map(|index| format!("_c{index}")).collect())),
    }
}
