//! Puts [`RuntimeFilterExec`] over scans, where joins and ORDER BY with LIMIT push filters to.
//!
//! The joins between such a scan and the join that knows the keys have less to do, as have the copies
//! into partitions and the groups.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;

use crate::operators::replace_children;
use crate::operators::runtime_filter::RuntimeFilterExec;

/// Over every scan and the conditions on it: before filters are pushed down.
#[derive(Debug)]
pub(super) struct OverScans;

/// Takes those away again that are of no use: after filters are pushed down.
#[derive(Debug)]
pub(super) struct WhereTheyHelp;

impl PhysicalOptimizerRule for OverScans {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|plan| {
            if !is_scan(&plan) {
                return Ok(Transformed::no(plan));
            }
            let filter = Arc::new(RuntimeFilterExec::new(plan));
            Ok(Transformed::new(filter, true, TreeNodeRecursion::Jump))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "runtime filters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl PhysicalOptimizerRule for WhereTheyHelp {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|plan| {
            let Some(id) = own_filter(&plan) else { return Ok(Transformed::no(plan)) };
            let [build, probe] = plan.children()[..] else { return Ok(Transformed::no(plan)) };
            let probe = without_filter(probe, id)?;
            if !probe.transformed {
                return Ok(Transformed::no(plan));
            }
            let build = Arc::clone(build);
            let join = replace_children(&plan, vec![build, probe.data])?;
            Ok(Transformed::yes(join))
        })?;
        let plan = plan.data.transform_up(|plan| {
            let filter = plan.downcast_ref::<RuntimeFilterExec>();
            Ok(match filter.and_then(RuntimeFilterExec::unused) {
                Some(input) => Transformed::yes(Arc::clone(input)),
                None => Transformed::no(plan),
            })
        });
        plan.data()
    }

    fn name(&self) -> &'static str {
        "runtime filters that help"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A scan of files, with the conditions that stand over it.
fn is_scan(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if plan.is::<DataSourceExec>() {
        return true;
    }
    let passes_on = plan.is::<FilterExec>() || plan.is::<CooperativeExec>();
    passes_on && plan.children().into_iter().all(is_scan)
}

/// The filter that a join makes of its keys.
fn own_filter(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    let filters = plan.downcast_ref::<HashJoinExec>()?.dynamic_expressions_produced();
    filters.first()?.expression_id()
}

/// The probe side of a join without the join's own filter, where nothing but the scan lies below: the
/// join would look up the same keys at once.
fn without_filter(
    plan: &Arc<dyn ExecutionPlan>,
    id: u64,
) -> DfResult<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(filter) = plan.downcast_ref::<RuntimeFilterExec>() {
        return Ok(Transformed::yes(Arc::new(filter.without(id))));
    }
    let passes_on =
        plan.is::<ProjectionExec>() || plan.is::<CooperativeExec>() || plan.is::<FilterExec>();
    match plan.children().as_slice() {
        [child] if passes_on => without_filter(child, id)?
            .transform_data(|child| Ok(Transformed::yes(replace_children(plan, vec![child])?))),
        _ => Ok(Transformed::no(Arc::clone(plan))),
    }
}
