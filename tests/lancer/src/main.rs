//! The tester as a command; `cargo xtask lancer` builds it, finds DuckDB for it and starts it.

#![expect(clippy::print_stdout, reason = "a command that people and CI read")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use vonk_lancer::bench::Bench;
use vonk_lancer::duckdb::DuckDb;
use vonk_lancer::{Limits, Report, oracle, setting};
use vonk_tests::BoxError;

/// Random queries over random tables, whose answers have to agree with each other.
#[derive(Parser)]
struct Options {
    /// How long questions are asked.
    #[arg(long)]
    seconds: Option<u64>,
    /// How many questions are asked at most.
    #[arg(long)]
    questions: Option<u64>,
    /// The seed of the first tables; those that follow have the next numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The run ends with that many findings.
    #[arg(long, default_value_t = 1)]
    findings: usize,
    /// Only this oracle.
    #[arg(long)]
    oracle: Option<String>,
    /// Only these settings, such as `memory,parquet`.
    #[arg(long, value_delimiter = ',')]
    settings: Vec<String>,
    /// Options over the defaults for every session, as `name=value`.
    #[arg(long)]
    set: Vec<String>,
    /// A Python with DuckDB's package.
    #[arg(long)]
    python: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let options = Options::parse();
    let duckdb = match &options.python {
        Some(python) => match DuckDb::start(python).await {
            Ok(duckdb) => Some(duckdb),
            Err(error) => {
                println!("DuckDB is left out: {error}");
                None
            }
        },
        None => {
            println!("DuckDB is left out: no Python was named");
            None
        }
    };
    let mut settings = setting::settings();
    if !options.settings.is_empty() {
        settings.retain(|setting| options.settings.contains(&setting.name));
    }
    for set in &options.set {
        let (name, value) = set.split_once('=').ok_or("an option is `name=value`")?;
        settings = settings.into_iter().map(|setting| setting.with(name, value)).collect();
    }
    let mut oracles = oracle::oracles(duckdb.is_some());
    if let Some(only) = &options.oracle {
        oracles.retain(|oracle| oracle.name() == only);
    }
    let mut bench = Bench::new(settings, duckdb)?;
    let limits = Limits {
        seed: options.seed,
        questions: options.questions.unwrap_or(u64::MAX),
        time: Some(Duration::from_secs(options.seconds.unwrap_or(60))),
        findings: options.findings,
        attempts: 2_000,
    };
    let report =
        vonk_lancer::run(&mut bench, &oracles, &limits, &mut |slt| println!("{slt}\n")).await;
    print_report(&report);
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_report(report: &Report) {
    for (name, counts) in &report.oracles {
        let (checks, refused, findings) = (counts.checks, counts.refused, counts.findings);
        println!("{name:<16} {checks:>8} checks {refused:>8} refused {findings:>4} findings");
    }
    let mut refusals: Vec<_> = report.refusals.iter().collect();
    refusals.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (reason, (count, sql)) in refusals.iter().take(10) {
        println!("  {count:>6} {reason}\n         {sql}");
    }
    let (questions, checks, findings) = (report.questions, report.checks(), report.findings.len());
    let refused = report.refused_share() * 100.0;
    println!("{questions} questions, {checks} checks, {refused:.1} % refused, {findings} findings");
}
