//! `.read`: runs a file of statements.

use std::path::Path;

use super::{Argument, Command, Next, Shell, bad_argument};
use crate::exit::Failure;
use crate::run::Script;
use crate::script;

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
    let text = script::read(Path::new(path), shell.runner.session.policy())?;
    shell.script(Script { name: Some(path), text: &text, line: 0 });
    Ok(Next::Prompt)
}
