//! Rules of Python files: first line, and the lengths that Rust files have too.

use super::{Finding, Source};

/// A file that is longer has more than one subject.
const FILE_LINES_MAX: usize = 700;

/// A function fits a screen.
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn check(source: &Source, findings: &mut Vec<Finding>) {
    if source.path.extension().is_none_or(|extension| extension != "py") {
        return;
    }
    if !source.text.starts_with("\"\"\"") {
        findings.push(source.finding(1, "open with a docstring: what lives here and why"));
    }
    let lines: Vec<&str> = source.text.lines().collect();
    if lines.len() > FILE_LINES_MAX {
        let message =
            format!("{} lines, at most {FILE_LINES_MAX}: split it by subject", lines.len());
        findings.push(source.finding(lines.len(), message));
    }
    for (number, line) in lines.iter().enumerate() {
        if line.trim_start().starts_with("def ") {
            let length = function_length(&lines[number..]);
            if length > FUNCTION_LINES_MAX {
                let message =
                    format!("{length} lines of code, at most {FUNCTION_LINES_MAX}: divide it");
                findings.push(source.finding(number + 1, message));
            }
        }
    }
}

/// The lines below a `def`, without empty ones, up to the next that is indented no further.
fn function_length(lines: &[&str]) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[0]);
    let is_inside = |line: &&&str| {
        // The closing bracket of the parameters stands as far left as `def`.
        line.trim().is_empty() || indent(line) > own || line.trim_start().starts_with(')')
    };
    lines[1..].iter().take_while(is_inside).filter(|line| !line.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_and_missing_first_lines_are_found() {
        let body = "    x = 1\n".repeat(FUNCTION_LINES_MAX + 1);
        let text = format!("def f(\n    a,\n):\n{body}\ny = 2\n");
        let mut findings = Vec::new();
        check(&Source::new("python/a.py", text), &mut findings);
        assert_eq!(findings.len(), 2, "{findings:?}");
        findings.clear();
        check(&Source::new("python/a.py", "\"\"\"A.\"\"\"\ndef f(): pass\n"), &mut findings);
        assert!(findings.is_empty());
    }
}
