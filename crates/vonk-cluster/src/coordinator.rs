//! The session's end of a cluster: plans are cut into stages here, wait for their turn, and are run.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use datafusion::execution::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_distributed::{DistributedMetricsFormat, display_plan_ascii, explain_analyze};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use vonk::cluster::{Cluster, Finish, Placement};
use vonk::config::{self, Config};
use vonk::{Error, Result};

use crate::attempts::{AttemptsExec, Query};
use crate::channels::{Channels, display};
use crate::members::{Members, State};
use crate::secret::Secret;
use crate::stages::{self, Cut, Job};

/// How long the figures of workers are waited for once a query is over.
const METRICS_TIMEOUT: Duration = Duration::from_secs(5);

/// What decides whether two sessions have the same cluster.
type Key = [Option<String>; 4];

/// The clusters that sessions of this process use.
static CLUSTERS: LazyLock<Mutex<HashMap<Key, Weak<Coordinator>>>> = LazyLock::new(Mutex::default);

/// One cluster as the sessions of this process use it.
#[derive(Debug)]
pub(crate) struct Coordinator {
    members: Members,
    channels: Channels,
    turns: Arc<Semaphore>,
    turns_max: usize,
}

/// A session's share in a cluster.
#[derive(Debug)]
struct Shared(Arc<Coordinator>);

/// The cluster that options name; sessions with the same options share its connections and turns.
///
/// # Errors
/// If an option does not fit, or a file that it names cannot be read.
pub(crate) fn connect(config: &Config) -> Result<Arc<dyn Cluster>> {
    let option = |name: &str| config.get(name).map(str::to_owned);
    let key: Key = [
        option(config::MASTER),
        option(config::CLUSTER_SECRET_FILE),
        option(config::CLUSTER_CA),
        option(config::CLUSTER_QUERIES_MAX),
    ];
    let mut clusters = CLUSTERS.lock();
    if let Some(known) = clusters.get(&key).and_then(Weak::upgrade) {
        return Ok(Arc::new(Shared(known)));
    }
    let made = Arc::new(Coordinator::new(config)?);
    clusters.retain(|_, known| known.strong_count() > 0);
    clusters.insert(key, Arc::downgrade(&made));
    Ok(Arc::new(Shared(made)))
}

/// How the workers are that the options name, by address.
///
/// # Errors
/// If an option does not fit, or no name of the master has an address.
pub async fn status(config: &Config) -> Result<Vec<(String, State)>> {
    let coordinator = Coordinator::new(config)?;
    let asked = coordinator.members.ask().await?;
    Ok(asked.into_iter().map(|(url, state)| (display(&url), state)).collect())
}

impl Coordinator {
    fn new(config: &Config) -> Result<Self> {
        let path = |name: &str| config.get(name).map(Path::new);
        let secret = path(config::CLUSTER_SECRET_FILE).map(Secret::read).transpose()?;
        let channels = Channels::new(secret, path(config::CLUSTER_CA))?;
        let master = config.get(config::MASTER).unwrap_or_default();
        let turns_max = config.count(config::CLUSTER_QUERIES_MAX)?.unwrap_or(1);
        Ok(Self {
            members: Members::new(master, channels.clone())?,
            channels,
            turns: Arc::new(Semaphore::new(turns_max)),
            turns_max,
        })
    }

    /// Waits until a query more may run.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        if self.turns.available_permits() == 0 {
            log::info!(
                "waiting for the cluster: `{}` queries run on it, as many as `{}` allows",
                self.turns_max,
                config::CLUSTER_QUERIES_MAX
            );
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        turn.map_err(|_| Error::internal("the queue of the cluster is closed"))
    }

    pub(crate) fn doubt(&self) {
        self.members.doubt();
    }

    /// Cuts a query into stages for the workers that live.
    pub(crate) async fn cut(&self, query: &Query) -> Result<Cut> {
        let workers = self.members.live().await?;
        stages::cut(Job {
            plan: &query.plan,
            finish: &query.finish,
            state: &query.state,
            workers,
            channels: &self.channels,
        })
        .await
    }
}

impl Cluster for Shared {
    fn distribute<'a>(
        &'a self,
        plan: Arc<dyn ExecutionPlan>,
        finish: Finish,
        state: &'a SessionState,
    ) -> BoxFuture<'a, Result<Placement>> {
        async move {
            let coordinator = Arc::clone(&self.0);
            let query = Query { coordinator, plan, finish, state: Arc::new(state.clone()) };
            Ok(match self.0.cut(&query).await? {
                Cut::Stages(stages, context) => {
                    Placement::Workers(Arc::new(AttemptsExec::new(query, stages, context)))
                }
                Cut::Here(reason) => Placement::Here(reason),
            })
        }
        .boxed()
    }

    fn describe<'a>(
        &'a self,
        plan: &'a Arc<dyn ExecutionPlan>,
        with_metrics: bool,
    ) -> BoxFuture<'a, Result<String>> {
        async move {
            let Some(attempts) = plan.downcast_ref::<AttemptsExec>() else {
                return Err(Error::internal("a plan of another cluster"));
            };
            let stages = attempts.stages();
            if !with_metrics {
                return Ok(display_plan_ascii(stages.as_ref(), false));
            }
            let format = DistributedMetricsFormat::PerTask;
            match timeout(METRICS_TIMEOUT, explain_analyze(Arc::clone(&stages), format)).await {
                Ok(described) => Ok(described?),
                // A worker that was lost after its last row has none.
                Err(_) => {
                    let mut text = display_plan_ascii(stages.as_ref(), false);
                    let _written = writeln!(text, "(the figures of a worker did not come)");
                    Ok(text)
                }
            }
        }
        .boxed()
    }
}
