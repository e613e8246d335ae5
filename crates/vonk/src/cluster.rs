//! What a cluster of workers needs of the engine: how the parts of a plan are written down for other
//! processes, and how these run them. It is for the crate `vonk-cluster`, and may change with it.

use std::ffi::OsString;
use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionConfig;

use crate::config::Config;
use crate::error::Result;
use crate::policy::Policy;
use crate::session;
use crate::sources::store::{self, Stores};

mod errors;
mod expressions;
mod functions;
mod operators;

pub use crate::operators::{only_input, replace_children};
pub use crate::placement::{Cluster, Connect, Finish, Placement, offer, unreachable};
pub use crate::sources::travel::{
    TravellingScan, arrived, scanned_bytes, shares, source, travelling,
};
pub use errors::{TravellingError, error_of};
pub use expressions::{Written, rebuild_expression, write_expression};
pub use functions::{Functions, aggregate_of, higher_order_of, scalar_of, window_of};
pub use operators::{Parts, in_order, rebuild_operator, take_apart, without_file_order};

/// The memory, disk and stores that all tasks of a worker share.
#[derive(Debug, Clone)]
pub struct Shared {
    runtime: Arc<RuntimeEnv>,
    stores: Arc<Stores>,
}

impl Shared {
    /// What a process with these options shares; `variables` are those of its environment, some of
    /// which say where stores are and who may read them.
    ///
    /// # Errors
    /// If an option does not fit, or the spill directory cannot be made.
    pub fn new(
        config: &Config,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self> {
        let variables = store::variables_of(variables).collect();
        let stores = Stores::new(Policy::default(), variables, config);
        Ok(Self { runtime: session::runtime(config, &stores)?, stores })
    }

    /// Memory and disk.
    #[must_use]
    pub fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.runtime
    }

    /// The options of a session for what runs under DataFusion's.
    ///
    /// # Errors
    /// If an option does not fit.
    pub fn configure(&self, options: SessionConfig, config: &Config) -> Result<SessionConfig> {
        Ok(session::configure(options, config)?.with_extension(Arc::clone(&self.stores)))
    }
}

/// The options that a state was made with.
pub fn config_of(state: &SessionState) -> Arc<Config> {
    state.config().get_extension::<Config>().unwrap_or_default()
}
