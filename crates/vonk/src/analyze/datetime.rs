//! Calls about time whose first argument is a bare word, or whose name has an older one behind it.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value, Visit,
    VisitMut, Visitor, VisitorMut,
};

use super::sessions;
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
/// `INVALID_PARAMETER_VALUE.DATETIME_UNIT` if a unit is written as text, and for two windows of time.
pub(super) fn spell(query: &mut ast::Query) -> Result<()> {
    match VisitMut::visit(query, &mut Speller) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Speller;

impl VisitorMut for Speller {
    type Break = Error;

    fn post_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<Error> {
        match make_windows(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
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

/// A call that stands for the column of windows of time that LATERAL VIEW makes.
struct Windows {
    /// What the call and its column are called.
    name: &'static str,
    /// How many arguments it may have.
    arguments: std::ops::RangeInclusive<usize>,
    /// The call that gives a row's windows as a list.
    maker: &'static str,
    /// What the rows of the list are called in FROM.
    relation: &'static str,
}

const WINDOWS: &[Windows] = &[
    Windows { name: "window", arguments: 2..=4, maker: "windows_of", relation: "__windows" },
    Windows {
        name: sessions::COLUMN,
        arguments: 2..=2,
        maker: "sessions_of",
        relation: sessions::RELATION,
    },
];

impl Windows {
    /// The row of a call.
    fn of(function: &ast::Function) -> Option<&'static Self> {
        let FunctionArguments::List(list) = &function.args else { return None };
        let name = function.name.to_string();
        let is_it = |row: &&Self| {
            row.name.eq_ignore_ascii_case(&name) && row.arguments.contains(&list.args.len())
        };
        WINDOWS.iter().filter(|_| function.over.is_none()).find(is_it)
    }
}

/// `window(time, …)` or `session_window(time, gap)` among the keys or values of a query is a column
/// that LATERAL VIEW makes: a row per window that the time lies in.
///
/// # Errors
/// For a query with two different windows of time, whose rows would be multiplied.
fn make_windows(select: &mut ast::Select) -> Result<()> {
    let mut finder = WindowFinder { calls: Vec::new() };
    let _ = Visit::visit(&select.group_by, &mut finder);
    let _ = Visit::visit(&select.projection, &mut finder);
    let [found] = finder.calls.as_slice() else {
        return match finder.calls.is_empty() {
            true => Ok(()),
            false => Err(Error::new(
                Condition::MULTIPLE_WINDOWS,
                "a query can have one window of time only, as each row would be in many pairs",
            )
            .hint("make the windows in queries of their own, and join them")),
        };
    };
    let Some(windows) = Windows::of(found) else { return Ok(()) };
    let arguments = match &found.args {
        FunctionArguments::List(list) => list.args.iter().filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
            _ => None,
        }),
        _ => return Ok(()),
    };
    let list = call(windows.maker, arguments.collect());
    let mut replacer = WindowReplacer { call: found, column: windows.name };
    let _ = VisitMut::visit(&mut select.group_by, &mut replacer);
    let _ = VisitMut::visit(&mut select.projection, &mut replacer);
    let _ = VisitMut::visit(&mut select.having, &mut replacer);
    select.lateral_views.push(ast::LateralView {
        lateral_view: call("explode", vec![list]),
        lateral_view_name: ObjectName::from(vec![Ident::new(windows.relation)]),
        lateral_col_alias: vec![Ident::new(windows.name)],
        outer: false,
    });
    Ok(())
}

/// Finds the calls, each once.
struct WindowFinder {
    calls: Vec<ast::Function>,
}

impl Visitor for WindowFinder {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && Windows::of(function).is_some()
            && !self.calls.contains(function)
        {
            self.calls.push(function.clone());
        }
        ControlFlow::Continue(())
    }
}

struct WindowReplacer<'a> {
    call: &'a ast::Function,
    column: &'static str,
}

impl VisitorMut for WindowReplacer<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Function(function) if function == self.call) {
            *expr = Expr::Identifier(Ident::new(self.column));
        }
        ControlFlow::Continue(())
    }
}
