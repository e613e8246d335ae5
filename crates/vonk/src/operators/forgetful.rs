//! Forgets what is known of columns, but for their order: that one is constant or equals another.
//!
//! DataFusion 55 goes wrong by such knowledge in two places. An outer join keeps what holds for the rows
//! of a side that may be missing, although NULL stands in all of its columns then: a column that a filter
//! keeps at 5 is left out of orders above the join, and groups that are found by order come in pieces.
//! And where a filter takes an expression for equal to a column of its own, as `abs(a) = a`, each is put
//! in the place of the other again and again, until no order is the one that was asked for.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{JoinType, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::equivalence::EquivalenceClass;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::filter_pushdown::{FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::projection::{ProjectionExec, make_with_child};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};

use super::only_input;

/// Gives the rows of its input and tells no more of them than their order by columns.
#[derive(Debug)]
pub(crate) struct ForgetfulExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl ForgetfulExec {
    fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let known = input.equivalence_properties();
        let orders = known.oeq_class().iter().map(|order| {
            order.iter().take_while(|key| key.expr.is::<Column>()).cloned().collect::<Vec<_>>()
        });
        let orders: Vec<_> = orders.filter(|order| !order.is_empty()).collect();
        let properties = EquivalenceProperties::new_with_orderings(input.schema(), orders);
        let properties = input.properties().as_ref().clone().with_eq_properties(properties);
        Self { input, properties: Arc::new(properties) }
    }
}

/// The inputs of an operator, with what it must not know of them forgotten; `None` if no input changes.
pub(crate) fn forgotten(plan: &Arc<dyn ExecutionPlan>) -> Option<Vec<Arc<dyn ExecutionPlan>>> {
    let (left, right) = match join_type(plan) {
        Some(JoinType::Left) => (false, true),
        Some(JoinType::Right) => (true, false),
        Some(JoinType::Full) => (true, true),
        _ => (false, false),
    };
    let sides = [left, right].into_iter().chain(std::iter::repeat(false));
    let mut changed = false;
    let inputs = plan.children().into_iter().zip(sides).map(|(input, may_be_missing)| {
        let known = input.equivalence_properties().eq_group();
        let is_wrong = may_be_missing && !known.is_empty();
        let is_tangled = input.is::<FilterExec>() && known.iter().any(is_tangled);
        if !is_wrong && !is_tangled {
            return Arc::clone(input);
        }
        changed = true;
        Arc::new(ForgetfulExec::new(Arc::clone(input)))
    });
    let inputs = inputs.collect();
    changed.then_some(inputs)
}

/// Whether something that is computed is among what is equal.
fn is_tangled(class: &EquivalenceClass) -> bool {
    class.len() > 1 && class.iter().any(|expr| !expr.is::<Column>())
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

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
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
