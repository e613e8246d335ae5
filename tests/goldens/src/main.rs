//! Asks vonk the statements of recordings of Spark's answers, and counts what it answers alike.
//!
//! `cargo xtask goldens DIR` builds and starts it. A recording is a folder `results` of files in
//! the format of Spark's own suite of SQL queries, with `inputs` and `test-data` beside it.

#![expect(clippy::print_stdout, reason = "a command that people and CI read")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use vonk_tests::BoxError;

mod compare;
mod golden;
mod ratchet;
mod render;
mod report;
mod run;
mod tables;

use golden::GoldenFile;
use report::FileReport;

/// How many files are asked at the same time.
const THREADS: usize = 2;

/// Asks vonk the statements of recordings of Spark's answers.
#[derive(Parser)]
pub(crate) struct Options {
    /// A recording, or a folder of them.
    directory: PathBuf,
    /// Only files with this in their name.
    #[arg(long, default_value = "")]
    only: String,
    /// Show each statement that is not answered alike.
    #[arg(long)]
    failures: bool,
    /// Count the failures by the head of their message.
    #[arg(long)]
    causes: bool,
    /// Write the counts to the ratchet, from which no file may fall back.
    #[arg(long)]
    record: bool,
}

fn main() -> Result<ExitCode, BoxError> {
    let options = Options::parse();
    let files = golden::find(&options.directory, &options.only)?;
    if files.is_empty() {
        println!("goldens: no recordings in `{}`, nothing to compare", options.directory.display());
        return Ok(ExitCode::SUCCESS);
    }
    // A statement that panics is reported with its message; the trace would bury the report.
    std::panic::set_hook(Box::new(|_| {}));
    let reports = run_all(&files);
    report::print(&reports, &options);
    if options.record {
        ratchet::record(&reports)?;
        return Ok(ExitCode::SUCCESS);
    }
    let fallen = ratchet::fallen(&reports)?;
    for line in &fallen {
        println!("fell back: {line}");
    }
    Ok(if fallen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the files on a few threads; the reports come in the order of the files.
fn run_all(files: &[GoldenFile]) -> Vec<FileReport> {
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = run::file(file);
                    reports.lock().unwrap_or_else(|lock| lock.into_inner()).push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(|lock| lock.into_inner());
    reports.sort_by(|a, b| a.name.cmp(&b.name));
    reports
}
