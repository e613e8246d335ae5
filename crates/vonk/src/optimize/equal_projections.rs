//! Keeps steps that compute the same apart: `id + 1 AS id` over `id + 1 AS id` adds two.
//!
//! DataFusion 55 takes a projection for unnecessary if its input is an equal one, which is right
//! only if all of its columns are passed on. sql/queries/equal_steps.slt tells when this can go.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result as DfResult};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The reserved beginning of the names of columns between two steps.
const STEP: &str = "__step";

/// Gives the columns between two equal projections other names, so that they differ.
#[derive(Debug)]
pub(super) struct WhereStepsRepeat;

impl OptimizerRule for WhereStepsRepeat {
    fn name(&self) -> &str {
        "equal_projections"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        let LogicalPlan::Projection(outer) = &plan else { return Ok(Transformed::no(plan)) };
        let LogicalPlan::Projection(inner) = outer.input.as_ref() else {
            return Ok(Transformed::no(plan));
        };
        let computes = |expr: &Expr| !matches!(expr, Expr::Column(_));
        if outer.expr != inner.expr || !outer.expr.iter().any(computes) {
            return Ok(Transformed::no(plan));
        }
        told_apart(outer, inner).map(Transformed::yes)
    }
}

fn told_apart(outer: &Projection, inner: &Projection) -> DfResult<LogicalPlan> {
    let mut names = HashMap::new();
    let mut steps = Vec::with_capacity(inner.expr.len());
    let columns = inner.schema.columns();
    for (at, (expr, column)) in inner.expr.iter().zip(columns).enumerate() {
        if let Expr::Column(_) = expr {
            steps.push(expr.clone());
            continue;
        }
        let step = format!("{STEP}{at}");
        steps.push(expr.clone().unalias().alias(&step));
        names.insert(column, Column::from_name(step));
    }
    let inner = Projection::try_new(steps, Arc::clone(&inner.input))?;
    let renamed = outer.expr.iter().zip(outer.schema.iter()).map(|(expr, (table, field))| {
        let changed = expr.clone().transform(|expr| match &expr {
            Expr::Column(column) => Ok(match names.get(column) {
                Some(step) => Transformed::yes(Expr::Column(step.clone())),
                None => Transformed::no(expr),
            }),
            _ => Ok(Transformed::no(expr)),
        })?;
        Ok(match (changed.transformed, changed.data) {
            (true, Expr::Alias(alias)) => Expr::Alias(alias),
            (true, expr) => expr.alias_qualified(table.cloned(), field.name()),
            (false, expr) => expr,
        })
    });
    let renamed = renamed.collect::<DfResult<Vec<Expr>>>()?;
    let input = Arc::new(LogicalPlan::Projection(inner));
    let outer = Projection::try_new_with_schema(renamed, input, Arc::clone(&outer.schema))?;
    Ok(LogicalPlan::Projection(outer))
}
