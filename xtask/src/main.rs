//! The project's own chores: `cargo xtask test`, `soak`, `tidy`, `deny`, `data`, `answers`, `bench`,
//! `lancer`, `goldens`, `doctests`, `package` and `wheel`.

#![expect(clippy::print_stdout, reason = "a command that people and CI read")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

mod bench;
mod deny;
mod doctests;
mod goldens;
mod lancer;
mod package;
mod process;
mod python;
mod servers;
mod soak;
mod test;
mod tidy;
mod wheel;

/// An error of any kind; it ends the chore and is shown as text.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Chore {
    /// Format, lints, tidy, all tests and every benchmark once: what CI runs.
    Test(test::Options),
    /// The long forms of the tests: `soak`, or `soak kills damaged`.
    Soak(soak::Options),
    /// The rules of the source tree that no lint knows: layers, lengths, first lines, links.
    Tidy,
    /// Licences, versions, sources and advisories of the dependencies, by deny.toml.
    Deny,
    /// Makes a data set: `data tpch --scale 1 --dir DIR`, `data words --scale 1 --dir DIR`.
    Data {
        /// What `make-data` of tests/support is given.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Records DuckDB's answers to the queries of sql/tpch at scale 0.01.
    Answers,
    /// Asks random queries whose answers have to agree: `lancer --seconds 60 --seed 1`.
    Lancer {
        /// What tests/lancer is given.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Compares with recordings of Spark's answers: `goldens DIR --only SUBSTR --failures`.
    Goldens {
        /// What tests/goldens is given.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Runs the examples of PySpark's own documentation, as the lists beside the repository have them.
    Doctests,
    /// Builds the Python package and runs its tests.
    Package,
    /// Builds the wheel of the Python package by maturin, and tries it in an environment of its own.
    Wheel(wheel::Options),
    /// Times vonk and its peers on the same files and compares their answers.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::Test(options) => test::run(&options),
        Chore::Soak(options) => soak::run(&options),
        Chore::Tidy => tidy::run(),
        Chore::Deny => deny::run(),
        Chore::Data { arguments } => process::make_data(&arguments),
        Chore::Answers => bench::record_answers(),
        Chore::Lancer { arguments } => lancer::run(&arguments),
        Chore::Goldens { arguments } => goldens::run(&arguments),
        Chore::Doctests => doctests::run(),
        Chore::Package => package::run(),
        Chore::Wheel(options) => wheel::run(&options),
        Chore::Bench(options) => bench::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The top folder of the repository: of the clone that cargo runs in, for a shared target folder can
/// hold an xtask that was built in another one.
fn repository() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().unwrap_or(Path::new(".")).to_path_buf()
}
