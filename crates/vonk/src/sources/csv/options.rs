//! The options of reading CSV, by Spark's names.

use super::super::input::ByteOptions;
use super::super::malformed::Mode;
use super::super::option_values::{
    check_names, corrupt_column, count, flag, ratio, record_bytes_max,
};
use super::super::times::TimeFormats;
use super::super::{ReadOptions, bad_option};
use super::records::Dialect;
use crate::error::Result;

/// What the user said; `None` is found from the file.
#[derive(Debug, Clone)]
pub(super) struct CsvOptions {
    pub(super) delimiter: Option<u8>,
    pub(super) header: Option<bool>,
    pub(super) infer_schema: bool,
    /// `Some(None)` is no quoting.
    pub(super) quote: Option<Option<u8>>,
    pub(super) escape: Option<Option<u8>>,
    pub(super) comment: Option<u8>,
    pub(super) newline: Option<u8>,
    pub(super) trim_leading: bool,
    pub(super) trim_trailing: bool,
    pub(super) multi_line: bool,
    pub(super) mode: Option<Mode>,
    pub(super) corrupt_column: String,
    pub(super) enforce_schema: bool,
    pub(super) sampling_ratio: Option<f64>,
    pub(super) bytes: ByteOptions,
    pub(super) limits: Limits,
    pub(super) values: ValueOptions,
}

/// What a single record may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) columns: usize,
    pub(super) field_bytes: Option<usize>,
    pub(super) record_bytes: usize,
}

/// How the text of a field becomes a value.
#[derive(Debug, Clone)]
pub(super) struct ValueOptions {
    /// Stands for NULL, besides a field without any text.
    pub(super) null_value: String,
    /// What a pair of quotes without text stands for.
    pub(super) empty_value: String,
    pub(super) nan: String,
    pub(super) positive_infinity: String,
    pub(super) negative_infinity: String,
    pub(super) times: TimeFormats,
}

const OPTIONS: &[&str] = &[
    "sep",
    "delimiter",
    "header",
    "inferSchema",
    "quote",
    "escape",
    "comment",
    "nullValue",
    "emptyValue",
    "nanValue",
    "positiveInf",
    "negativeInf",
    "dateFormat",
    "timestampFormat",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "mode",
    "columnNameOfCorruptRecord",
    "multiLine",
    "maxColumns",
    "maxCharsPerColumn",
    "maxRecordBytes",
    "lineSep",
    "encoding",
    "charset",
    "samplingRatio",
    "enforceSchema",
];

/// Spark's default of `maxColumns`.
const COLUMNS_MAX: usize = 20_480;

impl CsvOptions {
    pub(super) fn from_options(options: &ReadOptions) -> Result<Self> {
        check_names("csv", options, OPTIONS)?;
        let delimiter = match options.get("sep").map(|text| ("sep", text)) {
            None => options.get("delimiter").map(|text| ("delimiter", text)),
            sep => sep,
        };
        let byte = |name| options.get(name).map(|text| optional_byte(name, text)).transpose();
        Ok(Self {
            delimiter: delimiter.map(|(name, text)| one_byte(name, text)).transpose()?,
            header: flag(options, "header")?,
            infer_schema: flag(options, "inferSchema")?.unwrap_or(true),
            quote: byte("quote")?,
            escape: byte("escape")?,
            comment: byte("comment")?.flatten(),
            newline: match options.get("lineSep") {
                None | Some("\n" | "\r\n" | "\r" | "\\n" | "\\r\\n" | "\\r") => None,
                Some(text) => Some(one_byte("lineSep", text)?),
            },
            trim_leading: flag(options, "ignoreLeadingWhiteSpace")?.unwrap_or(false),
            trim_trailing: flag(options, "ignoreTrailingWhiteSpace")?.unwrap_or(false),
            multi_line: flag(options, "multiLine")?.unwrap_or(true),
            mode: Mode::from_options(options)?,
            corrupt_column: corrupt_column(options),
            enforce_schema: flag(options, "enforceSchema")?.unwrap_or(true),
            sampling_ratio: options.get("samplingRatio").map(ratio).transpose()?,
            bytes: ByteOptions::from_options(options)?,
            limits: Limits {
                columns: count(options, "maxColumns")?.unwrap_or(COLUMNS_MAX),
                field_bytes: count(options, "maxCharsPerColumn")?,
                record_bytes: record_bytes_max(options)?,
            },
            values: ValueOptions::from_options(options)?,
        })
    }

    /// The dialect as far as it was said, with defaults for the rest.
    pub(super) fn dialect(&self) -> Dialect {
        let delimiter = self.delimiter.unwrap_or(b',');
        Dialect {
            quote: self.quote.unwrap_or(Some(b'"')),
            escape: self.escape.flatten().filter(|escape| Some(*escape) != self.quote_byte()),
            comment: self.comment,
            newline: self.newline,
            trim_leading: self.trim_leading,
            trim_trailing: self.trim_trailing,
            multi_line: self.multi_line,
            ..Dialect::new(delimiter)
        }
    }

    fn quote_byte(&self) -> Option<u8> {
        self.quote.unwrap_or(Some(b'"'))
    }
}

impl ValueOptions {
    fn from_options(options: &ReadOptions) -> Result<Self> {
        let text = |name: &str, default: &str| options.get(name).unwrap_or(default).to_owned();
        Ok(Self {
            null_value: text("nullValue", ""),
            empty_value: text("emptyValue", ""),
            nan: text("nanValue", "NaN"),
            positive_infinity: text("positiveInf", "Inf"),
            negative_infinity: text("negativeInf", "-Inf"),
            times: TimeFormats::from_options(options)?,
        })
    }
}

fn optional_byte(name: &str, text: &str) -> Result<Option<u8>> {
    if text.is_empty() || text == "\0" { Ok(None) } else { one_byte(name, text).map(Some) }
}

/// The one byte of a text, where `\t` and the like may be spelled out.
fn one_byte(name: &str, text: &str) -> Result<u8> {
    match text {
        "\\t" => return Ok(b'\t'),
        "\\\\" => return Ok(b'\\'),
        "\\0" | "\\u0000" => return Ok(0),
        "\\u0001" => return Ok(1),
        _ => {}
    }
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err(bad_option(name, text, "a single ASCII character")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Result<CsvOptions> {
        let mut options = ReadOptions::default();
        for (name, value) in pairs {
            options.set(name, *value);
        }
        CsvOptions::from_options(&options)
    }

    #[test]
    fn spark_names_in_any_case() {
        let csv = options(&[("SEP", "\\t"), ("Header", "TRUE"), ("quote", "")]).unwrap();
        assert_eq!(csv.delimiter, Some(b'\t'));
        assert_eq!(csv.header, Some(true));
        assert_eq!(csv.quote, Some(None));
    }

    #[test]
    fn wrong_names_and_values_are_explained() {
        let error = options(&[("headr", "true")]).unwrap_err();
        assert_eq!(error.hint_text(), Some("did you mean `header`?"));
        assert!(options(&[("header", "yes")]).is_err());
        assert!(options(&[("sep", "||")]).is_err());
        assert!(options(&[("mode", "LENIENT")]).is_err());
        assert!(options(&[("encoding", "UTF-16")]).is_err());
        assert!(options(&[("samplingRatio", "0")]).is_err());
    }
}
