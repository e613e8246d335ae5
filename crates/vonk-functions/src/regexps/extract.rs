//! What a regular expression finds: how often, where, and which groups.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::java_regex::{Pattern, Patterns};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PAIR: Parameters = Parameters::exact(&[Kind::Text, Kind::Text]);
const WITH_GROUP: Parameters = Parameters::with_optional(&[Kind::Text, Kind::Text], &[Kind::Int]);

/// Spark's `regexp_count`.
pub(super) fn count() -> ScalarUDF {
    Kernel::new("regexp_count", PAIR, rows::int, |call| {
        let (texts, patterns) = (call.text(0)?, call.text(1)?);
        let mut compiled = Patterns::of("regexp_count");
        rows::numbers::<Int32Type>(call, |row| {
            let mut count = 0;
            compiled.get(patterns.value(row))?.each(texts.value(row), |_| {
                count += 1;
                Ok(true)
            })?;
            Ok(Some(count))
        })
    })
    .udf()
}

/// Spark's `regexp_instr`; the group that may be given is not looked at.
pub(super) fn instr() -> ScalarUDF {
    Kernel::new("regexp_instr", WITH_GROUP, rows::int, |call| {
        let (texts, patterns) = (call.text(0)?, call.text(1)?);
        let mut compiled = Patterns::of("regexp_instr");
        rows::numbers::<Int32Type>(call, |row| {
            let text = texts.value(row);
            let found = compiled.get(patterns.value(row))?.first(text, 0)?;
            Ok(Some(found.map_or(0, |(start, _)| text[..start].chars().count() as i32 + 1)))
        })
    })
    .udf()
}

/// Spark's `regexp_substr`: NULL without a match, or with an empty one.
pub(super) fn substr() -> ScalarUDF {
    Kernel::new("regexp_substr", PAIR, rows::text, |call| {
        let (texts, patterns) = (call.text(0)?, call.text(1)?);
        let mut compiled = Patterns::of("regexp_substr");
        rows::texts(call, |row, output| {
            let text = texts.value(row);
            if let Some((start, end)) = compiled.get(patterns.value(row))?.first(text, 0)? {
                output.push_str(&text[start..end]);
            }
            Ok(!output.is_empty())
        })
    })
    .udf()
}

/// Spark's `regexp_extract`: an empty text without a match.
pub(super) fn extract() -> ScalarUDF {
    Kernel::new("regexp_extract", WITH_GROUP, rows::text, |call| {
        let (texts, patterns) = (call.text(0)?, call.text(1)?);
        let groups = call.optional::<Int32Type>(2)?;
        let mut compiled = Patterns::of("regexp_extract");
        rows::texts(call, |row, output| {
            let pattern = compiled.get(patterns.value(row))?;
            let group = groups.as_ref().map_or(1, |groups| groups.value(row));
            let group = checked(group, pattern, "regexp_extract")?;
            pattern.each(texts.value(row), |found| {
                output.push_str(found.group(group).unwrap_or_default());
                Ok(false)
            })?;
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `regexp_extract_all`.
pub(super) fn extract_all() -> ScalarUDF {
    let returns =
        |_: &[DataType]| Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))));
    Kernel::new("regexp_extract_all", WITH_GROUP, returns, extracted).udf()
}

fn extracted(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.text(0)?, call.text(1)?);
    let groups = call.optional::<Int32Type>(2)?;
    let nulls = rows::valid(call)?;
    let mut compiled = Patterns::of("regexp_extract_all");
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..call.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lists.append_null();
            continue;
        }
        let pattern = compiled.get(patterns.value(row))?;
        let group = groups.as_ref().map_or(1, |groups| groups.value(row));
        let group = checked(group, pattern, "regexp_extract_all")?;
        pattern.each(texts.value(row), |found| {
            lists.values().append_value(found.group(group).unwrap_or_default());
            Ok(true)
        })?;
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// The group, if the pattern has it; 0 is the whole match.
fn checked(group: i32, pattern: &Pattern, name: &str) -> Result<usize> {
    let count = pattern.groups();
    match usize::try_from(group).ok().filter(|group| *group <= count) {
        Some(group) => Ok(group),
        None => {
            let message = format!("`{name}` asks for group {group} of a pattern with {count}");
            Err(Failure::new("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", message).into())
        }
    }
}
