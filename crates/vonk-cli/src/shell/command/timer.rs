//! `.timer`: time and bytes below results.

use super::{Argument, Command, Next, Shell, switch};
use crate::exit::Failure;
use crate::report;

pub(super) const COMMAND: Command = Command {
    names: &[".timer", "\\timing"],
    argument: Argument::Switch,
    help: "Tells time and bytes read after each statement, or not",
    run,
};

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let settings = &mut shell.runner.settings;
    settings.has_timer = switch(argument, settings.has_timer)?;
    let state = if settings.has_timer { "on" } else { "off" };
    report::tell(&format!("timer is {state}\n"));
    Ok(Next::Prompt)
}
