//! Streaming queries: a query over sources that grow, done again for their new rows, batch by batch.
//!
//! A batch is a query like any other, in which each source is what it has got since the batch before.
//! What needs the rows of earlier batches (output mode `complete`) reads its sources from their
//! beginning; what would have to keep a state otherwise is refused. A batch that was written is noted
//! in the checkpoint behind it, so that a program that ends between the two does that batch twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use spark_connect_proto as proto;
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::streaming_query_command::Command as OfQuery;
use spark_connect_proto::streaming_query_command_result as of_query;
use spark_connect_proto::streaming_query_command_result::ResultType as QueryAnswer;
use spark_connect_proto::streaming_query_listener_bus_command::Command as OfBus;
use spark_connect_proto::streaming_query_manager_command::Command as OfManager;
use spark_connect_proto::streaming_query_manager_command_result as of_manager;
use spark_connect_proto::streaming_query_manager_command_result::ResultType as ManagerAnswer;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use vonk::{Error, Result};

use crate::errors::{self, required};
use crate::execute::Context;

mod events;
mod plan;
mod query;
mod sink;
mod source;

pub(crate) use source::read;

use events::Event;
use query::{Ended, StreamingQuery};

/// Events that wait for a client that is slow to take them.
const EVENTS_MAX: usize = 1000;

/// Queries that have ended and are still remembered.
const ENDED_MAX: usize = 100;

/// The streaming queries of one session.
#[derive(Debug)]
pub(crate) struct Streams {
    queries: Mutex<Vec<Arc<StreamingQuery>>>,
    /// How the first query ended that did since the client last reset this.
    any_ended: watch::Sender<Option<Ended>>,
    events: broadcast::Sender<Event>,
    /// Ends the statement by which the client listens.
    listener: Mutex<Option<CancellationToken>>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            queries: Mutex::default(),
            any_ended: watch::Sender::new(None),
            events: broadcast::Sender::new(EVENTS_MAX),
            listener: Mutex::default(),
        }
    }
}

impl Streams {
    /// Ends all queries.
    pub(crate) fn stop_all(&self) {
        self.queries.lock().iter().for_each(|query| query.stop.cancel());
        if let Some(listener) = self.listener.lock().take() {
            listener.cancel();
        }
    }

    /// Whether a query runs.
    pub(crate) fn any_running(&self) -> bool {
        self.queries.lock().iter().any(|query| query.is_active())
    }

    fn add(&self, query: &Arc<StreamingQuery>) -> Result<()> {
        let mut queries = self.queries.lock();
        let is_same = |one: &Arc<StreamingQuery>| {
            one.is_active()
                && (one.id == query.id || (one.name.is_some() && one.name == query.name))
        };
        if let Some(same) = queries.iter().find(|one| is_same(one)) {
            let name = same.name.as_deref().unwrap_or(&same.id);
            let message = format!("a streaming query `{name}` is active already");
            return Err(Error::new(vonk::Condition::INVALID_PARAMETER, message)
                .hint("stop it first, or give this one another name and checkpoint"));
        }
        let ended = queries.iter().filter(|one| !one.is_active()).count();
        if ended > ENDED_MAX
            && let Some(oldest) = queries.iter().position(|one| !one.is_active())
        {
            queries.remove(oldest);
        }
        queries.push(Arc::clone(query));
        Ok(())
    }

    fn find(&self, id: &str, run_id: Option<&str>) -> Option<Arc<StreamingQuery>> {
        let queries = self.queries.lock();
        let mut found = queries.iter().rev().filter(|query| query.id == id);
        found.find(|query| run_id.is_none_or(|run_id| query.run_id == run_id)).cloned()
    }

    fn has_ended(&self, query: &StreamingQuery, ended: Ended) {
        self.tell(|| events::terminated(query, &ended));
        self.any_ended.send_modify(|first| {
            first.get_or_insert(ended);
        });
    }

    fn tell(&self, event: impl FnOnce() -> Event) {
        if self.events.receiver_count() > 0 {
            // Nobody listens any more if it fails.
            let _ = self.events.send(event());
        }
    }
}

/// Starts a query.
///
/// # Errors
/// Those of the plan, and of what streaming queries cannot do.
pub(crate) async fn start(
    context: &Context,
    command: proto::WriteStreamOperationStart,
) -> Result<()> {
    let query = query::start(&context.session, command).await?;
    let answer = proto::WriteStreamOperationStartResult {
        query_id: Some(query.instance()),
        name: query.name.clone().unwrap_or_default(),
        query_started_event_json: Some(events::started(&query)),
    };
    context.answer(ResponseType::WriteStreamOperationStartResult(answer)).await;
    Ok(())
}

