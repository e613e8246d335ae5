//! Floating numbers that are equal, as both zeros and every NaN are, have one place in orders and groups.
//!
//! DataFusion sorts them by bits, -0.0 before 0.0, and compares those within arrays and structs so.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::{AggregateFunction, InList, Sort, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder,
};
use vonk_functions::types::has_floats;

use super::Functions;
use super::decorrelate::named;

/// The function that makes equal numbers alike.
const UNIFY: &str = "normalize_nan_and_zero";

/// Makes numbers alike where rows are sorted by them, and within values that are compared or grouped.
pub(super) fn unify(plan: LogicalPlan, functions: &Functions<'_>) -> DfResult<LogicalPlan> {
    let unified = plan.transform_up_with_subqueries(|plan| {
        let schema = merge_schema(&plan.inputs());
        Numbers { functions, schema: &schema }.plan(plan)
    })?;
    Ok(unified.data)
}

/// What the expressions of an operator read.
struct Numbers<'a> {
    functions: &'a Functions<'a>,
    schema: &'a DFSchema,
}

impl Numbers<'_> {
    fn plan(&self, plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Aggregate(aggregate)
                if aggregate.group_expr.iter().any(|e| self.is_nested(e)) =>
            {
                let keys = aggregate.group_expr.iter().map(|key| self.key(key)).collect();
                let (input, calls) = (Arc::clone(&aggregate.input), aggregate.aggr_expr.clone());
                let aggregate = Aggregate::try_new(input, keys, calls)?;
                self.expressions(LogicalPlan::Aggregate(aggregate)).map(made)
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let fields = input.schema().iter();
                let columns: Vec<Expr> = fields.map(|field| Expr::Column(field.into())).collect();
                if !columns.iter().any(|column| self.is_nested(column)) {
                    return Ok(Transformed::no(LogicalPlan::Distinct(Distinct::All(input))));
                }
                let columns = columns.iter().map(|column| self.key(column));
                let plan = LogicalPlanBuilder::from(input).project(columns)?.distinct()?.build()?;
                Ok(Transformed::yes(plan))
            }
            LogicalPlan::Join(mut join) => {
                for (left, right) in &mut join.on {
                    for side in [left, right] {
                        if self.is_nested(side) {
                            *side = self.one(side.clone());
                        }
                    }
                }
                self.expressions(LogicalPlan::Join(join))
            }
            LogicalPlan::Sort(mut sort) => {
                sort.expr = sort.expr.into_iter().map(|key| self.sort_key(key)).collect();
                self.expressions(LogicalPlan::Sort(sort)).map(made)
            }
            plan => self.expressions(plan),
        }
    }

    /// Makes numbers alike within the expressions of an operator.
    fn expressions(&self, plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let unified = expr.transform_up(|part| Ok(self.part(part)))?;
            Ok(unified.update_data(|expr| name.restore(expr)))
        })
    }

    fn part(&self, part: Expr) -> Transformed<Expr> {
        match part {
            Expr::WindowFunction(call) if self.any_floats(&call) => {
                let WindowFunction { fun, mut params } = *call;
                let keys = params.partition_by.into_iter();
                params.partition_by = keys.map(|key| self.where_floats(key)).collect();
                params.order_by =
                    params.order_by.into_iter().map(|key| self.sort_key(key)).collect();
                Transformed::yes(Expr::WindowFunction(Box::new(WindowFunction { fun, params })))
            }
            Expr::AggregateFunction(AggregateFunction { func, mut params })
                if params.order_by.iter().any(|key| self.is_float(&key.expr))
                    || (params.distinct
                        && params.args.iter().any(|value| self.is_nested(value))) =>
            {
                params.order_by =
                    params.order_by.into_iter().map(|key| self.sort_key(key)).collect();
                if params.distinct {
                    params.args =
                        params.args.into_iter().map(|value| self.where_nested(value)).collect();
                }
                Transformed::yes(Expr::AggregateFunction(AggregateFunction { func, params }))
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if op.supports_propagation()
                    && (self.is_nested(&left) || self.is_nested(&right)) =>
            {
                let (left, right) =
                    (Box::new(self.where_nested(*left)), Box::new(self.where_nested(*right)));
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
            }
            Expr::InList(InList { expr, list, negated }) if self.is_nested(&expr) => {
                let list = list.into_iter().map(|item| self.where_nested(item)).collect();
                let expr = Box::new(self.one(*expr));
                Transformed::yes(Expr::InList(InList { expr, list, negated }))
            }
            part => Transformed::no(part),
        }
    }

    fn any_floats(&self, call: &WindowFunction) -> bool {
        let orders = call.params.order_by.iter().map(|key| &key.expr);
        orders.chain(&call.params.partition_by).any(|key| self.is_float(key))
    }

    fn sort_key(&self, key: Sort) -> Sort {
        Sort { expr: self.where_floats(key.expr), ..key }
    }

    /// The key of a group, under its name.
    fn key(&self, key: &Expr) -> Expr {
        if !self.is_nested(key) {
            return key.clone();
        }
        let (qualifier, name) = key.qualified_name();
        named(self.one(key.clone().unalias()), qualifier.as_ref(), &name)
    }

    fn where_floats(&self, expr: Expr) -> Expr {
        if self.is_float(&expr) { self.one(expr) } else { expr }
    }

    fn where_nested(&self, expr: Expr) -> Expr {
        if self.is_nested(&expr) { self.one(expr) } else { expr }
    }

    fn one(&self, expr: Expr) -> Expr {
        match self.functions.scalar(UNIFY) {
            Some(function) => function.call(vec![expr]),
            None => expr,
        }
    }

    /// Whether values are or hold floating numbers that are not alike yet.
    fn is_float(&self, expr: &Expr) -> bool {
        self.type_of(expr).is_some_and(|data_type| has_floats(&data_type))
    }

    /// Whether values hold such numbers in other values: those on their own are compared as they have to be.
    fn is_nested(&self, expr: &Expr) -> bool {
        self.type_of(expr).is_some_and(|data_type| data_type.is_nested() && has_floats(&data_type))
    }

    fn type_of(&self, expr: &Expr) -> Option<DataType> {
        let is_one = matches!(expr, Expr::ScalarFunction(call) if call.func.name() == UNIFY);
        if is_one || matches!(expr, Expr::GroupingSet(_)) {
            return None;
        }
        expr.get_type(self.schema).ok()
    }
}

fn made(plan: Transformed<LogicalPlan>) -> Transformed<LogicalPlan> {
    Transformed::yes(plan.data)
}
