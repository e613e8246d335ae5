//! A plan in stages, looked over before it runs: each row is seen by one task that needs it, and every
//! operator that has to see rows together does.
//!
//! The engine takes a plan apart where operators merge or exchange rows. A plan that was made for few
//! rows may have no such operator where one partition was enough; in several tasks it would give
//! several answers. Such a plan stays on one machine.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode,
};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{Distribution, ExecutionPlan, Partitioning};
use datafusion_distributed::{
    DistributedLeafExec, NetworkBoundaryExt, NetworkBroadcastExec, NetworkCoalesceExec,
    NetworkShuffleExec,
};

/// How the rows of an operator are spread over the tasks of its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// Every task has all rows.
    Whole,
    /// Rows of equal keys are in one task.
    ByKey,
    /// Each row is in one task.
    Pieces,
}

/// Why a plan would not give the rows that it gives on one machine, if it would not.
///
/// # Errors
/// The reason.
pub(crate) fn verify(head: &Arc<dyn ExecutionPlan>) -> Result<(), String> {
    spread(head, 1).map(drop)
}

fn spread(plan: &Arc<dyn ExecutionPlan>, tasks: usize) -> Result<Spread, String> {
    if let Some(boundary) = plan.as_network_boundary() {
        let stage = boundary.input_stage();
        let Some(input) = stage.local_plan() else {
            return Err("a stage of it is elsewhere already".to_owned());
        };
        let spread = spread(input, stage.task_count())?;
        if stage.task_count() > 1 && spread == Spread::Whole {
            return Err(format!("`{}` would give its rows once per task", input.name()));
        }
        return boundary_spread(plan, input, tasks);
    }
    let children = plan.children();
    let spreads = children.iter().map(|child| spread(child, tasks));
    let spreads: Vec<Spread> = spreads.collect::<Result<_, _>>()?;
    if tasks == 1 {
        return Ok(Spread::Whole);
    }
    if children.is_empty() {
        return match plan.is::<DistributedLeafExec>() {
            true => Ok(Spread::Pieces),
            false => Err(format!("`{}` would run once per task", plan.name())),
        };
    }
    let distributions = plan.input_distribution_requirements().into_per_child();
    for (distribution, spread) in distributions.iter().zip(&spreads) {
        let fits = match distribution {
            Distribution::UnspecifiedDistribution => true,
            Distribution::SinglePartition => *spread == Spread::Whole,
            _ => *spread != Spread::Pieces,
        };
        if !fits {
            return Err(format!("`{}` would not see all rows that belong together", plan.name()));
        }
    }
    if gives_rows_of_left(plan) && spreads.first() == Some(&Spread::Whole) {
        return Err(format!("`{}` would give rows of its left side once per task", plan.name()));
    }
    together(plan, &spreads)
}

/// How rows come out of an exchange between stages.
fn boundary_spread(
    boundary: &Arc<dyn ExecutionPlan>,
    input: &Arc<dyn ExecutionPlan>,
    tasks: usize,
) -> Result<Spread, String> {
    if boundary.is::<NetworkBroadcastExec>() || tasks == 1 {
        if boundary.is::<NetworkShuffleExec>() {
            check_keys(input)?;
        }
        return Ok(Spread::Whole);
    }
    if boundary.is::<NetworkShuffleExec>() {
        check_keys(input)?;
        return Ok(Spread::ByKey);
    }
    match boundary.is::<NetworkCoalesceExec>() {
        true => Err("rows of several tasks would be merged in several".to_owned()),
        false => Err(format!("the exchange `{}` is not known", boundary.name())),
    }
}

/// The keys of an exchange travel without what is known here of functions.
fn check_keys(input: &Arc<dyn ExecutionPlan>) -> Result<(), String> {
    let Some(exchange) = input.downcast_ref::<RepartitionExec>() else {
        return Err(format!("`{}` is no exchange", input.name()));
    };
    match exchange.partitioning() {
        Partitioning::Hash(keys, _) if keys.iter().all(|key| key.is::<Column>()) => Ok(()),
        Partitioning::Hash(keys, _) => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            Err(format!("rows would be spread by `{}`", keys.join(", ")))
        }
        other => Err(format!("rows would be spread by `{other}`")),
    }
}

/// Whether an operator that collects its left side in every task gives rows of it by itself.
fn gives_rows_of_left(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let collects = |kind: JoinType| {
        !matches!(
            kind,
            JoinType::Inner
                | JoinType::Right
                | JoinType::RightSemi
                | JoinType::RightAnti
                | JoinType::RightMark
        )
    };
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return *join.partition_mode() == PartitionMode::CollectLeft && collects(*join.join_type());
    }
    plan.downcast_ref::<NestedLoopJoinExec>().is_some_and(|join| collects(*join.join_type()))
}

/// The spread of an operator over inputs that are spread so.
fn together(plan: &Arc<dyn ExecutionPlan>, spreads: &[Spread]) -> Result<Spread, String> {
    let collects_left = plan.is::<CrossJoinExec>()
        || plan.is::<NestedLoopJoinExec>()
        || plan
            .downcast_ref::<HashJoinExec>()
            .is_some_and(|join| *join.partition_mode() == PartitionMode::CollectLeft);
    match spreads {
        [Spread::Whole, right] if collects_left => Ok(*right),
        [_, _] if collects_left => {
            Err(format!("`{}` would see a part of its left side", plan.name()))
        }
        _ if spreads.iter().all(|spread| *spread == spreads[0]) => Ok(spreads[0]),
        // A union of rows that are all everywhere with rows that are not would double the former.
        _ if spreads.contains(&Spread::Whole) => {
            Err(format!("`{}` would mix rows of one task with rows of all", plan.name()))
        }
        _ => Ok(Spread::Pieces),
    }
}
