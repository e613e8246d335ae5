//! Calls about time whose first argument is a bare word, or whose name has an older one behind it.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value, Visit,
    VisitMut, Visitor, VisitorMut,
};

use super::syntax::call;
use crate::error::{Condition, Error, Result};

/// The functions that take a unit as a bare word before two values, and the one that each means.
const BY_UNIT: &[(&str, &str)] = &[
    ("date_add", "timestampadd"),
    ("date_diff", "timestampdiff"),
    ("dateadd", "timestampadd"),
    ("datediff", "timestampdiff"),
    ("timediff", "timestampdiff"),
    ("timestampadd", "timestampadd"),
    ("timestampdiff", "timestampdiff"),
];

/// The words that are units there.
const UNITS: &[&str] = &[
    "MICROSECOND",
    "MILLISECOND",
    "SECOND",
    "MINUTE",
    "HOUR",
    "DAY",
    "DAYOFYEAR",
    "WEEK",
    "MONTH",
    "QUARTER",
    "YEAR",
];

/// Other names, which Spark does not show in the names of columns.
const RENAMED: &[(&str, &str)] =
    &[("curdate", "current_date"), ("dateadd", "date_add"), ("localtime", "current_time")];

/// Calls with so many arguments, and the call that stands for the one that they leave out in front.
const WITH_FIRST: &[(&str, usize, &str)] =
    &[("convert_timezone", 2, "current_timezone"), ("unix_timestamp", 0, "current_timestamp")];

/// Makes of every bare unit a text, and of every other name the first one.
///
/// # Errors
/// `INVALID_PARAMETER_VALUE.DATETIME_UNIT` if a unit is written as text.
pub(super) fn spell(query: &mut ast::Query) -> Result<()> {
    match VisitMut::visit(query, &mut Speller) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// The call that makes rows of windows of time, and what it gives to each.
const WINDOW: &str = "window";

struct Speller;

impl VisitorMut for Speller {
    type Break = Error;

    fn post_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<Error> {
        make_windows(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let name = function.name.to_string().to_lowercase();
        let count = match &function.args {
            FunctionArguments::List(list) => list.args.len(),
            _ => 0,
        };
        if count == 3
            && let Some((_, meant)) = BY_UNIT.iter().find(|(known, _)| *known == name)
        {
            return match spell_unit(function, &name, meant) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            };
        }
        if matches!(name.as_str(), "to_char" | "to_varchar") {
            if has_datetime_pattern(function) {
                function.name = ObjectName::from(vec![Ident::new("date_format")]);
            }
            spell_bytes(function);
        }
        if let Some((_, first)) = RENAMED.iter().find(|(known, _)| *known == name) {
            function.name = ObjectName::from(vec![Ident::new(*first)]);
        }
        let with_first =
            WITH_FIRST.iter().find(|(known, given, _)| *known == name && *given == count);
        if let (Some((_, _, first)), FunctionArguments::List(list)) =
            (with_first, &mut function.args)
        {
            let first = FunctionArgExpr::Expr(call(first, Vec::new()));
            list.args.insert(0, FunctionArg::Unnamed(first));
        }
        ControlFlow::Continue(())
    }
}

fn spell_unit(function: &mut ast::Function, name: &str, meant: &str) -> Result<()> {
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(unit))) = list.args.first_mut() else {
        return Ok(());
    };
    match unit {
        Expr::Identifier(word) if UNITS.iter().any(|u| u.eq_ignore_ascii_case(&word.value)) => {
            *unit = Expr::value(Value::SingleQuotedString(word.value.clone()));
            function.name = ObjectName::from(vec![Ident::new(meant)]);
            Ok(())
        }
        Expr::Value(value) if value.value.clone().into_string().is_some() => {
            let message = format!("the unit of `{name}` is a word, not the text {value}");
            Err(Error::new(Condition::INVALID_DATETIME_UNIT, message)
                .hint("write the unit without quotes"))
        }
        _ => Ok(()),
    }
}

/// `to_char(bytes, 'hex')` is `hex(bytes)`.
fn spell_bytes(function: &mut ast::Function) {
    const MEANT: [(&str, &str); 4] =
        [("base64", "base64"), ("hex", "hex"), ("utf-8", "decode"), ("utf8", "decode")];
    let FunctionArguments::List(list) = &mut function.args else { return };
    let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(format)))] =
        list.args.as_slice()
    else {
        return;
    };
    let Some(format) = format.value.clone().into_string() else { return };
    let Some((_, meant)) = MEANT.iter().find(|(name, _)| format.eq_ignore_ascii_case(name)) else {
        return;
    };
    function.name = ObjectName::from(vec![Ident::new(*meant)]);
    match *meant {
        "decode" => {
            let charset = Expr::value(Value::SingleQuotedString("UTF-8".to_owned()));
            list.args[1] = FunctionArg::Unnamed(FunctionArgExpr::Expr(charset));
        }
        _ => list.args.truncate(1),
    }
}

/// Whether the second argument is a text that can be no format of numbers or bytes: those have digits,
/// which no datetime pattern has outside of quotes, or are one of a few names.
fn has_datetime_pattern(function: &ast::Function) -> bool {
    const OF_BYTES: [&str; 5] = ["base64", "hex", "utf8", "utf-8", "base32"];
    let FunctionArguments::List(list) = &function.args else { return false };
    let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(format)))] =
        list.args.as_slice()
    else {
        return false;
    };
    let Some(format) = format.value.clone().into_string() else { return false };
    let is_of_bytes = OF_BYTES.iter().any(|name| name.eq_ignore_ascii_case(&format));
    !is_of_bytes && !format.contains(['0', '9'])
}

/// `window(time, …)` among the keys or values of a query is a column that LATERAL VIEW makes:
/// a row per window that the time lies in.
fn make_windows(select: &mut ast::Select) {
    let mut finder = WindowFinder { call: None };
    let _ = Visit::visit(&select.group_by, &mut finder);
    let _ = Visit::visit(&select.projection, &mut finder);
    let Some(found) = finder.call else { return };
    let arguments = match &found.args {
        FunctionArguments::List(list) => list.args.iter().filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
            _ => None,
        }),
        _ => return,
    };
    let windows = call("windows_of", arguments.collect());
    let mut replacer = WindowReplacer { call: found };
    let _ = VisitMut::visit(&mut select.group_by, &mut replacer);
    let _ = VisitMut::visit(&mut select.projection, &mut replacer);
    let _ = VisitMut::visit(&mut select.having, &mut replacer);
    select.lateral_views.push(ast::LateralView {
        lateral_view: call("explode", vec![windows]),
        lateral_view_name: ObjectName::from(vec![Ident::new("__windows")]),
        lateral_col_alias: vec![Ident::new(WINDOW)],
        outer: false,
    });
}

fn is_window(function: &ast::Function) -> bool {
    let count = match &function.args {
        FunctionArguments::List(list) => list.args.len(),
        _ => 0,
    };
    function.over.is_none()
        && (2..=4).contains(&count)
        && function.name.to_string().eq_ignore_ascii_case(WINDOW)
}

struct WindowFinder {
    call: Option<ast::Function>,
}

impl Visitor for WindowFinder {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && is_window(function)
        {
            self.call.get_or_insert_with(|| function.clone());
        }
        ControlFlow::Continue(())
    }
}

struct WindowReplacer {
    call: ast::Function,
}

impl VisitorMut for WindowReplacer {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Function(function) if *function == self.call) {
            *expr = Expr::Identifier(Ident::new(WINDOW));
        }
        ControlFlow::Continue(())
    }
}
