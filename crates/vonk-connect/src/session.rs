//! Sessions by user and identifier: what a client may see of the server is its own session.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prost::Message;
use spark_connect_proto::{Relation, StorageLevel};
use tokio::runtime::Handle;
use tonic::Status;
use vonk::dataframe::Reference;
use vonk::{DataFrame, Error, Result, Session, SessionBuilder};

use crate::Limits;
use crate::artifacts::Artifacts;
use crate::errors::{self, Failure};
use crate::execute::Operations;
use crate::python::{Interpreter, Pool};
use crate::streaming::Streams;

/// How long a session that no request comes for is kept, as in Spark.
const IDLE_MAX: Duration = Duration::from_secs(60 * 60);

/// How often sessions and statements that are left behind are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(20);

/// Failures of a session whose details are kept for the client to fetch.
const FAILURES_MAX: usize = 100;

/// Ended sessions that are remembered, so that their identifiers are not taken for new ones.
const CLOSED_MAX: usize = 10_000;

/// Who asks: the user, and the identifier that the client gave its session.
pub(crate) type Key = (String, String);

/// All sessions of the server.
#[derive(Debug)]
pub(crate) struct Sessions {
    template: SessionBuilder,
    limits: Limits,
    interpreter: Interpreter,
    host: Arc<Host>,
    open: Mutex<Open>,
}

/// What sessions share of the process that they are in.
#[derive(Debug)]
pub(crate) struct Host {
    /// Runs queries.
    pub(crate) workers: Handle,
    /// How programs of this machine reach the server, without a session.
    pub(crate) address: String,
    /// Where the server tells its own user something.
    pub(crate) console: Console,
}

impl Host {
    /// How a program reaches a session.
    pub(crate) fn address_of(&self, session: &ConnectSession) -> String {
        let Self { address, .. } = self;
        format!("{address};session_id={};user_id={}", session.id, session.user)
    }
}

/// Something that writes texts.
#[derive(Clone)]
pub(crate) struct Console(pub(crate) Arc<dyn Fn(&str) + Send + Sync>);

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Console {
    pub(crate) fn write(&self, text: &str) {
        (self.0)(text);
    }
}

#[derive(Debug, Default)]
struct Open {
    sessions: HashMap<Key, Arc<ConnectSession>>,
    closed: VecDeque<Key>,
}

/// One session of a client.
#[derive(Debug)]
pub(crate) struct ConnectSession {
    /// Whose it is.
    pub(crate) user: String,
    /// The identifier that the client gave it.
    pub(crate) id: String,
    /// The identifier that tells a client whether the server has forgotten its session.
    pub(crate) server_side_id: String,
    /// The engine.
    pub(crate) engine: Session,
    /// The processes that run its functions of Python.
    pub(crate) python: Arc<Pool>,
    /// Data that the client left.
    pub(crate) artifacts: Artifacts,
    /// Its statements.
    pub(crate) operations: Operations,
    /// Queries whose rows are kept.
    pub(crate) kept: Mutex<Kept>,
    /// Queries that expressions of the plans that are being translated refer to.
    pub(crate) references: Mutex<HashMap<i64, Reference>>,
    pub(crate) limits: Limits,
    pub(crate) host: Arc<Host>,
    /// Its streaming queries.
    pub(crate) streams: Streams,
    failures: Mutex<VecDeque<(String, Failure)>>,
    last_used: Mutex<Instant>,
}

impl Sessions {
    pub(crate) fn new(
        template: SessionBuilder,
        limits: Limits,
        interpreter: Interpreter,
        host: Host,
    ) -> Self {
        Self { template, limits, interpreter, host: Arc::new(host), open: Mutex::default() }
    }

    /// The session of a request, made if it is its first one.
    ///
    /// # Errors
    /// `INVALID_HANDLE` for an identifier that is no UUID, of a session that has ended or that the
    /// server has forgotten, and `CONNECT_SESSION_LIMIT_EXCEEDED`.
    pub(crate) fn of(&self, key: Key, observed: Option<&str>) -> Result<Arc<ConnectSession>> {
        check_id(&key.1)?;
        let mut open = self.open.lock();
        if let Some(session) = open.sessions.get(&key) {
            session.check_observed(observed)?;
            *session.last_used.lock() = Instant::now();
            return Ok(Arc::clone(session));
        }
        if open.closed.contains(&key) {
            return Err(Error::new(errors::SESSION_CLOSED, "the session has ended")
                .hint("make a new one with `SparkSession.builder.create()`"));
        }
        if observed.is_some_and(|observed| !observed.is_empty()) {
            return Err(changed());
        }
        let engine = self.template.clone().get_or_create()?;
        let session = self.connect(&key, engine, Artifacts::default());
        self.insert(&mut open, key, session)
    }

