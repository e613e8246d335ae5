//! The commands of the shell: a table from which dispatch, help and completion are made.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::record_batch::RecordBatch;
use clap::ValueEnum;
use vonk::error::closest;
use vonk::{Condition, Error};

use super::Shell;
use super::complete::{Candidate, Catalog, Completion};
use crate::exit::{Exit, Failure};
use crate::output::{self, Format};
use crate::report;

mod clear;
mod expanded;
mod functions;
mod help;
mod history;
mod mode;
mod quit;
mod read;
mod schema;
mod set;
mod tables;
mod timer;

/// What the shell does after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Prompt,
    Quit,
}

/// What a command takes, which decides how it is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    Nothing,
    Table,
    File,
    Format,
    Switch,
    Option,
    Pattern,
    Count,
}

impl Argument {
    /// As help writes it.
    fn placeholder(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Table => "[TABLE]",
            Self::File => "FILE",
            Self::Format => "FORMAT",
            Self::Switch => "[on|off]",
            Self::Option => "[NAME [VALUE]]",
            Self::Pattern => "[PATTERN]",
            Self::Count => "[N]",
        }
    }
}

/// One row of the table.
pub(super) struct Command {
    /// Its name with a dot, then others that people bring as habits.
    names: &'static [&'static str],
    argument: Argument,
    /// One line for help.
    help: &'static str,
    run: fn(&mut Shell<'_>, &str) -> Result<Next, Failure>,
}

/// Every command, in the order of help.
pub(super) const COMMANDS: &[Command] = &[
    help::COMMAND,
    tables::COMMAND,
    schema::COMMAND,
    functions::COMMAND,
    read::COMMAND,
    mode::COMMAND,
    expanded::COMMAND,
    timer::COMMAND,
    set::COMMAND,
    history::COMMAND,
    clear::COMMAND,
    quit::COMMAND,
];

/// Whether typed text is a command, and no SQL.
///
/// Some commands are plain words too, such as `exit`, if nothing else is typed.
pub(super) fn is_command(text: &str) -> bool {
    if find(text.trim().trim_end_matches(';')).is_some() {
        return true;
    }
    let mut characters = text.trim_start().chars();
    let first = characters.next();
    let second = characters.next();
    first == Some('\\') || (first == Some('.') && !second.is_some_and(|c| c.is_ascii_digit()))
}

/// Runs a command; what goes wrong is told, and the shell lives on.
pub(super) fn run(shell: &mut Shell<'_>, text: &str) -> Next {
    let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    // Habits of SQL: a semicolon does no harm.
    let (name, argument) = (name.trim_end_matches(';'), argument.trim().trim_end_matches(';'));
    let result = match find(name) {
        Some(command) => (command.run)(shell, argument),
        None => Err(unknown(name).into()),
    };
    result.unwrap_or_else(|failure| {
        if failure.exit() != Exit::ClosedPipe {
            let source = report::Source { name: None, statement: "", offset: (0, 0) };
            report::tell(&report::render(&failure, &source, &shell.runner.settings.stderr));
        }
        Next::Prompt
    })
}

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.names.iter().any(|n| n.eq_ignore_ascii_case(name)))
}

fn unknown(name: &str) -> Error {
    let error =
        Error::new(Condition::INVALID_PARAMETER, format!("command `{name}` does not exist"));
    let names = COMMANDS.iter().flat_map(|command| command.names.iter().copied());
    match closest(name, names) {
        Some(found) => error.hint(format!("did you mean `{found}`?")),
        None => error.hint("`.help` lists the commands"),
    }
}

/// Completes the name or the argument of a command.
pub(super) fn complete(line: &str, position: usize, known: &dyn Catalog) -> Completion {
    let typed = &line[..position];
    let start = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let name = typed.split_whitespace().next().unwrap_or_default();
    let values: Vec<Candidate> = if start == 0 || typed.trim_start().len() == typed.len() - start {
        let row = |command: &Command| {
            let help = command.help.to_owned();
            let candidate =
                move |name: &&str| Candidate { value: (*name).to_owned(), note: help.clone() };
            command.names.iter().map(candidate).collect::<Vec<_>>()
        };
        COMMANDS.iter().flat_map(row).collect()
    } else {
        find(name)
            .map(|command| arguments(command.argument, &typed[start..], known))
            .unwrap_or_default()
    };
    let begins = |candidate: &Candidate| candidate.value.starts_with(&typed[start..]);
    let candidates = values.into_iter().filter(begins).collect();
    Completion { start, end: position, candidates }
}

