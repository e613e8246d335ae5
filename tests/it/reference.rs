//! docs/reference.md is what the tables of the code say.
//!
//! `VONK_WRITE_REFERENCE=1 cargo test -p vonk-tests --test it -- reference` writes it anew.

use std::fmt::Write;
use std::fs;

use vonk::config::OPTIONS;
use vonk::sql::{STATEMENTS, functions};
use vonk_tests::repository;

#[test]
fn the_reference_is_that_of_the_tables() {
    let path = repository().join("docs/reference.md");
    let made = reference();
    if std::env::var_os("VONK_WRITE_REFERENCE").is_some() {
        fs::write(&path, made).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == made,
        "docs/reference.md is old; tests/it/reference.rs tells how to write it"
    );
}

fn reference() -> String {
    let mut text =
        "# Reference\n\nMade from the tables of the code: statements, options, functions.\n"
            .to_owned();
    text.push_str("\n## Statements\n\nA statement is a query, or one of these.\n\n| statement | |\n|---|---|\n");
    for row in STATEMENTS {
        let _ = writeln!(text, "| `{}` | {} |", escaped(row.form), row.doc);
    }
    text.push_str("\n## Options\n\nBy `SET name = value`, `--conf name=value` or `Session::builder().config(name, value)`.\nUnder a policy (`vonk --safe`) statements do not change those with a *.\n");
    text.push_str("\n| option | Spark's name | default | |\n|---|---|---|---|\n");
    for row in OPTIONS {
        let spark = row.alias.map(|name| format!("`{name}`")).unwrap_or_default();
        let default =
            if row.default.is_empty() { String::new() } else { format!("`{}`", row.default) };
        let kept = if row.is_of_process { " *" } else { "" };
        let _ = writeln!(text, "| `{}`{kept} | {spark} | {default} | {} |", row.name, row.doc);
    }
    text.push_str("\n## Functions\n\nNames are without regard to case. `DESCRIBE FUNCTION name` says the same.\n\n| call | | also called |\n|---|---|---|\n");
    for row in functions() {
        let others: Vec<String> =
            row.names[1..].iter().map(|name| format!("`{}`", escaped(name))).collect();
        let usage = escaped(&row.usage);
        let doc = escaped(&without_links(&row.doc));
        let _ = writeln!(text, "| `{usage}` | {doc} | {} |", others.join(", "));
    }
    text
}

/// A `|` would end the cell of the table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The words of a text: links of DataFusion's lead to pages of its own manual.
fn without_links(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, target)) = rest.split_once("](") {
        let (before, label) = before.rsplit_once('[').unwrap_or((before, ""));
        kept.push_str(before);
        kept.push_str(label);
        rest = target.split_once(')').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}