/// Does what a client wants of a query.
///
/// # Errors
/// `STREAM_FAILED` where the query's failure is waited for.
pub(crate) async fn command(
    context: &Context,
    command: proto::StreamingQueryCommand,
) -> Result<()> {
    let id = required(command.query_id, "identifier of the query")?;
    let found = context.session.streams.find(&id.id, Some(&id.run_id));
    let query = found.ok_or_else(|| {
        let message = format!("there is no streaming query `{}`", id.id);
        Error::new(vonk::Condition::INVALID_PARAMETER, message)
    })?;
    let result_type = match required(command.command, "command for a streaming query")? {
        OfQuery::Status(_) => Some(QueryAnswer::Status(query.status())),
        OfQuery::LastProgress(_) => Some(progress(query.progress().pop().into_iter().collect())),
        OfQuery::RecentProgress(_) => Some(progress(query.progress())),
        OfQuery::Stop(_) => {
            query.stop().await;
            None
        }
        OfQuery::ProcessAllAvailable(_) => {
            query.process_all().await?;
            None
        }
        OfQuery::Explain(explain) => {
            let result = query.explain(explain.extended).await?;
            Some(QueryAnswer::Explain(of_query::ExplainResult { result }))
        }
        OfQuery::Exception(_) => Some(QueryAnswer::Exception(query.exception())),
        OfQuery::AwaitTermination(wait) => {
            let ended = within(wait.timeout_ms, query.ended()).await;
            let terminated = ended.map(Ended::into_result).transpose()?.is_some();
            Some(QueryAnswer::AwaitTermination(of_query::AwaitTerminationResult { terminated }))
        }
    };
    let answer =
        proto::StreamingQueryCommandResult { query_id: Some(query.instance()), result_type };
    context.answer(ResponseType::StreamingQueryCommandResult(answer)).await;
    Ok(())
}

/// What an option of a source or a sink is set to; its name may be in any case.
fn option<'o>(options: &'o HashMap<String, String>, name: &str) -> Option<&'o String> {
    let found = options.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

fn progress(recent_progress_json: Vec<String>) -> QueryAnswer {
    QueryAnswer::RecentProgress(of_query::RecentProgressResult { recent_progress_json })
}

/// What something gives before the time is over.
async fn within<T>(timeout_ms: Option<i64>, work: impl Future<Output = T>) -> Option<T> {
    match timeout_ms {
        None => Some(work.await),
        Some(timeout_ms) => {
            let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
            tokio::time::timeout(timeout, work).await.ok()
        }
    }
}

/// Does what a client wants of all its queries.
///
/// # Errors
/// `STREAM_FAILED` where a failure is waited for.
pub(crate) async fn manage(
    context: &Context,
    command: proto::StreamingQueryManagerCommand,
) -> Result<()> {
    let streams = &context.session.streams;
    let result_type = match required(command.command, "command for streaming queries")? {
        OfManager::Active(_) => {
            let queries = streams.queries.lock();
            let active = queries.iter().filter(|query| query.is_active()).map(|one| instance(one));
            let active_queries = active.collect();
            Some(ManagerAnswer::Active(of_manager::ActiveResult { active_queries }))
        }
        OfManager::GetQuery(id) => {
            let found = streams.find(&id, None).filter(|query| query.is_active());
            found.map(|query| ManagerAnswer::Query(instance(&query)))
        }
        OfManager::AwaitAnyTermination(wait) => {
            let mut any = streams.any_ended.subscribe();
            let ended = within(wait.timeout_ms, async {
                let ended = any.wait_for(Option::is_some).await;
                ended.ok().and_then(|ended| ended.clone())
            });
            let terminated = ended.await.flatten().map(Ended::into_result).transpose()?.is_some();
            let result = of_manager::AwaitAnyTerminationResult { terminated };
            Some(ManagerAnswer::AwaitAnyTermination(result))
        }
        OfManager::ResetTerminated(_) => {
            streams.any_ended.send_replace(None);
            Some(ManagerAnswer::ResetTerminated(true))
        }
        OfManager::ListListeners(_) => {
            let result = of_manager::ListStreamingQueryListenerResult::default();
            Some(ManagerAnswer::ListListeners(result))
        }
        OfManager::AddListener(_) | OfManager::RemoveListener(_) => {
            return Err(errors::unsupported("listeners that run in the server")
                .hint("use a client of Spark 4, whose listeners run in the program"));
        }
    };
    let answer = proto::StreamingQueryManagerCommandResult { result_type };
    context.answer(ResponseType::StreamingQueryManagerCommandResult(answer)).await;
    Ok(())
}

fn instance(query: &StreamingQuery) -> of_manager::StreamingQueryInstance {
    let (id, name) = (Some(query.instance()), query.name.clone());
    of_manager::StreamingQueryInstance { id, name }
}

/// Begins or ends to tell the client what its queries do.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if the command says neither.
pub(crate) async fn listen(
    context: &Context,
    command: proto::StreamingQueryListenerBusCommand,
) -> Result<()> {
    let streams = &context.session.streams;
    if let OfBus::RemoveListenerBusListener(_) = required(command.command, "command for listeners")?
    {
        if let Some(listener) = streams.listener.lock().take() {
            listener.cancel();
        }
        return Ok(());
    }
    let end = CancellationToken::new();
    if let Some(before) = streams.listener.lock().replace(end.clone()) {
        before.cancel();
    }
    let mut events = streams.events.subscribe();
    let added = proto::StreamingQueryListenerEventsResult {
        listener_bus_listener_added: Some(true),
        ..Default::default()
    };
    context.answer(ResponseType::StreamingQueryListenerEventsResult(added)).await;
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            () = end.cancelled() => return Ok(()),
        };
        let event = match event {
            Ok(event) => event,
            // The client is slower than its queries: what it missed is gone.
            Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => return Ok(()),
        };
        let told = proto::StreamingQueryListenerEventsResult {
            events: vec![event.into()],
            listener_bus_listener_added: None,
        };
        context.answer(ResponseType::StreamingQueryListenerEventsResult(told)).await;
    }
}
