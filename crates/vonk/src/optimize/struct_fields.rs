//! Fields of structs are read where they are made, unless the struct has taken the name of another.
//!
//! DataFusion 55 moves `a.b` towards the tables by the name of `a`: where a step computes a new `a`
//! of the old one, it reads the field of the old. sql/queries/shadowed_structs.slt tells when this
//! can go.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Leaves plans alone in which a computed struct has the name of one that it is computed of.
#[derive(Debug)]
pub(super) struct WhereNamesDiffer {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl WhereNamesDiffer {
    pub(super) fn new(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Self {
        Self { rule }
    }
}

impl OptimizerRule for WhereNamesDiffer {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        let has_shadow = plan.exists(|node| match node {
            LogicalPlan::Projection(projection) => Ok(shadows(projection)),
            _ => Ok(false),
        })?;
        if has_shadow {
            return Ok(Transformed::no(plan));
        }
        // It fails where columns that it adds meet others of their name; nothing depends on it.
        let moved = self.rule.rewrite(plan.clone(), config);
        Ok(moved.unwrap_or_else(|_| Transformed::no(plan)))
    }
}

/// Whether a struct is computed under the name of a struct of the input.
fn shadows(projection: &Projection) -> bool {
    let input = projection.input.schema();
    let is_struct = |name: &str| {
        let same = input.fields().iter().filter(|field| field.name() == name);
        same.into_iter().any(|field| matches!(field.data_type(), DataType::Struct(_)))
    };
    projection.expr.iter().any(|expr| match expr {
        Expr::Alias(alias) => !matches!(*alias.expr, Expr::Column(_)) && is_struct(&alias.name),
        _ => false,
    })
}
