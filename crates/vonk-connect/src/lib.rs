//! vonk-connect: a Spark Connect server, so that PySpark's official client runs its programs on vonk.
//!
//! ```no_run
//! # #[tokio::main] async fn main() -> vonk::Result<()> {
//! let server = vonk_connect::Server::builder(vonk::Session::builder());
//! let running = server.bind("127.0.0.1:15002", None).await?;
//! println!("SparkSession.builder.remote(\"sc://{}\").getOrCreate()", running.address());
//! running.stop().await;
//! # Ok(()) }
//! ```

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, lookup_host};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Identity, ServerTlsConfig};
use vonk::{Error, Result, SessionBuilder};

mod analyze;
mod artifacts;
mod auth;
mod catalog;
mod codec;
mod command;
mod config;
mod errors;
mod execute;
mod expression;
mod literal;
mod python;
mod relation;
mod service;
mod session;
mod streaming;
mod types;

use crate::auth::AuthLayer;
use crate::python::Interpreter;
use crate::service::{Service, SparkConnectServiceServer};
use crate::session::{Console, Host, Sessions};

pub use crate::python::run_functions;

/// The methods of the service, as the protocol names them.
pub const METHODS: &[&str] = include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// What clients may use of the server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Sessions that may be open at the same time.
    pub sessions_max: usize,
    /// Statements of one session that may run at the same time.
    pub statements_max: usize,
    /// Bytes that one message of a client may have.
    pub message_bytes_max: usize,
    /// Bytes of data that one session may leave with the server to make queries of.
    pub artifact_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions_max: 1000,
            statements_max: 100,
            message_bytes_max: 128 << 20,
            artifact_bytes_max: 1 << 30,
        }
    }
}

/// A Spark Connect server before it listens.
#[derive(Debug, Clone)]
pub struct Server {
    template: SessionBuilder,
    limits: Limits,
    workers: Option<Handle>,
    identity: Option<Identity>,
    is_insecure: bool,
    python: String,
    allows_python: bool,
    console: Console,
}

/// A server that listens; it stops when it is told to, or when this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<std::result::Result<(), tonic::transport::Error>>,
}

impl Server {
    /// A server whose sessions are made as `template` says.
    pub fn builder(template: SessionBuilder) -> Self {
        Self {
            template: template.config_default(vonk::config::JSON_SORTED, "true"),
            limits: Limits::default(),
            workers: None,
            identity: None,
            is_insecure: false,
            python: "python3".to_owned(),
            allows_python: false,
            console: Console(Arc::new(|_| {})),
        }
    }

    /// Sets what clients may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Runs queries on the threads of another runtime, so that the server answers while they work.
    #[must_use]
    pub fn workers(mut self, workers: Handle) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Speaks TLS, with a certificate and its key in PEM.
    #[must_use]
    pub fn tls(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.identity = Some(Identity::from_pem(certificate, key));
        self
    }

    /// Allows addresses that other machines reach without a token or without TLS.
    #[must_use]
    pub fn insecure(mut self) -> Self {
        self.is_insecure = true;
        self
    }

    /// Runs functions of Python programs by this command, where a session does not name another by
    /// `spark.pyspark.python`.
    #[must_use]
    pub fn python(mut self, command: impl Into<String>) -> Self {
        self.python = command.into();
        self
    }

    /// Runs functions of Python programs also where other machines reach the server: whoever may use
    /// it may then do whatever its user may.
    #[must_use]
    pub fn allow_python(mut self) -> Self {
        self.allows_python = true;
        self
    }

    /// Gives what streaming queries write to their console to this function; without it, nobody sees it.
    #[must_use]
    pub fn console(mut self, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.console = Console(Arc::new(write));
        self
    }

