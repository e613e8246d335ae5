//! Runs statements: the query on the worker threads, its rows into a sink, Ctrl-C in between.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use vonk::datafusion::physical_plan::ExecutionPlan;
use vonk::{DataFrame, Session};

use crate::exit::{Exit, Failure};
use crate::look::{DIM, Look};
use crate::output::{self, Format, Options, Sink};
use crate::progress::{self, Progress};
use crate::report::{self, Source};
use crate::workers::Workers;

/// How many batches may wait for the sink.
const BATCHES_AHEAD: usize = 4;

/// How often the progress bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// Runs statements of one session and writes their results.
pub(crate) struct Runner {
    pub(crate) session: Session,
    pub(crate) settings: Settings,
    pub(crate) workers: Workers,
    interrupts: watch::Receiver<u64>,
    results: usize,
    /// Where a binary result waits for the end of its script, which may yet fail.
    held: Option<File>,
}

/// How results and everything beside them are shown.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where results go and how.
    pub(crate) output: Options,
    /// What standard error can show.
    pub(crate) stderr: Look,
    /// Whether only results and errors are told.
    pub(crate) is_quiet: bool,
    /// Whether a person types the statements.
    pub(crate) is_shell: bool,
    /// Whether the footer tells time and bytes.
    pub(crate) has_timer: bool,
    /// Whether a progress bar may be drawn.
    pub(crate) has_progress: bool,
    /// Whether a script goes on after an error.
    pub(crate) keeps_going: bool,
    /// Where the copy of the data on standard input is; users know it as `<stdin>`.
    pub(crate) stdin: Option<PathBuf>,
}

/// A text of statements, and the file that it came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) text: &'a str,
    /// Lines of the script before this text.
    pub(crate) line: u64,
}

/// What is known of a result at its end.
struct Summary {
    rows: usize,
    shown: Option<usize>,
    has_columns: bool,
    elapsed: Duration,
    bytes_read: Option<u64>,
}

/// What the worker threads tell of a query.
enum Event {
    Started { schema: SchemaRef, plan: Arc<dyn ExecutionPlan> },
    Batch(RecordBatch),
    Ended,
}

