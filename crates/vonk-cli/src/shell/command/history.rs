//! `.history`: what was typed before.

use reedline::{SearchDirection, SearchQuery};

use super::{Argument, Command, Next, Shell, bad_argument};
use crate::exit::Failure;
use crate::report;

pub(super) const COMMAND: Command = Command {
    names: &[".history", "\\s"],
    argument: Argument::Count,
    help: "Shows the last N statements, 20 if not given",
    run,
};

/// How many statements are shown if nobody says.
const COUNT: i64 = 20;

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let count = match argument {
        "" => COUNT,
        text => text.parse().map_err(|_| bad_argument(format!("`{text}` is no number")))?,
    };
    let mut query = SearchQuery::everything(SearchDirection::Backward, None);
    query.limit = Some(count);
    let found = shell.editor.history().search(query);
    let found =
        found.map_err(|error| bad_argument(format!("the history is unreadable: {error}")))?;
    let text: String = found.iter().rev().map(|item| format!("{}\n", item.command_line)).collect();
    report::tell(&text);
    Ok(Next::Prompt)
}