    /// Begins to listen; port 0 is one that is free. With a token, clients have to know it.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for an address that other machines reach without a token and TLS,
    /// and for one that cannot be listened at; those of the session's options.
    pub async fn bind(self, address: &str, token: Option<&str>) -> Result<Running> {
        // Options that no session could be made with are told before a client comes.
        self.template.clone().get_or_create()?;
        let wanted = resolve(address).await?;
        self.check_exposure(wanted, token)?;
        let unusable = |error: std::io::Error| unusable(address, &error);
        let listener = TcpListener::bind(wanted).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let stop = CancellationToken::new();
        let workers = self.workers.unwrap_or_else(Handle::current);
        let interpreter = Interpreter {
            is_allowed: self.allows_python || address.ip().is_loopback(),
            command: self.python,
        };
        let host = Host {
            workers,
            address: local_address(address, token, self.identity.is_some()),
            console: self.console,
        };
        let sessions = Sessions::new(self.template, self.limits.clone(), interpreter, host);
        let sessions = Arc::new(sessions);
        let service = Service::new(Arc::clone(&sessions));
        let service = SparkConnectServiceServer::new(service)
            .max_decoding_message_size(self.limits.message_bytes_max)
            .max_encoding_message_size(usize::MAX);
        let mut server = tonic::transport::Server::builder().tcp_nodelay(true);
        if let Some(identity) = self.identity {
            let tls = ServerTlsConfig::new().identity(identity);
            server = server.tls_config(tls).map_err(|error| unusable_tls(&error))?;
        }
        let router = server.layer(AuthLayer::new(token)).add_service(service);
        let until = stop.clone();
        let task = tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let sweeper = tokio::spawn(Arc::clone(&sessions).sweep());
            let ended = tokio::select! {
                served = router.serve_with_incoming(incoming) => served,
                () = until.cancelled() => Ok(()),
            };
            sweeper.abort();
            sessions.close_all();
            ended
        });
        Ok(Running { address, stop, task })
    }

    fn check_exposure(&self, address: SocketAddr, token: Option<&str>) -> Result<()> {
        let is_safe = token.is_some_and(|token| !token.is_empty()) && self.identity.is_some();
        if address.ip().is_loopback() || is_safe || self.is_insecure {
            return Ok(());
        }
        Err(Error::new(
            vonk::Condition::INVALID_PARAMETER,
            format!("other machines can reach `{address}`, which needs a token and TLS"),
        )
        .hint("give a token, a certificate and its key, or listen at 127.0.0.1"))
    }
}

impl Running {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the server, its sessions and their queries.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = (&mut self.task).await;
    }

    /// Waits until the server ends by itself, which it does only if it cannot go on.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` if listening failed.
    pub async fn wait(&mut self) -> Result<()> {
        match (&mut self.task).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Error::internal(format!("the server failed: {error}"))),
            Err(error) => Err(Error::internal(format!("the server failed: {error}"))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How programs of this machine reach the server.
fn local_address(address: SocketAddr, token: Option<&str>, has_tls: bool) -> String {
    let token = token.filter(|token| !token.is_empty());
    let token = token.map(|token| format!(";token={token}")).unwrap_or_default();
    let tls = if has_tls { ";use_ssl=true" } else { "" };
    format!("sc://localhost:{}/{token}{tls}", address.port())
}

async fn resolve(address: &str) -> Result<SocketAddr> {
    let mut found = lookup_host(address).await.map_err(|error| unusable(address, &error))?;
    let none = || std::io::Error::other("there is no such host");
    found.next().ok_or_else(|| unusable(address, &none()))
}

fn unusable(address: &str, error: &std::io::Error) -> Error {
    let message = format!("`{address}` cannot be listened at: {error}");
    Error::new(vonk::Condition::INVALID_PARAMETER, message)
        .hint("give an address and a port such as `127.0.0.1:15002`")
}

fn unusable_tls(error: &tonic::transport::Error) -> Error {
    let message = format!("the certificate or its key cannot be used: {error}");
    Error::new(vonk::Condition::INVALID_PARAMETER, message).hint("give both in PEM")
}
