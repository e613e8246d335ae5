//! Forms of aggregate functions that the planner below does not know, in words that it does.
//!
//! What stands in `WITHIN GROUP` becomes arguments, so that a group and a window mean the same by it.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, Ident,
    NullTreatment, ObjectName, Value, VisitMut, VisitorMut,
};

use super::syntax::{call, case_of};
use crate::error::{Condition, Error, Result};

/// Functions that another name of the library means.
const RENAMED: &[(&str, &str)] = &[
    ("any", "bool_or"),
    ("any_value", "first_value"),
    ("array_agg", "collect_list"),
    ("every", "bool_and"),
    ("first", "first_value"),
    ("last", "last_value"),
    ("some", "bool_or"),
    ("std", "stddev"),
    ("variance", "var_samp"),
];

/// Functions whose values `ORDER BY` between their parentheses puts in order.
const LISTS: &[&str] = &["array_agg", "collect_list", "listagg", "string_agg"];

/// Functions whose values `WITHIN GROUP` puts in order, and whether they need it.
const ORDERED: &[(&str, bool)] = &[
    ("listagg", false),
    ("mode", false),
    ("percentile_cont", true),
    ("percentile_disc", true),
    ("string_agg", false),
];

/// Spells the aggregate functions of a query by what the library has.
///
/// # Errors
/// `INVALID_WITHIN_GROUP_EXPRESSION`, where an order is missing, or is one too many.
pub(super) fn spell(query: &mut ast::Query) -> Result<()> {
    match VisitMut::visit(query, &mut Speller) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Speller;

impl VisitorMut for Speller {
    type Break = Error;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let name = function.name.to_string().to_lowercase();
        if let Some(orders) = orders_within(&name, function)
            && !orders.is_empty()
        {
            match name.as_str() {
                "listagg" | "string_agg" => function.within_group = orders,
                _ => list_in_order(function, orders),
            }
        }
        let spelled = match ORDERED.iter().find(|(ordered, _)| *ordered == name) {
            Some((name, needs_order)) => order_as_arguments(name, *needs_order, function),
            None => Ok(()),
        };
        if let Err(error) = spelled {
            return ControlFlow::Break(error);
        }
        nulls_as_clause(&name, function);
        match name.as_str() {
            "count_if" => count_if(function),
            "approx_count_distinct" => keep_first(function),
            "count" => count_together(function),
            "regr_count" => {
                function.name = ObjectName::from(vec![Ident::new("count")]);
                count_together(function);
            }
            "regr_avgx" => average_of_pairs(function, 1),
            "regr_avgy" => average_of_pairs(function, 0),
            _ => {}
        }
        let is_named = function.name.to_string().eq_ignore_ascii_case(&name);
        let renamed = RENAMED.iter().find(|(name_of_spark, _)| *name_of_spark == name && is_named);
        if let Some((_, known)) = renamed {
            function.name = ObjectName::from(vec![Ident::new(*known)]);
        }
        ControlFlow::Continue(())
    }
}

fn arguments(function: &mut ast::Function) -> Option<&mut ast::FunctionArgumentList> {
    match &mut function.args {
        ast::FunctionArguments::List(list) => Some(list),
        _ => None,
    }
}

/// The orders between the parentheses of functions that make a list of values, which are taken out of them.
fn orders_within(name: &str, function: &mut ast::Function) -> Option<Vec<ast::OrderByExpr>> {
    if !LISTS.contains(&name) {
        return None;
    }
    let list = arguments(function)?;
    let is_order =
        |clause: &FunctionArgumentClause| matches!(clause, FunctionArgumentClause::OrderBy(_));
    let at = list.clauses.iter().position(is_order)?;
    match list.clauses.remove(at) {
        FunctionArgumentClause::OrderBy(orders) => Some(orders),
        _ => None,
    }
}

/// `array_agg(value ORDER BY …)` is `collect_in_order(value, …)`.
fn list_in_order(function: &mut ast::Function, orders: Vec<ast::OrderByExpr>) {
    function.name = ObjectName::from(vec![Ident::new("collect_in_order")]);
    if let Some(list) = arguments(function) {
        list.args.extend(orders.into_iter().flat_map(as_arguments));
    }
}

/// Whether an order descends, whether NULL comes first, and the value.
fn as_arguments(order: ast::OrderByExpr) -> [FunctionArg; 3] {
    let descends = order.options.asc == Some(false);
    let nulls_first = order.options.nulls_first.unwrap_or(!descends);
    [flag(descends), flag(nulls_first), argument(order.expr)]
}

