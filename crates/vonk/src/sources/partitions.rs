//! Hive's partitions: columns and values from the names of directories such as `day=2024-01-01/`.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;

use super::paths::Found;
use crate::error::{Condition, Error, Result};

/// Hive's name of the directory for NULL.
const NULL_NAME: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns that the directories of `files` name, with the narrowest type that fits all values.
///
/// A column of `schema`, which the user gave, keeps the type it has there. Without `zone`, that of
/// timestamps, the others are strings.
///
/// # Errors
/// `UNABLE_TO_INFER_SCHEMA` if the files do not all lie in directories of the same columns.
pub(super) fn columns(
    files: &[Found],
    schema: Option<&Schema>,
    zone: Option<&str>,
) -> Result<Vec<FieldRef>> {
    let Some(first) = files.first() else { return Ok(Vec::new()) };
    let names: Vec<String> = pairs(first).into_iter().map(|(name, _)| name).collect();
    let mut values: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
    for file in files {
        let pairs = pairs(file);
        if !pairs.iter().map(|(name, _)| name).eq(&names) {
            return Err(conflict(&first.meta.location, &file.meta.location));
        }
        for (column, (_, value)) in values.iter_mut().zip(pairs) {
            column.push(value);
        }
    }
    let fields = names.iter().zip(&values).map(|(name, values)| {
        let given = schema.and_then(|schema| find_field(schema, name));
        let data_type = match (given, zone) {
            (Some(field), _) => field.data_type().clone(),
            (None, Some(zone)) => common_type(values.iter().flatten(), zone),
            (None, None) => DataType::Utf8View,
        };
        Arc::new(Field::new(name, data_type, true))
    });
    Ok(fields.collect())
}

/// The value of each partition column for one file.
///
/// # Errors
/// `CAST_INVALID_INPUT` if a directory's value does not fit the column's type, which happens when
/// it was made after the table was opened.
pub(super) fn values(file: &Found, columns: &Fields) -> Result<Vec<ScalarValue>> {
    let pairs = pairs(file);
    let location = || format!("/{}", file.meta.location);
    let value = |column: &FieldRef| {
        let found = pairs.iter().find(|(name, _)| name == column.name());
        let Some((name, value)) = found else {
            let message =
                format!("no directory of the path gives partition column `{}`", column.name());
            return Err(Error::new(Condition::UNABLE_TO_INFER_SCHEMA, message).file(location()));
        };
        let data_type = column.data_type();
        let parsed = match value {
            None => ScalarValue::try_from(data_type),
            Some(text) => ScalarValue::try_from_string(text.clone(), data_type),
        };
        parsed.map_err(|error| {
            let text = value.as_deref().unwrap_or(NULL_NAME);
            let message = format!("directory `{name}={text}` does not fit the type {data_type}");
            Error::new(Condition::CAST_INVALID_INPUT, message).file(location()).caused_by(error)
        })
    };
    columns.iter().map(value).collect()
}

/// Whether a filter needs partition columns only, so that it is decided by the list of files.
pub(super) fn decides(filter: &Expr, columns: &Fields) -> bool {
    let references = filter.column_refs();
    !references.is_empty()
        && !filter.is_volatile()
        && !filter.contains_outer()
        && !has_subquery(filter)
        && references.iter().all(|column| columns.iter().any(|field| *field.name() == column.name))
}

fn has_subquery(filter: &Expr) -> bool {
    filter
        .exists(|expr| {
            Ok(matches!(
                expr,
                Expr::ScalarSubquery(_)
                    | Expr::InSubquery(_)
                    | Expr::Exists(_)
                    | Expr::SetComparison(_)
            ))
        })
        .unwrap_or(true)
}

/// The files whose partition values pass all `filters`.
pub(super) fn prune(
    state: &dyn Session,
    columns: &Fields,
    filters: &[Expr],
    files: Vec<PartitionedFile>,
) -> datafusion::common::Result<Vec<PartitionedFile>> {
    let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(files) };
    if files.is_empty() {
        return Ok(files);
    }
    let schema = Arc::new(Schema::new(columns.clone()));
    let arrays = (0..columns.len())
        .map(|index| {
            ScalarValue::iter_to_array(files.iter().map(|f| f.partition_values[index].clone()))
        })
        .collect::<datafusion::common::Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(files.len()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?;
    let schema = DFSchema::try_from(schema)?;
    let filter = state.create_physical_expr(unqualified(filter)?, &schema)?;
    let keep = filter.evaluate(&batch)?.into_array(files.len())?;
    let keep: &BooleanArray = keep.as_boolean();
    let passes = |index: usize| keep.is_valid(index) && keep.value(index);
    let kept = files.into_iter().enumerate().filter(|(index, _)| passes(*index));
    Ok(kept.map(|(_, file)| file).collect())
}

/// Filters of a scan name their columns with the table's name, which the batch does not have.
fn unqualified(filter: Expr) -> datafusion::common::Result<Expr> {
    let stripped = filter.transform(|expr| match expr {
        Expr::Column(mut column) if column.relation.is_some() => {
            column.relation = None;
            Ok(Transformed::yes(Expr::Column(column)))
        }
        other => Ok(Transformed::no(other)),
    });
    stripped.data()
}

