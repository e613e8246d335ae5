//! Windows in the planner's words: a named one is written out where it is used, and ranks are INTs.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, Ident, NamedWindowDefinition, NamedWindowExpr, VisitMut, VisitorMut, WindowSpec,
    WindowType,
};

use super::syntax::{call, case_of};
use crate::error::{Condition, Error, Result};

/// Writes every named window of a query out where it is used.
///
/// # Errors
/// A name that is defined twice or not at all.
pub(super) fn write_out(query: &mut ast::Query) -> Result<()> {
    match VisitMut::visit(query, &mut Writer) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Functions that number rows; the planner below numbers in a type that Spark does not have.
const NUMBERING: &[&str] = &["dense_rank", "ntile", "rank", "row_number"];

/// Functions whose arguments say nothing: they rank rows by the order of the window.
const RANKING: &[&str] = &["cume_dist", "dense_rank", "percent_rank", "rank"];

/// Spells the bounds of frames for the planner, and casts the numbers of rows to INT.
pub(super) fn number_in_int(query: &mut ast::Query) {
    struct Caster;
    impl VisitorMut for Caster {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            let Expr::Function(function) = &mut *expr else { return ControlFlow::Continue(()) };
            if let Some(WindowType::WindowSpec(WindowSpec { window_frame: Some(frame), .. })) =
                &mut function.over
            {
                spell_bound(&mut frame.start_bound);
                frame.end_bound.iter_mut().for_each(spell_bound);
            }
            let name = function.name.to_string().to_lowercase();
            if function.over.is_some()
                && RANKING.contains(&name.as_str())
                && let ast::FunctionArguments::List(list) = &mut function.args
            {
                list.args.clear();
            }
            if let Some(steps) = steps_of_counter(function, &name) {
                *expr = steps;
                return ControlFlow::Continue(());
            }
            if function.over.is_some() && NUMBERING.contains(&name.as_str()) {
                *expr = super::syntax::cast(expr.clone(), ast::DataType::Int(None));
            }
            ControlFlow::Continue(())
        }
    }
    let _ = VisitMut::visit(query, &mut Caster);
}

/// `counter_diff(value[, start])`: by how much a counter has grown since the row before; NULL where
/// it began anew, which a smaller value or another start tells.
fn steps_of_counter(function: &ast::Function, name: &str) -> Option<Expr> {
    let over = function.over.clone().filter(|_| name == "counter_diff")?;
    let ast::FunctionArguments::List(list) = &function.args else { return None };
    let args = list.args.iter().map(|arg| match arg {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(arg)) => Some(arg),
        _ => None,
    });
    let args = args.collect::<Option<Vec<&Expr>>>()?;
    let before = |value: &Expr| match call("lag", vec![value.clone()]) {
        Expr::Function(lag) => Expr::Function(ast::Function { over: Some(over.clone()), ..lag }),
        other => other,
    };
    let binary = |left: Expr, op, right: Expr| Expr::BinaryOp {
        left: Box::new(Expr::Nested(Box::new(left))),
        op,
        right: Box::new(Expr::Nested(Box::new(right))),
    };
    let (value, start) = match args.as_slice() {
        [value] => (*value, None),
        [value, start] => (*value, Some(*start)),
        _ => return None,
    };
    let shrinks = binary(value.clone(), ast::BinaryOperator::Lt, before(value));
    let restarts =
        start.map(|start| Expr::IsDistinctFrom(Box::new(start.clone()), Box::new(before(start))));
    let nothing = |condition| [condition, Expr::value(ast::Value::Null)];
    let mut args: Vec<Expr> = std::iter::once(shrinks).chain(restarts).flat_map(nothing).collect();
    args.push(binary(value.clone(), ast::BinaryOperator::Minus, before(value)));
    Some(case_of(args))
}

/// The planner below takes the distance of a bound as a number or a text with its units in it.
fn spell_bound(bound: &mut ast::WindowFrameBound) {
    let (ast::WindowFrameBound::Preceding(Some(distance))
    | ast::WindowFrameBound::Following(Some(distance))) = bound
    else {
        return;
    };
    if let Expr::Interval(literal) = distance.as_mut()
        && let Some(text) = super::typed_literals::interval_text(literal)
    {
        *literal.value = Expr::value(ast::Value::SingleQuotedString(text));
        literal.leading_field = None;
        literal.last_field = None;
    }
}

struct Writer;

impl VisitorMut for Writer {
    type Break = Error;

    /// The queries within come first, so that what is left uses the windows of this one.
    fn post_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Error> {
        let ast::SetExpr::Select(select) = query.body.as_mut() else {
            return ControlFlow::Continue(());
        };
        let windows = match Windows::new(std::mem::take(&mut select.named_window)) {
            Ok(windows) => windows,
            Err(error) => return ControlFlow::Break(error),
        };
        VisitMut::visit(query, &mut User { windows: &windows })
    }
}

/// The windows that a SELECT names.
struct Windows(Vec<NamedWindowDefinition>);

impl Windows {
    fn new(definitions: Vec<NamedWindowDefinition>) -> Result<Self> {
        for (at, NamedWindowDefinition(name, _)) in definitions.iter().enumerate() {
            let is_same = |other: &NamedWindowDefinition| is_named(other, name);
            if definitions[..at].iter().any(is_same) {
                let message = format!("the window `{}` is defined twice", name.value);
                return Err(Error::new(Condition::REPETITIVE_WINDOW, message));
            }
        }
        Ok(Self(definitions))
    }

    /// What a name stands for, by way of other names.
    fn of(&self, name: &Ident) -> Result<&WindowSpec> {
        let Some(NamedWindowDefinition(_, window)) =
            self.0.iter().find(|definition| is_named(definition, name))
        else {
            let message = format!("the window `{}` is not defined", name.value);
            return Err(Error::new(Condition::MISSING_WINDOW_SPECIFICATION, message)
                .hint("define it behind WINDOW"));
        };
        match window {
            NamedWindowExpr::WindowSpec(spec) => Ok(spec),
            NamedWindowExpr::NamedWindow(other) => {
                let target = self.0.iter().find(|definition| is_named(definition, other));
                match target {
                    Some(NamedWindowDefinition(_, NamedWindowExpr::WindowSpec(spec))) => Ok(spec),
                    _ => {
                        let message = format!("the window `{}` refers to no window", name.value);
                        Err(Error::new(Condition::INVALID_WINDOW_REFERENCE, message))
                    }
                }
            }
        }
    }
}

fn is_named(NamedWindowDefinition(known, _): &NamedWindowDefinition, name: &Ident) -> bool {
    known.value.eq_ignore_ascii_case(&name.value)
}

struct User<'a> {
    windows: &'a Windows,
}

impl VisitorMut for User<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let name = match &function.over {
            Some(WindowType::NamedWindow(name)) => name.clone(),
            Some(WindowType::WindowSpec(WindowSpec {
                window_name: Some(name),
                partition_by,
                order_by,
                window_frame: None,
            })) if partition_by.is_empty() && order_by.is_empty() => name.clone(),
            _ => return ControlFlow::Continue(()),
        };
        match self.windows.of(&name) {
            Ok(spec) => {
                function.over = Some(WindowType::WindowSpec(spec.clone()));
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}
