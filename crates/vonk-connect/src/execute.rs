//! Statements that run: each in a task of its own, whose answers wait until the client has them.
//!
//! A client may lose its connection and attach to its statement again, so that an answer is kept
//! until it is released.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use prost::Message;
use spark_connect_proto::ExecutePlanResponse;
use spark_connect_proto::execute_plan_response::{ResponseType, ResultComplete};
use spark_connect_proto::get_status_response::operation_status::OperationState;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use vonk::{Condition, Error, Result};

use crate::errors;
use crate::session::{ConnectSession, new_id};

mod batches;
mod plan;
mod progress;

pub(crate) use batches::{
    BATCH_BYTES, bytes_of, client_schema, ipc_batches, ipc_batches_of, slices, with_schema,
};
pub(crate) use plan::{Context, decompressed};

/// Bytes of answers that wait for a client before the statement waits too.
const BUFFER_BYTES_MAX: usize = 64 << 20;

/// How long a statement without a client goes on.
const ABANDONED_MAX: Duration = Duration::from_secs(5 * 60);

/// Ended statements whose outcome is remembered.
const ENDED_MAX: usize = 1000;

/// The statements of one session.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<String, Arc<Operation>>,
    ended: VecDeque<(String, OperationState)>,
}

/// How a client wants a statement to run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) id: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) is_reattachable: bool,
    /// Bytes above which a batch is sent in pieces; none if the client takes whole ones only.
    pub(crate) chunk_bytes: Option<usize>,
}

/// One statement.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) wishes: Wishes,
    cancel: CancellationToken,
    buffer: Mutex<Buffer>,
    changed: Notify,
}

#[derive(Debug)]
struct Buffer {
    /// The answers that are not released, in order.
    responses: VecDeque<Arc<ExecutePlanResponse>>,
    /// The number of the first of them.
    first: usize,
    bytes: usize,
    end: Option<End>,
    /// The streams that read this; only the newest goes on.
    readers: usize,
    reader: usize,
    unread_since: Instant,
}

#[derive(Debug, Clone)]
enum End {
    Done,
    Failed(Status, OperationState),
}

impl Operations {
    /// Begins a statement.
    ///
    /// # Errors
    /// `INVALID_HANDLE.OPERATION_ALREADY_EXISTS` and `CONNECT_STATEMENT_LIMIT_EXCEEDED`.
    pub(crate) fn begin(&self, wishes: Wishes, statements_max: usize) -> Result<Arc<Operation>> {
        let id = wishes.id.clone().unwrap_or_else(new_id);
        crate::session::check_id(&id)?;
        let mut state = self.state.lock();
        if state.known.contains_key(&id) || state.ended.iter().any(|(ended, _)| *ended == id) {
            let message = format!("statement `{id}` was begun before");
            return Err(Error::new(errors::OPERATION_EXISTS, message));
        }
        let running = state.known.values().filter(|one| one.is_running()).count();
        if running >= statements_max {
            let message = format!("the session runs {running} statements already");
            return Err(Error::new(errors::TOO_MANY_STATEMENTS, message)
                .hint("wait for one of them, or interrupt it"));
        }
        let operation = Arc::new(Operation::new(id.clone(), wishes));
        state.known.insert(id, Arc::clone(&operation));
        Ok(operation)
    }

    /// The statement of this identifier.
    ///
    /// # Errors
    /// `INVALID_HANDLE.OPERATION_NOT_FOUND`, and `OPERATION_ABANDONED` for one that has ended.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Operation>> {
        let state = self.state.lock();
        if let Some(operation) = state.known.get(id) {
            return Ok(Arc::clone(operation));
        }
        let condition = match state.ended.iter().any(|(ended, _)| ended == id) {
            true => errors::OPERATION_ABANDONED,
            false => errors::OPERATION_NOT_FOUND,
        };
        Err(Error::new(condition, format!("there is no statement `{id}`")))
    }

    /// Forgets a statement, which ends it; false if there is none.
    pub(crate) fn remove(&self, id: &str) -> bool {
        let mut state = self.state.lock();
        let Some(operation) = state.known.remove(id) else { return false };
        operation.cancel();
        if state.ended.len() == ENDED_MAX {
            state.ended.pop_front();
        }
        state.ended.push_back((id.to_owned(), operation.state()));
        true
    }

    /// Ends the running statements that are meant; gives their identifiers.
    pub(crate) fn interrupt(&self, is_meant: impl Fn(&Operation) -> bool) -> Vec<String> {
        let state = self.state.lock();
        let meant = state.known.values().filter(|one| one.is_running() && is_meant(one));
        meant
            .map(|operation| {
                operation.cancel();
                operation.id.clone()
            })
            .collect()
    }

    /// The state of one statement.
    pub(crate) fn state_of(&self, id: &str) -> OperationState {
        let state = self.state.lock();
        if let Some(operation) = state.known.get(id) {
            return operation.state();
        }
        let ended = state.ended.iter().find(|(ended, _)| ended == id);
        ended.map_or(OperationState::Unknown, |(_, state)| *state)
    }

    /// The identifiers of all statements that are known.
    pub(crate) fn ids(&self) -> Vec<String> {
        let state = self.state.lock();
        let ended = state.ended.iter().map(|(id, _)| id);
        state.known.keys().chain(ended).cloned().collect()
    }

    pub(crate) fn any_running(&self) -> bool {
        self.state.lock().known.values().any(|operation| operation.is_running())
    }

    pub(crate) fn cancel_all(&self) {
        self.state.lock().known.values().for_each(|operation| operation.cancel());
    }

    /// Ends statements whose client has not come back.
    pub(crate) fn sweep(&self) {
        let left: Vec<String> = {
            let state = self.state.lock();
            let left = state.known.values().filter(|operation| operation.is_abandoned());
            left.map(|operation| operation.id.clone()).collect()
        };
        for id in left {
            self.remove(&id);
        }
    }
}

