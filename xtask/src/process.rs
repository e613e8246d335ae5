//! Other programs: cargo, the maker of data, and Python in a virtual environment of ours.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, repository};

/// `cargo` as it called us, in the top folder of the repository.
///
/// What it told us of our own package is kept from it: a dependency that asks for these variables,
/// and all that is built on it, would be built anew for each of us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(repository());
    for (name, _) in std::env::vars_os() {
        let of_package = |text: &str| {
            ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|begin| text.starts_with(begin))
        };
        if name.to_str().is_some_and(of_package) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command with our input and output, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed: {status}").into()) }
}

/// The folder that cargo builds into.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let folder = metadata["target_directory"].as_str().ok_or("cargo names no target folder")?;
    Ok(PathBuf::from(folder))
}

/// Builds the programs that make data and answer benchmarks, and names the folder they are in.
pub(crate) fn build_tools() -> Result<PathBuf> {
    let packages = ["--package", "vonk-tests", "--package", "vonk-benches", "--bins"];
    run(cargo(&["build", "--locked", "--release"]).args(packages))?;
    Ok(target_folder()?.join("release"))
}

/// Makes a data set: `tpch` or `words`, with the options of tests/support/make_data.rs.
pub(crate) fn make_data<S: AsRef<OsStr>>(arguments: &[S]) -> Result<()> {
    run(Command::new(build_tools()?.join("make-data")).args(arguments))
}

/// A virtual environment in the target folder with what PyPI gives of `packages`; one that cannot
/// be installed is left out with a word. Answers with its Python.
pub(crate) fn python_with(packages: &[&str]) -> Result<PathBuf> {
    let python = environment("python")?;
    for package in packages {
        if !has_module(&python, package)
            && let Err(error) = install(&python, &[package])
        {
            println!("{package} is left out: {error}");
        }
    }
    Ok(python)
}

/// The Python of a virtual environment in this folder of the target folder.
pub(crate) fn environment(folder: &str) -> Result<PathBuf> {
    let folder = target_folder()?.join(folder);
    let python = folder.join("bin").join("python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    Ok(python)
}

/// Installs what PyPI has of these, or fails soon where it cannot be reached.
pub(crate) fn install(python: &Path, requirements: &[&str]) -> Result<()> {
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"];
    run(Command::new(python).args(pip).args(requirements))
}

/// Whether modules, separated by commas, can be imported.
pub(crate) fn has_module(python: &Path, module: &str) -> bool {
    let import = format!("import {module}");
    let output = Command::new(python).args(["-c", &import]).output();
    output.is_ok_and(|output| output.status.success())
}
