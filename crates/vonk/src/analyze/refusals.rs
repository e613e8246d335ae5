//! Calls that Spark refuses for their form: windows without an order, frames, FILTER, WITHIN GROUP.
//!
//! The planner below takes some of them and gives rows that depend on chance, or words its refusal
//! by what it made of the call.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, Value, Visit,
    Visitor, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};

use crate::error::{Condition, Error, Result};

/// Functions of the place of a row, which has none without a window and an order.
const NEED_ORDER: &[&str] = &[
    "counter_diff",
    "cume_dist",
    "dense_rank",
    "lag",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// Functions that put values in order themselves, over the whole of a partition.
const WHOLE_ONLY: &[&str] = &["median", "percentile", "percentile_cont", "percentile_disc"];

/// Functions that `WITHIN GROUP` may stand behind.
const ORDERED_SETS: &[&str] =
    &["listagg", "mode", "percentile_cont", "percentile_disc", "string_agg"];

/// Functions that give another value at every call.
const VOLATILE: &[&str] = &[
    "monotonically_increasing_id",
    "rand",
    "randn",
    "random",
    "randstr",
    "shuffle",
    "uniform",
    "uuid",
];

/// What one call may be refused for.
const CHECKS: &[fn(&Call<'_>) -> Result<()>] = &[
    check_window_order,
    check_whole_window,
    check_frame,
    check_filter,
    check_ordered_set,
    check_count,
    check_single,
    check_window,
    check_place,
    check_distinct_window,
];

/// Refuses the calls of a query that have a form which they cannot have.
///
/// # Errors
/// Spark's condition for the first of them.
pub(super) fn check(query: &ast::Query, rules: &Rules<'_>) -> Result<()> {
    match query.visit(&mut Checker { rules }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// What the session has to say.
pub(super) struct Rules<'a> {
    pub(super) is_aggregate: &'a dyn Fn(&str) -> bool,
    /// Whether `count(t.*)` is allowed.
    pub(super) counts_star: bool,
}

/// Whether a subquery or a column of several parts is in an expression.
fn depends_on_rows(expr: &Expr) -> bool {
    struct Finder;
    impl Visitor for Finder {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Subquery(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Finder).is_break()
}

struct Checker<'a> {
    rules: &'a Rules<'a>,
}

impl Visitor for Checker<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<Error> {
        let Some(ast::LimitClause::LimitOffset { limit: Some(limit), .. }) = &query.limit_clause
        else {
            return ControlFlow::Continue(());
        };
        let value = match limit {
            Expr::Cast { expr, .. } => expr.as_ref(),
            other => other,
        };
        match value {
            Expr::Value(value) if value.value == Value::Null => {
                let error = Error::new(Condition::LIMIT_IS_NULL, "the LIMIT is NULL");
                ControlFlow::Break(error.hint("leave it out, or write `LIMIT ALL`"))
            }
            value if depends_on_rows(value) => {
                let message = format!("the LIMIT `{value}` is not known before the query runs");
                let error = Error::new(Condition::LIMIT_IS_UNFOLDABLE, message);
                ControlFlow::Break(error.hint("write a number"))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<Error> {
        match &select.qualify {
            Some(condition)
                if finds(condition, &|call| is_plain(call, self.rules.is_aggregate)) =>
            {
                let message = "QUALIFY cannot hold an aggregate function";
                ControlFlow::Break(
                    Error::new(Condition::QUALIFY_AGGREGATE_NOT_ALLOWED, message)
                        .hint("filter groups with HAVING"),
                )
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let name = function.name.to_string().to_lowercase();
        let call = Call { name: &name, function, rules: self.rules };
        match CHECKS.iter().try_for_each(|check| check(&call)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error.or_at_span(function.name.span())),
        }
    }
}

/// A call with its name in small letters.
struct Call<'a> {
    name: &'a str,
    function: &'a Function,
    rules: &'a Rules<'a>,
}

impl Call<'_> {
    fn window(&self) -> Option<&WindowSpec> {
        match &self.function.over {
            Some(WindowType::WindowSpec(spec)) => Some(spec),
            _ => None,
        }
    }

    fn refused(&self, condition: Condition, why: &str) -> Error {
        Error::new(condition, format!("`{}` {why}", self.name))
    }
}

fn check_window_order(call: &Call<'_>) -> Result<()> {
    match call.window() {
        // A name that a window builds on may have the order.
        Some(WindowSpec { window_name: None, order_by, .. })
            if order_by.is_empty() && NEED_ORDER.contains(&call.name) =>
        {
            let error = call.refused(
                Condition::WINDOW_FUNCTION_FRAME_NOT_ORDERED,
                "needs a window with an order",
            );
            Err(error.hint("add ORDER BY to the window"))
        }
        _ => Ok(()),
    }
}

fn check_whole_window(call: &Call<'_>) -> Result<()> {
    match call.window() {
        Some(spec)
            if WHOLE_ONLY.contains(&call.name)
                && (!spec.order_by.is_empty() || spec.window_frame.is_some()) =>
        {
            let condition = Condition::INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC;
            let error = call.refused(condition, "is computed over whole partitions only");
            Err(error.hint("leave ORDER BY and the frame out of the window"))
        }
        _ => Ok(()),
    }
}

fn check_frame(call: &Call<'_>) -> Result<()> {
    let Some(spec) = call.window() else { return Ok(()) };
    let Some(frame) = &spec.window_frame else { return Ok(()) };
    if frame.units == WindowFrameUnits::Groups {
        let message = "a frame is of ROWS or of a RANGE, not of GROUPS";
        return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, message));
    }
    let distances = [Some(&frame.start_bound), frame.end_bound.as_ref()];
    let distances = distances.into_iter().flatten().filter_map(|bound| match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
            distance.as_deref()
        }
        WindowFrameBound::CurrentRow => None,
    });
    let distances: Vec<&Expr> = distances.collect();
    for distance in &distances {
        check_distance(call, frame.units, distance)?;
    }
    if frame.units != WindowFrameUnits::Range || distances.is_empty() {
        return Ok(());
    }
    let (condition, why) = match spec.order_by.len() {
        0 => {
            (Condition::RANGE_FRAME_WITHOUT_ORDER, "has a RANGE frame in a window without an order")
        }
        1 => return Ok(()),
        _ => (Condition::RANGE_FRAME_MULTI_ORDER, "has a RANGE frame in an order by many columns"),
    };
    Err(call.refused(condition, why).hint("order the window by the one column that RANGE measures"))
}

