//! Statements on standard input: each runs as soon as it is there, for programs that ask one after the
//! other.

use std::io::{self, BufRead};

use tokio::sync::mpsc;
use vonk::{Condition, Error};

use crate::exit::Exit;
use crate::run::{Runner, Script};

/// How many lines are read ahead.
const LINES_AHEAD: usize = 1024;

/// Runs the statements that come on standard input until it ends.
///
/// They run when a line ends outside of a statement and no other line is there yet. The first error
/// ends it, unless it shall go on.
pub(crate) async fn run(mut runner: Runner, name: Option<&str>) -> Result<(), Exit> {
    let mut lines = lines()?;
    let (mut text, mut line, mut result) = (String::new(), 0, Ok(()));
    let mut may_be_complete = false;
    loop {
        let read = tokio::select! {
            read = lines.recv() => read,
            () = runner.interrupted() => return Err(Exit::Interrupted),
        };
        let is_end = read.is_none();
        if let Some(read) = read {
            let read = read.map_err(|error| runner.tell(error))?;
            text.push_str(&read);
            may_be_complete |= read.contains(';');
            // To look for the end of a statement is to read all of its text: not for each of many lines.
            if !may_be_complete || !lines.is_empty() {
                continue;
            }
            may_be_complete = false;
            if !vonk::sql::is_complete(&text) {
                continue;
            }
        }
        let ran = runner.script(Script { name, text: &text, line }).await;
        match ran {
            Err(exit) if !runner.goes_on_after(exit) => return Err(exit),
            ran => result = result.and(ran),
        }
        if is_end {
            return result;
        }
        line += text.matches('\n').count() as u64;
        text.clear();
    }
}

/// The lines of standard input, read by a thread that nobody waits for.
fn lines() -> Result<mpsc::Receiver<Result<String, Error>>, Exit> {
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    let read = move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = String::new();
            let read = match input.read_line(&mut line) {
                Ok(0) => return,
                Ok(_) => Ok(line),
                Err(error) => {
                    let message = format!("the statements cannot be read: {error}");
                    Err(Error::new(Condition::CANNOT_READ_FILE, message).file("<stdin>"))
                }
            };
            let is_error = read.is_err();
            if sender.blocking_send(read).is_err() || is_error {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("standard input".to_owned()).spawn(read);
    thread.map(|_| lines).map_err(|_| Exit::Io)
}