/// The field of a name, without regard to case.
pub(super) fn find_field<'a>(schema: &'a Schema, name: &str) -> Option<&'a FieldRef> {
    schema.fields().iter().find(|field| field.name().eq_ignore_ascii_case(name))
}

/// Names and values of the directories between the base and the file.
fn pairs(file: &Found) -> Vec<(String, Option<String>)> {
    let Some(parts) = file.meta.location.prefix_match(&file.base) else { return Vec::new() };
    let parts: Vec<_> = parts.collect();
    let dirs = parts.split_last().map_or(&[][..], |(_, dirs)| dirs);
    dirs.iter()
        .filter_map(|dir| {
            let (name, value) = dir.as_ref().split_once('=')?;
            let value = (value != NULL_NAME && !value.is_empty()).then(|| percent_decode(value));
            (!name.is_empty()).then(|| (percent_decode(name), value))
        })
        .collect()
}

/// Spark's order of types: whole numbers, fractions, dates, timestamps, text.
fn common_type<'a>(values: impl Iterator<Item = &'a String> + Clone, zone: &str) -> DataType {
    let all = |fits: fn(&str) -> bool| {
        let mut values = values.clone().peekable();
        values.peek().is_some() && values.all(|value| fits(value))
    };
    if all(|value| value.parse::<i32>().is_ok()) {
        DataType::Int32
    } else if all(|value| value.parse::<i64>().is_ok()) {
        DataType::Int64
    } else if all(is_whole) {
        DataType::Decimal128(38, 0)
    } else if all(is_fraction) {
        DataType::Float64
    } else if all(is_date) {
        DataType::Date32
    } else if all(|value| is_date(value) || is_timestamp(value)) {
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()))
    } else {
        DataType::Utf8View
    }
}

/// Whether the text is a whole number of at most 38 digits.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    (1..=38).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text is a number with a fraction or an exponent; words such as `nan` are none.
fn is_fraction(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether the text is a day and a time of that day.
fn is_timestamp(text: &str) -> bool {
    let data_type = DataType::Timestamp(TimeUnit::Microsecond, None);
    text.get(..10).is_some_and(is_date)
        && text[10..].starts_with([' ', 'T'])
        && ScalarValue::try_from_string(text.to_owned(), &data_type).is_ok()
}

/// Whether the text is a day of the calendar, written `2024-01-31`.
fn is_date(text: &str) -> bool {
    let shape = |(index, c): (usize, char)| {
        if [4, 7].contains(&index) { c == '-' } else { c.is_ascii_digit() }
    };
    text.len() == 10
        && text.char_indices().all(shape)
        && ScalarValue::try_from_string(text.to_owned(), &DataType::Date32).is_ok()
}

/// Undoes `%20` and the like; what is no such code stays as it is.
pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let code = (bytes[index] == b'%')
            .then(|| text.get(index + 1..index + 3))
            .flatten()
            .filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        decoded.push(code.unwrap_or(bytes[index]));
        index += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

fn conflict(first: &object_store::path::Path, other: &object_store::path::Path) -> Error {
    let message =
        format!("directories disagree about the partition columns: `/{first}` and `/{other}`");
    Error::new(Condition::UNABLE_TO_INFER_SCHEMA, message)
        .hint("read them separately, or say with option `basePath` where the table begins")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(values: &[&str]) -> DataType {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        common_type(values.iter(), "UTC")
    }

    #[test]
    fn types_are_the_narrowest_that_fit_all_values() {
        assert_eq!(type_of(&["1", "02"]), DataType::Int32);
        assert_eq!(type_of(&["1", "3000000000"]), DataType::Int64);
        assert_eq!(type_of(&["2024-01-31"]), DataType::Date32);
        assert_eq!(type_of(&["2024-02-31"]), DataType::Utf8View);
        assert_eq!(type_of(&["2024-01-31", "7"]), DataType::Utf8View);
        assert_eq!(type_of(&["1", "99999999999999999999"]), DataType::Decimal128(38, 0));
        assert_eq!(type_of(&["1", "1.5", "-2e3"]), DataType::Float64);
        assert_eq!(type_of(&["1", "nan"]), DataType::Utf8View);
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert_eq!(type_of(&["2024-01-31", "2024-01-31 10:00:00.5"]), timestamp);
        assert_eq!(type_of(&["2024-01-31 25:00:00"]), DataType::Utf8View);
        assert_eq!(type_of(&[]), DataType::Utf8View);
    }

    #[test]
    fn percent_codes_are_undone_and_lone_signs_stay() {
        assert_eq!(percent_decode("a%20b%2Fc%"), "a b/c%");
        assert_eq!(percent_decode("100%zz"), "100%zz");
        assert_eq!(percent_decode("%C3%A9%FF"), "%C3%A9%FF");
        assert_eq!(percent_decode("%C3%A9"), "é");
    }
}
