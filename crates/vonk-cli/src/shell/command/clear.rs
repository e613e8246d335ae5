//! `.clear`: an empty screen.

use super::{Argument, Command, Next, Shell};
use crate::exit::Failure;

pub(super) const COMMAND: Command =
    Command { names: &[".clear"], argument: Argument::Nothing, help: "Empties the screen", run };

fn run(shell: &mut Shell<'_>, _argument: &str) -> Result<Next, Failure> {
    shell.editor.clear_screen()?;
    Ok(Next::Prompt)
}
