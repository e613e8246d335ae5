//! The counts of a run, in total and by file, and what failed.

use std::collections::BTreeMap;

use crate::Options;
use crate::compare::Verdict;
use crate::golden::Record;
use crate::run::Answer;

/// How much of a text a line of the report shows, in characters.
const SHOWN_MAX: usize = 400;

/// A statement, the answers of both and how they compare.
pub(crate) struct Outcome {
    pub(crate) record: Record,
    pub(crate) answer: Answer,
    pub(crate) verdict: Verdict,
}

/// The outcomes of a file.
pub(crate) struct FileReport {
    pub(crate) name: String,
    pub(crate) outcomes: Vec<Outcome>,
}

/// What is counted, of a file or of many.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) statements: usize,
    pub(crate) strict: usize,
    /// Statements that Spark answers with rows, and those of them with the same rows.
    answered: usize,
    pub(crate) rows: usize,
    /// Statements that Spark refuses, those of them that vonk refuses, and by the same condition.
    refused: usize,
    failed: usize,
    same_condition: usize,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        let is_refused = outcome.record.error().is_some();
        let is_failed = matches!(outcome.answer, Answer::Error { .. });
        self.statements += 1;
        self.strict += usize::from(outcome.is_strict());
        self.answered += usize::from(!is_refused);
        self.rows += usize::from(outcome.has_rows());
        self.refused += usize::from(is_refused);
        self.failed += usize::from(is_refused && is_failed);
        self.same_condition += usize::from(is_refused && outcome.is_strict());
    }
}

impl FileReport {
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.outcomes.iter().for_each(|outcome| counts.add(outcome));
        counts
    }
}

/// Prints what the options ask for; the totals come last.
pub(crate) fn print(reports: &[FileReport], options: &Options) {
    if options.failures {
        reports.iter().for_each(print_failures);
    }
    if options.causes {
        print_causes(reports);
    }
    println!("{:48} {:>10} {:>7} {:>11} {:>11}", "file", "statements", "strict", "rows", "errors");
    for report in reports {
        let counts = report.counts();
        println!(
            "{:48} {:10} {:7} {:>11} {:>11}",
            report.name,
            counts.statements,
            counts.strict,
            format!("{}/{}", counts.rows, counts.answered),
            format!("{}/{}", counts.same_condition, counts.refused),
        );
    }
    let mut totals: BTreeMap<&str, Counts> = BTreeMap::new();
    for report in reports {
        let recording = report.name.split('/').next().unwrap_or_default();
        let total = totals.entry(recording).or_default();
        report.outcomes.iter().for_each(|outcome| total.add(outcome));
    }
    for (recording, total) in totals {
        print_total(recording, total);
    }
}

fn print_total(recording: &str, total: Counts) {
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    println!("{recording}: {} statements", total.statements);
    println!(
        "  strict (schema and rows, or condition): {} = {:.1} %",
        total.strict,
        percent(total.strict, total.statements)
    );
    println!(
        "  rows right among {} that Spark answers: {} = {:.1} %",
        total.answered,
        total.rows,
        percent(total.rows, total.answered)
    );
    println!(
        "  of {} errors failed {}, same condition {} = {:.1} %",
        total.refused,
        total.failed,
        total.same_condition,
        percent(total.same_condition, total.refused)
    );
}

fn print_failures(report: &FileReport) {
    for (number, outcome) in report.outcomes.iter().enumerate() {
        if outcome.is_strict() {
            continue;
        }
        println!("---- {} #{number} {:?}", report.name, outcome.verdict);
        println!("{}", shown(&outcome.record.sql));
        match (&outcome.answer, &outcome.record) {
            (Answer::Error { text, .. }, record) => {
                println!("  got  {}", shown(text));
                println!("  want {}", shown(record.error().unwrap_or(&record.output)));
            }
            (Answer::Rows { schema, .. }, record) if outcome.verdict == Verdict::SameRows => {
                println!("  got  {schema}");
                println!("  want {}", record.schema);
            }
            (Answer::Rows { schema, rows }, record) => {
                println!("  got  {schema} {}", shown(&rows.join(" | ")));
                let want = record.error().unwrap_or(&record.output).replace('\n', " | ");
                println!("  want {} {}", record.schema, shown(&want));
            }
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_MAX).collect()
}

/// Counts statements that should have answered, and errors of another condition, by their message.
fn print_causes(reports: &[FileReport]) {
    let mut causes: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for (report, outcome) in
        reports.iter().flat_map(|report| report.outcomes.iter().map(move |o| (report, o)))
    {
        let cause = match (&outcome.verdict, &outcome.answer) {
            (Verdict::ShouldSucceed, Answer::Error { text, .. }) => {
                format!("fails: {}", head(text))
            }
            (Verdict::OtherError, Answer::Error { condition, .. }) => {
                format!("condition: {condition}, want {}", outcome.record.error().unwrap_or(""))
            }
            (Verdict::ShouldFail, _) => {
                format!("should fail: {}", outcome.record.error().unwrap_or(""))
            }
            (Verdict::WrongRows, _) => format!("wrong rows: {}", report.name),
            (Verdict::SameRows, _) => format!("schema: {}", report.name),
            _ => continue,
        };
        let entry = causes.entry(cause).or_insert((0, &report.name));
        entry.0 += 1;
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (cause, (count, file)) in causes {
        println!("{count:5} {cause}   ({file})");
    }
}

/// The message without its place and what the hint says.
fn head(text: &str) -> String {
    let text = text.split(" at line ").next().unwrap_or(text);
    let text = text.split(" (hint: ").next().unwrap_or(text);
    text.lines().next().unwrap_or_default().chars().take(120).collect()
}
