//! The options of a call: `map('mode', 'FAILFAST', 'dateFormat', 'dd/MM/yyyy')`.

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::json_text::Leniency;
use crate::function::Call;

/// Options by their names in lower case.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    values: HashMap<String, String>,
}

impl Options {
    /// The options that an argument holds; they are the same in all rows.
    pub(super) fn of(call: &Call<'_>, at: usize) -> Result<Self> {
        let mut values = HashMap::new();
        if at >= call.count() || call.rows == 0 {
            return Ok(Self { values });
        }
        let maps = call.array(at)?;
        let Some(maps) = maps.as_map_opt().filter(|maps| maps.is_valid(0)) else {
            return Ok(Self { values });
        };
        let entries = maps.value(0);
        let names = cast(entries.column(0), &DataType::Utf8View)?;
        let texts = cast(entries.column(1), &DataType::Utf8View)?;
        for (name, text) in names.as_string_view().iter().zip(texts.as_string_view()) {
            if let (Some(name), Some(text)) = (name, text) {
                values.insert(name.to_lowercase(), text.to_owned());
            }
        }
        Ok(Self { values })
    }

    /// The option of a name in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether an option is on; without it, whether it is so by itself.
    pub(super) fn is_on(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether a record that is malformed fails the query.
    pub(super) fn fails_fast(&self) -> bool {
        self.get("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("FAILFAST"))
    }

    /// What JSON is allowed beyond the standard.
    pub(super) fn leniency(&self) -> Leniency {
        let default = Leniency::DEFAULT;
        Leniency {
            single_quotes: self.is_on("allowsinglequotes", default.single_quotes),
            leading_zeros: self.is_on("allownumericleadingzeros", default.leading_zeros),
            unquoted_names: self.is_on("allowunquotedfieldnames", default.unquoted_names),
            comments: self.is_on("allowcomments", default.comments),
            any_escape: self.is_on("allowbackslashescapinganycharacter", default.any_escape),
            control_characters: self.is_on("allowunquotedcontrolchars", default.control_characters),
            non_numbers: self.is_on("allownonnumericnumbers", default.non_numbers),
        }
    }
}
