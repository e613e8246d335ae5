//! `.help`: what the shell understands.

use super::{Argument, COMMANDS, Command, Next, Shell};
use crate::exit::Failure;
use crate::look::DIM;
use crate::report;

pub(super) const COMMAND: Command = Command {
    names: &[".help", "\\?", "help"],
    argument: Argument::Nothing,
    help: "Lists the commands and keys",
    run,
};

/// What keys do.
const KEYS: [(&str, &str); 6] = [
    ("Tab", "Completes keywords, tables, columns, functions and paths"),
    ("Ctrl-R", "Searches the history"),
    ("Ctrl-C", "Ends the statement that runs, or empties the line"),
    ("Ctrl-D", "Leaves"),
    ("Alt-Enter", "Begins a new line"),
    ("Right", "Takes the grey text that the history suggests"),
];

fn run(shell: &mut Shell<'_>, _argument: &str) -> Result<Next, Failure> {
    let rows = COMMANDS.iter().map(|command| {
        let (name, others) = command.names.split_first().unwrap_or((&"", &[]));
        (format!("{name} {}", command.argument.placeholder()), command.help, others.join(" "))
    });
    let keys = KEYS.iter().map(|(key, help)| ((*key).to_owned(), *help, String::new()));
    let look = shell.runner.settings.stderr;
    let mut text = String::new();
    for (left, help, others) in rows.chain(keys) {
        let others = if others.is_empty() { others } else { format!("  {others}") };
        text += &format!("{left:<24} {help}{}\n", look.paint(DIM, &others));
    }
    report::tell(&text);
    Ok(Next::Prompt)
}