    /// The session of this key if there is one.
    pub(crate) fn find(&self, key: &Key, observed: Option<&str>) -> Result<Arc<ConnectSession>> {
        let session = self.open.lock().sessions.get(key).cloned();
        let session = session.ok_or_else(|| {
            Error::new(errors::SESSION_NOT_FOUND, "there is no such session of this user")
        })?;
        session.check_observed(observed)?;
        Ok(session)
    }

    /// A session with the options, views and data that another has now.
    ///
    /// # Errors
    /// Those of [`Sessions::of`], and if there is a session of the new identifier already.
    pub(crate) fn copy(&self, key: Key, new_id: &str) -> Result<Arc<ConnectSession>> {
        check_id(new_id)?;
        let source = self.find(&key, None)?;
        let new_key = (key.0, new_id.to_owned());
        let mut open = self.open.lock();
        if open.sessions.contains_key(&new_key) || open.closed.contains(&new_key) {
            let message = format!("session `{new_id}` exists already");
            return Err(Error::new(errors::SESSION_EXISTS, message));
        }
        let session = self.connect(&new_key, source.engine.fork()?, source.artifacts.copy()?);
        *session.kept.lock() = source.kept.lock().clone();
        self.insert(&mut open, new_key, session)
    }

    /// Ends a session: its statements are cancelled, its views and caches dropped.
    pub(crate) fn close(&self, key: Key) -> Option<Arc<ConnectSession>> {
        let session = {
            let mut open = self.open.lock();
            let session = open.sessions.remove(&key);
            if open.closed.len() == CLOSED_MAX {
                open.closed.pop_front();
            }
            open.closed.push_back(key);
            session
        };
        session.inspect(|session| session.end())
    }

    /// Ends all sessions.
    pub(crate) fn close_all(&self) {
        let sessions = std::mem::take(&mut self.open.lock().sessions);
        sessions.values().for_each(|session| session.end());
    }

    /// Ends, for as long as it runs, what clients have left behind.
    pub(crate) async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            let sessions: Vec<(Key, Arc<ConnectSession>)> = {
                let open = self.open.lock();
                open.sessions.iter().map(|(key, one)| (key.clone(), Arc::clone(one))).collect()
            };
            for (key, session) in sessions {
                session.operations.sweep();
                session.python.sweep();
                let is_idle = session.last_used.lock().elapsed() > IDLE_MAX;
                let is_busy = session.operations.any_running() || session.streams.any_running();
                if is_idle && !is_busy {
                    self.close(key);
                }
            }
        }
    }

    fn connect(&self, key: &Key, engine: Session, artifacts: Artifacts) -> ConnectSession {
        ConnectSession {
            user: key.0.clone(),
            id: key.1.clone(),
            server_side_id: new_id(),
            engine,
            python: Arc::new(Pool::new(self.interpreter.clone())),
            artifacts,
            operations: Operations::default(),
            kept: Mutex::default(),
            references: Mutex::default(),
            limits: self.limits.clone(),
            host: Arc::clone(&self.host),
            streams: Streams::default(),
            failures: Mutex::default(),
            last_used: Mutex::new(Instant::now()),
        }
    }

    fn insert(
        &self,
        open: &mut Open,
        key: Key,
        session: ConnectSession,
    ) -> Result<Arc<ConnectSession>> {
        if open.sessions.len() >= self.limits.sessions_max {
            let message = format!("the server has {} sessions already", open.sessions.len());
            return Err(Error::new(errors::TOO_MANY_SESSIONS, message)
                .hint("end sessions that are not needed with `spark.stop()`"));
        }
        let session = Arc::new(session);
        open.sessions.insert(key, Arc::clone(&session));
        Ok(session)
    }
}

