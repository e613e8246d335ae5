//! First and last values of sorted rows: an aggregate over a sorted query sees its rows in order.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, SortExpr};

/// The functions whose value depends on which row comes first.
const ORDERED: &[&str] = &["first_value", "last_value"];

/// Gives `first` and `last` of a sorted query the order of its rows, which else is lost where they
/// are dealt out to threads.
pub(super) fn keep(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let aggregate = |plan: LogicalPlan| {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        match order_of(&aggregate.input) {
            Some(order) => ordered(aggregate, &order),
            None => Ok(Transformed::no(plan)),
        }
    };
    Ok(plan.transform_up(aggregate)?.data)
}

/// The order of the rows of a plan, in columns that it has.
fn order_of(plan: &LogicalPlan) -> Option<Vec<SortExpr>> {
    match plan {
        LogicalPlan::Sort(sort) => Some(sort.expr.clone()),
        LogicalPlan::Filter(filter) => order_of(&filter.input),
        LogicalPlan::Projection(projection) => {
            let order = order_of(&projection.input)?;
            let is_kept = |column| projection.expr.contains(&Expr::Column(column));
            let mut columns = order.iter().flat_map(|key| key.expr.column_refs());
            columns.all(|column| is_kept(column.clone())).then_some(order)
        }
        _ => None,
    }
}

fn ordered(aggregate: &Aggregate, order: &[SortExpr]) -> DfResult<Transformed<LogicalPlan>> {
    let mut is_changed = false;
    let mut exprs = Vec::with_capacity(aggregate.aggr_expr.len());
    for expr in &aggregate.aggr_expr {
        let name = expr.schema_name().to_string();
        let changed = expr.clone().transform_up(|expr| match expr {
            Expr::AggregateFunction(call) if is_open(&call) => {
                let AggregateFunction { func, mut params } = call;
                params.order_by = order.to_vec();
                Ok(Transformed::yes(Expr::AggregateFunction(AggregateFunction { func, params })))
            }
            other => Ok(Transformed::no(other)),
        })?;
        is_changed |= changed.transformed;
        // Others know the value by the name that it had.
        exprs.push(match (changed.transformed, changed.data) {
            (true, Expr::Alias(alias)) => Expr::Alias(alias),
            (true, expr) => expr.alias(name),
            (false, expr) => expr,
        });
    }
    let (input, groups) = (aggregate.input.clone(), aggregate.group_expr.clone());
    let ordered = LogicalPlan::Aggregate(Aggregate::try_new(input, groups, exprs)?);
    Ok(Transformed { transformed: is_changed, ..Transformed::no(ordered) })
}

fn is_open(call: &AggregateFunction) -> bool {
    ORDERED.contains(&call.func.name()) && call.params.order_by.is_empty()
}
