//! Grouping sets over what is computed, and over no rows.
//!
//! DataFusion 55 gives a grouping set an alias when the name of a key within changes, as every
//! rewrite of an expression may do, and then takes the set for a value: `GROUP BY ROLLUP (a, b + 1)`
//! does not run. Columns keep their names. It also makes a total of no rows, sometimes, and Spark
//! never does. sql/queries/grouping_sets_computed.slt shows both.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result as DfResult};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{
    Aggregate, Expr, GroupingSet, LogicalPlan, LogicalPlanBuilder, lit,
};

/// The name of the column of rows in a group.
const ROWS: &str = "__rows";

/// Makes the aggregates of a plan that have grouping sets mean what they do in Spark.
pub(super) fn prepare(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let prepared = plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Aggregate(aggregate) => match aggregate.group_expr.as_slice() {
            [Expr::GroupingSet(set)] => {
                let keys = set.distinct_expr().into_iter();
                let keys = keys.filter(|key| !matches!(key, Expr::Column(_))).cloned();
                let keys = keys.collect::<Vec<_>>();
                // The plan of a view comes here with each query of it.
                let totals = has_total(set) && !aggregate.aggr_expr.iter().any(is_count_of_rows);
                let aggregate =
                    if keys.is_empty() { aggregate } else { over_columns(aggregate, &keys)? };
                match totals {
                    true => without_groups_of_no_rows(aggregate).map(Transformed::yes),
                    false => Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate))),
                }
            }
            _ => Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))),
        },
        other => Ok(Transformed::no(other)),
    })?;
    Ok(prepared.data)
}

/// Whether one of the sets has no key.
fn has_total(set: &GroupingSet) -> bool {
    match set {
        GroupingSet::Rollup(_) | GroupingSet::Cube(_) => true,
        GroupingSet::GroupingSets(sets) => sets.iter().any(Vec::is_empty),
    }
}

fn is_count_of_rows(function: &Expr) -> bool {
    matches!(function, Expr::Alias(alias) if alias.name == ROWS)
}

fn without_groups_of_no_rows(aggregate: Aggregate) -> DfResult<LogicalPlan> {
    // The number of the set is DataFusion's own, and gone when `grouping` is computed from it.
    let columns = aggregate.schema.columns().into_iter();
    let columns = columns.filter(|column| column.name != Aggregate::INTERNAL_GROUPING_ID);
    let columns = columns.map(Expr::Column);
    let mut functions = aggregate.aggr_expr;
    functions.push(count(lit(1)).alias(ROWS));
    let counted = Aggregate::try_new(aggregate.input, aggregate.group_expr, functions)?;
    let rows = Expr::Column(Column::from_name(ROWS));
    let filled =
        LogicalPlanBuilder::from(LogicalPlan::Aggregate(counted)).filter(rows.gt(lit(0)))?;
    filled.project(columns)?.build()
}

/// The aggregate over a projection of these keys, which keep the names that they had as its columns.
fn over_columns(aggregate: Aggregate, keys: &[Expr]) -> DfResult<Aggregate> {
    let columns = aggregate.input.schema().columns().into_iter().map(Expr::Column);
    let named = keys.iter().map(|key| key.clone().alias(name_of(key)));
    let input = LogicalPlanBuilder::from(aggregate.input.as_ref().clone());
    let input = input.project(columns.chain(named))?.build()?;
    let as_columns = |expr: Expr| -> DfResult<Expr> {
        let replaced = expr.transform_down(|expr| {
            Ok(match keys.contains(&expr) {
                true => Transformed::yes(Expr::Column(Column::from_name(name_of(&expr)))),
                false => Transformed::no(expr),
            })
        })?;
        Ok(replaced.data)
    };
    let sets = aggregate.group_expr.into_iter().map(as_columns).collect::<DfResult<_>>()?;
    // `grouping` is told of keys, other functions of rows, from which they compute by themselves.
    let functions = aggregate.aggr_expr.into_iter().map(|function| match is_grouping(&function) {
        true => as_columns(function),
        false => Ok(function),
    });
    let functions = functions.collect::<DfResult<_>>()?;
    Aggregate::try_new(Arc::new(input), sets, functions)
}

fn name_of(key: &Expr) -> String {
    key.schema_name().to_string()
}

fn is_grouping(function: &Expr) -> bool {
    match function {
        Expr::Alias(alias) => is_grouping(&alias.expr),
        Expr::AggregateFunction(call) => call.func.name() == "grouping",
        _ => false,
    }
}
