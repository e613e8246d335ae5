//! The one test command: every check that a change has to pass, in the order of their cost.

use std::time::Instant;

use crate::process::{self, cargo};
use crate::{Result, deny, doctests, goldens, package, python, servers, tidy};

/// What `cargo xtask test` is told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave out what only looks at the source: format, lints, tidy and deny.
    #[arg(long)]
    tests_only: bool,
}

/// Runs all checks; the first that fails ends the run.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !options.tests_only {
        step("tidy", tidy::run)?;
        step("deny", deny::run)?;
        step("format", || process::run(&mut cargo(&["fmt", "--all", "--check"])))?;
        let lints =
            ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        step("lints", || process::run(&mut cargo(&lints)))?;
    }
    step("servers of files", servers::prepare)?;
    // Benchmarks are targets too: without `--bench` criterion runs each of them once.
    let tests = ["test", "--locked", "--workspace", "--all-targets", "--no-fail-fast"];
    step("tests", || process::run(&mut cargo(&tests)))?;
    let examples = ["test", "--locked", "--workspace", "--doc"];
    step("examples in the documentation", || process::run(&mut cargo(&examples)))?;
    step("programs of PySpark", python::run)?;
    step("goldens", goldens::run_beside)?;
    step("Python package", package::run)?;
    step("examples of PySpark", doctests::run)
}

fn step(name: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("== {name}");
    let start = Instant::now();
    let outcome = check();
    println!("== {name}: {} s", start.elapsed().as_secs());
    outcome.map_err(|error| format!("{name}: {error}").into())
}