impl ConnectSession {
    /// The status of a failure, whose details are kept for the client.
    pub(crate) fn fail(&self, error: &Error, statement: Option<&str>) -> Status {
        let failure = Failure::new(error, statement);
        let error_id = new_id();
        let status = failure.status(&error_id);
        let mut failures = self.failures.lock();
        if failures.len() == FAILURES_MAX {
            failures.pop_front();
        }
        failures.push_back((error_id, failure));
        status
    }

    /// The failure of this identifier, if it is still kept.
    pub(crate) fn failure(&self, error_id: &str) -> Option<Failure> {
        let failures = self.failures.lock();
        let found = failures.iter().find(|(id, _)| id == error_id);
        found.map(|(_, failure)| failure.clone())
    }

    fn check_observed(&self, observed: Option<&str>) -> Result<()> {
        match observed {
            Some(observed) if !observed.is_empty() && observed != self.server_side_id => {
                Err(changed())
            }
            _ => Ok(()),
        }
    }

    fn end(&self) {
        self.streams.stop_all();
        self.operations.cancel_all();
        *self.kept.lock() = Kept::default();
        self.python.clear();
        self.engine.stop();
    }
}

/// Queries whose rows a session keeps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    /// Those that were cached.
    persisted: HashMap<PlanId, Vec<Persisted>>,
    /// Those of checkpoints, by the identifier that the client was given.
    pub(crate) checkpoints: HashMap<String, DataFrame>,
    /// Cached tables, by [`cached_table`].
    pub(crate) tables: HashMap<String, DataFrame>,
}

/// The number that a client gives a relation; those that have none share a place.
type PlanId = Option<i64>;

/// A cached query.
#[derive(Debug, Clone)]
pub(crate) struct Persisted {
    /// The bytes of its plan.
    plan: Vec<u8>,
    pub(crate) frame: DataFrame,
    /// How the client wants it to be kept.
    pub(crate) level: StorageLevel,
}

impl Kept {
    /// The cached query of exactly this relation. Plans are compared only if their numbers are equal.
    pub(crate) fn persisted(&self, relation: &Relation) -> Option<&Persisted> {
        let alike = self.persisted.get(&plan_id(relation))?;
        let plan = relation.encode_to_vec();
        alike.iter().find(|one| one.plan == plan)
    }

    /// Keeps the rows of a relation, unless they are kept already.
    pub(crate) fn persist(
        &mut self,
        relation: &Relation,
        level: StorageLevel,
        frame: impl FnOnce() -> DataFrame,
    ) {
        if self.persisted(relation).is_none() {
            let persisted = Persisted { plan: relation.encode_to_vec(), frame: frame(), level };
            self.persisted.entry(plan_id(relation)).or_default().push(persisted);
        }
    }

    /// Forgets the rows of a relation.
    pub(crate) fn unpersist(&mut self, relation: &Relation) {
        let Some(alike) = self.persisted.get_mut(&plan_id(relation)) else { return };
        let plan = relation.encode_to_vec();
        for persisted in alike.extract_if(.., |one| one.plan == plan) {
            persisted.frame.unpersist();
        }
        self.persisted.retain(|_, alike| !alike.is_empty());
    }

    /// Forgets all cached queries and tables.
    pub(crate) fn clear_cache(&mut self) {
        self.persisted.clear();
        self.tables.clear();
    }
}

fn plan_id(relation: &Relation) -> PlanId {
    relation.common.as_ref().and_then(|common| common.plan_id)
}

/// What a cached table is known by.
pub(crate) fn cached_table(name: &str) -> String {
    let name = name.to_lowercase().replace('`', "");
    let name = name.trim_start_matches("spark_catalog.").trim_start_matches("default.");
    name.to_owned()
}

fn changed() -> Error {
    Error::new(
        errors::SESSION_CHANGED,
        "the server has lost this session, with its views and options",
    )
    .hint("make a new session")
}

/// Spark takes UUIDs only, so that identifiers cannot be guessed.
pub(crate) fn check_id(id: &str) -> Result<()> {
    let is_uuid = id.len() == 36
        && id.char_indices().all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        });
    if is_uuid {
        return Ok(());
    }
    Err(Error::new(errors::HANDLE_FORMAT, "an identifier of a session or statement is a UUID"))
}

/// A new UUID.
pub(crate) fn new_id() -> String {
    let bits = rand::random::<u128>() & !(0xF << 76) | (0x4 << 76);
    let bits = bits & !(0x3 << 62) | (0x2 << 62);
    let text = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}
