//! What an engine makes of a statement, in a form in which engines can be compared.

use crate::value::Kind;

/// What an engine makes of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The rows in canonical form.
    Rows(Vec<Vec<String>>),
    /// A proper error: the condition and the message.
    Refused(String),
    /// What must not happen: a panic, a hang or an internal error.
    Broken(String),
    /// The engine or configuration has no such statement or table.
    Absent,
}

/// Brings rows of texts into canonical form: one zero, one form of decimals and doubles.
#[must_use]
pub fn canonical(mut rows: Vec<Vec<String>>, kinds: &[Kind]) -> Vec<Vec<String>> {
    for row in &mut rows {
        for (text, kind) in row.iter_mut().zip(kinds) {
            if let Some(changed) = canonical_value(text, *kind) {
                *text = changed;
            }
        }
    }
    rows
}

fn canonical_value(text: &str, kind: Kind) -> Option<String> {
    match kind {
        Kind::Double | Kind::Ratio => {
            let number = text.parse::<f64>().ok()?;
            // Both zeros are equal, so which one a group or a sum shows is no difference.
            Some(if number == 0.0 { "0.0".to_owned() } else { format!("{number:?}") })
        }
        Kind::Decimal if text.contains('.') => {
            let text = text.trim_end_matches('0').trim_end_matches('.');
            Some(if text == "-0" { "0".to_owned() } else { text.to_owned() })
        }
        _ => None,
    }
}

/// Rows as a multiset: in an order of their own.
#[must_use]
pub fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_one_form() {
        let kinds = [Kind::Double, Kind::Decimal, Kind::Decimal, Kind::Text];
        let row = ["-0.0", "1.50", "100", "-0.0"].map(str::to_owned).to_vec();
        assert_eq!(
            canonical(vec![row], &kinds),
            [["0.0", "1.5", "100", "-0.0"].map(str::to_owned)]
        );
    }
}
