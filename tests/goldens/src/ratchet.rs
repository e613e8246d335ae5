//! The counts that no file may fall below, kept in the repository.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use vonk_tests::{BoxError, repository};

use crate::report::FileReport;

const HEADER: &str = "file\tstatements\tstrict\trows\n";

/// Statements, strict answers and right rows of each file.
type Rows = BTreeMap<String, [usize; 3]>;

fn path() -> PathBuf {
    repository().join("tests").join("goldens").join("ratchet.tsv")
}

fn read() -> Result<Rows, BoxError> {
    let text = match std::fs::read_to_string(path()) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let mut rows = Rows::new();
    for line in text.lines().skip(1) {
        let mut cells = line.split('\t');
        let name = cells.next().unwrap_or_default().to_owned();
        let mut count = || cells.next().unwrap_or_default().parse::<usize>();
        rows.insert(name, [count()?, count()?, count()?]);
    }
    Ok(rows)
}

fn counted(report: &FileReport) -> [usize; 3] {
    let counts = report.counts();
    [counts.statements, counts.strict, counts.rows]
}

/// The files that have fewer strict answers or right rows than the ratchet has.
pub(crate) fn fallen(reports: &[FileReport]) -> Result<Vec<String>, BoxError> {
    let rows = read()?;
    let mut fallen = Vec::new();
    for report in reports {
        let Some(kept) = rows.get(&report.name) else { continue };
        let now = counted(report);
        if now[0] == kept[0] && (now[1] < kept[1] || now[2] < kept[2]) {
            let change =
                format!("strict {} -> {}, rows {} -> {}", kept[1], now[1], kept[2], now[2]);
            fallen.push(format!("{}: {change}", report.name));
        }
    }
    Ok(fallen)
}

/// Puts the counts of the files that ran into the ratchet; the others stay.
pub(crate) fn record(reports: &[FileReport]) -> Result<(), BoxError> {
    let mut rows = read()?;
    rows.extend(reports.iter().map(|report| (report.name.clone(), counted(report))));
    let mut text = HEADER.to_owned();
    for (name, [statements, strict, right]) in rows {
        writeln!(text, "{name}\t{statements}\t{strict}\t{right}")?;
    }
    Ok(std::fs::write(path(), text)?)
}
