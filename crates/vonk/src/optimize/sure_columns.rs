//! Keeps filters that are pushed down from columns that only have the same name.
//!
//! DataFusion 55 finds the columns of a pushed filter by their names in the schema of each operator below
//! (`ChildFilterDescription::from_child`, `ProjectionExec::gather_filters_for_pushdown`;
//! apache/datafusion#21246, mended by #25259, which is not in 55.2), so that of two columns of one name, as
//! a join gives them, the first is filtered: rows are lost. It is so for the conditions of queries and for
//! filters that are filled while a query runs. sql/queries/joins.slt has queries that tell when this can go.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterDescription, FilterDescription, FilterPushdownPhase,
};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use crate::operators::only_input;

/// DataFusion's pushdown of filters, past operators that are sure of the columns only.
#[derive(Debug)]
pub(super) struct WhereColumnsAreSure {
    rule: Arc<dyn PhysicalOptimizerRule + Send + Sync>,
}

impl WhereColumnsAreSure {
    pub(super) fn new(rule: Arc<dyn PhysicalOptimizerRule + Send + Sync>) -> Self {
        Self { rule }
    }
}

impl PhysicalOptimizerRule for WhereColumnsAreSure {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let fenced = plan.transform_up(|plan| {
            let sure = sure_columns(&plan);
            Ok(match sure.len() == plan.schema().fields().len() {
                true => Transformed::no(plan),
                false => Transformed::yes(Arc::new(Fence { input: plan, sure }) as _),
            })
        })?;
        let pushed = self.rule.optimize(fenced.data, config)?;
        let open = pushed.transform_up(|plan| {
            Ok(match plan.downcast_ref::<Fence>() {
                Some(fence) => Transformed::yes(Arc::clone(&fence.input)),
                None => Transformed::no(plan),
            })
        })?;
        Ok(open.data)
    }

    fn name(&self) -> &str {
        self.rule.name()
    }

    fn schema_check(&self) -> bool {
        self.rule.schema_check()
    }
}

/// The columns of an operator that have a name of their own, in it and in its inputs.
fn sure_columns(plan: &Arc<dyn ExecutionPlan>) -> HashSet<usize> {
    let own = plan.schema();
    let mut repeated = repeated_names(&own);
    for child in plan.children() {
        let of_child = repeated_names(&child.schema());
        // What a projection gives may have any name below it.
        if plan.is::<ProjectionExec>() && !of_child.is_empty() {
            return HashSet::new();
        }
        repeated.extend(of_child);
    }
    let fields = own.fields().iter().enumerate();
    fields.filter(|(_, field)| !repeated.contains(field.name())).map(|(at, _)| at).collect()
}

fn repeated_names(schema: &SchemaRef) -> HashSet<String> {
    let mut seen = HashSet::with_capacity(schema.fields().len());
    let names = schema.fields().iter().map(|field| field.name());
    names.filter(|name| !seen.insert(name.as_str())).cloned().collect()
}

/// Lets filters through to its input that read sure columns only. It is gone when the plan runs.
#[derive(Debug)]
struct Fence {
    input: Arc<dyn ExecutionPlan>,
    sure: HashSet<usize>,
}

impl DisplayAs for Fence {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fence")
    }
}

impl ExecutionPlan for Fence {
    fn name(&self) -> &'static str {
        "Fence"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
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
        let input = only_input(self.name(), children)?;
        Ok(Arc::new(Self { input, sure: self.sure.clone() }))
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> DfResult<FilterDescription> {
        let sure = self.sure.clone();
        let child = ChildFilterDescription::from_child_with_allowed_indices(
            &parent_filters,
            sure,
            &self.input,
        )?;
        Ok(FilterDescription::new().with_child(child))
    }

    fn execute(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        internal_err!("a fence for filters is not taken out of its plan")
    }
}
