//! The command as a process: what goes to which stream, and the exit codes.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

mod codes;
mod piped;
#[cfg(unix)]
mod safe;
#[cfg(unix)]
mod shell;
mod stdin;
#[cfg(unix)]
mod terminal;

/// Joins ten rows with themselves eleven times, which no machine finishes.
const LONG_QUERY: &str = "WITH d AS (SELECT * FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), \
     (8), (9)) v(x)) SELECT count(*) FROM d a CROSS JOIN d b CROSS JOIN d c CROSS JOIN d e CROSS \
     JOIN d f CROSS JOIN d g CROSS JOIN d h CROSS JOIN d i CROSS JOIN d j CROSS JOIN d k CROSS \
     JOIN d l WHERE (a.x + b.x + c.x + e.x + f.x + g.x + h.x + i.x + j.x + k.x + l.x) % 7 = 8";

fn vonk(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vonk"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes the pipe, which is fine.
    let _closed = child.stdin.take().unwrap().write_all(stdin.as_ref());
    child.wait_with_output().unwrap()
}

/// Exit code, standard output and standard error.
fn run(arguments: &[&str], stdin: impl AsRef<[u8]>) -> (i32, String, String) {
    let output = vonk(arguments, stdin);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn sql_comes_by_position_option_file_or_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.sql");
    std::fs::write(&file, "SELECT 1 AS a;\nSELECT 2 AS a;\n").unwrap();
    let both = "a\n1\na\n2\n".to_owned();
    let file = file.to_str().unwrap();
    for (arguments, stdin) in [
        (vec!["-o", "csv", "SELECT 1 AS a; SELECT 2 AS a"], ""),
        (vec!["-o", "csv", "-c", "SELECT 1 AS a; SELECT 2 AS a"], ""),
        (vec!["-o", "csv", "-f", file], ""),
        (vec!["-o", "csv", "-f", "-"], "SELECT 1 AS a; SELECT 2 AS a"),
        (vec!["-o", "csv"], "SELECT 1 AS a; SELECT 2 AS a"),
    ] {
        assert_eq!(run(&arguments, stdin), (0, both.clone(), String::new()), "{arguments:?}");
    }
}

#[test]
fn results_are_alone_on_standard_output() {
    let (code, stdout, stderr) = run(&["SELECT CAST(1 AS BIGINT) AS one"], "");
    assert_eq!(code, 0);
    let table = "┌────────┐\n│    one │\n│ bigint │\n├────────┤\n│      1 │\n└────────┘\n";
    assert_eq!(stdout, table);
    assert!(stderr.starts_with("1 row · 0."), "{stderr}");
    assert_eq!(run(&["-q", "SELECT 1 AS one"], "").2, "");
}

#[test]
fn a_script_stops_at_its_first_error_unless_it_shall_go_on() {
    let script = "SELECT 1 AS a;\n  SELECT b;\nSELECT 3 AS a";
    let (code, stdout, stderr) = run(&["-o", "csv"], script);
    assert_eq!((code, stdout.as_str()), (1, "a\n1\n"));
    assert!(stderr.contains("2:10\n"), "{stderr}");
    let (code, stdout, _) = run(&["-o", "csv", "--keep-going"], script);
    assert_eq!((code, stdout.as_str()), (1, "a\n1\na\n3\n"));
}

#[test]
fn errors_show_condition_state_place_and_caret() {
    let (code, stdout, stderr) = run(&["SELCT 1"], "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(lines[0].starts_with("error[PARSE_SYNTAX_ERROR] "), "{stderr}");
    assert!(lines[0].ends_with("SQLSTATE 42601"), "{stderr}");
    assert_eq!(
        lines[1..4],
        [" --> 1:1", "1 | SELCT 1", "  | ^^^^^ did you mean `SELECT`?"],
        "{stderr}"
    );
    assert!(lines.len() <= 8, "{stderr}");
}

#[test]
fn colours_come_only_when_wanted() {
    assert!(!run(&["SELECT NULL"], "").1.contains('\u{1b}'));
    assert!(run(&["--color", "always", "SELECT NULL"], "").1.contains('\u{1b}'));
}

#[test]
fn every_format_writes_something_its_reader_accepts() {
    let sql = "SELECT 1 AS n, 'a|b' AS t UNION ALL SELECT 2, NULL ORDER BY n";
    let text = |format| run(&["-o", format, sql], "").1;
    assert_eq!(text("csv"), "n,t\n1,a|b\n2,\n");
    assert_eq!(text("tsv"), "n\tt\n1\ta|b\n2\t\n");
    assert_eq!(text("jsonl"), "{\"n\":1,\"t\":\"a|b\"}\n{\"n\":2,\"t\":null}\n");
    assert_eq!(text("json"), "[\n{\"n\":1,\"t\":\"a|b\"},\n{\"n\":2,\"t\":null}\n]\n");
    assert_eq!(text("markdown"), "| n | t |\n|---:|---|\n| 1 | a\\|b |\n| 2 | NULL |\n");
    assert!(vonk(&["-o", "parquet", sql], "").stdout.ends_with(b"PAR1"));
    assert!(vonk(&["-o", "arrow", sql], "").stdout.starts_with(b"ARROW1"));
}

#[test]
fn completions_and_manual_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell], "").1.contains("vonk"));
    }
    assert!(run(&["man"], "").1.starts_with(".ie"));
    assert!(run(&["--version"], "").1.starts_with("vonk "));
}

#[test]
fn a_binary_file_holds_one_result() {
    let output = vonk(&["-o", "parquet", "SELECT 1 AS a; SELECT 2 AS a"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("one result"));
    assert!(output.stdout.is_empty(), "a part of the results looks whole");
    // A statement that fails behind the result takes that along; one without a result does not count.
    let output = vonk(&["-o", "parquet", "SELECT 1 AS a; SELECT nowhere"], "");
    assert!(output.stdout.is_empty() && output.status.code() == Some(1));
    let output = vonk(&["-o", "parquet", "CREATE TEMP VIEW v AS SELECT 1 AS a; FROM v"], "");
    assert!(output.status.success() && output.stdout.ends_with(b"PAR1"));
}
