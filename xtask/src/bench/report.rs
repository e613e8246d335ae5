//! Times and ratios as Markdown, and whether the answers agree.

use std::fmt::Write;

use super::{Measured, Measurements};

/// One line while the suite runs.
pub(super) fn progress(query: &str, measured: &Measurements) -> String {
    let mut line = format!("{query}:");
    for (engine, run) in measured {
        match run {
            Ok(run) => {
                let _ = write!(line, " {engine} {:.3} s", run.wall_s);
            }
            Err(error) => {
                let first = error.lines().next().unwrap_or_default();
                let _ = write!(line, " {engine} failed ({first})");
            }
        }
    }
    line
}

/// Wall times, processor times, and per peer the geometric mean of its time over ours.
pub(super) fn tables(engines: &[&str], results: &[(String, Measurements)]) -> String {
    let wall = table("wall, seconds", engines, results, |run| run.wall_s);
    let cpu = table("processor, seconds", engines, results, |run| run.cpu_s);
    format!("{wall}\n{cpu}")
}

fn table(
    title: &str,
    engines: &[&str],
    results: &[(String, Measurements)],
    time: fn(&Measured) -> f64,
) -> String {
    let mut text = format!("| {title} | {} |\n|---|", engines.join(" | "));
    text.push_str(&"---:|".repeat(engines.len()));
    for (query, measured) in results {
        let _ = write!(text, "\n| {query} |");
        for engine in engines {
            let _ = write!(text, " {} |", cell(engine, measured, time));
        }
    }
    text.push_str("\n| times ours, geometric mean |");
    for engine in engines {
        let _ = write!(text, " {} |", ratio(engine, engines, results, time));
    }
    text.push('\n');
    text
}

fn cell(engine: &str, measured: &Measurements, time: fn(&Measured) -> f64) -> String {
    match measured.get(engine) {
        Some(Ok(run)) if differs(run, engine, measured) => format!("{:.3} (!)", time(run)),
        Some(Ok(run)) => format!("{:.3}", time(run)),
        _ => "-".to_owned(),
    }
}

/// Whether an answer is another than that of most of the other engines.
fn differs(run: &Measured, engine: &str, measured: &Measurements) -> bool {
    let others = measured.iter().filter(|(name, _)| **name != engine);
    let others: Vec<_> = others.filter_map(|(_, other)| other.as_ref().ok()).collect();
    let unlike = others.iter().filter(|other| !same_rows(&run.rows, &other.rows)).count();
    unlike * 2 > others.len()
}

fn ratio(
    engine: &str,
    engines: &[&str],
    results: &[(String, Measurements)],
    time: fn(&Measured) -> f64,
) -> String {
    let both = results.iter().filter_map(|(_, measured)| {
        let ours = measured.get(engines.first()?)?.as_ref().ok()?;
        let theirs = measured.get(engine)?.as_ref().ok()?;
        Some((time(theirs).max(1e-6) / time(ours).max(1e-6)).ln())
    });
    let logarithms: Vec<f64> = both.collect();
    if logarithms.is_empty() {
        return "-".to_owned();
    }
    let mean = (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp();
    format!("{mean:.2} ({} queries)", logarithms.len())
}

/// Whether two answers have the same rows in any order, numbers within a millionth.
fn same_rows(one: &[Vec<String>], other: &[Vec<String>]) -> bool {
    let sorted = |rows: &[Vec<String>]| {
        let mut rows = rows.to_vec();
        rows.sort_by_cached_key(|row| row.iter().map(|value| sort_key(value)).collect::<Vec<_>>());
        rows
    };
    let same = |(one, other): (&Vec<String>, &Vec<String>)| {
        one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same_value(a, b))
    };
    one.len() == other.len() && sorted(one).iter().zip(&sorted(other)).all(same)
}

/// Numbers that are the same within rounding sort alike, whatever their number of digits.
fn sort_key(value: &str) -> String {
    value.parse::<f64>().map_or_else(|_| value.to_owned(), |number| format!("{number:.4e}"))
}

fn same_value(one: &str, other: &str) -> bool {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => (one - other).abs() <= 1e-6 * one.abs().max(1.0),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(wall_s: f64, value: &str) -> Result<Measured, String> {
        Ok(Measured { wall_s, cpu_s: wall_s, rows: vec![vec![value.to_owned()]] })
    }

    #[test]
    fn ratios_are_geometric_and_a_lone_answer_is_marked() {
        let first = Measurements::from([
            ("vonk", run(1.0, "2.0")),
            ("duckdb", run(2.0, "2.0000001")),
            ("polars", run(4.0, "3")),
        ]);
        let second = Measurements::from([("vonk", run(1.0, "1")), ("duckdb", run(8.0, "1"))]);
        let text = tables(
            &["vonk", "duckdb", "polars"],
            &[("q1".to_owned(), first), ("q2".to_owned(), second)],
        );
        assert!(text.contains("| q1 | 1.000 | 2.000 | 4.000 (!) |"), "{text}");
        assert!(
            text.contains("| 1.00 (2 queries) | 4.00 (2 queries) | 4.00 (1 queries) |"),
            "{text}"
        );
    }
}
