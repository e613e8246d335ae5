//! `regexp_replace(text, pattern, replacement[, position])`: matches replaced as Java does it.

use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::Kernel;
use crate::java_regex::{Found, Patterns};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `regexp_replace`.
pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text, Kind::Text, Kind::Text], &[Kind::Int]);
    Kernel::new("regexp_replace", parameters, rows::text, |call| {
        let (texts, patterns, replacements) = (call.text(0)?, call.text(1)?, call.text(2)?);
        let positions = call.optional::<Int32Type>(3)?;
        let mut compiled = Patterns::of("regexp_replace");
        rows::texts(call, |row, output| {
            let text = texts.value(row);
            let position = positions.as_ref().map_or(1, |positions| positions.value(row));
            if position < 1 {
                let message = format!("`regexp_replace` counts positions from 1, not {position}");
                return Err(Failure::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", message).into());
            }
            let replacement = replacements.value(row);
            let skipped = text.char_indices().nth(position as usize - 1);
            // What stands before the position is neither matched nor changed.
            let Some((start, _)) = skipped.or((position == 1).then_some((0, ' '))) else {
                output.push_str(text);
                return Ok(true);
            };
            output.push_str(&text[..start]);
            let rest = &text[start..];
            let mut end = 0;
            compiled.get(patterns.value(row))?.each(rest, |found| {
                output.push_str(&rest[end..found.start()]);
                fill(replacement, &found, output)?;
                end = found.end();
                Ok(true)
            })?;
            output.push_str(&rest[end..]);
            Ok(true)
        })
    })
    .udf()
}

/// Writes a replacement of Java: `$1` and `${name}` are groups, a backslash takes the next
/// character as it is.
fn fill(replacement: &str, found: &Found<'_>, output: &mut String) -> Result<()> {
    let mut rest = replacement;
    while let Some(at) = rest.find(['$', '\\']) {
        output.push_str(&rest[..at]);
        let is_group = rest.as_bytes()[at] == b'$';
        rest = &rest[at + 1..];
        if !is_group {
            let Some(next) = rest.chars().next() else { return Err(wrong(replacement)) };
            output.push(next);
            rest = &rest[next.len_utf8()..];
        } else if let Some(named) = rest.strip_prefix('{') {
            let Some((name, after)) = named.split_once('}') else {
                return Err(wrong(replacement));
            };
            output.push_str(found.named(name).unwrap_or_default());
            rest = after;
        } else {
            let (group, length) = group_number(rest, found.groups());
            let Some(group) = group else { return Err(wrong(replacement)) };
            output.push_str(found.group(group).unwrap_or_default());
            rest = &rest[length..];
        }
    }
    output.push_str(rest);
    Ok(())
}

/// As many digits as there can be a group for.
fn group_number(text: &str, groups: usize) -> (Option<usize>, usize) {
    let mut group = None;
    let mut length = 0;
    for digit in text.bytes().map_while(|byte| char::from(byte).to_digit(10)) {
        let next = group.unwrap_or(0) * 10 + digit as usize;
        if next > groups {
            break;
        }
        group = Some(next);
        length += 1;
    }
    (group, length)
}

fn wrong(replacement: &str) -> datafusion::common::DataFusionError {
    let message = format!("`{replacement}` is no replacement: it names a group that is not there");
    Failure::new("INVALID_REGEXP_REPLACE", message)
        .hint("write a backslash before a dollar sign that is meant as such")
        .into()
}
