//! Where a query runs: on the machine that asks, or on the workers of a cluster.
//!
//! The engine knows of a cluster only what stands here; the crate `vonk-cluster` is one, and tells so
//! with [`offer`].

use std::fmt;
use std::sync::{Arc, OnceLock};

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::OptimizerRule;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use futures::future::BoxFuture;

use crate::config::{self, Config};
use crate::error::{Condition, Error, Result};
use crate::policy::Policy;

/// What the master of a cluster begins with.
const SCHEME: &str = "vonk://";

/// Workers on other machines, to which parts of a plan can be sent.
pub trait Cluster: fmt::Debug + Send + Sync {
    /// The plan in stages that run on the workers, under one operator that gives their rows; or why
    /// it has to stay.
    ///
    /// The plan is one that no operator of the process has a part in: it may be run several times.
    fn distribute<'a>(
        &'a self,
        plan: Arc<dyn ExecutionPlan>,
        finish: Finish,
        state: &'a SessionState,
    ) -> BoxFuture<'a, Result<Placement>>;

    /// The stages of a plan that [`Cluster::distribute`] made, for people; with rows and times once it
    /// has run.
    fn describe<'a>(
        &'a self,
        plan: &'a Arc<dyn ExecutionPlan>,
        with_metrics: bool,
    ) -> BoxFuture<'a, Result<String>>;
}

/// The rules for plans that are cut into stages already.
pub type Finish = Arc<[Arc<dyn PhysicalOptimizerRule + Send + Sync>]>;

/// Where a plan runs.
#[derive(Debug, Clone)]
pub enum Placement {
    /// On the workers.
    Workers(Arc<dyn ExecutionPlan>),
    /// Here, and why.
    Here(String),
}

/// How a cluster is reached whose master is named.
pub type Connect = fn(&Config) -> Result<Arc<dyn Cluster>>;

static CONNECT: OnceLock<Connect> = OnceLock::new();

/// Says how the clusters are reached that options name; who says so first is heard.
pub fn offer(connect: Connect) {
    let _is_first = CONNECT.set(connect);
}

/// The cluster that the options name, if they name one.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` if the program has no client for it, and those of the client.
pub(crate) fn connect(config: &Config) -> Result<Option<Arc<dyn Cluster>>> {
    if !is_cluster(config.get(config::MASTER).unwrap_or_default()) {
        return Ok(None);
    }
    match CONNECT.get() {
        Some(connect) => connect(config).map(Some),
        None => Err(Error::unsupported("this program has no client for clusters").hint(
            "call `vonk_cluster::install()` of the crate `vonk-cluster` first, or use `local[*]`",
        )),
    }
}

/// Whether a master is a cluster rather than this machine.
pub(crate) fn is_cluster(master: &str) -> bool {
    master.starts_with(SCHEME)
}

/// The cluster of a session, and how its plans are made.
#[derive(Debug)]
pub(crate) struct Workers {
    pub(crate) cluster: Arc<dyn Cluster>,
    /// The rules for plans that are to be cut into stages.
    pub(crate) logical_rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>,
    pub(crate) rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>,
    pub(crate) finish: Finish,
    /// Keeps the rows in the order of the files, where nothing else orders them.
    pub(crate) in_order: fn(Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>>,
    /// The bytes of the files that a plan reads.
    pub(crate) bytes_read: fn(&Arc<dyn ExecutionPlan>) -> DfResult<u64>,
}

/// A plan, and where it runs.
pub(crate) struct Placed {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) place: Place,
}

/// Where a plan that was made runs.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// There are no workers.
    Alone,
    /// On this cluster.
    Cluster(Arc<dyn Cluster>),
    /// Here, for this reason.
    Here(String),
}

impl Placed {
    pub(crate) fn is_here(&self) -> bool {
        !matches!(self.place, Place::Cluster(_))
    }

