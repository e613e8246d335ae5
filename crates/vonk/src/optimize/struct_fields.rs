//! Fields of structs are read where they are made, unless the struct has taken the name of another.
//!
//! DataFusion 55 moves `a.b` towards the tables by the name of `a`: where a step computes a new `a`
//! of the old one, it reads the field of the old. sql/queries/shadowed_structs.slt tells when this
//! can go.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

/// Whether a computed struct of the plan has the name of one that it is computed of.
pub(super) fn shadow(plan: &LogicalPlan) -> DfResult<bool> {
    plan.exists(|node| match node {
        LogicalPlan::Projection(projection) => Ok(shadows(projection)),
        _ => Ok(false),
    })
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
