//! Rules of Rust files: first line, lengths, and calls that the library never makes.

use super::{Finding, Source, mask};

/// A file that is longer has more than one subject.
const FILE_LINES_MAX: usize = 700;

/// A function fits a screen.
const FUNCTION_LINES_MAX: usize = 70;

/// Calls that end the process instead of giving an error; `#[expect]` with a reason excuses one.
/// Texts are blank here, so that `.expect( ` is a call with a message and not a parser's.
const ABORTS: [&str; 6] =
    [".unwrap()", ".expect( ", "panic!(", "todo!(", "unimplemented!(", "dbg!("];

/// The crates that other programs use.
const LIBRARIES: [&str; 4] = [
    "crates/vonk/src",
    "crates/vonk-functions/src",
    "crates/vonk-connect/src",
    "crates/vonk-cluster/src",
];

/// The library never prints and never reads the environment; only the command does.
const FOR_THE_COMMAND: [&str; 5] = ["println!(", "eprintln!(", "print!(", "eprint!(", "env::var"];

/// What opens or asks the disk for a path. A policy holds only if all of it is behind a check.
const DISK: [&str; 15] = [
    "use std::fs;",
    "fs::{self",
    "tokio::fs",
    "fs::read",
    "fs::write",
    "fs::metadata",
    "fs::create",
    "fs::remove",
    "File::open",
    "File::create",
    "File::options",
    "OpenOptions",
    "LocalFileSystem",
    ".canonicalize()",
    "Command::new",
];

/// The files that do so, each after a check of the policy or with paths of the engine's own.
const AT_THE_DISK: [&str; 21] = [
    "policy.rs",
    // Reads: paths are resolved and checked in the first, opened by the others.
    "sources/paths.rs",
    "sources/paths/lister.rs",
    "sources/store.rs",
    "sources/store/guarded.rs",
    // Keys of the person who runs the process, in a session without a policy.
    "sources/store/profile.rs",
    // Writes: the target is checked by `Target` and `Staging`, the rest works in the staging directory.
    "write.rs",
    "write/path.rs",
    "write/publish.rs",
    // What is sent to a store, in the spill directory.
    "write/remote.rs",
    "write/remote/upload.rs",
    "write/stage.rs",
    "write/run.rs",
    "write/staging.rs",
    "rdd/save.rs",
    "catalog.rs",
    "catalog/change.rs",
    // Programs, which have a check of their own; spill files; the size of the machine.
    "rdd/pipe.rs",
    "rdd/spill.rs",
    "session/spill.rs",
    "session/memory.rs",
];

pub(super) fn check(source: &Source, findings: &mut Vec<Finding>) {
    if !source.text.starts_with("//!") {
        findings.push(source.finding(1, "open with a `//!` sentence: what lives here and why"));
    }
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        let message = format!("{lines} lines, at most {FILE_LINES_MAX}: split it by subject");
        findings.push(source.finding(lines, message));
    }
    let code = mask::without_tests(&mask::code_only(&source.text));
    check_functions(source, &code, findings);
    if source.is_test {
        return;
    }
    if source.is_under("crates") {
        check_calls(source, &code, &ABORTS, "give an error instead of ending", findings);
    }
    if LIBRARIES.iter().any(|library| source.is_under(library)) {
        check_calls(source, &code, &FOR_THE_COMMAND, "only the command may do so", findings);
    }
    if let Ok(inner) = source.path.strip_prefix("crates/vonk/src")
        && !AT_THE_DISK.iter().any(|file| inner.ends_with(file))
    {
        let advice = "no policy sees this: let `sources`, `write` or `Policy::open` do it";
        check_calls(source, &code, &DISK, advice, findings);
    }
}

fn check_functions(source: &Source, code: &str, findings: &mut Vec<Finding>) {
    for (start, _) in code.match_indices("fn ") {
        let stands_alone = !code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let Some(end) = mask::block_end(code, start).filter(|_| stands_alone) else { continue };
        let Some(open) = code[start..end].find('{') else { continue };
        let body = code[start + open..end].lines().filter(|line| !line.trim().is_empty());
        // The lines of the braces are not counted.
        let lines = body.count().saturating_sub(2);
        if lines > FUNCTION_LINES_MAX {
            let message = format!("{lines} lines of code, at most {FUNCTION_LINES_MAX}: divide it");
            findings.push(source.finding(mask::line_of(code, start), message));
        }
    }
}

fn check_calls(
    source: &Source,
    code: &str,
    calls: &[&str],
    advice: &str,
    findings: &mut Vec<Finding>,
) {
    for call in calls {
        for (at, _) in code.match_indices(call) {
            let part_of_longer_name = code[..at]
                .ends_with(|c: char| c.is_alphanumeric() || c == '_')
                && !call.starts_with('.');
            if !part_of_longer_name && !is_excused(code, at) {
                let line = mask::line_of(code, at);
                findings.push(source.finding(line, format!("`{call}`: {advice}")));
            }
        }
    }
}

/// Whether the item is a constant, or an `#[expect]` stands shortly before.
fn is_excused(code: &str, at: usize) -> bool {
    let line_start = code[..at].rfind('\n').map_or(0, |end| end + 1);
    let before: Vec<&str> = code[..line_start].lines().rev().take(12).collect();
    let line = &code[line_start..at];
    line.contains("const ") || before.iter().any(|line| line.contains("#[expect(clippy::"))
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
    fn an_unwrap_in_code_is_found_and_one_in_a_test_is_not() {
        let found = messages("crates/x/src/a.rs", "//! A.\nfn f() {\n    g().unwrap();\n}\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/x/src/a.rs:3: `.unwrap()`"));
        let tests = "//! A.\n#[cfg(test)]\nmod tests {\n    fn f() { g().unwrap(); }\n}\n";
        assert!(messages("crates/x/src/a.rs", tests).is_empty());
    }

    #[test]
    fn a_long_function_and_a_missing_first_line_are_found() {
        let text = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(FUNCTION_LINES_MAX + 1));
        assert_eq!(messages("xtask/src/a.rs", &text).len(), 2);
        let text = format!("//! A.\nfn f() {{\n{}}}\n", "    g();\n".repeat(FUNCTION_LINES_MAX));
        assert!(messages("xtask/src/a.rs", &text).is_empty());
    }

    #[test]
    fn the_disk_is_opened_where_the_policy_is_asked() {
        let text = "//! A.\nfn f() {\n    File::open(\"x\");\n}\n";
        let found = messages("crates/vonk/src/sources/csv.rs", text);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("no policy sees this"), "{found:?}");
        assert!(messages("crates/vonk/src/catalog.rs", text).is_empty());
        assert!(messages("crates/vonk-cli/src/a.rs", text).is_empty());
    }

    #[test]
    fn only_the_command_prints() {
        let text = "//! A.\nfn f() {\n    println!(\"x\");\n}\n";
        assert_eq!(messages("crates/vonk/src/a.rs", text).len(), 1);
        assert!(messages("crates/vonk-cli/src/a.rs", text).is_empty());
    }
}
