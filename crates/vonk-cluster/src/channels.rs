//! Connections to workers, one for each: kept, watched, and with the secret in every request.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use parking_lot::Mutex;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tower::ServiceExt;
use url::Url;
use vonk::error::innermost;
use vonk::{Condition, Error, Result};

use crate::io;
use crate::lost;
use crate::secret::Secret;
use crate::shipped::Sealing;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a worker is asked whether it lives, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(2);
const PING_TIMEOUT: Duration = Duration::from_secs(8);

/// What may be under way to one reader: enough that a network with delay is not idle.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The connections of a process to workers; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Channels {
    secret: Option<Secret>,
    /// Certificates in PEM, by which those of workers are signed.
    ca: Option<Arc<Vec<u8>>>,
    open: Arc<Mutex<HashMap<Url, Channel>>>,
}

impl Channels {
    /// # Errors
    /// If the file with the certificates cannot be read.
    pub(crate) fn new(secret: Option<Secret>, ca: Option<&Path>) -> Result<Self> {
        let ca = ca.map(|path| read("certificates", path).map(Arc::new)).transpose()?;
        Ok(Self { secret, ca, open: Arc::default() })
    }

    /// How the addresses of workers begin.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.ca.is_some() { "https" } else { "http" }
    }

    /// Forgets a connection, so that the next request makes a new one.
    pub(crate) fn forget(&self, url: &Url) {
        self.open.lock().remove(url);
    }

    /// The connection to a worker.
    ///
    /// # Errors
    /// `CLUSTER_WORKER_LOST` if it cannot be made.
    pub(crate) async fn channel(&self, url: &Url) -> Result<BoxCloneSyncChannel> {
        let known = self.open.lock().get(url).cloned();
        let channel = match known {
            Some(channel) => channel,
            None => {
                let made = self.connect(url).await?;
                self.open.lock().entry(url.clone()).or_insert(made).clone()
            }
        };
        let secret = self.secret.clone();
        let with_secret = channel.map_request(move |mut request: http::Request<_>| {
            if let Some(secret) = &secret {
                secret.add_to(request.headers_mut());
            }
            request
        });
        Ok(BoxCloneSyncChannel::new(with_secret))
    }

    async fn connect(&self, url: &Url) -> Result<Channel> {
        let endpoint = self.endpoint(url)?;
        // What drives the connection is started where it is made.
        let made = io::handle()?.spawn(async move { endpoint.connect().await }).await;
        match made {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(error)) => Err(lost::worker_lost(&display(url), &innermost(&error).to_string())),
            Err(error) => Err(Error::internal(error.to_string())),
        }
    }

    fn endpoint(&self, url: &Url) -> Result<Endpoint> {
        let wrong = |error: tonic::transport::Error| {
            let message = format!("no connection to {}: {}", display(url), innermost(&error));
            Error::new(Condition::INVALID_CONFIG_VALUE, message)
        };
        let mut endpoint = Endpoint::from_shared(url.to_string())
            .map_err(wrong)?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true);
        if let Some(ca) = &self.ca {
            let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca.as_slice()));
            endpoint = endpoint.tls_config(tls).map_err(wrong)?;
        }
        Ok(endpoint)
    }

    /// What speaks with a worker.
    pub(crate) async fn client(&self, url: &Url) -> Result<Box<dyn WorkerChannel>> {
        self.channel(url).await.map(create_worker_client)
    }
}

/// The bytes of a file; errors say `what` cannot be read.
pub(crate) fn read(what: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        let message = format!("the {what} cannot be read: {error}");
        Error::new(Condition::CANNOT_READ_FILE, message).file(path)
    })
}

/// The place of a worker as a master names it.
pub(crate) fn display(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

#[async_trait]
impl ChannelResolver for Channels {
    async fn get_worker_client_for_url(&self, url: &Url) -> DfResult<Box<dyn WorkerChannel>> {
        let client = self.client(url).await.map_err(DataFusionError::from)?;
        Ok(Box::new(Sealing::new(client)))
    }
}
