//! The Python package: built by cargo, put together in the target folder, and tested there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, cargo};
use crate::{Result, python, repository};

/// Builds the package and runs its tests, with the command beside it.
pub(crate) fn run() -> Result<()> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("there is no python3: the Python package is not tested");
        return Ok(());
    }
    // All targets, as the tests: with the same features of the dependencies, which are built once.
    process::run(&mut cargo(&["build", "--locked", "--workspace", "--all-targets"]))?;
    let built = process::target_folder()?.join("debug");
    let package = put_together(&built)?;
    // Where PyPI cannot be reached, the tests of what is missing are skipped.
    let python = match python::python()? {
        Some(python) => python,
        None => process::environment("python")?,
    };
    let mut tests = Command::new(python);
    tests.args(["-m", "unittest", "discover", "--start-directory"]);
    tests.arg(repository().join("python").join("tests"));
    tests.env("PYTHONPATH", &package).env("VONK_BINARY", built.join("vonk"));
    tests.env("VONK_HADOOP", process::target_folder()?.join("hadoop"));
    process::run(&mut tests)
}

/// Copies the package's modules and its compiled part into one folder.
pub(crate) fn put_together(built: &Path) -> Result<PathBuf> {
    let folder = built.join("python-package");
    let package = folder.join("vonk");
    if package.exists() {
        fs::remove_dir_all(&package)?;
    }
    copy(&repository().join("python").join("vonk"), &package)?;
    let (library, module) = if cfg!(windows) {
        ("_vonk.dll", "_vonk.pyd")
    } else if cfg!(target_os = "macos") {
        ("lib_vonk.dylib", "_vonk.abi3.so")
    } else {
        ("lib_vonk.so", "_vonk.abi3.so")
    };
    let (library, module) = (built.join(library), package.join(module));
    // The library is large without optimisation: a link is made at once.
    fs::hard_link(&library, &module).or_else(|_| fs::copy(&library, &module).map(|_| ()))?;
    Ok(folder)
}

/// Copies a folder; what Python or a developer's build left there stays where it is.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if entry.file_type()?.is_dir() && text != "__pycache__" {
            copy(&entry.path(), &to.join(&name))?;
        } else if text.ends_with(".py") || text.ends_with(".pyi") || text == "py.typed" {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
