//! The frame of DataFusion's logical rules that now and then make a plan that is none, or one of other types.
//!
//! Fields that are read near the tables can leave out the column that they are read of
//! (sql/queries/shadowed_structs.slt), and the sum of sums of a decimal has more digits than the sum that it
//! stands for (sql/queries/aggregates.slt).

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// A rule that plans can do without. Its plan is taken where it is one, of the same types; else, and
/// where the rule fails, the plan stays.
#[derive(Debug)]
pub(super) struct Checked(pub(super) Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for Checked {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        match self.0.rewrite(plan.clone(), config) {
            Ok(made) if !made.transformed => Ok(made),
            Ok(made) if same_types(plan.schema(), made.data.schema()) && is_whole(&made.data)? => {
                Ok(made)
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}

fn same_types(before: &DFSchema, after: &DFSchema) -> bool {
    let types = |schema: &DFSchema| -> Vec<_> {
        schema.fields().iter().map(|field| field.data_type().clone()).collect()
    };
    types(before) == types(after)
}

/// Whether every step has the columns that it names.
fn is_whole(plan: &LogicalPlan) -> DfResult<bool> {
    let lacks = plan.exists(|node| {
        let inputs = node.inputs();
        if inputs.is_empty() {
            return Ok(false);
        }
        let schema = merge_schema(&inputs);
        let exprs = node.expressions();
        let mut columns = exprs.iter().flat_map(|expr| expr.column_refs());
        Ok(columns.any(|column| !schema.has_column(column)))
    })?;
    Ok(!lacks)
}
