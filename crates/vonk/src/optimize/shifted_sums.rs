//! Sums of one column to which constants are added are computed from one sum and one count.
//!
//! `sum(a + 2)` is `sum(a) + 2 * count(a)`, for columns of at most 32 bits where `a + 2` cannot overflow.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, Result as DfResult, ScalarValue};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, Cast};
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, lit,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Computes such sums together where there are several over one column.
#[derive(Debug)]
pub(super) struct WhereColumnsAreShared;

impl OptimizerRule for WhereColumnsAreShared {
    fn name(&self) -> &str {
        "shifted_sums"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_))) {
            return Ok(Transformed::no(plan));
        }
        let input = aggregate.input.schema();
        let sums: Vec<_> = aggregate.aggr_expr.iter().map(|call| Sum::of(call, input)).collect();
        let mut shifted: HashMap<&Expr, usize> = HashMap::new();
        for sum in sums.iter().flatten().filter(|sum| sum.shift != 0) {
            *shifted.entry(&sum.column).or_default() += 1;
        }
        let is_shared = |sum: &&Sum| shifted.get(&sum.column).is_some_and(|count| *count > 1);
        if !sums.iter().flatten().any(|sum| is_shared(&sum)) {
            return Ok(Transformed::no(plan));
        }
        let shared = sums.iter().map(|sum| sum.as_ref().filter(is_shared)).collect::<Vec<_>>();
        together(aggregate, &shared).map(Transformed::yes)
    }
}

/// `sum(column + shift)`.
struct Sum {
    call: AggregateFunction,
    column: Expr,
    shift: i64,
}

impl Sum {
    fn of(call: &Expr, input: &DFSchema) -> Option<Self> {
        let Expr::AggregateFunction(call) = call.clone().unalias() else { return None };
        let AggregateFunctionParams { args, distinct, filter, order_by, .. } = &call.params;
        if call.func.name() != "sum" || *distinct || filter.is_some() || !order_by.is_empty() {
            return None;
        }
        let [value] = args.as_slice() else { return None };
        let (column, shift, result) = match shifted(value) {
            Some((widened, shift)) => (narrow(widened), shift, value.get_type(input).ok()?),
            None => (value, 0, DataType::Int64),
        };
        let (least, greatest) = bounds(&column.get_type(input).ok()?)?;
        let (floor, ceiling) = match result {
            DataType::Int64 => (i64::MIN, i64::MAX),
            narrower => bounds(&narrower)?,
        };
        let fits = least.checked_add(shift)? >= floor && greatest.checked_add(shift)? <= ceiling;
        let is_small = i32::try_from(shift).is_ok();
        let column = column.clone();
        (matches!(column, Expr::Column(_)) && fits && is_small).then(|| Self {
            column,
            shift,
            call,
        })
    }
}

/// What is added to a value, if that is a constant.
fn shifted(value: &Expr) -> Option<(&Expr, i64)> {
    let Expr::ScalarFunction(call) = value else { return None };
    let [left, right] = call.args.as_slice() else { return None };
    match (call.func.name(), constant(left), constant(right)) {
        ("+", None, Some(shift)) => Some((left, shift)),
        ("+", Some(shift), None) => Some((right, shift)),
        ("-", None, Some(shift)) => Some((left, shift.checked_neg()?)),
        _ => None,
    }
}

fn constant(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::Int8(number), _) => number.map(i64::from),
        Expr::Literal(ScalarValue::Int16(number), _) => number.map(i64::from),
        Expr::Literal(ScalarValue::Int32(number), _) => number.map(i64::from),
        Expr::Literal(ScalarValue::Int64(number), _) => *number,
        _ => None,
    }
}

/// A value without the cast that made it wider.
fn narrow(value: &Expr) -> &Expr {
    match value {
        Expr::Cast(Cast { expr, .. }) => expr,
        value => value,
    }
}

fn bounds(data_type: &DataType) -> Option<(i64, i64)> {
    match data_type {
        DataType::Int8 => Some((i8::MIN.into(), i8::MAX.into())),
        DataType::Int16 => Some((i16::MIN.into(), i16::MAX.into())),
        DataType::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
        _ => None,
    }
}

/// The aggregate with one sum and one count in the place of the shared ones, and what those are then.
fn together(aggregate: &Aggregate, shared: &[Option<&Sum>]) -> DfResult<LogicalPlan> {
    let mut calls: Vec<Expr> = Vec::new();
    let mut add = |call: Expr| {
        let (qualifier, name) = call.qualified_name();
        let name = Expr::Column(Column::new(qualifier, name));
        if !calls.contains(&call) {
            calls.push(call);
        }
        name
    };
    let columns = aggregate.schema.iter().map(|field| Expr::Column(field.into()));
    let mut given: Vec<Expr> = columns.take(aggregate.group_expr_len()?).collect();
    for (call, shared) in aggregate.aggr_expr.iter().zip(shared) {
        let Some(sum) = shared else {
            given.push(add(call.clone()));
            continue;
        };
        let over_column = |func| {
            let mut call = sum.call.clone();
            call.params.args = vec![sum.column.clone()];
            Expr::AggregateFunction(AggregateFunction { func, ..call })
        };
        let total = add(over_column(Arc::clone(&sum.call.func)));
        let count = add(over_column(count_udaf()));
        let shifts = binary_expr(count, Operator::Multiply, lit(sum.shift));
        let (qualifier, name) = call.qualified_name();
        given.push(binary_expr(total, Operator::Plus, shifts).alias_qualified(qualifier, name));
    }
    let groups = aggregate.group_expr.clone();
    let plan = Aggregate::try_new(Arc::clone(&aggregate.input), groups, calls)?;
    LogicalPlanBuilder::from(LogicalPlan::Aggregate(plan)).project(given)?.build()
}
