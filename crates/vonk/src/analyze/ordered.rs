//! First and last values and lists of sorted rows: an aggregate over a sorted query sees its rows in order.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, LogicalPlan, SortExpr, lit};

/// Gives functions whose value depends on the order of rows the order of the sorted query that they
/// read, which else is lost where rows are dealt out to threads. `find` knows aggregates by name.
pub(super) fn keep(
    plan: LogicalPlan,
    find: impl Fn(&str) -> Option<Arc<AggregateUDF>>,
) -> DfResult<LogicalPlan> {
    let aggregate = |plan: LogicalPlan| {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        match order_of(&aggregate.input) {
            Some(order) => ordered(aggregate, &order, &find),
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
        LogicalPlan::Limit(limit) => order_of(&limit.input),
        LogicalPlan::Projection(projection) => {
            let place = |column: &Column| {
                let is_it = |expr: &Expr| match expr {
                    Expr::Alias(alias) => alias.expr.try_as_col() == Some(column),
                    expr => expr.try_as_col() == Some(column),
                };
                projection.expr.iter().position(is_it)
            };
            told_by(order_of(&projection.input)?, place, &projection.schema)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let input = alias.input.schema();
            let place = |column: &Column| input.maybe_index_of_column(column);
            told_by(order_of(&alias.input)?, place, &alias.schema)
        }
        _ => None,
    }
}

/// An order in the columns of a plan above; `place` tells where in it a column is.
fn told_by(
    mut order: Vec<SortExpr>,
    place: impl Fn(&Column) -> Option<usize>,
    schema: &DFSchema,
) -> Option<Vec<SortExpr>> {
    for key in &mut order {
        let mut is_there = true;
        let told = key.expr.clone().transform(|expr| {
            let Expr::Column(column) = &expr else { return Ok(Transformed::no(expr)) };
            let Some(index) = place(column) else {
                is_there = false;
                return Ok(Transformed::no(expr));
            };
            let column = Column::from(schema.qualified_field(index));
            Ok(Transformed::yes(Expr::Column(column)))
        });
        key.expr = told.ok().filter(|_| is_there)?.data;
    }
    Some(order)
}

fn ordered(
    aggregate: &Aggregate,
    order: &[SortExpr],
    find: &impl Fn(&str) -> Option<Arc<AggregateUDF>>,
) -> DfResult<Transformed<LogicalPlan>> {
    let mut is_changed = false;
    let mut exprs = Vec::with_capacity(aggregate.aggr_expr.len());
    for expr in &aggregate.aggr_expr {
        let name = expr.schema_name().to_string();
        let changed = expr.clone().transform_up(|expr| match expr {
            Expr::AggregateFunction(call) => Ok(match in_order(&call, order, find) {
                Some(call) => Transformed::yes(Expr::AggregateFunction(call)),
                None => Transformed::no(Expr::AggregateFunction(call)),
            }),
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

/// A call of a function whose value depends on the order of rows, with an order unless it has one.
fn in_order(
    call: &AggregateFunction,
    order: &[SortExpr],
    find: &impl Fn(&str) -> Option<Arc<AggregateUDF>>,
) -> Option<AggregateFunction> {
    let mut call = call.clone();
    if !call.params.order_by.is_empty() {
        return None;
    }
    let arguments = &mut call.params.args;
    match (call.func.name(), arguments.len()) {
        ("first_value" | "last_value", _) => {
            call.params.order_by = order.to_vec();
            return Some(call);
        }
        ("collect_list", 1) if !call.params.distinct => {
            call.func = find("collect_in_order")?;
        }
        ("listagg" | "string_agg", 1) if !call.params.distinct => {
            arguments.push(lit(ScalarValue::Null));
        }
        ("listagg" | "string_agg", 2) if !call.params.distinct => {}
        _ => return None,
    }
    arguments.extend(
        order.iter().flat_map(|key| [lit(!key.asc), lit(key.nulls_first), key.expr.clone()]),
    );
    Some(call)
}
