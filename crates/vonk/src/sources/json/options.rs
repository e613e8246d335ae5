//! The options of reading JSON, by Spark's names.

use super::super::ReadOptions;
use super::super::input::ByteOptions;
use super::super::malformed::Mode;
use super::super::option_values::{check_names, corrupt_column, flag, ratio, record_bytes_max};
use super::super::times::TimeFormats;
use super::syntax::Leniency;
use crate::error::Result;

/// What the user said.
#[derive(Debug, Clone)]
pub(super) struct JsonOptions {
    pub(super) leniency: Leniency,
    pub(super) mode: Option<Mode>,
    pub(super) corrupt_column: String,
    /// Whether records may span lines; found from the file if not set.
    pub(super) multi_line: Option<bool>,
    pub(super) primitives_as_string: bool,
    pub(super) infer_timestamp: bool,
    pub(super) drop_all_null: bool,
    pub(super) sampling_ratio: Option<f64>,
    pub(super) bytes: ByteOptions,
    pub(super) record_bytes_max: usize,
    pub(super) times: TimeFormats,
}

const OPTIONS: &[&str] = &[
    "allowBackslashEscapingAnyCharacter",
    "allowComments",
    "allowNonNumericNumbers",
    "allowNumericLeadingZeros",
    "allowSingleQuotes",
    "allowUnquotedControlChars",
    "allowUnquotedFieldNames",
    "charset",
    "columnNameOfCorruptRecord",
    "dateFormat",
    "dropFieldIfAllNull",
    "encoding",
    "inferTimestamp",
    "maxRecordBytes",
    "mode",
    "multiLine",
    "primitivesAsString",
    "samplingRatio",
    "timestampFormat",
];

impl JsonOptions {
    pub(super) fn from_options(options: &ReadOptions) -> Result<Self> {
        check_names("json", options, OPTIONS)?;
        let on = |name: &str, default: bool| -> Result<bool> {
            Ok(flag(options, name)?.unwrap_or(default))
        };
        Ok(Self {
            leniency: Leniency {
                comments: on("allowComments", false)?,
                single_quotes: on("allowSingleQuotes", true)?,
                unquoted_names: on("allowUnquotedFieldNames", false)?,
                leading_zeros: on("allowNumericLeadingZeros", false)?,
                non_numeric: on("allowNonNumericNumbers", true)?,
                any_escape: on("allowBackslashEscapingAnyCharacter", false)?,
                control_chars: on("allowUnquotedControlChars", false)?,
            },
            mode: Mode::from_options(options)?,
            corrupt_column: corrupt_column(options),
            multi_line: flag(options, "multiLine")?,
            primitives_as_string: on("primitivesAsString", false)?,
            infer_timestamp: on("inferTimestamp", false)?,
            drop_all_null: on("dropFieldIfAllNull", false)?,
            sampling_ratio: options.get("samplingRatio").map(ratio).transpose()?,
            bytes: ByteOptions::from_options(options)?,
            record_bytes_max: record_bytes_max(options)?,
            times: TimeFormats::from_options(options)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_explained() {
        let mut options = ReadOptions::default();
        options.set("multiline", "true");
        assert_eq!(JsonOptions::from_options(&options).unwrap().multi_line, Some(true));
        options.set("primitiveAsString", "true");
        let error = JsonOptions::from_options(&options).unwrap_err();
        assert_eq!(error.hint_text(), Some("did you mean `primitivesAsString`?"));
    }
}