impl Operation {
    fn new(id: String, wishes: Wishes) -> Self {
        Self {
            id,
            wishes,
            cancel: CancellationToken::new(),
            buffer: Mutex::new(Buffer {
                responses: VecDeque::new(),
                first: 0,
                bytes: 0,
                end: None,
                readers: 0,
                reader: 0,
                unread_since: Instant::now(),
            }),
            changed: Notify::new(),
        }
    }

    pub(crate) fn has_tag(&self, tag: &str) -> bool {
        self.wishes.tags.iter().any(|own| own == tag)
    }

    fn is_running(&self) -> bool {
        self.buffer.lock().end.is_none()
    }

    fn cancel(&self) {
        self.cancel.cancel();
        self.changed.notify_waiters();
    }

    fn is_abandoned(&self) -> bool {
        let buffer = self.buffer.lock();
        buffer.readers == 0 && buffer.unread_since.elapsed() > ABANDONED_MAX
    }

    fn state(&self) -> OperationState {
        match &self.buffer.lock().end {
            None if self.cancel.is_cancelled() => OperationState::Terminating,
            None => OperationState::Running,
            Some(End::Done) => OperationState::Succeeded,
            Some(End::Failed(_, state)) => *state,
        }
    }

    /// Adds an answer; waits while the client has not taken what is there.
    pub(crate) async fn send(&self, session: &ConnectSession, response: Response) {
        let response = ExecutePlanResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            operation_id: self.id.clone(),
            response_id: new_id(),
            response_type: response.kind,
            schema: response.schema,
            metrics: response.metrics,
            observed_metrics: response.observed_metrics,
        };
        loop {
            let taken = self.changed.notified();
            {
                let mut buffer = self.buffer.lock();
                if buffer.bytes < BUFFER_BYTES_MAX {
                    buffer.bytes += response.encoded_len();
                    buffer.responses.push_back(Arc::new(response));
                    break;
                }
            }
            taken.await;
        }
        self.changed.notify_waiters();
    }

    fn finish(&self, end: End) {
        self.buffer.lock().end = Some(end);
        self.changed.notify_waiters();
    }

    /// The answers from behind the last one that the client has.
    ///
    /// # Errors
    /// `INVALID_CURSOR` if that one is not there any more.
    pub(crate) fn answers(
        self: &Arc<Self>,
        last_seen: Option<&str>,
    ) -> Result<BoxStream<'static, Result<ExecutePlanResponse, Status>>> {
        let mut buffer = self.buffer.lock();
        let next = match last_seen.filter(|id| !id.is_empty()) {
            None => buffer.first,
            Some(id) => {
                let at = buffer.responses.iter().position(|one| one.response_id == id);
                match at {
                    Some(at) => buffer.first + at + 1,
                    None if buffer.first == 0 => return Err(not_available(id)),
                    // It was the last that was released: what follows is all there.
                    None => buffer.first,
                }
            }
        };
        buffer.readers += 1;
        buffer.reader += 1;
        let reader = Reader { operation: Arc::clone(self), number: buffer.reader, next };
        drop(buffer);
        // An older stream of the same statement ends.
        self.changed.notify_waiters();
        Ok(stream::unfold(Some(reader), |reader| async move {
            let mut reader = reader?;
            match reader.next().await? {
                Ok(response) => Some((Ok(response), Some(reader))),
                Err(status) => Some((Err(status), None)),
            }
        })
        .boxed())
    }

    /// Lets go of answers up to one, which the client has.
    pub(crate) fn release_until(&self, response_id: &str) {
        let mut buffer = self.buffer.lock();
        let at = buffer.responses.iter().position(|response| response.response_id == response_id);
        buffer.release(at.map_or(0, |at| at + 1));
        drop(buffer);
        self.changed.notify_waiters();
    }
}

impl Buffer {
    fn release(&mut self, count: usize) {
        for response in self.responses.drain(..count) {
            self.bytes = self.bytes.saturating_sub(response.encoded_len());
        }
        self.first += count;
    }
}

/// One stream of a statement's answers.
struct Reader {
    operation: Arc<Operation>,
    number: usize,
    next: usize,
}