impl Runner {
    /// A runner that hears Ctrl-C in the runtime that makes it, and runs queries on `workers`.
    pub(crate) fn new(session: Session, settings: Settings, workers: Workers) -> Self {
        #[cfg(unix)]
        outlive_the_limit_of_file_sizes();
        let (sender, interrupts) = watch::channel(0);
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                sender.send_modify(|count| *count += 1);
            }
        });
        Self { session, settings, workers, interrupts, results: 0, held: None }
    }

    /// Runs the statements of a script in order, and tells of errors on standard error.
    ///
    /// It stops at the first error unless it shall go on; then the first error decides the end.
    pub(crate) async fn script(&mut self, script: Script<'_>) -> Result<(), Exit> {
        self.interrupts.mark_unchanged();
        // Editors of some systems begin a file with this mark.
        let statements = vonk::sql::split(script.text.trim_start_matches('\u{feff}'));
        if statements.len() > 1 && self.settings.output.format.is_binary() {
            self.held = Some(tempfile::tempfile().map_err(|error| self.tell(error.into()))?);
        }
        let mut result = Ok(());
        for statement in statements {
            let Err(failure) = self.statement(statement).await else { continue };
            let (line, column) = offset(script.text, statement);
            let offset = (script.line + line, column);
            let source = Source { name: script.name, statement, offset };
            let exit = self.tell_failure(&failure, &source);
            result = result.and(Err(exit));
            if !self.goes_on_after(exit) {
                self.held = None;
                return Err(exit);
            }
        }
        if let Some(held) = self.held.take()
            && result.is_ok()
        {
            let source = Source { name: script.name, statement: "", offset: (0, 0) };
            return release(held).map_err(|failure| self.tell_failure(&failure, &source));
        }
        result
    }

    /// Whether statements run after one that ended so.
    pub(crate) fn goes_on_after(&self, exit: Exit) -> bool {
        let is_final = matches!(exit, Exit::ClosedPipe | Exit::Interrupted);
        self.settings.keeps_going && !is_final
    }

    /// Completes when the user presses Ctrl-C.
    pub(crate) async fn interrupted(&mut self) {
        if self.interrupts.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The columns of a table, a view or a file; Ctrl-C ends the search for them.
    pub(crate) async fn schema_of(&mut self, name: &str) -> Result<SchemaRef, Failure> {
        self.interrupts.mark_unchanged();
        let (session, name) = (self.session.clone(), name.to_owned());
        let search = self.workers.handle().spawn(async move { session.schema_of(&name).await });
        tokio::select! {
            found = search => match found {
                Ok(schema) => Ok(schema?),
                Err(_) => Err(vonk::Error::internal("the search ended unexpectedly").into()),
            },
            () = self.interrupted() => Err(Failure::Interrupted),
        }
    }

    /// Runs a statement that nobody typed and whose result nobody wants.
    pub(crate) async fn prepare(&self, statement: &str) -> Result<(), Exit> {
        let made = self.session.sql(statement).collect().await;
        made.map(drop).map_err(|error| self.tell(error))
    }

    /// Tells an error that has no statement.
    pub(crate) fn tell(&self, error: vonk::Error) -> Exit {
        let source = Source { name: None, statement: "", offset: (0, 0) };
        self.tell_failure(&error.into(), &source)
    }

    fn tell_failure(&self, failure: &Failure, source: &Source<'_>) -> Exit {
        let exit = failure.exit();
        if exit != Exit::ClosedPipe {
            let mut text = report::render(failure, source, &self.settings.stderr);
            if let Some(path) = &self.settings.stdin {
                text = hide_copy(&text, &path.display().to_string());
            }
            report::tell(&text);
        }
        exit
    }

    async fn statement(&mut self, statement: &str) -> Result<(), Failure> {
        let start = Instant::now();
        let (sender, mut events) = mpsc::channel(BATCHES_AHEAD);
        let query = produce(self.session.sql(statement), sender);
        let query = AbortOnDrop(self.workers.handle().spawn(query));
        let result = self.consume(&mut events, start).await;
        drop(query);
        if self.settings.is_shell && matches!(result, Err(Failure::Interrupted)) {
            drop(events);
            self.workers.reclaim().await;
        }
        self.footer(&result?);
        Ok(())
    }

    /// Takes batches into the sink until the query ends, fails or is interrupted.
    async fn consume(
        &mut self,
        events: &mut mpsc::Receiver<Result<Event, vonk::Error>>,
        start: Instant,
    ) -> Result<Summary, Failure> {
        let mut progress = Progress::new(self.settings.shows_progress(), start);
        let mut tick = tokio::time::interval(TICK);
        let mut sink: Option<Box<dyn Sink>> = None;
        let mut running: Option<Arc<dyn ExecutionPlan>> = None;
        let mut rows = 0;
        loop {
            let event = tokio::select! {
                biased;
                changed = self.interrupts.changed() => match changed {
                    Ok(()) => return Err(Failure::Interrupted),
                    Err(_) => std::future::pending().await,
                },
                event = events.recv() => event,
                _ = tick.tick() => {
                    if let Some(plan) = &running {
                        progress.update(plan);
                    }
                    continue;
                }
            };
            match event.transpose()? {
                // The query went away without its end: a panic, told as the defect that it is.
                None => return Err(vonk::Error::internal("the query ended unexpectedly").into()),
                Some(Event::Ended) => break,
                Some(Event::Started { schema, plan }) => {
                    if !schema.fields().is_empty() {
                        self.count_result()?;
                        let zone = self.session.config().time_zone()?;
                        let options = output::Options { zone, ..self.settings.output };
                        sink = Some(output::open(&options, &schema, self.out()?)?);
                    }
                    running = Some(plan);
                }
                Some(Event::Batch(batch)) => {
                    rows += batch.num_rows();
                    if let Some(sink) = &mut sink {
                        sink.write(&batch)?;
                    }
                }
            }
        }
        progress.clear();
        let has_columns = sink.is_some();
        let shown = sink.map(|sink| sink.finish()).transpose()?.flatten();
        let bytes_read = running.as_ref().map(progress::bytes_read);
        Ok(Summary { rows, shown, has_columns, elapsed: start.elapsed(), bytes_read })
    }

    /// Where the rows of the next result go.
    fn out(&self) -> Result<output::Out, Failure> {
        if let Some(held) = &self.held {
            return Ok(Box::new(BufWriter::new(held.try_clone()?)));
        }
        let mut out = output::stdout();
        if self.results > 1 && self.settings.output.format == Format::Markdown {
            // Else the rows would be those of the table before.
            out.write_all(b"\n")?;
        }
        Ok(out)
    }

    /// A binary file holds one result and no more.
    fn count_result(&mut self) -> Result<(), Failure> {
        self.results += 1;
        let format = self.settings.output.format;
        if format.is_binary() && self.results > 1 {
            let name = format.name();
            return Err(Failure::Format(format!(
                "{name} holds one result, and this is the second"
            )));
        }
        Ok(())
    }

    fn footer(&self, summary: &Summary) {
        let is_table = self.settings.output.format == Format::Table;
        if self.settings.is_quiet || !(is_table || self.settings.is_shell) {
            return;
        }
        let mut parts = Vec::new();
        if summary.has_columns {
            let rows = if summary.rows == 1 {
                "1 row".to_owned()
            } else {
                format!("{} rows", grouped(summary.rows))
            };
            parts.push(match summary.shown {
                Some(shown) => format!("{rows} ({shown} shown)"),
                None => rows,
            });
        } else {
            parts.push("done".to_owned());
        }
        if self.settings.has_timer {
            parts.push(progress::seconds(summary.elapsed));
            if let Some(bytes) = summary.bytes_read.filter(|bytes| *bytes > 0) {
                parts.push(format!("{} read", progress::size(bytes)));
            }
        }
        let text = self.settings.stderr.paint(DIM, &parts.join(" · "));
        report::tell(&format!("{text}\n"));
    }
}

