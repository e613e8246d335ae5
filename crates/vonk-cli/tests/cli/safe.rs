//! `--safe`: what statements may still do, and what the flags beside it allow.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::terminal::{CTRL_D, TAB, Terminal};

/// Runs the command in a directory; exit code, standard output and standard error.
fn run(directory: &Path, arguments: &[&str], stdin: &str) -> (i32, String, String) {
    let input = directory.join("stdin.txt");
    fs::write(&input, stdin).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_vonk"))
        .args(["-q", "-o", "csv"])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::from(fs::File::open(&input).unwrap()))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A directory `here` with data and one `there`, beside it.
fn directories() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in ["here", "there"] {
        fs::create_dir(root.path().join(name)).unwrap();
        fs::write(root.path().join(name).join("a.csv"), "n\n1\n").unwrap();
    }
    root
}

#[test]
fn the_current_directory_is_read_and_nothing_else() {
    let root = directories();
    let here = root.path().join("here");
    let there = root.path().join("there").display().to_string();
    let ask = |arguments: &[&str]| run(&here, arguments, "n\n7\n");
    assert_eq!(ask(&["--safe", "SELECT * FROM 'a.csv'"]), (0, "n\n1\n".into(), String::new()));
    assert_eq!(ask(&["--safe", "SELECT * FROM stdin"]).1, "n\n7\n");
    assert_eq!(ask(&["--safe", "SELECT max(id) AS m FROM range(9)"]).1, "m\n8\n");
    for refused in [
        "SELECT * FROM '../there/a.csv'",
        "SELECT * FROM text.`/etc/passwd`",
        "COPY (SELECT 1) TO 'b.csv'",
        "CREATE TABLE t AS SELECT 1 AS n",
        "CREATE DATABASE d",
        "SET vonk.memory.limit = 1TB",
        "SELECT * FROM 'http://127.0.0.1/a.csv'",
    ] {
        let (code, stdout, stderr) = ask(&["--safe", refused]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{refused}: {stderr}");
        let is_named =
            stderr.contains("INSUFFICIENT_PERMISSIONS") || stderr.contains("CANNOT_MODIFY");
        assert!(is_named, "{refused}: {stderr}");
    }
    let mut left: Vec<_> = fs::read_dir(&here).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.csv", "stdin.txt"]);
    let other = format!("SELECT * FROM '{there}/a.csv'");
    assert_eq!(ask(&["--safe", "--allow-read", &there, &other]).1, "n\n1\n");
    assert_eq!(ask(&["--safe", "--allow-read", &format!("{there}/a.csv"), &other]).1, "n\n1\n");
    let copy = format!("COPY (SELECT 2 AS n) TO '{there}/b.csv'");
    assert_eq!(ask(&["--safe", "--allow-read", &there, &copy]).0, 1);
    assert_eq!(ask(&["--safe", "--allow-write", &there, &copy]).0, 0);
    assert_eq!(fs::read_to_string(format!("{there}/b.csv")).unwrap(), "n\n2\n");
    // What the person at the keyboard names is theirs: a limit, a file of statements.
    fs::write(format!("{there}/q.sql"), "SELECT * FROM 'a.csv'").unwrap();
    let script = format!("{there}/q.sql");
    assert_eq!(ask(&["--safe", "--memory-limit", "1GB", "-f", &script]).1, "n\n1\n");
    assert_eq!(ask(&["--safe", "--allow-read", "no/such", "SELECT 1"]).0, 2);
    assert_eq!(ask(&["--allow-read", &there, "SELECT 1"]).0, 2);
}

#[test]
fn the_shell_reads_no_scripts_from_elsewhere_and_keeps_no_history() {
    let root = directories();
    let here = root.path().join("here");
    fs::write(here.join("q.sql"), "SELECT 40 + 2;").unwrap();
    fs::write(root.path().join("there/q.sql"), "SELECT 40 + 3;").unwrap();
    let mut shell = Terminal::open(&here, &["--safe"]);
    shell.prompt();
    shell.press(".read ../there/q.sql\r");
    shell.expect("INSUFFICIENT_PERMISSIONS");
    shell.prompt();
    shell.press(".set vonk.memory.limit=1TB\r");
    shell.expect("CANNOT_MODIFY_STATIC_CONFIG");
    shell.prompt();
    shell.press(".read q");
    shell.press(TAB);
    shell.press("\r");
    shell.expect("42");
    shell.prompt();
    shell.press(CTRL_D);
    assert_eq!(shell.exit_code(), 0);
    assert!(!here.join("vonk").exists());
}
