//! Makes a finding small: takes away rows, columns, clauses and parts of expressions as long as the
//! oracle still finds a difference.

use crate::ast::Expr;
use crate::bench::Bench;
use crate::generate::Question;
use crate::oracle::{Difference, Oracle, Verdict};
use crate::table::Table;
use crate::value::Value;

mod expr;
mod query;

/// So many characters of a message tell what is wrong; the rest may name what is made smaller.
const MESSAGE_LENGTH: usize = 60;

/// A question over tables, and what is wrong with its answers.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The tables.
    pub tables: Vec<Table>,
    /// The question.
    pub question: Question,
    /// The answers.
    pub difference: Difference,
}

/// Makes a finding as small as `attempts` tries allow.
pub async fn shrink(
    bench: &mut Bench,
    oracle: &dyn Oracle,
    mut finding: Finding,
    mut attempts: usize,
) -> Finding {
    let narrowed = oracle.narrow(&finding.difference);
    let oracle = narrowed.as_deref().unwrap_or(oracle);
    loop {
        let mut smaller = None;
        for (tables, question) in candidates(&finding) {
            if attempts == 0 {
                break;
            }
            attempts -= 1;
            bench.lay_out(&tables);
            if let Verdict::Differ(difference) = oracle.check(bench, &question).await
                && is_alike(&finding.difference, &difference)
            {
                smaller = Some(Finding { tables, question, difference });
                break;
            }
        }
        match smaller {
            Some(smaller) => finding = smaller,
            None => return finding,
        }
    }
}

/// Whether a smaller finding is the same one: wrong rows stay wrong rows, an error an error.
fn is_alike(one: &Difference, other: &Difference) -> bool {
    let head = |difference: &Difference| {
        difference.message.chars().take(MESSAGE_LENGTH).collect::<String>()
    };
    head(one) == head(other)
}

/// Everything one step smaller, the largest steps first.
fn candidates(finding: &Finding) -> Vec<(Vec<Table>, Question)> {
    let Finding { tables, question, .. } = finding;
    let mut found: Vec<(Vec<Table>, Question)> = Vec::new();
    let mut ask = |question: Question| found.push((tables.clone(), question));
    for query in query::smaller(&question.query) {
        ask(Question { query, ..question.clone() });
    }
    for inner in conditions(&question.inner) {
        ask(Question { inner, ..question.clone() });
    }
    for outer in conditions(&question.outer) {
        ask(Question { outer, ..question.clone() });
    }
    found.extend(smaller_tables(tables).into_iter().map(|tables| (tables, question.clone())));
    found
}

/// Simpler conditions; TRUE is the simplest.
fn conditions(condition: &Expr) -> Vec<Expr> {
    if condition.is_true() {
        return Vec::new();
    }
    expr::smaller(condition)
}

fn smaller_tables(tables: &[Table]) -> Vec<Vec<Table>> {
    let mut found = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let mut with = |changed: Table| {
            let mut tables = tables.to_vec();
            tables[index] = changed;
            found.push(tables);
        };
        let count = table.rows.len();
        let mut size = count;
        while size > 0 {
            for start in (0..count).step_by(size) {
                let mut rows = table.rows.clone();
                rows.drain(start..(start + size).min(count));
                with(Table { rows, ..table.clone() });
            }
            size /= 2;
        }
        for column in (0..table.columns.len()).filter(|_| table.columns.len() > 1) {
            let mut smaller = table.clone();
            smaller.columns.remove(column);
            smaller.rows.iter_mut().for_each(|row| drop(row.remove(column)));
            with(smaller);
        }
        for (row, column) in cells(table) {
            let mut simpler = table.clone();
            simpler.rows[row][column] = Value::Null;
            with(simpler);
        }
    }
    for index in (0..tables.len()).filter(|_| tables.len() > 1) {
        let mut fewer = tables.to_vec();
        fewer.remove(index);
        found.push(fewer);
    }
    found
}

/// The places of values that are not NULL, in tables small enough to go through them.
fn cells(table: &Table) -> Vec<(usize, usize)> {
    const ROWS_MAX: usize = 4;
    if table.rows.len() > ROWS_MAX {
        return Vec::new();
    }
    let rows = table.rows.iter().enumerate();
    let cells = rows.flat_map(|(row, values)| {
        let values = values.iter().enumerate().filter(|(_, value)| **value != Value::Null);
        values.map(move |(column, _)| (row, column))
    });
    cells.collect()
}
