//! The `vonk` command: SQL over files from the terminal, in a shell, a pipe or a script.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;
use vonk::{Condition, Error, Policy, Session};

use crate::args::Args;
use crate::exit::Exit;
use crate::look::Look;
use crate::output::Options;
use crate::run::{Runner, Script, Settings};
use crate::workers::Workers;

mod args;
mod cluster;
mod exit;
mod look;
mod output;
mod piped;
mod progress;
mod python;
mod report;
mod run;
mod script;
mod server;
mod shell;
mod stdin;
mod tool;
mod workers;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The place of the allocator's option for how many milliseconds memory that was given back stays the process's.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Less than the second that the allocator waits by itself: as fast, and a tenth less memory where a limit makes queries spill.
const PURGE_DELAY_MS: std::ffi::c_long = 100;

/// How long the end of the process waits for a query that was cancelled.
const CANCEL_WAIT: Duration = Duration::from_millis(500);

#[expect(unsafe_code, reason = "the allocator's options are set through its C interface alone")]
fn give_memory_back_soon() {
    // SAFETY: the option takes any number, at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_MS) }
}

fn main() -> ExitCode {
    give_memory_back_soon();
    let args = args::parse();
    tell_own_panics_only();
    vonk_cluster::install();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.into(),
    }
}

/// Keeps the panics of readers and functions, which are told as errors of their query, from being
/// told by the standard library as well. They happen on the threads that run queries.
fn tell_own_panics_only() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("main") {
            tell(panic);
        }
    }));
}

fn run(args: &Args) -> Result<(), Exit> {
    if let Some(tool) = &args.tool {
        return tool::run(tool, args);
    }
    let told = |error: Error| tell(&error, args);
    let source = source(args).map_err(told)?;
    let place = source.place_of_stdin(args).map_err(|error| tell_unreadable(&error, args))?;
    let session = session(args, place.as_ref()).map_err(|error| tell_usage(&error, args))?;
    let workers = workers(&session).map_err(told)?;
    let control = control().map_err(told)?;
    let settings = settings(args, &source);
    let runner = control.block_on(async { Runner::new(session, settings, workers.clone()) });
    let name = args.file.as_ref().map(|path| path.display().to_string());
    let result = match source {
        Source::Shell => shell::run(runner, &control),
        Source::Text(text) => {
            let script = Script { name: name.as_deref(), text: &text, line: 0 };
            control.block_on(run_script(runner, script, place, args))
        }
        Source::Piped => control.block_on(piped::run(runner, name.as_deref())),
    };
    control.shutdown_background();
    workers.stop(CANCEL_WAIT);
    result
}

/// Runs a script, over the data on standard input if there is a place for it.
async fn run_script(
    mut runner: Runner,
    script: Script<'_>,
    place: Option<stdin::Place>,
    args: &Args,
) -> Result<(), Exit> {
    let Some(place) = place else { return runner.script(script).await };
    let unreadable = |error: io::Error| tell_unreadable(&error, args);
    let (directory, format) = (place.path().to_owned(), args.stdin_format);
    let copy = tokio::task::spawn_blocking(move || stdin::copy(io::stdin(), &directory, format));
    let view = tokio::select! {
        copied = copy => copied.unwrap_or_else(|error| Err(error.into())).map_err(unreadable)?,
        () = runner.interrupted() => return Err(Exit::Interrupted),
    };
    runner.settings.stdin = Some(place.path().to_owned());
    runner.prepare(&view).await?;
    runner.script(script).await
}

fn session(args: &Args, place: Option<&stdin::Place>) -> vonk::Result<Session> {
    let mut builder = Session::builder()
        .policy(policy(args, place)?)
        .environment(std::env::vars_os())
        .config(vonk::config::MEMORY_GUARD, "true");
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

/// What statements may do: everything or, to be safe, read what is here and what was named.
fn policy(args: &Args, place: Option<&stdin::Place>) -> vonk::Result<Policy> {
    if !args.safe {
        return Ok(Policy::default());
    }
    let mut policy = Policy::safe().allow_read(".")?;
    for path in &args.allow_read {
        policy = policy.allow_read(path)?;
    }
    for directory in &args.allow_write {
        policy = match directory.to_str().filter(|text| text.contains("://")) {
            Some(address) => policy.allow_write_to(address),
            None => policy.allow_write(directory)?,
        };
    }
    if let Some(place) = place {
        policy = policy.allow_read(place.path())?;
    }
    Ok(args.allow_host.iter().fold(policy, |policy, host| policy.allow_host(host)))
}

/// As many worker threads as the session uses.
fn workers(session: &Session) -> vonk::Result<Workers> {
    Workers::start(session.config().threads()?).map_err(no_threads)
}

/// The main thread listens to Ctrl-C and the clock by itself: worker threads that are all deep in
/// a query would hear neither.
fn control() -> vonk::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_threads)
}

fn no_threads(error: io::Error) -> Error {
    Error::internal(format!("no threads can be started: {error}"))
}

/// Where statements come from.
enum Source {
    /// A person types them.
    Shell,
    /// They are all there.
    Text(String),
    /// They come on standard input.
    Piped,
}

impl Source {
    /// A place for the data on standard input, if the statements come from elsewhere and name it.
    fn place_of_stdin(&self, args: &Args) -> io::Result<Option<stdin::Place>> {
        let is_sql_elsewhere = args.sql.is_some() || args.command.is_some() || args.file.is_some();
        let has_data = is_sql_elsewhere && !io::stdin().is_terminal();
        match self {
            Self::Text(text) if has_data && stdin::is_named_in(text) => {
                stdin::Place::new().map(Some)
            }
            Self::Text(_) | Self::Shell | Self::Piped => Ok(None),
        }
    }
}

/// The SQL to run: from the arguments, a file or standard input, or else from a person.
fn source(args: &Args) -> vonk::Result<Source> {
    if let Some(text) = args.sql.as_ref().or(args.command.as_ref()) {
        return Ok(Source::Text(text.clone()));
    }
    if args.file.is_none() && io::stdin().is_terminal() {
        return Ok(Source::Shell);
    }
    let path = args.file.as_deref().filter(|path| path.as_os_str() != "-");
    match path {
        Some(path) => script::read(path, &Policy::default()).map(Source::Text),
        None => Ok(Source::Piped),
    }
}

fn settings(args: &Args, source: &Source) -> Settings {
    let output = Options {
        format: args.output,
        rows_max: args.max_rows.unwrap_or_else(look::rows_that_fit),
        look: Look::of_stdout(args.color),
        zone: vonk::display::Zone::UTC,
    };
    Settings {
        output,
        stderr: Look::of_stderr(args.color),
        is_quiet: args.quiet,
        is_shell: matches!(source, Source::Shell),
        has_timer: true,
        has_progress: !args.no_progress,
        keeps_going: args.keep_going,
        stdin: None,
    }
}

/// Tells an error that has no statement, and gives the code for it.
fn tell(error: &Error, args: &Args) -> Exit {
    report::tell(&report::render_alone(error, &Look::of_stderr(args.color)));
    exit::of_kind(error.condition().kind)
}

/// Tells that the data on standard input cannot be had.
fn tell_unreadable(error: &io::Error, args: &Args) -> Exit {
    let message = format!("the data on standard input cannot be copied: {error}");
    tell(&Error::new(Condition::CANNOT_READ_FILE, message), args)
}

/// Tells an error of the arguments.
fn tell_usage(error: &Error, args: &Args) -> Exit {
    tell(error, args);
    Exit::Usage
}