fn check_distance(call: &Call<'_>, units: WindowFrameUnits, distance: &Expr) -> Result<()> {
    let is_rows = units != WindowFrameUnits::Range;
    let is_wrong_type = match distance {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => is_rows && digits.parse::<i32>().is_err(),
            Value::SingleQuotedString(_) | Value::Boolean(_) => true,
            _ => false,
        },
        Expr::TypedString(_) => true,
        Expr::Interval(_) => is_rows,
        _ => false,
    };
    if is_wrong_type {
        let why = format!("has a frame that cannot reach `{distance}` far");
        return Err(call
            .refused(Condition::WINDOW_FRAME_UNACCEPTED_TYPE, &why)
            .hint("ROWS counts with an INT, RANGE with the type that its order subtracts to"));
    }
    Ok(())
}

fn check_filter(call: &Call<'_>) -> Result<()> {
    let Some(filter) = &call.function.filter else { return Ok(()) };
    let refused = |condition, why: &str| Err(call.refused(condition, why));
    if finds(filter, &|inner| inner.over.is_some()) {
        return refused(Condition::FILTER_CONTAINS_WINDOW, "has a window function in its FILTER");
    }
    if finds(filter, &|inner| is_plain(inner, call.rules.is_aggregate)) {
        return refused(Condition::FILTER_CONTAINS_AGGREGATE, "has an aggregate in its FILTER");
    }
    if finds(filter, &is_volatile) {
        let why = "has a FILTER that gives another value at every call";
        return refused(Condition::FILTER_NON_DETERMINISTIC, why);
    }
    Ok(())
}

fn check_ordered_set(call: &Call<'_>) -> Result<()> {
    let has_order = !call.function.within_group.is_empty();
    if has_order && !ORDERED_SETS.contains(&call.name) {
        let condition = Condition::FUNCTION_WITH_UNSUPPORTED_SYNTAX;
        return Err(call
            .refused(condition, "cannot have WITHIN GROUP")
            .hint(format!("it can stand behind {}", ORDERED_SETS.join(", "))));
    }
    let FunctionArguments::List(list) = &call.function.args else { return Ok(()) };
    let is_distinct = list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
    match call.name {
        "mode" if is_distinct => {
            Err(call.refused(Condition::WITHIN_GROUP_DISTINCT, "cannot have DISTINCT"))
        }
        "mode" if has_order && !list.args.is_empty() => Err(call
            .refused(Condition::WITHIN_GROUP_ORDERINGS, "takes its value from WITHIN GROUP only")),
        "mode" if !has_order && list.args.is_empty() => {
            Err(call.refused(Condition::WITHIN_GROUP_MISSING, "needs a value or WITHIN GROUP"))
        }
        "percentile_cont" | "percentile_disc" if has_order && list.args.is_empty() => {
            Err(call.refused(Condition::WRONG_NUM_ARGS, "takes 1 argument, not 0"))
        }
        _ => Ok(()),
    }
}

