//! The workers of a cluster: where they are, which of them live, and that they are of one version.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion_distributed::{GetWorkerInfoRequest, WorkerResolver};
use futures::future::join_all;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use url::Url;
use vonk::{Condition, Error, Result};

use crate::channels::{Channels, display};
use crate::master::{self, Place};
use crate::{VERSION, io};

/// How long a worker may take to say that it lives.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long is believed what workers said.
const FRESH: Duration = Duration::from_secs(2);

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of vonk.
    pub version: String,
    /// Threads that compute.
    pub threads: usize,
    /// The limit of the memory that operators share, in bytes; 0 where it is not known.
    pub memory: u64,
    /// The process.
    pub pid: u32,
}

/// How a worker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It lives.
    Lives(Status),
    /// It cannot be used, and why.
    Lost(String),
}

/// The workers that a master names.
#[derive(Debug)]
pub(crate) struct Members {
    master: String,
    places: Vec<Place>,
    channels: Channels,
    known: Mutex<Option<(Instant, Vec<Url>)>>,
}

impl Members {
    /// # Errors
    /// `INVALID_CONF_VALUE` if the master is none of a cluster.
    pub(crate) fn new(master: &str, channels: Channels) -> Result<Self> {
        let places = master::places(master)?;
        Ok(Self { master: master.to_owned(), places, channels, known: Mutex::default() })
    }

    /// Asks all workers anew before the next query.
    pub(crate) fn doubt(&self) {
        self.known.lock().take();
    }

    /// The workers that live, one at least.
    ///
    /// # Errors
    /// `CLUSTER_UNREACHABLE` if there is none, `CLUSTER_VERSION_MISMATCH` if those that live are of
    /// another version.
    pub(crate) async fn live(&self) -> Result<Vec<Url>> {
        let known = self.known.lock().clone();
        if let Some((since, urls)) = known
            && since.elapsed() < FRESH
        {
            return Ok(urls);
        }
        let mut urls = Vec::new();
        let (mut reasons, mut others) = (Vec::new(), Vec::new());
        for (url, state) in self.ask().await? {
            match state {
                State::Lives(status) if status.version == VERSION => urls.push(url),
                State::Lives(status) => others.push((display(&url), status.version)),
                State::Lost(reason) => {
                    self.channels.forget(&url);
                    reasons.push(reason);
                }
            }
        }
        for (place, version) in &others {
            log::warn!("{place} is not used: its version is {version}, and not {VERSION}");
        }
        if urls.is_empty() {
            if let Some((place, version)) = others.first() {
                let message = format!("the worker {place} is of version {version}, not {VERSION}");
                return Err(Error::new(Condition::CLUSTER_VERSION, message)
                    .hint("start workers and sessions of the same version"));
            }
            return Err(vonk::cluster::unreachable(&self.master, &reasons.join("; ")));
        }
        *self.known.lock() = Some((Instant::now(), urls.clone()));
        Ok(urls)
    }

    /// How all workers are, by address.
    ///
    /// # Errors
    /// If no name of the master has an address.
    pub(crate) async fn ask(&self) -> Result<Vec<(Url, State)>> {
        let urls = self.addresses().await?;
        let asked = urls.into_iter().map(|url| async {
            let state = self.ask_one(&url).await;
            (url, state)
        });
        Ok(join_all(asked).await)
    }

    async fn ask_one(&self, url: &Url) -> State {
        let place = display(url);
        let channels = self.channels.clone();
        let asked = async {
            let mut client =
                channels.client(url).await.map_err(|error| error.message().to_owned())?;
            let info = client.get_worker_info(GetWorkerInfoRequest {}).await;
            info.map_err(|error| crate::lost::told(error).message().to_owned())
        };
        match timeout(PROBE_TIMEOUT, asked).await {
            Ok(Ok(info)) => State::Lives(status_of(&info.version)),
            Ok(Err(reason)) => State::Lost(reason),
            Err(_) => State::Lost(format!("{place} does not answer")),
        }
    }

    /// The addresses of the places, as they are now: a name may have got others since.
    async fn addresses(&self) -> Result<Vec<Url>> {
        let mut found = BTreeSet::new();
        let mut reasons = Vec::new();
        for place in &self.places {
            let Place { host, port } = place.clone();
            // With TLS the certificate is for the name, and the name has to be one machine.
            if self.channels.scheme() == "https" {
                found.extend(self.url(&host, port));
                continue;
            }
            let looked_up = io::handle()?.spawn(async move { lookup(&host, port).await }).await;
            match looked_up {
                Ok(Ok(addresses)) => {
                    found.extend(addresses.iter().filter_map(|ip| self.url(ip, port)));
                }
                Ok(Err(error)) => reasons.push(format!("{}: {error}", place.host)),
                Err(error) => reasons.push(error.to_string()),
            }
        }
        if found.is_empty() {
            return Err(vonk::cluster::unreachable(&self.master, &reasons.join("; ")));
        }
        Ok(found.into_iter().collect())
    }

    fn url(&self, host: &str, port: u16) -> Option<Url> {
        let scheme = self.channels.scheme();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        Url::parse(&format!("{scheme}://{host}:{port}")).ok()
    }
}

async fn lookup(host: &str, port: u16) -> std::io::Result<Vec<String>> {
    let found = tokio::net::lookup_host((host, port)).await?;
    let found: BTreeSet<String> = found.map(|address| address.ip().to_string()).collect();
    // A name of this machine may have two addresses, of which the worker listens at one.
    let v4: Vec<String> = found.iter().filter(|ip| !ip.contains(':')).cloned().collect();
    Ok(if v4.is_empty() { found.into_iter().collect() } else { v4 })
}

/// What a worker's text says; other programs answer with a version alone, or not at all.
fn status_of(text: &str) -> Status {
    let other = || Status { version: text.to_owned(), threads: 0, memory: 0, pid: 0 };
    serde_json::from_str(text).unwrap_or_else(|_| other())
}

/// The workers of one query.
pub(crate) struct Chosen(pub(crate) Vec<Url>);

impl WorkerResolver for Chosen {
    fn get_urls(&self) -> DfResult<Vec<Url>, DataFusionError> {
        Ok(self.0.clone())
    }
}
