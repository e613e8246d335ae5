//! Starts the comparison of tests/goldens with recordings of Spark's answers.

use std::ffi::OsStr;
use std::process::Command;

use crate::process::{self, cargo};
use crate::{Result, repository};

/// Builds the program as the tests are built and runs it with the arguments that were given.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Result<()> {
    // All targets, as the tests: with the same features of the dependencies, which are built once.
    process::run(&mut cargo(&["build", "--locked", "--workspace", "--all-targets"]))?;
    let program = process::target_folder()?.join("debug").join("goldens");
    process::run(Command::new(program).args(arguments))
}

/// Compares with the recordings that stand beside the repository, where they do.
pub(crate) fn run_beside() -> Result<()> {
    run(&[repository().join("..").join("shared").join("spark")])
}
