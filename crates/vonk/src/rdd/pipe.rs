//! Sending partitions through a program of the system.

use std::fmt::Display;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use super::job::{Task, throw};
use super::{Rdd, Rows};
use crate::error::{Condition, Error, Result};

impl<T: Display + Send + 'static> Rdd<T> {
    /// Sends each partition through a program, one element per line, and gives the lines it writes.
    ///
    /// The command is divided at white space; no shell sees it. The output of one partition is held
    /// in memory until the program ends. A program that ends with an error makes the action fail.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let shouted = Session::new().context().parallelize(["to be"]).pipe("tr a-z A-Z");
    /// assert_eq!(shouted.collect().await?, ["TO BE"]);
    /// # Ok(()) }
    /// ```
    pub fn pipe(&self, command: &str) -> Rdd<String> {
        let command = command.to_owned();
        self.narrow("pipe", false, move |task, _, rows| run(task, &command, rows))
    }
}

/// A program that ends with its task, whatever happens.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn run<T: Display + 'static>(
    task: &Arc<Task>,
    command: &str,
    rows: Rows<T>,
) -> Result<Rows<String>> {
    let failed = |cause: std::io::Error| {
        Error::new(Condition::USER_CODE_FAILED, format!("`{command}` cannot run: {cause}"))
            .hint("check the name of the program and its path")
    };
    task.job.session().policy().check_program(command)?;
    let mut words = command.split_whitespace();
    let name = words.next().unwrap_or_default();
    let mut start = Command::new(name);
    start.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = Program(start.spawn().map_err(failed)?);
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (program.0.stdin.take(), program.0.stdout.take(), program.0.stderr.take())
    else {
        return Err(Error::internal("a program has no pipes"));
    };
    // Both outputs are read while the input is written, or the program could stop for good.
    let output =
        thread::spawn(move || BufReader::new(stdout).lines().collect::<Result<Vec<_>, _>>());
    let messages = thread::spawn(move || {
        let mut text = String::new();
        drop(BufReader::new(stderr).read_to_string(&mut text));
        text
    });
    let mut input = BufWriter::new(stdin);
    for row in task.watch(rows) {
        match writeln!(input, "{row}") {
            Ok(()) => {}
            // The program needs no more, as `head`.
            Err(cause) if cause.kind() == ErrorKind::BrokenPipe => break,
            Err(cause) => throw(failed(cause)),
        }
    }
    drop(input);
    let lost = || Error::internal("a thread that reads from a program is lost");
    let lines = output.join().map_err(|_| lost())?.map_err(failed)?;
    let messages = messages.join().map_err(|_| lost())?;
    let status = program.0.wait().map_err(failed)?;
    if status.success() {
        return Ok(Box::new(lines.into_iter()));
    }
    let message = format!("`{command}` ended with {status}: {}", messages.trim());
    Err(Error::new(Condition::USER_CODE_FAILED, message)
        .hint("run the program by hand on the lines"))
}
