//! The exit codes, and what is told on the way.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{LONG_QUERY, run, vonk};

#[test]
fn exit_codes_are_as_documented() {
    assert_eq!(run(&["SELECT 1"], "").0, 0);
    assert_eq!(run(&["SELECT"], "").0, 1);
    assert_eq!(run(&["SELECT nothing"], "").0, 1);
    assert_eq!(run(&["--nonsense"], "").0, 2);
    assert_eq!(run(&["--conf", "vonk.no.such=1", "SELECT 1"], "").0, 2);
    assert_eq!(run(&["-f", "/no/such/file.sql"], "").0, 3);
    assert_eq!(run(&["SELECT * FROM '/no/such/file.csv'"], "").0, 3);
}

#[test]
fn options_that_do_not_exist_get_a_hint() {
    let (code, _, stderr) = run(&["--ouput", "csv", "SELECT 1"], "");
    assert!(code == 2 && stderr.contains("--output"), "{stderr}");
    let (code, _, stderr) = run(&["-o", "markdwn", "SELECT 1"], "");
    assert!(code == 2 && stderr.contains("'markdown'"), "{stderr}");
    let (code, _, stderr) = run(&["--conf", "vonk.sql.batchsize=1", "SELECT 1"], "");
    assert!(code == 2 && stderr.contains("did you mean"), "{stderr}");
}

#[test]
fn a_missing_file_names_its_neighbour() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("orders.csv"), "a\n1\n").unwrap();
    std::fs::write(directory.path().join("report.sql"), "SELECT 1").unwrap();
    let missing = directory.path().join("oders.csv");
    let (code, _, stderr) = run(&[&format!("SELECT * FROM '{}'", missing.display())], "");
    assert_eq!(code, 3);
    assert!(stderr.contains("did you mean") && stderr.contains("orders.csv"), "{stderr}");
    let missing = directory.path().join("reprot.sql");
    let (code, _, stderr) = run(&["-f", missing.to_str().unwrap()], "");
    assert_eq!(code, 3);
    assert!(stderr.contains("did you mean") && stderr.contains("report.sql"), "{stderr}");
}

#[test]
fn a_file_of_statements_stops_at_the_first_error_and_tells_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("three.sql");
    std::fs::write(&file, "SELECT 1 AS a;\n\n  SELECT b;\nSELECT 3 AS a;\n").unwrap();
    let name = file.to_str().unwrap();
    let (code, stdout, stderr) = run(&["-o", "csv", "-f", name], "");
    assert_eq!((code, stdout.as_str()), (1, "a\n1\n"));
    assert!(stderr.contains(&format!("{name}:3:10")), "{stderr}");
    assert!(stderr.contains("3 | SELECT b"), "{stderr}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vonk"))
        .args(["-o", "csv", "-c", &"SELECT 'some text' AS a;".repeat(1000)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    for format in ["csv", "json", "table", "parquet", "arrow"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_vonk"))
            .args(["-o", format, "SELECT 1 AS a"])
            .stdin(Stdio::null())
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{format}: {stderr}");
        assert!(stderr.contains("No space left on device"), "{format}: {stderr}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_long_query_within_a_second() {
    let child = Command::new(env!("CARGO_BIN_EXE_vonk"))
        .args(["-c", LONG_QUERY])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let start = Instant::now();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn completions_and_the_manual_name_every_option() {
    let help = run(&["--help"], "").1;
    let mut names: Vec<&str> = help
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("--"))
        .map(|word| word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() >= 12, "{names:?}");
    let manual = run(&["man"], "").1.replace('\\', "");
    let scripts = ["bash", "zsh", "fish"].map(|shell| run(&["completions", shell], "").1);
    for name in names {
        assert!(manual.contains(&format!("--{name}")), "--{name}");
        for script in &scripts {
            assert!(script.contains(name), "--{name} in {script}");
        }
    }
    assert!(run(&["--version"], "").1.starts_with("vonk "));
}

#[test]
fn colours_follow_the_option_and_no_color() {
    let is_colored = |arguments: &[&str]| vonk(arguments, "").stdout.contains(&0x1b);
    assert!(!is_colored(&["SELECT NULL"]), "a pipe takes no colours by itself");
    assert!(is_colored(&["--color", "always", "SELECT NULL"]));
    assert!(!is_colored(&["--color", "never", "SELECT NULL"]));
}