fn arguments(argument: Argument, typed: &str, known: &dyn Catalog) -> Vec<Candidate> {
    let plain = |value: String| Candidate { value, note: String::new() };
    match argument {
        Argument::Table => known.tables().into_iter().map(plain).collect(),
        Argument::File => known.files(typed),
        Argument::Format => {
            Format::value_variants().iter().map(|format| plain(format.name())).collect()
        }
        Argument::Switch => ["on", "off"].map(|value| plain(value.to_owned())).to_vec(),
        Argument::Option => vonk::config::OPTIONS
            .iter()
            .map(|row| Candidate { value: row.name.to_owned(), note: row.doc.to_owned() })
            .collect(),
        Argument::Pattern => known.functions().into_iter().map(plain).collect(),
        Argument::Nothing | Argument::Count => Vec::new(),
    }
}

/// Writes columns of text as a result, in the format that the user chose.
fn show(shell: &Shell<'_>, columns: Vec<(&str, Vec<String>)>) -> Result<Next, Failure> {
    let array = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
    let columns = columns.into_iter().map(|(name, values)| (name, array(values)));
    let batch = RecordBatch::try_from_iter(columns)?;
    let options = output::Options { rows_max: 0, ..shell.runner.settings.output };
    let mut sink = output::open(&options, &batch.schema(), output::stdout())?;
    sink.write(&batch)?;
    sink.finish()?;
    Ok(Next::Prompt)
}

/// Reads `on` and `off`; nothing turns a switch over.
fn switch(argument: &str, now: bool) -> Result<bool, Error> {
    match argument.to_lowercase().as_str() {
        "" => Ok(!now),
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        other => Err(bad_argument(format!("`{other}` is neither `on` nor `off`"))),
    }
}

fn bad_argument(message: String) -> Error {
    Error::new(Condition::INVALID_PARAMETER, message)
}

#[cfg(test)]
mod tests {
    use super::super::complete::Column;
    use super::*;

    struct Fake;

    impl Catalog for Fake {
        fn tables(&self) -> Vec<String> {
            vec!["orders".to_owned(), "people".to_owned()]
        }

        fn functions(&self) -> Vec<String> {
            Vec::new()
        }

        fn columns(&self, _relation: &str) -> Vec<Column> {
            Vec::new()
        }

        fn files(&self, _start: &str) -> Vec<Candidate> {
            Vec::new()
        }
    }

    fn check(text: &str, expect: &[&str]) {
        let completion = complete(text, text.len(), &Fake);
        let values: Vec<_> = completion.candidates.iter().map(|c| c.value.as_str()).collect();
        assert_eq!(values, expect, "{text}");
    }

    #[test]
    fn names_and_arguments_are_completed() {
        check(".ta", &[".tables"]);
        check("\\d", &["\\dt", "\\d", "\\df"]);
        check(".schema o", &["orders"]);
        check("\\d p", &["people"]);
        check(".timer o", &["on", "off"]);
        check(".mode mark", &["markdown"]);
        check(".nonsense x", &[]);
    }

    #[test]
    fn sql_is_told_from_commands() {
        assert!(is_command(" .help"));
        assert!(is_command("\\q"));
        assert!(is_command("exit;"));
        assert!(is_command("QUIT"));
        assert!(!is_command("quit me"));
        assert!(!is_command(".5"));
        assert!(!is_command("SELECT 1"));
    }

    #[test]
    fn names_are_unique_and_misspelt_ones_get_a_hint() {
        let mut names: Vec<_> = COMMANDS.iter().flat_map(|command| command.names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(unknown(".tabels").hint_text(), Some("did you mean `.tables`?"));
    }
}
