//! `.functions`: the names of functions.

use super::{Argument, Command, Next, Shell, show};
use crate::exit::Failure;

pub(super) const COMMAND: Command = Command {
    names: &[".functions", "\\df"],
    argument: Argument::Pattern,
    help: "Lists functions, those that contain PATTERN if given",
    run,
};

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let wanted = argument.to_lowercase();
    let mut names = shell.runner.session.function_names();
    names.retain(|name| name.to_lowercase().contains(&wanted));
    show(shell, vec![("function", names)])
}
