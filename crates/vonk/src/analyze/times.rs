//! The type TIME where the session does not have it, as Spark does not unless it is told to.
//!
//! Literals, `current_time` and what only writes times are there always, as in Spark.

use std::cell::LazyCell;
use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use sqlparser::ast::{self, Spanned, Visit, Visitor};
use vonk_functions::Failure;

use crate::config;
use crate::error::{Condition, Error, Result};

/// Functions that make times of the day, or are of nothing else.
const OF_TIMES: &[&str] = &[
    "make_time",
    "time_diff",
    "time_from_micros",
    "time_from_millis",
    "time_from_seconds",
    "time_to_micros",
    "time_to_millis",
    "time_to_seconds",
    "time_trunc",
    "to_time",
    "try_to_time",
];

/// Functions that take times of the day besides moments and numbers.
const OF_TIMES_TOO: &[&str] =
    &["+", "-", "date_part", "datepart", "extract", "hour", "minute", "second"];

/// Refuses the casts and calls of a query that cannot be about anything but times of the day.
///
/// # Errors
/// `UNSUPPORTED_TIME_TYPE`
pub(super) fn check_query(query: &ast::Query) -> Result<()> {
    match query.visit(&mut Checker) {
        ControlFlow::Break(error) => Err(*error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Checker;

impl Visitor for Checker {
    type Break = Box<Error>;

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<Box<Error>> {
        let is_of_times = match expr {
            ast::Expr::Cast { data_type, .. } => matches!(data_type, ast::DataType::Time(..)),
            ast::Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                OF_TIMES.contains(&name.as_str())
            }
            _ => false,
        };
        if !is_of_times {
            return ControlFlow::Continue(());
        }
        let error = Error::new(Condition::UNSUPPORTED_TIME_TYPE, MESSAGE).hint(hint());
        ControlFlow::Break(Box::new(error.at_span(expr.span())))
    }
}

/// Refuses the calls of a plan that take a time of the day where they might take something else.
///
/// # Errors
/// `UNSUPPORTED_TIME_TYPE`
pub(super) fn check_plan(plan: &LogicalPlan) -> DfResult<()> {
    plan.apply_with_subqueries(|node| {
        let schema = LazyCell::new(|| merge_schema(&node.inputs()));
        node.apply_expressions(|expr| {
            expr.apply(|expr| match expr {
                Expr::ScalarFunction(call)
                    if OF_TIMES_TOO.contains(&call.func.name())
                        && call.args.iter().any(|argument| is_time(argument, &schema)) =>
                {
                    Err(Failure::new("UNSUPPORTED_TIME_TYPE", MESSAGE).hint(hint()).into())
                }
                _ => Ok(TreeNodeRecursion::Continue),
            })
        })
    })?;
    Ok(())
}

const MESSAGE: &str = "the type TIME is not supported unless it is enabled";

fn hint() -> String {
    format!("set `{}` to `true`", config::TIME_TYPE)
}

fn is_time(expr: &Expr, schema: &DFSchema) -> bool {
    let data_type = expr.get_type(schema);
    data_type.is_ok_and(|it| matches!(it, DataType::Time32(_) | DataType::Time64(_)))
}