fn argument(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

fn flag(value: bool) -> FunctionArg {
    argument(Expr::value(Value::Boolean(value)))
}

/// `regr_avgx(y, x)` is `avg(CASE WHEN y IS NOT NULL THEN x END)`, whose type is that of averages.
fn average_of_pairs(function: &mut ast::Function, averaged: usize) {
    let Some(list) = arguments(function) else { return };
    let [
        FunctionArg::Unnamed(FunctionArgExpr::Expr(y)),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(x)),
    ] = list.args.as_slice()
    else {
        return;
    };
    let (value, other) = if averaged == 0 { (y, x) } else { (x, y) };
    let known = Expr::IsNotNull(Box::new(Expr::Nested(Box::new(other.clone()))));
    let value = case_of(vec![known, value.clone()]);
    list.args = vec![argument(value)];
    function.name = ObjectName::from(vec![Ident::new("avg")]);
}

/// `first(x, true)` is `first(x) IGNORE NULLS`.
fn nulls_as_clause(name: &str, function: &mut ast::Function) {
    if !["any_value", "first", "first_value", "last", "last_value"].contains(&name) {
        return;
    }
    let Some(list) = arguments(function) else { return };
    let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] = list.args.as_slice()
    else {
        return;
    };
    let Value::Boolean(ignores) = value.value else { return };
    list.args.truncate(1);
    if ignores {
        function.null_treatment = Some(NullTreatment::IgnoreNulls);
    }
}

/// `count_if(condition)` counts the rows where it is true.
fn count_if(function: &mut ast::Function) {
    let Some(list) = arguments(function) else { return };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(condition))] = list.args.as_mut_slice() else {
        return;
    };
    let null_if_false = call("nullif", vec![condition.clone(), Expr::value(Value::Boolean(false))]);
    *condition = null_if_false;
    function.name = ObjectName::from(vec![Ident::new("count")]);
}

/// `count(a, b)` counts the rows where neither is NULL; DISTINCT, their different pairs.
fn count_together(function: &mut ast::Function) {
    let Some(list) = arguments(function) else { return };
    let given = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    let Some(given) = given.collect::<Option<Vec<Expr>>>().filter(|given| given.len() > 1) else {
        return;
    };
    let all_known = given
        .iter()
        .map(|value| Expr::IsNotNull(Box::new(Expr::Nested(Box::new(value.clone())))))
        .reduce(|left, right| Expr::BinaryOp {
            left: Box::new(left),
            op: ast::BinaryOperator::And,
            right: Box::new(right),
        });
    let fields = given.into_iter().enumerate().flat_map(|(at, value)| {
        [Expr::value(Value::SingleQuotedString(format!("col{at}"))), value]
    });
    let together = call("named_struct", fields.collect());
    let Some(all_known) = all_known else { return };
    let null = Expr::value(Value::Null);
    list.args = vec![argument(call("if", vec![all_known, together, null]))];
}

/// How exact an estimate has to be is not asked for.
fn keep_first(function: &mut ast::Function) {
    if let Some(list) = arguments(function) {
        list.args.truncate(1);
    }
}

fn order_as_arguments(name: &str, needs_order: bool, function: &mut ast::Function) -> Result<()> {
    let orders = std::mem::take(&mut function.within_group);
    if orders.is_empty() {
        if needs_order {
            let message = format!("`{name}` needs to be told the order of its values");
            return Err(Error::new(Condition::WITHIN_GROUP_MISSING, message)
                .hint("add `WITHIN GROUP (ORDER BY …)`"));
        }
        return Ok(());
    }
    let is_list = name == "listagg" || name == "string_agg";
    let Some(list) = arguments(function) else { return Ok(()) };
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    if is_distinct && !is_list {
        let message = format!("`{name}` of DISTINCT values has no order");
        return Err(Error::new(Condition::WITHIN_GROUP_DISTINCT, message));
    }
    if is_list {
        order_a_list(list, orders);
        return Ok(());
    }
    let [order] = orders.as_slice() else {
        let message = format!("`{name}` takes one order, not {}", orders.len());
        return Err(Error::new(Condition::WITHIN_GROUP_ORDERINGS, message));
    };
    let descends = order.options.asc == Some(false);
    list.args.insert(0, argument(order.expr.clone()));
    if name == "mode" {
        list.args.push(flag(true));
    }
    list.args.push(flag(descends));
    Ok(())
}

/// For each order: whether it descends, whether NULL comes first, and the value.
fn order_a_list(list: &mut ast::FunctionArgumentList, orders: Vec<ast::OrderByExpr>) {
    if list.args.len() == 1 {
        list.args.push(argument(Expr::value(Value::Null)));
    }
    list.args.extend(orders.into_iter().flat_map(as_arguments));
}
