//! What DataFusion 55 takes for constant in rows where it is not.
//!
//! Of a column that a filter keeps at 5, an outer join gives 5 and NULL where its side has no row, and ROLLUP
//! gives 5 and NULL. A UNION ALL whose branches have a constant each is constant in each partition only,
//! but the filter that ORDER BY with LIMIT makes is one for all partitions. Such columns are left out of
//! orders, so that groups that are found by order come in pieces and rows are filtered that belong to
//! the answer. Here rows pass, and nothing is told of them.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{JoinType, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{AcrossPartitions, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::filter_pushdown::{FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::projection::{ProjectionExec, make_with_child};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputOrderMode,
    PlanProperties,
};

use super::only_input;

/// Gives the rows of its input and tells nothing of their columns.
#[derive(Debug)]
pub(crate) struct ForgetfulExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl ForgetfulExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let nothing = EquivalenceProperties::new(input.schema());
        let properties = input.properties().as_ref().clone().with_eq_properties(nothing);
        Self { input, properties: Arc::new(properties) }
    }
}

/// The inputs of an operator, with what is known of them forgotten where it does not hold; `None` if no input
/// changes.
pub(crate) fn forgotten(plan: &Arc<dyn ExecutionPlan>) -> Option<Vec<Arc<dyn ExecutionPlan>>> {
    let may_be_missing = match join_type(plan) {
        Some(JoinType::Left) => &[false, true],
        Some(JoinType::Right) => &[true, false],
        Some(JoinType::Full) => &[true, true],
        _ => &[false, false],
    };
    forgotten_where(plan, |at, input| {
        let may_be_missing = may_be_missing.get(at).is_some_and(|may_be| *may_be);
        (may_be_missing && !input.equivalence_properties().eq_group().is_empty())
            || tells_too_much(input)
            || is_grouped_by_constants(plan, input)
    })
}

/// The same, with all that is known forgotten.
pub(crate) fn all_forgotten(plan: &Arc<dyn ExecutionPlan>) -> Option<Vec<Arc<dyn ExecutionPlan>>> {
    forgotten_where(plan, |_, input| {
        let known = input.equivalence_properties();
        !known.eq_group().is_empty() || !known.oeq_class().is_empty()
    })
}

fn forgotten_where(
    plan: &Arc<dyn ExecutionPlan>,
    is_wrong: impl Fn(usize, &Arc<dyn ExecutionPlan>) -> bool,
) -> Option<Vec<Arc<dyn ExecutionPlan>>> {
    let mut changed = false;
    let inputs = plan.children().into_iter().enumerate().map(|(at, input)| {
        if !is_wrong(at, input) {
            return Arc::clone(input);
        }
        changed = true;
        Arc::new(ForgetfulExec::new(Arc::clone(input)))
    });
    let inputs = inputs.collect();
    changed.then_some(inputs)
}

/// Whether what an operator tells of its rows holds for some of them only.
fn tells_too_much(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let known = plan.equivalence_properties();
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return aggregate.group_expr().has_grouping_set() && !known.eq_group().is_empty();
    }
    let differs = AcrossPartitions::Heterogeneous;
    plan.is::<UnionExec>()
        && known.constants().iter().any(|constant| constant.across_partitions == differs)
}

/// Whether groups are found by the order of keys each of which has one value only: no group ever ends before the
/// rows do, and to look for its end takes five times as long as to look up the keys.
fn is_grouped_by_constants(plan: &Arc<dyn ExecutionPlan>, input: &Arc<dyn ExecutionPlan>) -> bool {
    let Some(aggregate) = plan.downcast_ref::<AggregateExec>() else { return false };
    let InputOrderMode::PartiallySorted(sorted) = aggregate.input_order_mode() else {
        return false;
    };
    let known = input.equivalence_properties();
    let keys = aggregate.group_expr().expr();
    let is_constant =
        |key: &usize| keys.get(*key).is_some_and(|(key, _)| known.is_expr_constant(key).is_some());
    aggregate.required_input_ordering().iter().all(Option::is_none)
        && sorted.iter().all(is_constant)
}

fn join_type(plan: &Arc<dyn ExecutionPlan>) -> Option<JoinType> {
    let hash = plan.downcast_ref::<HashJoinExec>().map(|join| *join.join_type());
    hash.or_else(|| plan.downcast_ref::<NestedLoopJoinExec>().map(|join| *join.join_type()))
        .or_else(|| plan.downcast_ref::<SortMergeJoinExec>().map(SortMergeJoinExec::join_type))
}

impl DisplayAs for ForgetfulExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForgetfulExec")
    }
}

impl ExecutionPlan for ForgetfulExec {
    fn name(&self) -> &'static str {
        "ForgetfulExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// What is sorted below is sorted by what is forgotten here.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(only_input(self.name(), children)?)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> DfResult<Arc<Statistics>> {
        Ok(input_stats
            .first()
            .map_or_else(|| Arc::new(Statistics::new_unknown(&self.input.schema())), Arc::clone))
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExec,
    ) -> DfResult<Option<Arc<dyn ExecutionPlan>>> {
        // What is computed below would be forgotten, after others have relied on it.
        if projection.expr().iter().any(|item| !item.expr.is::<Column>()) {
            return Ok(None);
        }
        Ok(Some(Arc::new(Self::new(make_with_child(projection, &self.input)?))))
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> DfResult<FilterDescription> {
        FilterDescription::from_children(parent_filters, &self.children())
    }
}