    /// The operators, and where they run if they could have run elsewhere; with rows and times once
    /// they have run.
    pub(crate) async fn describe(&self, with_metrics: bool) -> Result<String> {
        let plan = &self.plan;
        if let Place::Cluster(cluster) = &self.place {
            return cluster.describe(plan, with_metrics).await;
        }
        let operators = match with_metrics {
            true => DisplayableExecutionPlan::with_metrics(plan.as_ref()),
            false => DisplayableExecutionPlan::new(plan.as_ref()),
        };
        let operators = operators.indent(false);
        Ok(match &self.place {
            Place::Here(reason) => format!("Not on the cluster: {reason}\n{operators}"),
            Place::Alone | Place::Cluster(_) => operators.to_string(),
        })
    }
}

/// Plans a query for where it runs.
///
/// A query that reads little is planned and run here. Others are planned once more, without what only
/// makes sense within one process.
///
/// # Errors
/// Those of planning, and those of the cluster.
pub(crate) async fn plan(state: &SessionState, logical: &LogicalPlan) -> Result<Placed> {
    let plan = state.create_physical_plan(logical).await?;
    let Some(workers) = state.config().get_extension::<Workers>() else {
        return Ok(Placed { plan, place: Place::Alone });
    };
    if Policy::of(state).is_restricted() {
        let reason = "the policy of the session holds in this process only".to_owned();
        return Ok(Placed { plan, place: Place::Here(reason) });
    }
    let read = (workers.bytes_read)(&plan)?;
    let least = state.config().get_extension::<Config>();
    let least = least.and_then(|config| config.bytes(config::CLUSTER_TASK_BYTES).ok().flatten());
    if read == 0 || least.is_some_and(|least| read < least) {
        let reason = match read {
            0 => "it reads no files".to_owned(),
            _ => format!("it reads {read} bytes, less than `{}`", config::CLUSTER_TASK_BYTES),
        };
        return Ok(Placed { plan, place: Place::Here(reason) });
    }
    let portable = portable(state, &workers, logical)?;
    let travelling = (workers.in_order)(portable.create_physical_plan(logical).await?)?;
    let finish = Arc::clone(&workers.finish);
    Ok(match workers.cluster.distribute(travelling, finish, &portable).await? {
        Placement::Workers(plan) => {
            Placed { plan, place: Place::Cluster(Arc::clone(&workers.cluster)) }
        }
        Placement::Here(reason) => Placed { plan, place: Place::Here(reason) },
    })
}

/// Marks a state that plans what travels.
pub(crate) struct Portable;

/// The state that plans what travels.
fn portable(
    state: &SessionState,
    workers: &Workers,
    logical: &LogicalPlan,
) -> Result<SessionState> {
    let is_one_row = are_subqueries_one_row(logical)?;
    let mut portable = SessionStateBuilder::new_from_existing(state.clone())
        .with_optimizer_rules(workers.logical_rules.clone())
        .with_physical_optimizer_rules(workers.rules.clone())
        .build();
    portable.config_mut().set_extension(Arc::new(Portable));
    let options = portable.config_mut().options_mut();
    // A filter that a join fills while it runs does not reach other processes.
    options.set("datafusion.optimizer.enable_dynamic_filter_pushdown", "false")?;
    // As a join, a subquery of two rows would double the rows around it instead of being refused.
    options.optimizer.enable_physical_uncorrelated_scalar_subquery = !is_one_row;
    let options = Arc::clone(portable.config_options());
    portable.execution_props_mut().config_options = Some(Arc::clone(&options));
    let now = state.execution_props().query_execution_start_time;
    portable.execution_props_mut().query_execution_start_time = now;
    Ok(portable)
}

/// Whether every subquery that stands for a value has at most one row by its form.
fn are_subqueries_one_row(plan: &LogicalPlan) -> DfResult<bool> {
    let mut all = true;
    plan.apply_with_subqueries(|plan| {
        plan.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarSubquery(subquery) = expr {
                    all &= subquery.subquery.max_rows().is_some_and(|rows| rows <= 1);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(all)
}

/// An error of a cluster none of whose workers can be reached.
pub fn unreachable(master: &str, reasons: &str) -> Error {
    Error::new(
        Condition::CLUSTER_UNREACHABLE,
        format!("no worker of `{master}` can be reached: {reasons}"),
    )
    .hint("start workers with `vonk worker --listen ADDRESS`, or run the query with `local[*]`")
}
