//! Runs the programs of tests/python, which use PySpark's own client, against `vonk server`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::process::{self, cargo};
use crate::{Result, repository};

/// What the programs import: the client of PySpark without Spark, what it needs, and what takes rows from us.
const PACKAGES: &[&str] = &["pyspark-client>=4.0", "pandas<3", "polars"];

/// Runs every program; says so and does nothing where PyPI cannot be reached.
pub(crate) fn run() -> Result<()> {
    let Some(python) = python()? else {
        println!("PyPI cannot be reached: the programs of tests/python are left out");
        return Ok(());
    };
    process::run(&mut cargo(&["build", "--locked", "--workspace", "--all-targets"]))?;
    let target = process::target_folder()?;
    let vonk = target.join("debug").join("vonk");
    let server = Server::start(&vonk, &target.join("python-warehouse"), None)?;
    for program in programs()? {
        println!("{}", program.display());
        process::run(Command::new(&python).arg(&program).arg(&server.address).env("VONK", &vonk))?;
    }
    Ok(())
}

/// The Python of a virtual environment that has the packages, if they can be had.
pub(crate) fn python() -> Result<Option<PathBuf>> {
    let python = process::environment("python-connect")?;
    // Not pyspark.sql.connect, which takes `python -c` for its doctests and wants a whole Spark.
    let is_complete =
        || process::has_module(&python, "grpc, grpc_status, pandas, polars, pyspark, pyarrow");
    let is_there = is_complete() || (process::install(&python, PACKAGES).is_ok() && is_complete());
    Ok(is_there.then_some(python))
}

fn programs() -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for entry in fs::read_dir(repository().join("tests").join("python"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            programs.push(path);
        }
    }
    programs.sort();
    Ok(programs)
}

/// A server that ends with this.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts it with a folder for its tables, and with a Python for functions if one is named.
    pub(crate) fn start(vonk: &Path, warehouse: &Path, python: Option<&Path>) -> Result<Self> {
        let mut command = Command::new(vonk);
        command.args(["server", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        command.arg("--conf").arg(format!("spark.sql.warehouse.dir={}", warehouse.display()));
        if let Some(python) = python {
            command.arg("--python").arg(python);
        }
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening at ").map(str::to_owned);
        match address {
            Some(address) => Ok(Self { process, address }),
            None => {
                process.kill()?;
                Err(format!("the server did not start: {line}").into())
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
