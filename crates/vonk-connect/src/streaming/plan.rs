//! What a streaming query does: its sources, its query for each batch, its sink and when it is done.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use spark_connect_proto as proto;
use spark_connect_proto::Relation;
use spark_connect_proto::write_stream_operation_start::Trigger as Wanted;
use vonk::write::SaveMode;
use vonk::{Condition, DataFrame, Error, Result};

use super::option;
use super::sink::Sink;
use super::source::{Offset, Source, Within, within};
use crate::errors::{self, required};
use crate::relation;
use crate::session::{ConnectSession, new_id};

/// Which rows a batch gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Those of the new rows of the sources.
    Append,
    /// All rows of the result.
    Complete,
    /// The rows of the result that were not there before.
    Update,
}

/// When batches are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// So long after each other, as long as the query runs.
    Every(Duration),
    /// Until all that there is at the beginning is done.
    AvailableNow,
    /// One batch.
    Once,
}

/// A streaming query that can be done.
#[derive(Debug)]
pub(super) struct Plan {
    relation: Relation,
    pub(super) sources: Vec<Source>,
    pub(super) sink: Sink,
    pub(super) mode: Mode,
    pub(super) trigger: Trigger,
    checkpoint: Option<String>,
}

/// The one row of a checkpoint.
#[derive(serde::Serialize)]
struct Noted {
    value: String,
}

/// How far a query is.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// The identifier that the query has over its runs.
    pub(super) id: String,
    /// The number of the next batch.
    pub(super) next: u64,
    pub(super) offsets: Vec<Offset>,
}

/// The frame of a batch, and how many rows of each source have passed through it.
pub(super) struct Rows {
    pub(super) frame: DataFrame,
    pub(super) passed: Vec<Arc<AtomicU64>>,
}

impl Plan {
    /// Reads what a client wants.
    ///
    /// # Errors
    /// Those of the plan, and `UNSUPPORTED_FEATURE` for what would need a state.
    pub(super) async fn new(
        session: &Arc<ConnectSession>,
        command: &proto::WriteStreamOperationStart,
    ) -> Result<(Self, DataFrame)> {
        let relation = required(command.input.clone(), "query")?;
        let mode = mode(&command.output_mode)?;
        let trigger = trigger(command.trigger.as_ref())?;
        let start = Arc::new(Within::Start(Mutex::default()));
        let frame = within(&start, relation::frame(session, &relation)).await?;
        if !frame.is_unbounded().await? {
            let message = "`writeStream` is for queries over streams";
            return Err(Error::new(errors::WRITE_STREAM_NOT_ALLOWED, message)
                .hint("begin the query with `readStream`, or use `write`"));
        }
        check_state(&frame, mode).await?;
        let sink = Sink::new(session, command, mode)?;
        let sources = match start.as_ref() {
            Within::Start(sources) => std::mem::take(&mut *sources.lock()),
            Within::Batch(_) => Vec::new(),
        };
        sources.iter().try_for_each(Source::check)?;
        let checkpoint = checkpoint(session, command);
        let plan = Self { relation, sources, sink, mode, trigger, checkpoint };
        Ok((plan, frame))
    }

    /// The query for the rows between two places of the sources.
    pub(super) async fn rows(
        &self,
        session: &Arc<ConnectSession>,
        from: &[Offset],
        to: &[Offset],
    ) -> Result<Rows> {
        let start: Vec<Offset> = self.sources.iter().map(Source::start).collect();
        match self.mode {
            Mode::Append => self.between(session, from, to).await,
            Mode::Complete => self.between(session, &start, to).await,
            Mode::Update => {
                let all = self.between(session, &start, to).await?;
                let before = self.between(session, &start, from).await?.frame;
                Ok(Rows { frame: all.frame.except_all(&before), passed: all.passed })
            }
        }
    }

    async fn between(
        &self,
        session: &Arc<ConnectSession>,
        from: &[Offset],
        to: &[Offset],
    ) -> Result<Rows> {
        let mut rows = HashMap::new();
        let mut passed = Vec::new();
        for ((source, from), to) in self.sources.iter().zip(from).zip(to) {
            let frame = source.rows(session, from, to).await?;
            let count = Arc::<AtomicU64>::default();
            passed.push(Arc::clone(&count));
            let counted = frame.map_batches(frame.schema().await?, move |batches| {
                let count = Arc::clone(&count);
                let seen = batches.inspect(move |batch| {
                    let rows = batch.as_ref().map_or(0, |batch| batch.num_rows());
                    count.fetch_add(rows as u64, Ordering::Relaxed);
                });
                seen.boxed()
            });
            rows.insert(source.key.clone(), counted);
        }
        let batch = Arc::new(Within::Batch(rows));
        let frame = within(&batch, relation::frame(session, &self.relation)).await?;
        Ok(Rows { frame, passed })
    }

