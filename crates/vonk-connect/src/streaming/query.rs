//! A streaming query while it runs, and what is known of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use spark_connect_proto as proto;
use spark_connect_proto::analyze_plan_request::explain::ExplainMode;
use spark_connect_proto::streaming_query_command_result as of_query;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use vonk::{DataFrame, Error, Result};

use super::events::{self, Batch};
use super::plan::{Plan, Progress, Trigger};
use super::source::{Offset, now_ms};
use crate::analyze::explained;
use crate::errors;
use crate::relation::Observed;
use crate::session::{ConnectSession, new_id};

/// How often sources without new rows are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Batches whose figures are kept, as in Spark.
const PROGRESS_MAX: usize = 100;

/// A streaming query.
#[derive(Debug)]
pub(super) struct StreamingQuery {
    /// The identifier that it keeps over runs with one checkpoint.
    pub(super) id: String,
    /// The identifier of this run.
    pub(super) run_id: String,
    pub(super) name: Option<String>,
    pub(super) began_ms: i64,
    pub(super) stop: CancellationToken,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    ended: Option<Ended>,
    message: &'static str,
    is_triggered: bool,
    has_data: bool,
    /// Looks at the sources that have begun, and the last one that found all that there was done.
    looks: u64,
    all_done: u64,
    progress: VecDeque<String>,
    frame: Option<DataFrame>,
}

/// How a query has ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended {
    pub(super) failure: Option<Failure>,
}

/// Why a query has ended by itself.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) condition: String,
    pub(super) message: String,
}

impl Ended {
    /// Gives the failure to those that have waited for the end.
    pub(super) fn into_result(self) -> Result<()> {
        match self.failure {
            None => Ok(()),
            Some(failure) => {
                let message = format!("the streaming query has failed: {}", failure.message);
                Err(Error::new(errors::STREAM_FAILED, message))
            }
        }
    }
}

/// Starts a query, which then runs by itself.
pub(super) async fn start(
    session: &Arc<ConnectSession>,
    command: proto::WriteStreamOperationStart,
) -> Result<Arc<StreamingQuery>> {
    let (plan, frame) = Plan::new(session, &command).await?;
    let progress = plan.progress(session).await?;
    let query = Arc::new(StreamingQuery {
        id: progress.id.clone(),
        run_id: new_id(),
        name: Some(command.query_name).filter(|name| !name.is_empty()),
        began_ms: now_ms(),
        stop: CancellationToken::new(),
        state: watch::Sender::new(State { message: "Initializing sources", ..State::default() }),
    });
    session.streams.add(&query)?;
    if let Err(error) = plan.sink.prepare(session, &frame.schema().await?).await {
        query.state.send_modify(|state| state.ended = Some(Ended::default()));
        return Err(error);
    }
    let (running, owner) = (Arc::clone(&query), Arc::clone(session));
    session.host.workers.spawn(async move { running.run(&owner, plan, progress).await });
    Ok(query)
}

impl StreamingQuery {
    async fn run(&self, session: &Arc<ConnectSession>, plan: Plan, progress: Progress) {
        let outcome = tokio::select! {
            biased;
            () = self.stop.cancelled() => Ok(()),
            outcome = self.batches(session, &plan, progress) => outcome,
        };
        let failure = outcome.err().map(|error| Failure {
            condition: error.condition().name.to_owned(),
            message: error.to_string(),
        });
        let ended = Ended { failure };
        self.state.send_modify(|state| {
            state.ended = Some(ended.clone());
            state.message = "Stopped";
            (state.is_triggered, state.has_data) = (false, false);
        });
        session.streams.has_ended(self, ended);
    }

    async fn batches(
        &self,
        session: &Arc<ConnectSession>,
        plan: &Plan,
        mut progress: Progress,
    ) -> Result<()> {
        let mut next = Instant::now();
        loop {
            let look = self.look();
            let is_bounded = plan.trigger != Trigger::Once;
            let mut to = Vec::new();
            for (source, from) in plan.sources.iter().zip(&progress.offsets) {
                let is_over = plan.trigger == Trigger::AvailableNow && look > 1 && from.is_count();
                to.push(match is_over {
                    // What has come since the query began is not waited for.
                    true => from.clone(),
                    false => source.next(session, from, is_bounded).await?,
                });
            }
            // The first batch tells what the query gives, also without rows.
            let is_first = progress.next == 0 && to.iter().all(Offset::is_count);
            let has_data = is_first || to != progress.offsets;
            if has_data {
                self.batch(session, plan, &mut progress, to).await?;
            }
            self.state.send_modify(|state| {
                state.message = "Waiting for data to arrive";
                (state.is_triggered, state.has_data) = (false, has_data);
                if !has_data || !matches!(plan.trigger, Trigger::AvailableNow) {
                    state.all_done = look;
                }
            });
            match plan.trigger {
                Trigger::Once => return Ok(()),
                Trigger::AvailableNow if !has_data => return Ok(()),
                Trigger::AvailableNow => {}
                Trigger::Every(every) if every.is_zero() => {
                    if !has_data {
                        tokio::time::sleep(LOOK_EVERY).await;
                    }
                }
                Trigger::Every(every) => {
                    next += every;
                    next = next.max(Instant::now());
                    tokio::time::sleep_until(next.into()).await;
                }
            }
        }
    }

