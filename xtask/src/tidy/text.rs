//! Rules of all text: no paths of one machine, no link to what is not there, no test out of reach.

use std::path::Path;

use super::{Finding, Source};

/// Folders of one machine, in parts so that this file is not found by its own rule.
const MACHINE_FOLDERS: [&str; 3] =
    [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", "me/")];

/// Folders whose files Markdown names by their path from the top.
const TOP_FOLDERS: [&str; 8] =
    ["crates/", "docs/", "sql/", "tests/", "xtask/", "benches/", "python/", ".ci/"];

pub(super) fn check(source: &Source, root: &Path, findings: &mut Vec<Finding>) {
    let is_markdown = source.path.extension().is_some_and(|extension| extension == "md");
    for (index, line) in source.text.lines().enumerate() {
        check_machine_paths(source, index + 1, line, findings);
        if is_markdown {
            check_links(source, root, index + 1, line, findings);
        }
    }
    let is_slt = source.path.extension().is_some_and(|extension| extension == "slt");
    if is_slt && !source.is_under("sql") {
        findings.push(source.finding(1, "no runner reads it here: move it under sql"));
    }
    if is_slt && !source.text.lines().any(is_record) {
        findings.push(source.finding(1, "has no statement and no query"));
    }
}

fn is_record(line: &str) -> bool {
    line.starts_with("query ") || line.starts_with("statement ")
}

fn check_machine_paths(source: &Source, line: usize, text: &str, findings: &mut Vec<Finding>) {
    for folder in MACHINE_FOLDERS {
        let starts_a_path = |at: usize| {
            !text[..at].ends_with(|c: char| c.is_alphanumeric() || "/._-})~*".contains(c))
        };
        if text.match_indices(folder).any(|(at, _)| starts_a_path(at)) {
            findings.push(source.finding(line, format!("`{folder}` is a folder of one machine")));
        }
    }
}

fn check_links(source: &Source, root: &Path, line: usize, text: &str, findings: &mut Vec<Finding>) {
    let beside = root.join(&source.path);
    let beside = beside.parent().unwrap_or(root);
    for target in link_targets(text) {
        if !beside.join(target).exists() {
            findings.push(source.finding(line, format!("links to `{target}`, which is not there")));
        }
    }
    for name in text.split('`').skip(1).step_by(2) {
        let is_path = TOP_FOLDERS.iter().any(|folder| name.starts_with(folder));
        let is_exact = !name.contains(['*', '<', '{', '…', '$', ' ']);
        if is_path && is_exact && !root.join(name).exists() {
            findings.push(source.finding(line, format!("names `{name}`, which is not there")));
        }
    }
}

/// The files of `[text](target)`, without those on the web and within the page.
fn link_targets(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("](").filter_map(|(at, found)| {
        let rest = &text[at + found.len()..];
        let target = rest[..rest.find(')')?].split('#').next()?;
        (!target.is_empty() && !target.contains(':')).then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        check(&Source::new(path, text), &crate::repository(), &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn paths_of_a_machine_are_found_and_those_of_users_are_not() {
        assert_eq!(messages("a.md", concat!("see /ro", "ot/x")).len(), 1);
        assert!(messages("a.md", concat!("see ~/wo", "rk/x and src/ho", "me/x")).is_empty());
    }

    #[test]
    fn a_link_to_nothing_is_found() {
        let text = "[a](Cargo.toml) [b](nowhere.md) [c](https://x.org) `xtask/none.rs` `sql/*.slt`";
        let found = messages("a.md", text);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_test_out_of_reach_is_found() {
        assert_eq!(messages("docs/a.slt", "query I\nSELECT 1\n----\n1\n").len(), 1);
        assert_eq!(messages("sql/queries/a.slt", "# nothing yet\n").len(), 1);
    }
}