fn check_distinct_window(call: &Call<'_>) -> Result<()> {
    let FunctionArguments::List(list) = &call.function.args else { return Ok(()) };
    let is_distinct = list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
    let is_ordered = !call.function.within_group.is_empty();
    if is_distinct && call.function.over.is_some() && !is_ordered {
        let error = call.refused(
            Condition::DISTINCT_WINDOW_FUNCTION,
            "is not computed over a window with DISTINCT",
        );
        return Err(
            error.hint("take `size(collect_set(…) OVER …)`, or make the rows distinct first")
        );
    }
    Ok(())
}

fn check_window(call: &Call<'_>) -> Result<()> {
    match call.function.over {
        None if NEED_ORDER.contains(&call.name) => {
            let condition = Condition::WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE;
            let error = call.refused(condition, "is computed over a window");
            Err(error.hint("add `OVER (PARTITION BY … ORDER BY …)`"))
        }
        _ => Ok(()),
    }
}

/// The buckets of `ntile` and the row of `nth_value` are numbers from 1.
fn check_place(call: &Call<'_>) -> Result<()> {
    let at = match call.name {
        "ntile" => 0,
        "nth_value" => 1,
        _ => return Ok(()),
    };
    let FunctionArguments::List(list) = &call.function.args else { return Ok(()) };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(number))) = list.args.get(at) else {
        return Ok(());
    };
    let literal = match number {
        Expr::Value(value) => &value.value,
        Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(value) if matches!(value.value, Value::Number(..)) => {
                let why = format!("counts from 1, not from `{number}`");
                return Err(call.refused(Condition::VALUE_OUT_OF_RANGE, &why));
            }
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    match literal {
        Value::Number(digits, _) if digits.parse::<f64>().is_ok_and(|number| number < 1.0) => {
            Err(call.refused(Condition::VALUE_OUT_OF_RANGE, "counts from 1, not from 0"))
        }
        Value::Number(..) => Ok(()),
        other if call.name == "ntile" => {
            let why = format!("takes a number of buckets, not {other}");
            Err(call.refused(Condition::UNEXPECTED_INPUT_TYPE, &why))
        }
        _ => Ok(()),
    }
}

/// Functions of groups that take one value of each row.
const SINGLE: &[&str] = &["avg", "max", "mean", "min", "sum", "try_avg", "try_sum"];

fn check_single(call: &Call<'_>) -> Result<()> {
    let FunctionArguments::List(list) = &call.function.args else { return Ok(()) };
    let is_value =
        |arg: &FunctionArg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(_)));
    if !SINGLE.contains(&call.name) || list.args.len() == 1 || !list.args.iter().all(is_value) {
        return Ok(());
    }
    let why = format!("takes 1 argument, not {}", list.args.len());
    Err(call.refused(Condition::WRONG_NUM_ARGS, &why))
}

fn check_count(call: &Call<'_>) -> Result<()> {
    let FunctionArguments::List(list) = &call.function.args else { return Ok(()) };
    if call.name != "count" {
        return Ok(());
    }
    match list.args.as_slice() {
        [] if call.function.within_group.is_empty() => {
            let error =
                call.refused(Condition::WRONG_NUM_ARGS_SUGGESTED, "takes 1 argument, not 0");
            Err(error.hint("write `count(*)` to count rows"))
        }
        [FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_))]
            if !call.rules.counts_star =>
        {
            let condition = Condition::STAR_OF_TABLE_IN_COUNT;
            let error = call.refused(condition, "cannot count the star of one table");
            Err(error.hint("write `count(*)`, or name the columns"))
        }
        _ => Ok(()),
    }
}

fn is_plain(call: &Function, is_aggregate: &dyn Fn(&str) -> bool) -> bool {
    call.over.is_none() && is_aggregate(&call.name.to_string().to_lowercase())
}

fn is_volatile(call: &Function) -> bool {
    VOLATILE.contains(&call.name.to_string().to_lowercase().as_str())
}

/// Whether a part of a query holds such a call, outside of the queries in it.
pub(super) fn finds(part: &impl Visit, is_it: &dyn Fn(&Function) -> bool) -> bool {
    part.visit(&mut Finder { is_it, depth: 0 }).is_break()
}

struct Finder<'a> {
    is_it: &'a dyn Fn(&Function) -> bool,
    depth: usize,
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &ast::Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &ast::Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(call) if self.depth == 0 && (self.is_it)(call) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}
