//! `.mode`: the format of results.

use clap::ValueEnum;
use vonk::error::closest;

use super::{Argument, Command, Next, Shell, bad_argument};
use crate::exit::Failure;
use crate::output::Format;
use crate::report;

pub(super) const COMMAND: Command = Command {
    names: &[".mode"],
    argument: Argument::Format,
    help: "Sets the format of results, or tells it",
    run,
};

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let output = &mut shell.runner.settings.output;
    if argument.is_empty() {
        let text = format!("{}\n", output.format.name());
        report::tell(&text);
        return Ok(Next::Prompt);
    }
    output.format = Format::from_str(argument, true).map_err(|_| unknown(argument))?;
    Ok(Next::Prompt)
}

fn unknown(name: &str) -> vonk::Error {
    let names: Vec<String> = Format::value_variants().iter().map(|format| format.name()).collect();
    let error = bad_argument(format!("format `{name}` does not exist"));
    match closest(name, names.iter().map(String::as_str)) {
        Some(found) => error.hint(format!("did you mean `{found}`?")),
        None => error.hint(format!("the formats are {}", names.join(", "))),
    }
}
