//! The long forms of the tests: hours of a machine rather than seconds.

use std::time::Instant;

use crate::process::{cargo, run as run_command};
use crate::{Result, lancer};

/// What a suite runs.
enum Suite {
    /// An ignored test of tests/it.
    Test(&'static str),
    /// The same in an optimised build.
    Optimised(&'static str),
    /// The tester of random queries, with these arguments.
    Lancer(&'static [&'static str]),
}

/// The suites by name.
const SUITES: &[(&str, Suite)] = &[
    ("kills", Suite::Test("writes::kills::soak")),
    ("damaged", Suite::Test("faults::damaged::soak")),
    ("cluster", Suite::Test("cluster::lost::soak")),
    ("cancel", Suite::Optimised("cancel::soak")),
    ("lancer", Suite::Lancer(&["--seconds", "1800", "--seed", "1"])),
];

/// What `cargo xtask soak` is told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The suites to run; all of them if none is named.
    suites: Vec<String>,
}

/// Runs the suites one after the other; the first that fails ends the run.
pub(crate) fn run(options: &Options) -> Result<()> {
    let known: Vec<&str> = SUITES.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = options.suites.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("there is no suite `{unknown}`, but {}", known.join(", ")).into());
    }
    for (name, suite) in SUITES {
        if !options.suites.is_empty() && !options.suites.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("== {name}");
        let start = Instant::now();
        suite.run().map_err(|error| format!("{name}: {error}"))?;
        println!("== {name}: {} s", start.elapsed().as_secs());
    }
    Ok(())
}

impl Suite {
    fn run(&self) -> Result<()> {
        match self {
            Suite::Test(test) => ignored_test(&[], test),
            Suite::Optimised(test) => ignored_test(&["--release"], test),
            Suite::Lancer(arguments) => lancer::run(arguments),
        }
    }
}

fn ignored_test(profile: &[&str], test: &str) -> Result<()> {
    let target = ["test", "--locked", "--workspace", "--test", "it"];
    let exactly = ["--", "--ignored", "--exact", test, "--nocapture"];
    run_command(cargo(&target).args(profile).args(exactly))
}
