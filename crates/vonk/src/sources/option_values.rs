//! Reads the values of the options that the text formats share.

use super::{ReadOptions, bad_option};
use crate::error::{Condition, Error, Result};

/// The most bytes of a record unless option `maxRecordBytes` or the session says otherwise.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// The reader's option for the session's `vonk.sources.record.bytes.max`.
pub(super) const RECORD_OPTION: &str = "maxRecordBytes";

/// Options that are read before the format is made.
const OF_EVERY_FORMAT: &[&str] = &[
    "basePath",
    "compression",
    "ignoreCorruptFiles",
    "ignoreMissingFiles",
    "mergeSchema",
    "modifiedAfter",
    "modifiedBefore",
    "path",
    "pathGlobFilter",
    "recursiveFileLookup",
];

/// Options of writing only, which a table that is read as well may have.
const OF_WRITING: &[&str] = &[
    "charToEscapeQuoteEscaping",
    "codec",
    "escapeQuotes",
    "ignoreNullFields",
    "lineSep",
    "maxRecordsPerFile",
    "partitionOverwriteMode",
    "quoteAll",
    "timestampNTZFormat",
];

/// How the names of the options of object stores begin.
const OF_STORES: &[&str] =
    &["aws_", "azure_", "google_", "google.", "fs.", "dfs.", "hadoop.", "parquet."];

/// Whether the name of an option, in lower case, is one of an object store's.
pub(crate) fn is_of_stores(name: &str) -> bool {
    OF_STORES.iter().any(|begin| name.starts_with(begin))
}

/// An error unless every option's name is one of `known` or one of every format.
pub(super) fn check_names(format: &str, options: &ReadOptions, known: &[&str]) -> Result<()> {
    let known = || known.iter().chain(OF_EVERY_FORMAT).copied();
    let is_known = |name: &str| {
        known().chain(OF_WRITING.iter().copied()).any(|known| known.eq_ignore_ascii_case(name))
            || is_of_stores(name)
    };
    match options.iter().find(|(name, _)| !is_known(name)) {
        None => Ok(()),
        Some((name, _)) => Err(Error::new(
            Condition::INVALID_PARAMETER,
            format!("option `{name}` is not known for reading {format}"),
        )
        .hint(format!("the options are {}", known().collect::<Vec<_>>().join(", ")))
        .did_you_mean(name, known())),
    }
}

/// The name of the column that takes whole records that do not fit, if the schema has it.
pub(super) fn corrupt_column(options: &ReadOptions) -> String {
    options.get("columnNameOfCorruptRecord").unwrap_or("_corrupt_record").to_owned()
}

/// How many bytes a record may take, below the 4 GiB that places in a buffer can count.
pub(super) fn record_bytes_max(options: &ReadOptions) -> Result<usize> {
    Ok(count(options, RECORD_OPTION)?.unwrap_or(RECORD_BYTES_MAX).min(2 << 30))
}

/// `true`, `false` or not set.
pub(super) fn flag(options: &ReadOptions, name: &str) -> Result<Option<bool>> {
    options.get(name).map(|_| options.flag(name)).transpose()
}

/// A count; `-1` is Spark's way to say no limit.
pub(super) fn count(options: &ReadOptions, name: &str) -> Result<Option<usize>> {
    match options.get(name) {
        None | Some("-1") => Ok(None),
        Some(text) => match text.trim().parse::<usize>() {
            Ok(number) if number > 0 && u32::try_from(number).is_ok() => Ok(Some(number)),
            _ => Err(bad_option(name, text, "a whole number from 1 to 4294967295")),
        },
    }
}

pub(super) fn ratio(text: &str) -> Result<f64> {
    match text.trim().parse::<f64>() {
        Ok(ratio) if ratio > 0.0 && ratio <= 1.0 => Ok(ratio),
        _ => Err(bad_option("samplingRatio", text, "a number above 0 and at most 1")),
    }
}

/// Whether the option `encoding` names ISO-8859-1 rather than UTF-8.
pub(super) fn is_latin1(options: &ReadOptions) -> Result<bool> {
    let name = options.get("encoding").or_else(|| options.get("charset")).unwrap_or("UTF-8");
    match name.to_uppercase().as_str() {
        "UTF-8" | "UTF8" | "US-ASCII" | "ASCII" => Ok(false),
        "ISO-8859-1" | "ISO8859-1" | "LATIN1" | "LATIN-1" => Ok(true),
        _ => Err(Error::unsupported(format!("encoding `{name}`"))
            .hint("UTF-8 and ISO-8859-1 are read; convert the file with `iconv -t UTF-8` first")),
    }
}
