//! Completion scripts and the manual page, both made from the definition of the arguments.

use std::io;

use clap::CommandFactory;

use crate::args::{Args, Tool};
use crate::exit::{Exit, Failure};

/// Prints what was asked for on standard output.
pub(crate) fn print(tool: &Tool) -> Result<(), Exit> {
    let mut command = Args::command();
    let mut page = Vec::new();
    let made = match tool {
        Tool::Completions { shell } => {
            clap_complete::generate(*shell, &mut command, "vonk", &mut page);
            Ok(())
        }
        Tool::Man | Tool::Run(_) | Tool::Submit(_) => {
            clap_mangen::Man::new(command).render(&mut page)
        }
    };
    made.and_then(|()| io::Write::write_all(&mut io::stdout(), &page))
        .map_err(|error| Failure::Output(error).exit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_page_names_every_option() {
        let mut page = Vec::new();
        clap_mangen::Man::new(Args::command()).render(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap().replace('\\', "");
        for argument in Args::command().get_arguments() {
            if let Some(long) = argument.get_long() {
                assert!(page.contains(&format!("--{long}")), "--{long}");
            }
        }
    }
}
