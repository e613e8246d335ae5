//! The wheel of the Python package: built by maturin, installed in an environment of its own, tried there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;
use crate::{Result, repository};

/// What builds wheels.
const BUILDER: &str = "maturin>=1.9,<2";

/// What is asked of the installed package: RDDs and SQL need nothing else.
const TRIAL: &str = "
import vonk
context = vonk.SparkContext()
assert context.parallelize([1, 2, 3]).map(lambda n: n + 1).sum() == 9
context.stop()
assert vonk.sql('SELECT 40 + 2 AS n').fetchall() == [(42,)]
";

/// A program of PySpark, for the command that the wheel installs.
const PROGRAM: &str = "
from pyspark import SparkContext
context = SparkContext(appName='wheel')
print(context.parallelize(['a b', 'b']).flatMap(lambda line: line.split(' ')).countByValue()['b'])
context.stop()
";

/// How the wheel is built.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// With optimisation, as it is published.
    #[arg(long)]
    release: bool,
}

/// Builds the wheel and tries it; says where it lies.
pub(crate) fn run(options: &Options) -> Result<()> {
    let builder = process::environment("python-wheel-builder")?;
    if !process::has_module(&builder, "maturin") {
        process::install(&builder, &[BUILDER])?;
    }
    let folder = process::target_folder()?.join("wheels");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut build = Command::new(&builder);
    build.args(["-m", "maturin", "build", "--locked", "--out"]).arg(&folder);
    build.arg("--manifest-path").arg(repository().join("crates/vonk-python/Cargo.toml"));
    if options.release {
        build.arg("--release");
    }
    process::run(build.current_dir(repository().join("python")))?;
    let wheel = only_wheel(&folder)?;
    let name = wheel.file_name().map(|name| name.to_string_lossy().into_owned());
    if !name.as_ref().is_some_and(|name| name.contains("-cp310-abi3-")) {
        return Err(format!("{name:?} is not for every Python from 3.10 on").into());
    }
    try_out(&wheel)?;
    println!("{}", wheel.display());
    Ok(())
}

fn only_wheel(folder: &Path) -> Result<PathBuf> {
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    match wheels.as_slice() {
        [wheel] => Ok(wheel.clone()),
        _ => Err(format!("there are {} wheels in {}", wheels.len(), folder.display()).into()),
    }
}

/// Installs the wheel where nothing else is, and runs programs with it.
fn try_out(wheel: &Path) -> Result<()> {
    let python = process::environment("python-wheel")?;
    let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall"];
    process::run(Command::new(&python).args(pip).arg(wheel))?;
    // Not from the repository, whose folder `python` would be imported instead.
    let elsewhere = process::target_folder()?.join("wheel-trial");
    fs::create_dir_all(&elsewhere)?;
    process::run(Command::new(&python).args(["-c", TRIAL]).current_dir(&elsewhere))?;
    let program = elsewhere.join("program.py");
    fs::write(&program, PROGRAM)?;
    let script = python.with_file_name("vonk");
    let output = Command::new(script).arg("run").arg(&program).output()?;
    if output.status.success() && output.stdout == b"2\n" {
        return Ok(());
    }
    Err(format!("the wheel's command failed: {output:?}").into())
}
