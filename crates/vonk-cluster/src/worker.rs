//! A worker: serves the tasks of queries until it is told to end.
//!
//! Connections have a thread of their own, so that those who compute cannot keep a coordinator from
//! hearing that the worker lives. Memory and disk are shared by all tasks, as those of a session are.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::future::Future;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion_distributed::{DistributedExt, Worker, WorkerQueryContext};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use vonk::cluster::Shared;
use vonk::config::Config;
use vonk::{Condition, Error, Result};

use crate::VERSION;
use crate::channels::{self, Channels};
use crate::codec::Sealed;
use crate::io;
use crate::members::Status;
use crate::secret::{self, Secret};
use crate::shipped::Settings;

mod elsewhere;
mod figures;

use elsewhere::Elsewhere;
use figures::{Task, Tasks};

/// How often who is connected is asked whether they live, and how long they may take to say so: the
/// tasks of a coordinator that does not answer end.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long tasks may go on once the worker has been told to end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Deep expressions are evaluated by recursion.
const STACK_BYTES: usize = 16 << 20;

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The file with the certificate.
    pub certificate: PathBuf,
    /// The file with the key.
    pub key: PathBuf,
    /// The file with the certificates by which those of other workers are signed.
    pub ca: PathBuf,
}

/// What a worker is told.
#[derive(Debug, Clone, Default)]
pub struct WorkerOptions {
    /// Address and port to listen at.
    pub listen: String,
    /// Address and port to tell figures at, in the format of Prometheus; this has no secret.
    pub metrics: Option<String>,
    /// Options of the process: threads by `vonk.master`, memory, and where to spill.
    pub config: Config,
    /// The variables of the environment, which say something of stores.
    pub variables: BTreeMap<OsString, OsString>,
    /// What coordinators and other workers have to know.
    pub secret: Option<Secret>,
    /// Speaks TLS.
    pub tls: Option<Tls>,
    /// Lets other machines in without a secret or without TLS.
    pub insecure: bool,
}

/// Serves tasks until `end` is there; then finishes those that run.
///
/// `ready` is called with the address once connections are taken.
///
/// # Errors
/// If the address cannot be listened at, if other machines would get in without secret and TLS, or if an
/// option does not fit.
pub fn serve(
    options: WorkerOptions,
    ready: impl FnOnce(SocketAddr),
    end: impl Future<Output = ()>,
) -> Result<()> {
    let has_guard = options.secret.is_some() && options.tls.is_some();
    let address = address(&options.listen, has_guard || options.insecure)?;
    let computing = computing(&options.config)?;
    let connections = io::runtime()?;
    let served = connections.block_on(listen(options, address, &computing, ready, end));
    computing.shutdown_background();
    connections.shutdown_background();
    served
}

/// The address; beyond this machine only who is known gets in.
fn address(listen: &str, is_safe: bool) -> Result<SocketAddr> {
    let wrong = |why: String| {
        let message = format!("cannot listen at `{listen}`: {why}");
        Error::new(Condition::INVALID_PARAMETER, message)
            .hint("give an address and a port, such as `127.0.0.1:7077`")
    };
    let mut found = listen.to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
    let address = found.next().ok_or_else(|| wrong("it has no address".to_owned()))?;
    if !address.ip().is_loopback() && !is_safe {
        let message = format!("other machines would reach `{address}` without secret and TLS");
        return Err(Error::new(Condition::INSUFFICIENT_PERMISSIONS, message)
            .hint("give both, or `--insecure` in a network that nobody else is in"));
    }
    Ok(address)
}

fn computing(config: &Config) -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(config.threads()?)
        .thread_name("vonk-task")
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(io::no_threads)
}