    /// Where the query goes on: behind what its checkpoint says, or at the beginning.
    ///
    /// # Errors
    /// If the checkpoint is of another query.
    pub(super) async fn progress(&self, session: &Arc<ConnectSession>) -> Result<Progress> {
        let offsets = self.sources.iter().map(Source::start).collect();
        let fresh = Progress { id: new_id(), next: 0, offsets };
        let Some(path) = &self.checkpoint else { return Ok(fresh) };
        let text = match session.engine.read().text(path.as_str()).rows::<(String,)>().await {
            Ok(rows) => rows.into_iter().next().map(|(text,)| text),
            Err(error) if error.condition() == Condition::PATH_NOT_FOUND => None,
            Err(error) => return Err(error),
        };
        let Some(text) = text else { return Ok(fresh) };
        let other = || {
            let message = format!("the checkpoint `{path}` is not of this query");
            Error::new(Condition::INVALID_PARAMETER, message)
                .hint("give each streaming query a checkpoint of its own")
        };
        let noted: Value = serde_json::from_str(&text).map_err(|_| other())?;
        let offsets = noted["offsets"].as_array().cloned().unwrap_or_default();
        let offsets = offsets.iter().map(Offset::from_json).collect::<Option<Vec<Offset>>>();
        let offsets = offsets.filter(|offsets| offsets.len() == self.sources.len());
        Ok(Progress {
            id: noted["id"].as_str().ok_or_else(other)?.to_owned(),
            next: noted["next"].as_u64().ok_or_else(other)?,
            offsets: offsets.ok_or_else(other)?,
        })
    }

    /// Notes how far the query is.
    pub(super) async fn note(
        &self,
        session: &Arc<ConnectSession>,
        progress: &Progress,
    ) -> Result<()> {
        let Some(path) = &self.checkpoint else { return Ok(()) };
        let offsets = progress.offsets.iter().map(Offset::to_json).collect::<Vec<_>>();
        let text = json!({ "id": progress.id, "next": progress.next, "offsets": offsets });
        let row = session.engine.create_data_frame([Noted { value: text.to_string() }])?;
        row.write().mode(SaveMode::Overwrite).format("text").save(path).await.map(drop)
    }
}

fn mode(name: &str) -> Result<Mode> {
    Ok(match name.to_lowercase().as_str() {
        "" | "append" => Mode::Append,
        "complete" => Mode::Complete,
        "update" => Mode::Update,
        _ => {
            let message = format!("there is no output mode `{name}`");
            return Err(Error::new(errors::OUTPUT_MODE, message)
                .hint("use `append`, `complete` or `update`"));
        }
    })
}

/// Refuses what would need rows of earlier batches that the mode does not read again.
async fn check_state(frame: &DataFrame, mode: Mode) -> Result<()> {
    let needs = frame.needs_all_rows().await?;
    match (mode, needs) {
        (Mode::Append, Some(what)) => {
            let message = format!("a streaming query in output mode `append` cannot have {what}");
            Err(Error::new(errors::OUTPUT_MODE, message).hint(
                "use `.outputMode(\"complete\")`, which reads the sources from their beginning for each batch",
            ))
        }
        (Mode::Complete, None) => {
            let message = "output mode `complete` is for queries with aggregates";
            Err(Error::new(errors::OUTPUT_MODE, message).hint("use `.outputMode(\"append\")`"))
        }
        _ => Ok(()),
    }
}

fn trigger(wanted: Option<&Wanted>) -> Result<Trigger> {
    Ok(match wanted {
        None => Trigger::Every(Duration::ZERO),
        Some(Wanted::ProcessingTimeInterval(text)) => Trigger::Every(interval(text)?),
        Some(Wanted::AvailableNow(_)) => Trigger::AvailableNow,
        Some(Wanted::Once(_)) => Trigger::Once,
        Some(Wanted::ContinuousCheckpointInterval(_) | Wanted::RealTimeBatchDuration(_)) => {
            return Err(errors::unsupported("streaming queries but in batches")
                .hint("use `.trigger(processingTime=…)`"));
        }
    })
}

/// A time such as `5 seconds`, or several after each other.
fn interval(text: &str) -> Result<Duration> {
    let wrong = || {
        let message = format!("`{text}` is no time between batches");
        Error::new(Condition::INVALID_PARAMETER, message).hint("give one such as `10 seconds`")
    };
    let lower = text.to_lowercase();
    let mut words = lower.split_whitespace().filter(|word| *word != "interval");
    let mut total = 0.0;
    let mut any = false;
    while let Some(number) = words.next() {
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let unit = words.next().ok_or_else(wrong)?;
        let seconds = match unit.trim_end_matches('s') {
            "microsecond" => 1e-6,
            "m" | "millisecond" | "milli" => 1e-3,
            "second" | "sec" => 1.0,
            "minute" | "min" => 60.0,
            "hour" => 3600.0,
            "day" => 86_400.0,
            "week" => 604_800.0,
            _ => return Err(wrong()),
        };
        total += number * seconds;
        any = true;
    }
    match any && total >= 0.0 {
        true => Duration::try_from_secs_f64(total).map_err(|_| wrong()),
        false => Err(wrong()),
    }
}

/// Where the query notes how far it is, if it does.
fn checkpoint(
    session: &ConnectSession,
    command: &proto::WriteStreamOperationStart,
) -> Option<String> {
    let own = option(&command.options, "checkpointLocation").cloned();
    let of_session = || {
        let all = crate::config::value(&session.engine, "spark.sql.streaming.checkpointLocation")?;
        let name = Some(&command.query_name).filter(|name| !name.is_empty())?;
        Some(format!("{}/{name}", all.trim_end_matches('/')))
    };
    let folder = own.or_else(of_session)?;
    Some(format!("{}/progress", folder.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_between_batches_have_units() {
        assert_eq!(interval("5 seconds").unwrap(), Duration::from_secs(5));
        assert_eq!(
            interval("interval 1 minute 500 milliseconds").unwrap(),
            Duration::from_millis(60_500)
        );
        assert!(interval("5").is_err());
        assert!(interval("").is_err());
    }
}