    /// Begins to look at the sources.
    fn look(&self) -> u64 {
        let mut look = 0;
        self.state.send_modify(|state| {
            state.looks += 1;
            look = state.looks;
            state.message = "Getting offsets from sources";
        });
        look
    }

    async fn batch(
        &self,
        session: &Arc<ConnectSession>,
        plan: &Plan,
        progress: &mut Progress,
        to: Vec<Offset>,
    ) -> Result<()> {
        let (began, began_ms, number) = (Instant::now(), now_ms(), progress.next);
        let observed = Observed::default();
        let (taken, passed) = observed
            .during(async {
                let rows = plan.rows(session, &progress.offsets, &to).await?;
                self.state.send_modify(|state| {
                    state.message = "Processing new data";
                    (state.is_triggered, state.has_data) = (true, true);
                    state.frame = Some(rows.frame.clone());
                });
                let taken = plan.sink.take(session, &rows.frame, number, plan.mode).await?;
                Ok::<_, Error>((taken, rows.passed))
            })
            .await?;
        let from = std::mem::replace(&mut progress.offsets, to);
        progress.next += 1;
        plan.note(session, progress).await?;
        let places = from.iter().zip(&progress.offsets).zip(&passed);
        let sources = plan.sources.iter().zip(places).map(|(source, ((from, to), passed))| {
            let rows = passed.load(Ordering::Relaxed);
            (source.description(), from.told(), to.told(), rows)
        });
        let told = Batch {
            number,
            began_ms,
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            sources: sources.collect(),
            sink: plan.sink.description(),
            rows: taken,
            observed: observed.figures().await?,
        };
        let told = events::progress(self, &told);
        session.streams.tell(|| events::progressed(&told));
        self.state.send_modify(|state| {
            if state.progress.len() == PROGRESS_MAX {
                state.progress.pop_front();
            }
            state.progress.push_back(told);
        });
        Ok(())
    }

    /// Its identifiers.
    pub(super) fn instance(&self) -> proto::StreamingQueryInstanceId {
        let (id, run_id) = (self.id.clone(), self.run_id.clone());
        proto::StreamingQueryInstanceId { id, run_id }
    }

    pub(super) fn is_active(&self) -> bool {
        self.state.borrow().ended.is_none()
    }

    pub(super) fn status(&self) -> of_query::StatusResult {
        let state = self.state.borrow();
        of_query::StatusResult {
            status_message: state.message.to_owned(),
            is_data_available: state.has_data,
            is_trigger_active: state.is_triggered,
            is_active: state.ended.is_none(),
        }
    }

    /// What its last batches have done, the oldest first.
    pub(super) fn progress(&self) -> Vec<String> {
        self.state.borrow().progress.iter().cloned().collect()
    }

    /// Ends it, and waits until it has.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.ended().await;
    }

    /// How it has ended, once it has.
    pub(super) async fn ended(&self) -> Ended {
        let mut state = self.state.subscribe();
        let ended = state.wait_for(|state| state.ended.is_some()).await;
        ended.ok().and_then(|state| state.ended.clone()).unwrap_or_default()
    }

    /// Waits until all rows are done that are there now.
    pub(super) async fn process_all(&self) -> Result<()> {
        let mut state = self.state.subscribe();
        let first = state.borrow().looks + 1;
        let is_done = |state: &State| state.ended.is_some() || state.all_done >= first;
        let ended = state.wait_for(is_done).await.ok().and_then(|state| state.ended.clone());
        ended.map_or(Ok(()), Ended::into_result)
    }

    /// How its last batch ran.
    pub(super) async fn explain(&self, is_extended: bool) -> Result<String> {
        let frame = self.state.borrow().frame.clone();
        let mode = if is_extended { ExplainMode::Extended } else { ExplainMode::Simple };
        match frame {
            Some(frame) => explained(&frame, mode).await,
            None => Ok("No physical plan. Waiting for data.".to_owned()),
        }
    }

    /// Why it has failed, if it has.
    pub(super) fn exception(&self) -> of_query::ExceptionResult {
        let state = self.state.borrow();
        let failure = state.ended.as_ref().and_then(|ended| ended.failure.as_ref());
        match failure {
            None => of_query::ExceptionResult::default(),
            Some(failure) => of_query::ExceptionResult {
                // Clients take what stands before the colon for a class of Java.
                exception_message: Some(format!("StreamingQueryException: {}", failure.message)),
                error_class: Some(failure.condition.clone()),
                stack_trace: None,
            },
        }
    }
}
