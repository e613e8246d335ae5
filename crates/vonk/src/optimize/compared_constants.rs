//! Writes comparisons with constants in one way before DataFusion leaves out those that others imply.
//!
//! DataFusion 55 keeps the narrowest of the comparisons of a column with constants, and takes NULL for the
//! least of all values, -0.0 for less than 0.0, and `5 < x` for no narrower than `x >= 5`. So
//! `x > 3 AND x >= NULL` became `x > 3`; `x = 0.0 AND x = -0.0` and `x = 1 AND 1 = x` became false. The
//! simplifier writes most of these otherwise before; what constants of a subquery put in place of its columns
//! it does not see.
//! sql/queries/filters.slt has queries that tell when this can go.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The rule that pushes filters down, which leaves out comparisons first.
#[derive(Debug)]
pub(super) struct InOneWay(pub(super) Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for InOneWay {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        mut plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        write_filters(&mut plan);
        self.0.rewrite(plan, config)
    }
}

/// Writes the condition of a filter, and those of filters right below it, with which it becomes one.
fn write_filters(plan: &mut LogicalPlan) {
    let LogicalPlan::Filter(filter) = plan else { return };
    let conditions = split_conjunction(&filter.predicate).into_iter();
    let conditions: Vec<_> = conditions.map(|given| (given, written(given))).collect();
    if conditions.iter().any(|(_, written)| written.is_some()) {
        let conditions = conditions.into_iter();
        let conditions =
            conditions.map(|(given, written)| written.unwrap_or_else(|| given.clone()));
        if let Some(predicate) = conjunction(conditions.collect::<Vec<_>>()) {
            filter.predicate = predicate;
        }
    }
    if let LogicalPlan::Filter(_) = filter.input.as_ref() {
        write_filters(Arc::make_mut(&mut filter.input));
    }
}

/// A comparison of a column with a constant in the one way that it is written in; `None` if it is.
fn written(condition: &Expr) -> Option<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return None };
    let is_compared =
        matches!(op, Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
    let (column, op, value, is_turned) = match (left.as_ref(), right.as_ref()) {
        _ if !is_compared => return None,
        (Expr::Column(_), Expr::Literal(value, _)) => (left, *op, value, false),
        (Expr::Literal(value, _), Expr::Column(_)) => (right, op.swap()?, value, true),
        _ => return None,
    };
    if value.is_null() {
        return Some(lit(ScalarValue::Boolean(None)));
    }
    let number = number_of(value);
    if number.is_none() && !is_turned {
        return None;
    }
    let value = lit(number.unwrap_or_else(|| value.clone()));
    Some(Expr::BinaryExpr(BinaryExpr::new(column.clone(), op, Box::new(value))))
}

/// The one form of a floating-point number that has several and is in another.
fn number_of(value: &ScalarValue) -> Option<ScalarValue> {
    match value {
        ScalarValue::Float64(Some(x)) if *x == 0.0 && x.is_sign_negative() => {
            Some(ScalarValue::from(0.0_f64))
        }
        ScalarValue::Float32(Some(x)) if *x == 0.0 && x.is_sign_negative() => {
            Some(ScalarValue::from(0.0_f32))
        }
        _ => None,
    }
}
