//! The layers of the engine's modules: a module uses those below it and beside it, never above.

use super::{Finding, Source, mask};

/// The modules of `crates/vonk/src`, highest layer first; a module within one may stand elsewhere.
const LAYERS: &[&[&str]] = &[
    &["lib", "blocking", "cluster"],
    &["session", "dataframe", "rdd", "functions", "udf", "write/frame"],
    &["sql"],
    &["analyze", "optimize", "planner"],
    &["operators", "sources", "codec", "write", "catalog"],
    &["config", "error", "display", "limits", "placement", "policy", "stack"],
];

/// Libraries that one crate alone knows.
const KNOWN_TO_ONE: &[(&str, &str)] =
    &[("pyo3::", "crates/vonk-python"), ("datafusion_distributed::", "crates/vonk-cluster")];

pub(super) fn check(source: &Source, findings: &mut Vec<Finding>) {
    for (library, crate_folder) in KNOWN_TO_ONE {
        let code = mask::code_only(&source.text);
        if let Some(at) = code.find(library).filter(|_| !source.is_under(crate_folder)) {
            let message = format!("`{library}` is for `{crate_folder}` alone");
            findings.push(source.finding(mask::line_of(&code, at), message));
        }
    }
    let Ok(inner) = source.path.strip_prefix("crates/vonk/src") else { return };
    let module = inner.with_extension("").display().to_string();
    let Some(own) = inner_layer(&module) else {
        let message = format!("module `{module}` has no layer: add it to LAYERS of xtask");
        return findings.push(source.finding(1, message));
    };
    if source.is_test {
        return;
    }
    let code = mask::without_tests(&mask::code_only(&source.text));
    for (at, used) in used_modules(&code) {
        if layer_of(used).is_some_and(|layer| layer < own) {
            let message = format!("`{module}` uses `{used}`, which stands above it");
            findings.push(source.finding(mask::line_of(&code, at), message));
        }
    }
}

/// The layer of a file under `src`: that of the innermost module with one.
fn inner_layer(module: &str) -> Option<usize> {
    layer_of(module).or_else(|| inner_layer(module.rsplit_once('/')?.0))
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Every `crate::name`, also those of `use crate::{a, b::c}`, with its place.
fn used_modules(code: &str) -> Vec<(usize, &str)> {
    let mut used = Vec::new();
    for (start, found) in code.match_indices("crate::") {
        let from = start + found.len();
        if let Some(group) = code[from..].strip_prefix('{') {
            let end = mask::block_end(code, from).unwrap_or(code.len());
            let names = top_names(&group[..end.saturating_sub(from + 2).min(group.len())]);
            used.extend(names.map(|name| (start, name)));
        } else {
            used.push((start, first_word(&code[from..])));
        }
    }
    used
}

/// The first word of every item of a `use` group, leaving inner groups alone.
fn top_names(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    group
        .split(move |c: char| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(|item| first_word(item.trim()))
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        check(&Source::new(path, text), &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_module_that_uses_one_above_it_is_found() {
        let found = messages("crates/vonk/src/sources/csv.rs", "use crate::sql::parse;\n");
        assert_eq!(
            found,
            ["crates/vonk/src/sources/csv.rs:1: `sources/csv` uses `sql`, which stands above it"]
        );
        let grouped = "use crate::{error::{Error, Result}, session};\n";
        assert_eq!(messages("crates/vonk/src/sql.rs", grouped).len(), 1);
    }

    #[test]
    fn a_library_of_one_crate_is_found_elsewhere() {
        assert_eq!(messages("crates/vonk-cli/src/a.rs", "use pyo3::prelude;\n").len(), 1);
        assert!(messages("crates/vonk-python/src/a.rs", "use pyo3::prelude;\n").is_empty());
    }

    #[test]
    fn downwards_is_fine_and_a_new_module_must_be_placed() {
        assert!(messages("crates/vonk/src/session.rs", "use crate::sql;\n").is_empty());
        assert_eq!(messages("crates/vonk/src/novel.rs", "").len(), 1);
    }
}
