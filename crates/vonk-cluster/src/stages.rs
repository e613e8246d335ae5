//! A plan in stages for the workers: what may travel, how scans are shared out, and what stands at the
//! borders.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{EmptyRelation, LogicalPlan, Volatility};
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use datafusion_distributed::{
    BroadcastExec, DesiredTaskCountEvent, DesiredTaskCountEventResponse, DistributedExec,
    DistributedExt, DistributedLeafExec, NetworkBoundary, NetworkBoundaryExt, NetworkCoalesceExec,
    ScaleUpLeafNodeEvent, ScaleUpLeafNodeEventResponse, SessionStateBuilderExt, Stage,
};
use url::Url;
use uuid::Uuid;
use vonk::Result;
use vonk::cluster::{self, Finish, Functions};
use vonk::config::{self, Config};

use crate::channels::Channels;
use crate::codec::{self, Sealed};
use crate::members::Chosen;
use crate::report::ReportExec;
use crate::shipped::Settings;
use crate::verify::verify;

/// A partition of files is not made smaller than this, or than a task where that is less.
const PARTITION_BYTES_MIN: u64 = 1 << 20;

/// A plan in stages, and what it runs with; or why it has to stay.
pub(crate) enum Cut {
    Stages(Arc<dyn ExecutionPlan>, Arc<TaskContext>),
    Here(String),
}

/// A plan and who shall run it.
pub(crate) struct Job<'a> {
    pub(crate) plan: &'a Arc<dyn ExecutionPlan>,
    pub(crate) finish: &'a Finish,
    pub(crate) state: &'a SessionState,
    pub(crate) workers: Vec<Url>,
    pub(crate) channels: &'a Channels,
}

/// Cuts a plan into stages.
///
/// # Errors
/// Those of planning.
pub(crate) async fn cut(job: Job<'_>) -> Result<Cut> {
    let config = cluster::config_of(job.state);
    let (plan, is_in_order) = cluster::without_file_order(Arc::clone(job.plan))?;
    if let Some(reason) = reason_to_stay(job.plan, &config)? {
        return Ok(Cut::Here(reason));
    }
    let state = distributed_state(&job, &config, Arc::clone(&plan))?;
    let nothing = EmptyRelation { produce_one_row: false, schema: Arc::new(DFSchema::empty()) };
    let nothing = LogicalPlan::EmptyRelation(nothing);
    let staged = state.query_planner().create_physical_plan(&nothing, &state).await?;
    let staged = match is_right(&staged, is_in_order) {
        Ok(()) if is_in_order => with_file_order(&staged)?,
        Ok(()) => Some(staged),
        Err(reason) => {
            log::debug!("the plan is not divided: {reason}");
            None
        }
    };
    let mut staged = match staged {
        Some(staged) => staged,
        None => on_one_worker(job.plan)?,
    };
    for rule in job.finish.iter() {
        staged = rule.optimize(staged, state.config_options())?;
    }
    Ok(Cut::Stages(with_reports(staged)?, state.task_ctx()))
}

/// Whether a plan that was divided gives the rows that it gives undivided.
fn is_right(staged: &Arc<dyn ExecutionPlan>, is_in_order: bool) -> Result<(), String> {
    if !staged.is::<DistributedExec>() {
        return Err("one task does all of it".to_owned());
    }
    // Each task has a share of every part.
    if is_in_order && staged.exists(|plan| Ok(plan.is::<UnionExec>())).unwrap_or(true) {
        return Err("the parts of a UNION would lose their order".to_owned());
    }
    match staged.children().as_slice() {
        [head] => verify(head),
        _ => Err("it has no head".to_owned()),
    }
}

/// The plan as one stage of one task.
fn on_one_worker(plan: &Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    let plan = match plan.output_partitioning().partition_count() {
        1 => Arc::clone(plan),
        _ => Arc::new(CoalescePartitionsExec::new(Arc::clone(plan))),
    };
    let boundary = NetworkCoalesceExec::try_new(plan, 1, 1)?;
    let mut stage = boundary.input_stage().clone();
    if let Stage::Local(stage) = &mut stage {
        (stage.query_id, stage.num) = (Uuid::new_v4(), 1);
    }
    let boundary = boundary.with_input_stage(stage)?;
    Ok(Arc::new(DistributedExec::new(boundary).with_metrics_collection(true)))
}