impl Reader {
    /// The next answer or the failure; nothing behind the last one.
    async fn next(&mut self) -> Option<Result<ExecutePlanResponse, Status>> {
        loop {
            let operation = Arc::clone(&self.operation);
            let changed = operation.changed.notified();
            {
                let mut buffer = operation.buffer.lock();
                if buffer.reader != self.number {
                    return None;
                }
                let at = self.next.saturating_sub(buffer.first);
                if let Some(response) = buffer.responses.get(at).cloned() {
                    self.next = buffer.first + at + 1;
                    if !operation.wishes.is_reattachable {
                        buffer.release(at + 1);
                        operation.changed.notify_waiters();
                    }
                    return Some(Ok(response.as_ref().clone()));
                }
                match &buffer.end {
                    Some(End::Done) => return None,
                    Some(End::Failed(status, _)) => return Some(Err(status.clone())),
                    None => {}
                }
            }
            changed.await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut buffer = self.operation.buffer.lock();
        buffer.readers -= 1;
        buffer.unread_since = Instant::now();
        // Nobody can attach again to what a client did not ask to keep.
        if !self.operation.wishes.is_reattachable && buffer.end.is_none() {
            self.operation.cancel.cancel();
        }
    }
}

/// One answer, before it has its identifiers.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) kind: Option<ResponseType>,
    pub(crate) schema: Option<spark_connect_proto::DataType>,
    pub(crate) metrics: Option<spark_connect_proto::execute_plan_response::Metrics>,
    pub(crate) observed_metrics: Vec<spark_connect_proto::execute_plan_response::ObservedMetrics>,
}

impl From<ResponseType> for Response {
    fn from(kind: ResponseType) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }
}

/// Runs a statement to its end in a task of its own.
pub(crate) fn spawn(
    session: &Arc<ConnectSession>,
    operation: &Arc<Operation>,
    work: impl Future<Output = Result<(), (Error, Option<String>)>> + Send + 'static,
) {
    let (session, operation) = (Arc::clone(session), Arc::clone(operation));
    let workers = session.host.workers.clone();
    workers.spawn(async move {
        let work = std::panic::AssertUnwindSafe(work).catch_unwind();
        let outcome = tokio::select! {
            outcome = work => outcome.unwrap_or_else(|_| {
                Err((Error::internal("the statement ended in a panic"), None))
            }),
            () = operation.cancel.cancelled() => {
                let error = Error::new(Condition::OPERATION_CANCELED, "the statement was interrupted");
                let status = session.fail(&error, None);
                return operation.finish(End::Failed(status, OperationState::Cancelled));
            }
        };
        match outcome {
            Ok(()) => {
                let complete = ResponseType::ResultComplete(ResultComplete {});
                operation.send(&session, complete.into()).await;
                operation.finish(End::Done);
            }
            Err((error, statement)) => {
                let status = session.fail(&error, statement.as_deref());
                operation.finish(End::Failed(status, OperationState::Failed));
            }
        }
        if !operation.wishes.is_reattachable {
            session.operations.remove(&operation.id);
        }
    });
}

fn not_available(id: &str) -> Error {
    let message = format!("there is no answer `{id}` any more");
    Error::new(errors::RESPONSE_NOT_AVAILABLE, message)
}

/// Begins to execute a plan.
pub(crate) fn start(
    session: &Arc<ConnectSession>,
    operation: &Arc<Operation>,
    plan: spark_connect_proto::Plan,
) {
    let context = plan::Context { session: Arc::clone(session), operation: Arc::clone(operation) };
    spawn(session, operation, async move {
        let statement = statement_text(&plan);
        plan::run(&context, plan).await.map_err(|error| (error, statement))
    });
}

/// The SQL text of a plan that does no more than show its rows or a part of them, for the places of errors.
pub(crate) fn statement_text(plan: &spark_connect_proto::Plan) -> Option<String> {
    use spark_connect_proto::command::CommandType;
    use spark_connect_proto::plan::OpType;
    use spark_connect_proto::relation::RelType;
    let relation = match plan.op_type.as_ref()? {
        OpType::Root(relation) => relation,
        OpType::Command(command) => match command.command_type.as_ref()? {
            CommandType::SqlCommand(sql) => sql.input.as_ref()?,
            _ => return None,
        },
        OpType::CompressedOperation(_) => return None,
    };
    let mut relation = relation;
    loop {
        relation = match relation.rel_type.as_ref()? {
            RelType::Sql(sql) => return Some(sql.query.clone()),
            RelType::ShowString(show) => show.input.as_deref()?,
            RelType::HtmlString(show) => show.input.as_deref()?,
            RelType::Limit(limit) => limit.input.as_deref()?,
            RelType::Offset(offset) => offset.input.as_deref()?,
            RelType::Tail(tail) => tail.input.as_deref()?,
            RelType::SubqueryAlias(alias) => alias.input.as_deref()?,
            _ => return None,
        };
    }
}
