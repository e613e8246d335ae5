//! Starts the tester of tests/lancer, with DuckDB beside it where PyPI can be reached.

use std::ffi::OsStr;
use std::process::Command;

use crate::Result;
use crate::process::{self, cargo};

/// Builds the tester optimised and runs it with the arguments that were given.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Result<()> {
    process::run(
        cargo(&["build", "--locked", "--release", "--package", "vonk-lancer"]).args(["--bins"]),
    )?;
    let mut command = Command::new(process::target_folder()?.join("release").join("lancer"));
    match process::python_with(&["duckdb"]) {
        Ok(python) => {
            command.arg("--python").arg(python);
        }
        Err(error) => println!("DuckDB is left out: {error}"),
    }
    process::run(command.args(arguments))
}
