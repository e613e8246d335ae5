//! What the tests of stores start: Hadoop's name node and data node, and a server of S3.

use std::fs;
use std::process::Command;

use crate::process;
use crate::{Result, repository};

/// The server of S3.
const PACKAGES: &[&str] = &["moto[server]>=5,<6"];

/// Fetches both into the target folder, if they are not there; says so where they cannot be had.
pub(crate) fn prepare() -> Result<()> {
    if let Err(error) = hadoop() {
        println!("Maven Central has no Hadoop for us, its tests are left out: {error}");
    }
    if let Err(error) = s3() {
        println!("PyPI has no server of S3 for us, its tests are left out: {error}");
    }
    Ok(())
}

/// Hadoop's classes with Maven, which keeps what it has fetched.
fn hadoop() -> Result<()> {
    let folder = process::target_folder()?.join("hadoop");
    if folder.is_dir() {
        return Ok(());
    }
    for program in ["java", "mvn"] {
        if Command::new(program).arg("-version").output().is_err() {
            return Err(format!("there is no `{program}`").into());
        }
    }
    // Under another name until all is there.
    let partial = folder.with_extension("partial");
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "dependency:copy-dependencies", "--file"]);
    maven.arg(repository().join("tests").join("servers").join("pom.xml"));
    maven.arg(format!("-DoutputDirectory={}", partial.display()));
    process::run(&mut maven)?;
    fs::rename(&partial, &folder)?;
    Ok(())
}

fn s3() -> Result<()> {
    let python = process::environment("python-stores")?;
    if !process::has_module(&python, "moto.server, flask") {
        process::install(&python, PACKAGES)?;
    }
    Ok(())
}