impl Settings {
    /// A bar and rows that come at the same time would overwrite each other.
    fn shows_progress(&self) -> bool {
        let rows_are_elsewhere =
            self.output.format.waits_for_all_rows() || !self.output.look.is_terminal;
        self.has_progress && !self.is_quiet && self.stderr.is_terminal && rows_are_elsewhere
    }
}

/// Makes a limit of file sizes (`ulimit -f`) an error of the write that meets it; without somebody who hears
/// its signal, that ends the process without a word.
#[cfg(unix)]
fn outlive_the_limit_of_file_sizes() {
    const SIGXFSZ: i32 = 25;
    let kind = tokio::signal::unix::SignalKind::from_raw(SIGXFSZ);
    let _heard = tokio::signal::unix::signal(kind);
}

/// A running query that ends when nobody waits for it any more.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Plans and runs a query, and sends what comes of it.
async fn produce(query: DataFrame, sender: mpsc::Sender<Result<Event, vonk::Error>>) {
    let execution = match query.execute().await {
        Ok(execution) => execution,
        Err(error) => {
            let _receiver_gone = sender.send(Err(error)).await;
            return;
        }
    };
    let mut stream = execution.stream;
    let started = Event::Started { schema: stream.schema(), plan: execution.plan };
    if sender.send(Ok(started)).await.is_err() {
        return;
    }
    while let Some(batch) = stream.next().await {
        let event = batch.map(Event::Batch).map_err(vonk::Error::from);
        let is_error = event.is_err();
        if sender.send(event).await.is_err() || is_error {
            return;
        }
    }
    let _receiver_gone = sender.send(Ok(Event::Ended)).await;
}

/// Writes a result that has waited to the standard output.
fn release(mut held: File) -> Result<(), Failure> {
    held.rewind()?;
    let mut out = output::stdout();
    std::io::copy(&mut held, &mut out)?;
    Ok(out.flush()?)
}

/// The copy of standard input as users know it.
fn hide_copy(text: &str, directory: &str) -> String {
    let Some((before, after)) = text.split_once(directory) else { return text.to_owned() };
    let name = after.find(|c: char| !(c.is_alphanumeric() || c == '/' || c == '.'));
    let after = &after[name.unwrap_or(after.len())..];
    let before = before.strip_suffix("file://").unwrap_or(before);
    format!("{before}<stdin>{}", hide_copy(after, directory))
}

/// Lines before a statement in its script, and characters before it in its first line.
fn offset(script: &str, statement: &str) -> (u64, u64) {
    let start = statement.as_ptr().addr().saturating_sub(script.as_ptr().addr());
    let before = script.get(..start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() as u64, line.chars().count() as u64)
}

/// A number with its thousands set apart: 2,000,000.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_know_where_they_stand_in_their_script() {
        let script = "SELECT 1;\n  SELECT é; SELECT 3";
        let statements = vonk::sql::split(script);
        let offsets: Vec<_> = statements.iter().map(|text| offset(script, text)).collect();
        assert_eq!(offsets, [(0, 0), (1, 2), (1, 12)]);
    }

    #[test]
    fn the_copy_of_standard_input_is_not_named() {
        let text = "--> /tmp/v-1/stdin.csv.gz: line 3 of `file:///tmp/v-1/stdin.csv.gz`";
        assert_eq!(hide_copy(text, "/tmp/v-1"), "--> <stdin>: line 3 of `<stdin>`");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(2_000_000), "2,000,000");
    }
}