/// What keeps a plan from travelling, if something does.
fn reason_to_stay(plan: &Arc<dyn ExecutionPlan>, config: &Config) -> DfResult<Option<String>> {
    let mut reason = None;
    plan.apply(|plan| {
        if plan.is::<ScalarSubqueryExec>() {
            reason = Some("a subquery for a value may have several rows".to_owned());
        }
        if let Err(error) = cluster::take_apart(plan) {
            reason = Some(vonk::Error::from(error).message().to_owned());
        }
        plan.apply_expressions(&mut |expr| {
            expr.apply(|expr| {
                if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>()
                    && call.fun().signature().volatility == Volatility::Volatile
                {
                    reason = Some(format!("`{}` differs from row to row", call.name()));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(if reason.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if reason.is_some() {
        return Ok(reason);
    }
    let written = codec::write(plan, Functions::of(config));
    Ok(written.err().map(|error| vonk::Error::from(error).message().to_owned()))
}

/// The session's state as the engine plans with it, over a plan that is there already.
fn distributed_state(
    job: &Job<'_>,
    config: &Config,
    plan: Arc<dyn ExecutionPlan>,
) -> Result<SessionState> {
    let database = &job.state.config_options().catalog.default_schema;
    let headers = Settings::of(config, database).to_headers()?;
    let task_bytes = config.bytes(config::CLUSTER_TASK_BYTES)?.unwrap_or(1).max(1);
    let tasks_max = job.workers.len();
    let builder = SessionStateBuilder::new_from_existing(job.state.clone())
        .with_query_planner(Arc::new(Given(plan)))
        .with_distributed_planner()
        .with_distributed_worker_resolver(Chosen(job.workers.clone()))
        .with_distributed_channel_resolver(job.channels.clone())
        .with_distributed_user_codec(Sealed)
        .with_distributed_passthrough_headers(headers)?
        .with_distributed_max_tasks_per_stage(tasks_max)?
        // The parts of a union are scans like others: every task has a share of each.
        .with_distributed_children_isolator_unions(false)?
        .with_distributed_desired_task_count_handler(move |event: DesiredTaskCountEvent<'_>| {
            tasks_of(event, task_bytes)
        })
        .with_distributed_scale_up_leaf_node_handler(move |event: ScaleUpLeafNodeEvent<'_>| {
            share_out(event, task_bytes.min(PARTITION_BYTES_MIN))
        });
    Ok(builder.build())
}

/// How many tasks a scan is worth; one for whatever else has no inputs.
fn tasks_of(
    event: DesiredTaskCountEvent<'_>,
    task_bytes: u64,
) -> Option<DfResult<DesiredTaskCountEventResponse>> {
    if !event.plan.children().is_empty() {
        return None;
    }
    Some(Ok(match cluster::scanned_bytes(event.plan) {
        Some(bytes) => {
            let tasks = usize::try_from(bytes.div_ceil(task_bytes)).unwrap_or(usize::MAX);
            DesiredTaskCountEventResponse::desired(tasks.max(1))
        }
        None => DesiredTaskCountEventResponse::maximum(1),
    }))
}

/// A scan with a share of the files for each task.
fn share_out(
    event: ScaleUpLeafNodeEvent<'_>,
    bytes_min: u64,
) -> Option<DfResult<ScaleUpLeafNodeEventResponse>> {
    let shared = || -> DfResult<Arc<dyn ExecutionPlan>> {
        let whole = Arc::clone(event.plan);
        if event.task_count == 1 {
            return Ok(whole);
        }
        match cluster::shares(event.plan, event.task_count, bytes_min)? {
            Some(shares) => Ok(Arc::new(DistributedLeafExec::try_new(whole, shares)?)),
            None => Ok(whole),
        }
    };
    Some(shared().map(ScaleUpLeafNodeEventResponse::new))
}

/// A planner that has its plan.
struct Given(Arc<dyn ExecutionPlan>);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given")
    }
}

#[async_trait]
impl QueryPlanner for Given {
    async fn create_physical_plan(
        &self,
        _plan: &LogicalPlan,
        _session: &dyn Session,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::clone(&self.0))
    }
}

/// The plan with the end of each stage in [`ReportExec`], below what the engine puts at a border itself.
fn with_reports(plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    let reporting = plan.transform_up(|plan| {
        let Some(boundary) = plan.as_network_boundary() else { return Ok(Transformed::no(plan)) };
        let mut stage = boundary.input_stage().clone();
        if let Stage::Local(stage) = &mut stage {
            stage.plan = reporting(&stage.plan)?;
        }
        Ok(Transformed::yes(boundary.with_input_stage(stage)? as Arc<dyn ExecutionPlan>))
    });
    reporting.data()
}

fn reporting(head: &Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    let is_hash = head
        .downcast_ref::<RepartitionExec>()
        .is_some_and(|exchange| matches!(exchange.partitioning(), Partitioning::Hash(..)));
    match head.children().as_slice() {
        [input] if is_hash || head.is::<BroadcastExec>() => {
            let input = Arc::new(ReportExec::new(Arc::clone(input)));
            cluster::replace_children(head, vec![input])
        }
        _ => Ok(Arc::new(ReportExec::new(Arc::clone(head)))),
    }
}

/// The plan whose head gives the tasks' rows in their order; `None` if no operator merges them there.
fn with_file_order(plan: &Arc<dyn ExecutionPlan>) -> DfResult<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(merged) = plan.downcast_ref::<CoalescePartitionsExec>() {
        let is_of_tasks = merged.input().is::<NetworkCoalesceExec>();
        return Ok(is_of_tasks.then(|| cluster::in_order(merged)));
    }
    let children = plan.children();
    let [input] = children.as_slice() else { return Ok(None) };
    if plan.is_network_boundary() {
        return Ok(None);
    }
    match with_file_order(input)? {
        Some(input) => Ok(Some(cluster::replace_children(plan, vec![input])?)),
        None => Ok(None),
    }
}
