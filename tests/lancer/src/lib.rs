//! The tester: random queries over random tables, whose answers have to agree with each other.
//!
//! A run is a sequence of rounds. A round makes tables and asks some questions over them; every
//! oracle makes statements from a question that have to agree. What does not is made small and
//! reported as an .slt file. A seed gives the same questions on every machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vonk_tests::random::SplitMix;

pub mod ast;
pub mod bench;
pub mod duckdb;
mod files;
pub mod functions;
pub mod generate;
pub mod oracle;
pub mod print;
pub mod reply;
pub mod report;
pub mod setting;
pub mod shrink;
pub mod table;
pub mod value;

use bench::Bench;
use generate::Question;
use oracle::{Oracle, Verdict};
use shrink::Finding;

/// How many questions are asked over the same tables.
const QUESTIONS_PER_ROUND: u64 = 12;

/// So many characters of an error tell what kind it is of.
const REASON_LENGTH: usize = 60;

/// When a run ends, and how small its findings are made.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The seed of the first round; the next has the next number.
    pub seed: u64,
    /// How many questions are asked.
    pub questions: u64,
    /// How long questions are asked.
    pub time: Option<Duration>,
    /// The run ends with that many findings.
    pub findings: usize,
    /// How many tries a finding is made smaller by.
    pub attempts: usize,
}

/// What a run has done.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many questions were asked.
    pub questions: u64,
    /// Counts by oracle.
    pub oracles: BTreeMap<&'static str, Counts>,
    /// Why statements were refused, by the beginning of the error: how often, and the shortest.
    pub refusals: BTreeMap<String, (u64, String)>,
    /// What is wrong, each as an .slt file.
    pub findings: Vec<String>,
}

/// What an oracle has said how often.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Agreements and differences.
    pub checks: u64,
    /// Refused statements.
    pub refused: u64,
    /// Differences.
    pub findings: u64,
}

impl Report {
    /// The checks of all oracles.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.oracles.values().map(|counts| counts.checks).sum()
    }

    /// The share of statements that were refused, of all that an oracle had.
    #[must_use]
    pub fn refused_share(&self) -> f64 {
        let refused: u64 = self.oracles.values().map(|counts| counts.refused).sum();
        refused as f64 / (refused + self.checks()).max(1) as f64
    }

    fn count(&mut self, oracle: &'static str, verdict: &Verdict) {
        let counts = self.oracles.entry(oracle).or_default();
        match verdict {
            Verdict::Inapplicable => {}
            Verdict::Agree => counts.checks += 1,
            Verdict::Differ(_) => {
                counts.checks += 1;
                counts.findings += 1;
            }
            Verdict::Refused { error, sql } => {
                counts.refused += 1;
                let reason: String = error.chars().take(REASON_LENGTH).collect();
                let entry = self.refusals.entry(reason).or_insert_with(|| (0, sql.clone()));
                entry.0 += 1;
                if sql.len() < entry.1.len() {
                    entry.1.clone_from(sql);
                }
            }
        }
    }
}

/// Asks questions until a limit is reached; `tell` sees each finding at once.
pub async fn run(
    bench: &mut Bench,
    oracles: &[Box<dyn Oracle>],
    limits: &Limits,
    tell: &mut (dyn FnMut(&str) + Send),
) -> Report {
    let start = Instant::now();
    let mut report = Report::default();
    let mut round = limits.seed;
    loop {
        // Neighbouring seeds give unrelated numbers after the first draw.
        let mut dice = SplitMix::new(round);
        let tables = generate::tables(&mut dice);
        for _ in 0..QUESTIONS_PER_ROUND {
            let late = limits.time.is_some_and(|time| start.elapsed() >= time);
            if late || report.questions >= limits.questions {
                return report;
            }
            report.questions += 1;
            let question = Question::new(&mut dice, &tables);
            for oracle in oracles {
                bench.lay_out(&tables);
                let verdict = oracle.check(bench, &question).await;
                report.count(oracle.name(), &verdict);
                let Verdict::Differ(difference) = verdict else { continue };
                let finding =
                    Finding { tables: tables.clone(), question: question.clone(), difference };
                let small = shrink::shrink(bench, oracle.as_ref(), finding, limits.attempts).await;
                let slt = report::slt(&small, oracle.name(), &format!("seed {round}"));
                tell(&slt);
                report.findings.push(slt);
                if report.findings.len() >= limits.findings {
                    return report;
                }
            }
        }
        round += 1;
    }
}
