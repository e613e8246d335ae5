//! What the command does besides SQL: completion scripts and the manual page, both made from the
//! definition of the arguments, the server, and workers.

use std::io;

use clap::CommandFactory;

use crate::args::{Args, Tool};
use crate::exit::{Exit, Failure};
use crate::{cluster, server, tell};

/// Does what was asked for; pages go to standard output.
pub(crate) fn run(tool: &Tool, args: &Args) -> Result<(), Exit> {
    let mut command = Args::command();
    let mut page = Vec::new();
    let made = match tool {
        Tool::Completions { shell } => {
            clap_complete::generate(*shell, &mut command, "vonk", &mut page);
            Ok(())
        }
        Tool::Man => clap_mangen::Man::new(command).render(&mut page),
        Tool::Run(program) => return program.start(),
        Tool::Submit(program) => return program.start(),
        Tool::Server(options) => {
            return server::run(options).map_err(|error| tell(&error, args));
        }
        Tool::Worker(worker) => {
            return cluster::work(worker).map_err(|error| tell(&error, args));
        }
        Tool::Cluster(tool) => {
            return cluster::run(tool).map_err(|error| tell(&error, args));
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
