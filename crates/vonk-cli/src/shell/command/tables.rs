//! `.tables`: the tables and views of the session.

use super::{Argument, Command, Next, Shell, show};
use crate::exit::Failure;

pub(super) const COMMAND: Command = Command {
    names: &[".tables", "\\dt"],
    argument: Argument::Table,
    help: "Lists tables and views, those that contain TABLE if given",
    run,
};

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let wanted = argument.to_lowercase();
    let mut names = shell.runner.session.table_names();
    names.retain(|name| name.to_lowercase().contains(&wanted));
    show(shell, vec![("table", names)])
}
