//! `.quit`: the way out.

use super::{Argument, Command, Next, Shell};
use crate::exit::Failure;

pub(super) const COMMAND: Command = Command {
    names: &[".quit", ".exit", "\\q", "quit", "exit"],
    argument: Argument::Nothing,
    help: "Leaves the shell, as Ctrl-D does",
    run,
};

fn run(_shell: &mut Shell<'_>, _argument: &str) -> Result<Next, Failure> {
    Ok(Next::Quit)
}
