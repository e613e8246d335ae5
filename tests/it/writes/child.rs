//! Tests that need a process of their own: with little space, or to be killed.
//!
//! Such a test starts this binary once more with the name of an ignored test.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The space that a child has: a small disk of this size, or files of at most an eighth of it.
pub(crate) const SPACE_BYTES: u64 = 256 << 10;

/// The unit in which POSIX lets `ulimit -f` count.
const ULIMIT_BYTES: u64 = 512;

/// The variable by which a child knows its directory; without it the ignored tests do nothing.
const ROOT: &str = "VONK_TEST_CHILD_ROOT";

/// What surrounds a child.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Surroundings {
    /// Its directory is a file system of its own with [`SPACE_BYTES`].
    SmallDisk,
    /// The system refuses it files of more than an eighth of [`SPACE_BYTES`].
    SmallFiles,
}

/// The directory of this process, if it was started as a child.
pub(crate) fn root() -> Option<PathBuf> {
    std::env::var_os(ROOT).map(PathBuf::from)
}

/// Tells the parent that a case is done.
pub(crate) fn passed(case: &str) {
    tell(&format!("passed: {case}"));
}

/// Writes a line for the parent, or for those who read the figures of a soak.
pub(crate) fn tell(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

/// The command that runs one ignored test of this binary in a directory.
pub(crate) fn command(test: &str, root: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env(ROOT, root);
    command
}

/// Runs an ignored test in these surroundings; it has to pass, with so many cases told.
pub(crate) fn run(test: &str, surroundings: Surroundings, cases: usize) {
    let root = tempfile::tempdir().unwrap();
    let script = match surroundings {
        Surroundings::SmallDisk if can_mount() => {
            format!("mount -t tmpfs -o size={SPACE_BYTES} small \"$VONK_TEST_CHILD_ROOT\"")
        }
        // Where nobody may mount, the limit of files stands in for the small disk. Without the trap
        // the system would end a process that writes more.
        _ => format!("trap '' XFSZ; ulimit -f {}", SPACE_BYTES / 8 / ULIMIT_BYTES),
    };
    let has_disk = script.starts_with("mount");
    let plain = command(test, root.path());
    let mut shell = if has_disk { unshared() } else { Command::new("sh") };
    if has_disk {
        shell.arg("sh");
    }
    shell.args(["-c", &format!("{script} && exec \"$0\" \"$@\"")]);
    shell.arg(plain.get_program()).args(plain.get_args()).env(ROOT, root.path());
    let Output { status, stdout, stderr } = shell.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&stdout);
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{surroundings:?} ({script}): {status}\n{told}\n{errors}");
    assert_eq!(told.matches("passed: ").count(), cases, "{surroundings:?}\n{told}\n{errors}");
}

/// A command in a world of its own, whose mounts go with it; works without privileges too.
fn unshared() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount"]);
    command
}

fn can_mount() -> bool {
    let directory = tempfile::tempdir().unwrap();
    let mut mount = unshared();
    mount.args(["mount", "-t", "tmpfs", "-o", "size=64k", "small"]).arg(directory.path());
    mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
