//! `get_json_object(json, path)`: what stands at a path such as `$.a[0].b[*]`.

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::json_text::{self, Leniency};
use super::tree::Tree;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `get_json_object`.
pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text]);
    Kernel::new("get_json_object", parameters, rows::text, found).udf()
}

fn found(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, paths) = (call.text(0)?, call.text(1)?);
    let mut last: Option<(&str, Option<Vec<Step>>)> = None;
    rows::texts(call, |row, output| {
        let path = paths.value(row);
        if last.as_ref().is_none_or(|(known, _)| *known != path) {
            last = Some((path, steps(path)));
        }
        let Some((_, Some(steps))) = &last else { return Ok(false) };
        // What stands behind the first value is not looked at.
        let Some((tree, _)) = json_text::read(texts.value(row), Leniency::DEFAULT) else {
            return Ok(false);
        };
        let mut found = Vec::new();
        walk(&tree, steps, &mut found);
        match found.as_slice() {
            [] | [Tree::Null] => return Ok(false),
            [Tree::Text(text)] if !is_quoted(steps) => output.push_str(text),
            [one] => json_text::push(one, output),
            many => json_text::push(&Tree::Array(many.to_vec()), output),
        }
        Ok(true)
    })
}

/// A step from a value to those within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Item(usize),
    /// Every member, or every item.
    Every,
}

/// The steps of a path; `None` if it is none.
pub(super) fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        match sign {
            '.' => {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let name = &rest[..end];
                if name.is_empty() {
                    return None;
                }
                steps.push(match name {
                    "*" => Step::Every,
                    name => Step::Member(name.to_owned()),
                });
                rest = &rest[end..];
            }
            '[' => {
                let (inside, after) = match rest.strip_prefix('\'') {
                    Some(quoted) => {
                        let (name, after) = quoted.split_once("']")?;
                        steps.push(match name {
                            "*" => Step::Every,
                            name => Step::Member(name.to_owned()),
                        });
                        rest = after;
                        continue;
                    }
                    None => rest.split_once(']')?,
                };
                steps.push(match inside.trim() {
                    "*" => Step::Every,
                    index => Step::Item(index.parse().ok()?),
                });
                rest = after;
            }
            _ => return None,
        }
    }
    Some(steps)
}

/// Whether a text that is found keeps its quotes: it was an item among those of `[*]`.
fn is_quoted(steps: &[Step]) -> bool {
    match steps {
        [Step::Every, _, ..] => true,
        [_, rest @ ..] => is_quoted(rest),
        [] => false,
    }
}

fn walk(tree: &Tree, steps: &[Step], found: &mut Vec<Tree>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(tree.clone());
        return;
    };
    match (step, tree) {
        (Step::Member(name), Tree::Object(members)) => {
            if let Some((_, value)) = members.iter().find(|(known, _)| known == name)
                && *value != Tree::Null
            {
                walk(value, rest, found);
            }
        }
        // A name asks all items of an array behind `[*]`, which has opened it already.
        (Step::Item(index), Tree::Array(items)) => {
            if let Some(item) = items.get(*index) {
                walk(item, rest, found);
            }
        }
        (Step::Every, Tree::Array(items)) => {
            let mut within = Vec::new();
            items.iter().for_each(|item| walk(item, rest, &mut within));
            match (rest.is_empty(), within.len()) {
                (_, 0) => {}
                (true, _) => found.push(Tree::Array(within)),
                (false, 1) => found.append(&mut within),
                (false, _) => found.push(Tree::Array(within)),
            }
        }
        (Step::Every, Tree::Object(members)) => {
            members.iter().for_each(|(_, value)| walk(value, rest, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, steps};

    #[test]
    fn paths_have_names_indices_and_stars() {
        let named = |name: &str| Step::Member(name.to_owned());
        assert_eq!(
            steps("$.a[0]['b c'][*]"),
            Some(vec![named("a"), Step::Item(0), named("b c"), Step::Every,])
        );
        assert_eq!(steps("$"), Some(Vec::new()));
        assert_eq!(steps("a"), None);
        assert_eq!(steps("$.."), None);
    }
}
