//! Plans a query: first what is shared within it, then the rest with its joins in order, and once more where
//! DataFusion refuses its own plan.
//!
//! What is known of columns lets it leave out sorts and exchanges of rows; where two of its rules know different
//! things, its last check finds an order or a partitioning missing. Then nothing is told of any column. Where a rule
//! makes a plan that is none, by an error that DataFusion calls its own, the rules that plans can do without are
//! left out.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use super::common_subplans;
use super::equivalences::WhereTheyMislead;
use super::join_order;
use super::upwards::Upwards;
use crate::config::{self, Config};
use crate::operators::shared;

/// DataFusion's physical rules that make plans faster, but neither right nor whole.
const DISPENSABLE: &[&str] = &[
    "aggregate_statistics",
    "CombinePartialFinalAggregate",
    "FilterPushdown",
    "FilterPushdown(Post)",
    "HashJoinBuffering",
    "LimitAggregation",
    "LimitedDistinctAggregation",
    "LimitPushPastWindows",
    "LimitPushdown",
    "OptimizeAggregateOrder",
    "ProjectionPushdown",
    "PushdownSort",
    "TopKRepartition",
    "WindowTopN",
];

/// DataFusion's planner, and a second attempt with fewer liberties where the first one fails by itself.
#[derive(Debug)]
pub(crate) struct Twice;

#[async_trait]
impl QueryPlanner for Twice {
    async fn create_physical_plan(
        &self,
        logical: &LogicalPlan,
        session: &dyn Session,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
            return DefaultPhysicalPlanner::default().create_physical_plan(logical, session).await;
        };
        let config = state.config().get_extension::<Config>();
        let repairs = config.is_some_and(|config| config.is_on(config::REPAIR_PLANS));
        let mut rules = state.physical_optimizers().to_vec();
        let error = match planned(logical, state).await {
            Err(error) if !repairs => return Err(error),
            Err(error) if lacks_requirement(&error) => {
                rules.insert(0, Arc::new(Upwards(WhereTheyMislead { everywhere: true })));
                error
            }
            Err(error) if matches!(error.find_root(), DataFusionError::Internal(_)) => {
                rules.retain(|rule| !DISPENSABLE.contains(&rule.name()));
                error
            }
            planned => return planned,
        };
        let state = SessionStateBuilder::new_from_existing(state.clone())
            .with_physical_optimizer_rules(rules)
            .build();
        planned(logical, &state).await.map_err(|_| error)
    }
}

async fn planned(logical: &LogicalPlan, state: &SessionState) -> DfResult<Arc<dyn ExecutionPlan>> {
    common_subplans::prepare(logical, state).await?;
    let ordered = join_order::of_least_work(logical, state).await?;
    let logical = ordered.as_ref().unwrap_or(logical);
    let plan = DefaultPhysicalPlanner::default().create_physical_plan(logical, state).await?;
    shared::show(&plan)?;
    Ok(plan)
}

/// Whether an error is that of the check after all rules.
fn lacks_requirement(error: &DataFusionError) -> bool {
    let DataFusionError::Plan(text) = error.find_root() else { return false };
    ["order", "distribution"]
        .iter()
        .any(|what| text.contains(&format!("does not satisfy {what} requirements")))
}
