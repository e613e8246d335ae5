//! Whether an answer is the recorded one, by the rules of Spark's own suite.

use std::sync::LazyLock;

use regex::Regex;

use crate::golden::Record;
use crate::run::Answer;

/// How an answer compares with the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Schema and rows, or the condition of the error, are the same.
    Same,
    /// The rows are the same, the schema is not.
    SameRows,
    /// Both fail, by different conditions.
    OtherError,
    /// The rows differ.
    WrongRows,
    /// Spark answers an error, vonk rows.
    ShouldFail,
    /// Spark answers rows, vonk an error, a panic or nothing in time.
    ShouldSucceed,
}

const LEFT_OUT: &str = "[not included in comparison]";

/// What differs from run to run, and what stands in its place.
static VOLATILE: LazyLock<Vec<(Regex, String)>> = LazyLock::new(|| {
    let rules = [
        (r"#\d+", "#x".to_owned()),
        (r"plan_id=\d+", "plan_id=x".to_owned()),
        (r"Created By.*", format!("Created By {LEFT_OUT}")),
        (r"Created Time.*", format!("Created Time {LEFT_OUT}")),
        (r"Last Access.*", format!("Last Access {LEFT_OUT}")),
        (r"Location.*/warehouse/", format!("Location {LEFT_OUT}/{{warehouse_dir}}/")),
        (r"file:[^\s,]*/warehouse", format!("file:{LEFT_OUT}/{{warehouse_dir}}")),
        (r"Owner[\t ]+(.*)", format!("Owner\t{LEFT_OUT}")),
        (r"Partition Statistics\t\d+", format!("Partition Statistics\t{LEFT_OUT}")),
        (r"transient_lastDdlTime=\d+", format!("transient_lastDdlTime={LEFT_OUT}")),
        (r"@\w*,", "@xxxxxxxx,".to_owned()),
        (r"\*\(\d+\) ", "*".to_owned()),
    ];
    rules.into_iter().filter_map(|(rule, text)| Some((Regex::new(rule).ok()?, text))).collect()
});

/// The text that year-month intervals have in a table, of the literal that makes them.
static MONTHS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"INTERVAL '([^']*)' (?:YEAR TO MONTH|YEAR|MONTH)").ok());

/// Compares an answer with the record.
pub(crate) fn verdict(record: &Record, answer: &Answer) -> Verdict {
    match (record.error(), answer) {
        (Some(want), Answer::Error { condition, .. }) if want == condition => Verdict::Same,
        (Some(_), Answer::Error { .. }) => Verdict::OtherError,
        (Some(_), Answer::Rows { .. }) => Verdict::ShouldFail,
        (None, Answer::Error { .. }) => Verdict::ShouldSucceed,
        (None, Answer::Rows { schema, rows }) => match are_same(&record.output, rows) {
            true if *schema == record.schema => Verdict::Same,
            true => Verdict::SameRows,
            false => Verdict::WrongRows,
        },
    }
}

/// Whether the rows are those of the text, in its order or sorted, but for the last digits of
/// floating-point numbers.
fn are_same(want: &str, rows: &[String]) -> bool {
    let rows: Vec<String> = rows.iter().map(|row| normalized(row)).collect();
    let got = months(rows.join("\n").trim_end());
    let mut sorted = rows;
    sorted.sort();
    // Recordings are read without empty rows at either end, where sorting puts them.
    let sorted = months(sorted.join("\n").trim_matches('\n').trim_end());
    let want = months(want);
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        lines.sort();
        lines
    };
    want == got
        || want == sorted
        || lines(&want) == lines(&sorted)
        || are_close(&sorted, &want)
        || are_close(&got, &want)
}

fn normalized(row: &str) -> String {
    VOLATILE.iter().fold(row.to_owned(), |row, (rule, text)| {
        rule.replace_all(&row, regex::NoExpand(text)).into_owned()
    })
}

fn months(text: &str) -> String {
    match MONTHS.as_ref() {
        Some(rule) => rule.replace_all(text, "$1").into_owned(),
        None => text.to_owned(),
    }
}

/// Whether two texts are the same but for numbers that differ by a billionth.
fn are_close(a: &str, b: &str) -> bool {
    let pieces = |text: &str| -> Vec<String> {
        let is_gap = |c: char| c.is_whitespace() || ",:{}[]".contains(c);
        text.split_inclusive(is_gap)
            .flat_map(|piece| {
                let value = piece.trim_end_matches(is_gap);
                [value.to_owned(), piece[value.len()..].to_owned()]
            })
            .collect()
    };
    let (a, b) = (pieces(a), pieces(b));
    let is_close = |(a, b): (&String, &String)| match (a.parse::<f64>(), b.parse::<f64>()) {
        _ if a == b => true,
        (Ok(a), Ok(b)) => {
            let distance = (a - b).abs();
            distance <= 1e-9 * a.abs().max(b.abs()) || distance <= 1e-12
        }
        _ => false,
    };
    a.len() == b.len() && a.iter().zip(&b).all(is_close)
}
