//! `.read`: runs a file of statements.

use vonk::{Condition, Error};

use super::{Argument, Command, Next, Shell, bad_argument};
use crate::exit::Failure;
use crate::run::Script;

pub(super) const COMMAND: Command = Command {
    names: &[".read", "\\i"],
    argument: Argument::File,
    help: "Runs the statements of a file",
    run,
};

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let path = argument.trim_matches(['\'', '"']);
    if path.is_empty() {
        return Err(bad_argument("no file is named".to_owned()).hint("`.read report.sql`").into());
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::new(Condition::CANNOT_READ_FILE, format!("the file cannot be read: {error}"))
            .file(path)
    })?;
    shell.script(Script { name: Some(path), text: &text });
    Ok(Next::Prompt)
}
