//! The `vonk` command: SQL over files from the terminal, in a shell, a pipe or a script.

use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;
use vonk::{Condition, Error, Session};

use crate::args::Args;
use crate::exit::Exit;
use crate::look::Look;
use crate::output::{Format, Options};
use crate::run::{Runner, Script, Settings};

mod args;
mod exit;
mod look;
mod output;
mod progress;
mod report;
mod run;
mod tool;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the end of the process waits for a query that was cancelled.
const CANCEL_WAIT: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let args = args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.into(),
    }
}

fn run(args: &Args) -> Result<(), Exit> {
    if let Some(tool) = &args.tool {
        return tool::print(tool);
    }
    let told = |error: Error| tell(&error, args);
    let session = session(args).map_err(|error| tell_usage(&error, args))?;
    let runtime = runtime(&session).map_err(told)?;
    let text = text(args).map_err(told)?;
    let name = args.file.as_ref().map(|path| path.display().to_string());
    let settings = settings(args);
    let mut runner = runtime.block_on(async { Runner::new(session, settings) });
    let result = runtime.block_on(runner.script(Script { name: name.as_deref(), text: &text }));
    drop(runner);
    runtime.shutdown_timeout(CANCEL_WAIT);
    result
}

fn session(args: &Args) -> vonk::Result<Session> {
    let mut builder = Session::builder();
    if let Some(master) = &args.master {
        builder = builder.master(master);
    }
    if let Some(limit) = &args.memory_limit {
        builder = builder.config(vonk::config::MEMORY_LIMIT, limit);
    }
    for (name, value) in &args.conf {
        builder = builder.config(name, value);
    }
    builder.get_or_create()
}

/// As many worker threads as the session uses.
fn runtime(session: &Session) -> vonk::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(session.config().threads()?)
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("no threads can be started: {error}")))
}

/// The SQL to run, from the arguments, a file or standard input.
fn text(args: &Args) -> vonk::Result<String> {
    if let Some(text) = args.sql.as_ref().or(args.command.as_ref()) {
        return Ok(text.clone());
    }
    let unreadable = |name: &str, error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            Error::new(Condition::PATH_NOT_FOUND, format!("`{name}` does not exist"))
        }
        _ => Error::new(Condition::CANNOT_READ_FILE, format!("`{name}` cannot be read: {error}")),
    };
    match args.file.as_ref().filter(|path| path.as_os_str() != "-") {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| unreadable(&path.display().to_string(), error)),
        None => {
            let mut text = String::new();
            let read = io::stdin().read_to_string(&mut text);
            read.map_err(|error| unreadable("<stdin>", error))?;
            Ok(text)
        }
    }
}

fn settings(args: &Args) -> Settings {
    let output =
        Options { format: args.output, rows_max: args.max_rows, look: Look::of_stdout(args.color) };
    Settings {
        output,
        stderr: Look::of_stderr(args.color),
        has_footer: !args.quiet && args.output == Format::Table,
        has_timer: true,
        has_progress: !args.quiet && !args.no_progress && io::stderr().is_terminal(),
        keeps_going: args.keep_going,
    }
}

/// Tells an error that has no statement, and gives the code for it.
#[expect(clippy::print_stderr, reason = "errors go to standard error")]
fn tell(error: &Error, args: &Args) -> Exit {
    eprint!("{}", report::render_alone(error, &Look::of_stderr(args.color)));
    exit::of_kind(error.condition().kind)
}

/// Tells an error of the arguments.
fn tell_usage(error: &Error, args: &Args) -> Exit {
    tell(error, args);
    Exit::Usage
}
