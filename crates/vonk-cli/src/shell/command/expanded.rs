//! `.expanded`: one line per value instead of a table.

use super::{Argument, Command, Next, Shell, switch};
use crate::exit::Failure;
use crate::output::Format;

pub(super) const COMMAND: Command = Command {
    names: &[".expanded", "\\x"],
    argument: Argument::Switch,
    help: "Shows one line per value, or a table again",
    run,
};

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let output = &mut shell.runner.settings.output;
    let is_on = switch(argument, output.format == Format::Line)?;
    output.format = if is_on { Format::Line } else { Format::Table };
    Ok(Next::Prompt)
}
