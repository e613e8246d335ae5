//! `.set`: the options of the session.

use vonk::config::OPTIONS;

use super::{Argument, Command, Next, Shell, show};
use crate::exit::Failure;

pub(super) const COMMAND: Command = Command {
    names: &[".set"],
    argument: Argument::Option,
    help: "Sets an option of the session, or shows one or all",
    run,
};

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let session = &shell.runner.session;
    let pair = argument.split_once('=').or_else(|| argument.split_once(char::is_whitespace));
    if let Some((name, value)) = pair {
        session.set(name.trim(), value.trim())?;
        return Ok(Next::Prompt);
    }
    let config = session.config();
    let rows = || OPTIONS.iter().filter(|row| argument.is_empty() || is_named(row, argument));
    let column = |text: &dyn Fn(&vonk::config::OptionRow) -> String| rows().map(text).collect();
    show(
        shell,
        vec![
            ("option", column(&|row| row.name.to_owned())),
            ("value", column(&|row| config.get(row.name).unwrap_or_default().to_owned())),
            ("meaning", column(&|row| row.doc.to_owned())),
        ],
    )
}

fn is_named(row: &vonk::config::OptionRow, name: &str) -> bool {
    row.name.contains(name) || row.alias.is_some_and(|alias| alias.contains(name))
}
