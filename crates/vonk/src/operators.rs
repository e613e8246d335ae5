//! Physical operators of our own, and where they stand in a plan.

use std::sync::Arc;

use datafusion::common::{Result as DfResult, internal_err};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

pub(crate) mod ahead;
pub(crate) mod conjunction;
pub(crate) mod forgetful;
pub(crate) mod guarded;
pub(crate) mod in_order;
pub(crate) mod interrupt;
pub(crate) mod map_batches;
pub(crate) mod named_scan;
pub(crate) mod numbered;
pub(crate) mod once;
pub(crate) mod paced;
pub(crate) mod recursion;
pub(crate) mod runtime_filter;
pub(crate) mod shared;
pub(crate) mod slices;
pub(crate) mod spilling_join;
pub(crate) mod text_is;
pub(crate) mod token_count;

/// The operator over other inputs.
///
/// # Errors
/// If they do not fit it.
pub fn replace_children(
    plan: &Arc<dyn ExecutionPlan>,
    children: Vec<Arc<dyn ExecutionPlan>>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(plan).replace_children(children, options)
}

/// Some of an operator's columns, by their places.
pub(crate) fn projected(
    input: Arc<dyn ExecutionPlan>,
    columns: impl IntoIterator<Item = usize>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let columns = columns.into_iter().map(|at| {
        let name = schema.field(at).name();
        ProjectionExpr::new(Arc::new(Column::new(name, at)), name)
    });
    let columns: Vec<ProjectionExpr> = columns.collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, input)?))
}

/// The input of an operator that has one.
///
/// # Errors
/// An internal error that names the operator, if it is given none or several.
pub fn only_input(
    operator: &str,
    children: Vec<Arc<dyn ExecutionPlan>>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    match <[_; 1]>::try_from(children) {
        Ok([input]) => Ok(input),
        Err(_) => internal_err!("{operator} has one input"),
    }
}