async fn listen(
    options: WorkerOptions,
    address: SocketAddr,
    computing: &Runtime,
    ready: impl FnOnce(SocketAddr),
    end: impl Future<Output = ()>,
) -> Result<()> {
    let failed = |error: &dyn std::error::Error| {
        Error::new(Condition::INVALID_PARAMETER, format!("cannot serve at `{address}`: {error}"))
    };
    let ca = options.tls.as_ref().map(|tls| tls.ca.as_path());
    let channels = Channels::new(options.secret.clone(), ca)?;
    let (tasks, shared) =
        (Arc::<Tasks>::default(), Shared::new(&options.config, options.variables)?);
    if let Some(metrics) = &options.metrics {
        let page = self::address(metrics, options.insecure)?;
        let told = figures::serve(page, Arc::clone(&tasks), Arc::clone(shared.runtime())).await;
        told.map_err(|error| failed(&error))?;
    }
    let worker = worker(&options.config, channels, shared, tasks)?;
    let service =
        InterceptedService::new(worker.into_worker_server(), secret::guard(options.secret));
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(PING_INTERVAL))
        .http2_keepalive_timeout(Some(PING_TIMEOUT))
        .tcp_nodelay(true)
        .layer(Elsewhere::new(computing.handle().clone()));
    if let Some(tls) = &options.tls {
        let read = |path| channels::read("file", path);
        let identity = Identity::from_pem(read(&tls.certificate)?, read(&tls.key)?);
        let tls = ServerTlsConfig::new().identity(identity);
        server = server.tls_config(tls).map_err(|error| failed(&error))?;
    }
    let listener = TcpListener::bind(address).await.map_err(|error| failed(&error))?;
    ready(listener.local_addr().map_err(|error| failed(&error))?);
    let (told, mut waits) = tokio::sync::watch::channel(false);
    let drained = async move {
        let _closed = waits.wait_for(|is_over| *is_over).await;
    };
    let serving = server
        .add_service(service)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), drained);
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended.map_err(|error| failed(&error)),
        () = end => {}
    }
    let _nobody_waits = told.send(true);
    // Tasks that take longer are lost to their coordinators, who run the query elsewhere.
    let _ended = tokio::time::timeout(DRAIN_TIMEOUT, serving).await;
    Ok(())
}

/// What runs the tasks.
fn worker(
    config: &Config,
    channels: Channels,
    shared: Shared,
    tasks: Arc<Tasks>,
) -> Result<Worker> {
    let runtime = Arc::clone(shared.runtime());
    let memory = match runtime.memory_pool.memory_limit() {
        MemoryLimit::Finite(bytes) => bytes as u64,
        MemoryLimit::Infinite | MemoryLimit::Unknown => 0,
    };
    let status = Status {
        version: VERSION.to_owned(),
        threads: config.threads()?,
        memory,
        pid: std::process::id(),
    };
    let status =
        serde_json::to_string(&status).map_err(|error| Error::internal(error.to_string()))?;
    let own = Arc::new(config.clone());
    let state = move |query: WorkerQueryContext| {
        let (own, shared) = (Arc::clone(&own), shared.clone());
        let (channels, task) = (channels.clone(), tasks.start());
        async move { state(query, &own, &shared, channels, task) }
    };
    Ok(Worker::from_session_builder(state).with_runtime_env(runtime).with_version(status))
}

/// The state of one task: the session's options over those of the process.
fn state(
    query: WorkerQueryContext,
    own: &Config,
    shared: &Shared,
    channels: Channels,
    task: Task,
) -> DfResult<SessionState> {
    let settings = Settings::from_headers(&query.headers).map_err(DataFusionError::from)?;
    let config = settings.over(own).map_err(DataFusionError::from)?;
    let mut builder = query.builder;
    let session = builder.config().take().unwrap_or_default();
    let mut session = shared.configure(session, &config).map_err(DataFusionError::from)?;
    session.options_mut().catalog.default_schema = settings.database;
    // It goes with the options of the task.
    session.set_extension(Arc::new(task));
    let builder = builder
        .with_config(session)
        .with_distributed_channel_resolver(channels)
        .with_distributed_user_codec(Sealed);
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_get_in_with_secret_and_tls_or_by_an_insecure_option() {
        assert!(address("127.0.0.1:0", false).is_ok());
        let refused = address("0.0.0.0:0", false).unwrap_err();
        assert_eq!(refused.condition(), Condition::INSUFFICIENT_PERMISSIONS);
        assert!(address("0.0.0.0:0", true).is_ok());
        assert!(address("nowhere", false).is_err());
    }
}
