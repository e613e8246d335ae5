//! Runs the examples in PySpark's own documentation, where a list of those that real Spark passes
//! stands beside the repository: its client's against `vonk server`, its RDDs' against the package.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{self, cargo};
use crate::python::Server;
use crate::{Result, package, repository};

/// PySpark whole, for the documentation of its RDDs, and what its client imports.
const PACKAGES: &[&str] = &[
    "pyspark==4.3.0",
    "grpcio",
    "grpcio-status",
    "googleapis-common-protos",
    "zstandard",
    "pandas",
    "pyarrow",
];

/// How many of each list pass at least, in parts of a hundred.
const CLIENT_FLOOR: usize = 93;
const RDD_FLOOR: usize = 96;

/// Runs both lists; says so and does nothing where they or PyPI are not there.
pub(crate) fn run() -> Result<()> {
    let shared = repository().join("..").join("shared").join("spark");
    let runner = shared.join("tools").join("doctest_runner.py");
    let (client_list, rdd_list) =
        (shared.join("doctests_connect.json"), shared.join("doctests_rdd.json"));
    if ![&runner, &client_list, &rdd_list].into_iter().all(|path| path.exists()) {
        println!("there are no lists of PySpark's examples beside the repository: left out");
        return Ok(());
    }
    let python = process::environment("python-pyspark")?;
    let is_complete = || process::has_module(&python, "grpc_status, pandas, pyarrow, pyspark");
    if !is_complete() {
        let installed = process::install(&python, PACKAGES);
        if installed.is_err() || !is_complete() {
            println!("PySpark cannot be had from PyPI, its examples are left out: {installed:?}");
            return Ok(());
        }
    }
    process::run(&mut cargo(&["build", "--locked", "--workspace", "--all-targets"]))?;
    let target = process::target_folder()?;
    let built = target.join("debug");
    // What examples leave behind, such as tables of a warehouse, is not there next time.
    let folder = target.join("doctests");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let of_client = client(&python, &runner, &built, &folder)?;
    compare("client", &client_list, &of_client, CLIENT_FLOOR)?;
    let of_rdds = rdds(&python, &built, &folder)?;
    compare("RDDs", &rdd_list, &of_rdds, RDD_FLOOR)
}

/// Runs the examples of PySpark's client against a server of ours; answers with where it says what became of them.
fn client(python: &Path, runner: &Path, built: &Path, folder: &Path) -> Result<PathBuf> {
    let server = Server::start(&built.join("vonk"), &folder.join("warehouse"), Some(python))?;
    let out = folder.join("client.jsonl");
    let mut examples = Command::new(python);
    // What examples of streams print to a console is not what they are compared by.
    examples.arg(runner).arg(&out).current_dir(folder).stdout(Stdio::null());
    process::run(examples.env("SPARK_CONNECT_TESTING_REMOTE", &server.address))?;
    Ok(out)
}

/// Runs the examples of PySpark's RDDs with the package in PySpark's place.
fn rdds(python: &Path, built: &Path, folder: &Path) -> Result<PathBuf> {
    let out = folder.join("rdds.jsonl");
    let mut examples = Command::new(python);
    examples.arg(repository().join("tests/doctests/rdd.py")).arg(&out).current_dir(folder);
    examples.env("PYTHONPATH", package::put_together(built)?);
    // Sets are printed in the order of their hashes.
    process::run(examples.env("PYTHONHASHSEED", "0"))?;
    Ok(out)
}

/// Says which examples of the list did not pass, and fails if too few did.
fn compare(title: &str, list: &Path, out: &Path, floor: usize) -> Result<()> {
    let list: Vec<(String, String)> = serde_json::from_slice(&fs::read(list)?)?;
    let mut passed = HashSet::new();
    for line in fs::read_to_string(out)?.lines() {
        let one: Value = serde_json::from_str(line)?;
        if one["status"] == "pass" {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            passed.insert((text("module"), text("test")));
        }
    }
    let missing: Vec<_> = list.iter().filter(|example| !passed.contains(*example)).collect();
    let right = list.len() - missing.len();
    println!("PySpark's examples of its {title}: {right} of {} pass", list.len());
    for (_, example) in missing {
        println!("  not: {example}");
    }
    if right * 100 < list.len() * floor {
        return Err(format!("less than {floor} of 100 examples of PySpark's {title} pass").into());
    }
    Ok(())
}
