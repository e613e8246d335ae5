//! Calls as Spark words them: with the arguments that were left out, under the function's first name.

use sqlparser::ast::{self, Expr, FunctionArg, FunctionArgExpr};

use super::Namer;
use super::windows::{order_name, window_name};
use crate::analyze::{ALL_COLUMNS, GROUPS, MARK};

/// A function whose name shows arguments that were not written.
struct Defaults {
    name: &'static str,
    /// How many arguments have to be written.
    required: usize,
    /// What stands for those after them.
    rest: &'static [&'static str],
}

const fn of(name: &'static str, required: usize, rest: &'static [&'static str]) -> Defaults {
    Defaults { name, required, rest }
}

const UNIX_PATTERN: &[&str] = &["yyyy-MM-dd HH:mm:ss"];

const DEFAULTS: &[Defaults] = &[
    of("aes_decrypt", 2, &["GCM", "DEFAULT", ""]),
    of("aes_encrypt", 2, &["GCM", "DEFAULT", "", ""]),
    of("approx_percentile", 2, &["10000"]),
    of("bround", 1, &["0"]),
    of("current_time", 0, &["6"]),
    of("from_unixtime", 1, UNIX_PATTERN),
    of("hll_sketch_agg", 1, &["12"]),
    of("hll_union", 2, &["false"]),
    of("hll_union_agg", 1, &["false"]),
    of("hmac", 2, &["SHA-256"]),
    of("instr", 3, &["1"]),
    of("lag", 1, &["1", "NULL"]),
    of("lead", 1, &["1", "NULL"]),
    of("listagg", 1, &["NULL"]),
    of("locate", 2, &["1"]),
    of("lpad", 2, &[" "]),
    of("make_dt_interval", 0, &["0", "0", "0", "0.000000"]),
    of("make_interval", 0, &["0", "0", "0", "0", "0", "0", "0.000000"]),
    of("make_ym_interval", 0, &["0", "0"]),
    of("mask", 1, &["X", "x", "n", "NULL"]),
    of("months_between", 2, &["true"]),
    of("overlay", 3, &["-1"]),
    of("percentile", 2, &["1"]),
    of("percentile_approx", 2, &["10000"]),
    of("position", 2, &["1"]),
    of("regexp_extract", 2, &["1"]),
    of("regexp_extract_all", 2, &["1"]),
    of("regexp_instr", 2, &["0"]),
    of("regexp_replace", 3, &["1"]),
    of("replace", 2, &[""]),
    of("round", 1, &["0"]),
    of("rpad", 2, &[" "]),
    of("sentences", 1, &["", ""]),
    of("sort_array", 1, &["true"]),
    of("split", 2, &["-1"]),
    of("str_to_map", 1, &[",", ":"]),
    of("string_agg", 1, &["NULL"]),
    of("substr", 2, &["2147483647"]),
    of("substring", 2, &["2147483647"]),
    of("to_unix_timestamp", 1, UNIX_PATTERN),
    of("approx_top_k", 1, &["5", "10000"]),
    of("approx_top_k_accumulate", 1, &["10000"]),
    of("approx_top_k_estimate", 1, &["5"]),
    of("theta_sketch_agg", 1, &["12"]),
    of("theta_union", 2, &["12"]),
    of("theta_union_agg", 1, &["12"]),
    of("tuple_intersection_agg_double", 1, &["sum"]),
    of("tuple_intersection_agg_integer", 1, &["sum"]),
    of("tuple_intersection_double", 2, &["sum"]),
    of("tuple_intersection_integer", 2, &["sum"]),
    of("tuple_intersection_theta_double", 2, &["sum"]),
    of("tuple_intersection_theta_integer", 2, &["sum"]),
    of("tuple_sketch_agg_double", 2, &["12", "sum"]),
    of("tuple_sketch_agg_integer", 2, &["12", "sum"]),
    of("tuple_sketch_summary_double", 1, &["sum"]),
    of("tuple_sketch_summary_integer", 1, &["sum"]),
    of("tuple_union_agg_double", 1, &["12", "sum"]),
    of("tuple_union_agg_integer", 1, &["12", "sum"]),
    of("tuple_union_double", 2, &["12", "sum"]),
    of("tuple_union_integer", 2, &["12", "sum"]),
    of("tuple_union_theta_double", 2, &["12", "sum"]),
    of("tuple_union_theta_integer", 2, &["12", "sum"]),
    of("try_aes_decrypt", 2, &["GCM", "DEFAULT", ""]),
    of("variant_set", 3, &["true"]),
    of("variant_strip_nulls", 1, &["true"]),
    of("unix_timestamp", 0, &["current_timestamp()", "yyyy-MM-dd HH:mm:ss"]),
];

/// Second names that Spark replaces by the first.
const RENAMED: &[(&str, &str)] = &[
    ("array_agg", "collect_list"),
    ("current_database", "current_schema"),
    ("random", "rand"),
    ("to_varchar", "to_char"),
];

/// Functions that Spark words in capitals.
const CAPITALS: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "cot",
    "csc",
    "degrees",
    "dense_rank",
    "e",
    "exp",
    "expm1",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "percent_rank",
    "pi",
    "power",
    "radians",
    "rank",
    "regexp",
    "regexp_like",
    "rlike",
    "sec",
    "signum",
    "sin",
    "sinh",
    "spark_partition_id",
    "sqrt",
    "tan",
    "tanh",
];

/// Functions that only name a type.
const TYPES: &[&str] = &[
    "bigint",
    "binary",
    "boolean",
    "date",
    "decimal",
    "double",
    "float",
    "int",
    "smallint",
    "string",
    "timestamp",
    "tinyint",
];

/// Functions of which only the first argument counts for the name.
const FIRST_ONLY: &[&str] = &[
    "from_csv",
    "from_json",
    "from_xml",
    "schema_of_csv",
    "schema_of_json",
    "schema_of_xml",
    "to_csv",
    "to_json",
    "to_xml",
];

/// The words for a call.
pub(super) fn function_name(namer: &Namer<'_>, function: &ast::Function) -> String {
    if let Some(name) = outside_name(namer, function) {
        return name;
    }
    if function.name.to_string() == ALL_COLUMNS {
        return arguments_of(namer, function).join(", ");
    }
    let written = function.name.to_string().replace('`', "").to_lowercase();
    let bare = written.rsplit('.').next().unwrap_or(&written).to_owned();
    let mut arguments = arguments_of(namer, function);
    if TYPES.contains(&bare.as_str()) && arguments.len() == 1 {
        return arguments.remove(0);
    }
    if FIRST_ONLY.contains(&bare.as_str()) {
        // Spark reads a map by what reads structs, and this name is left of it.
        let is_map = |schema: &String| schema.trim_start().to_lowercase().starts_with("map<");
        if bare == "from_json" && arguments.get(1).is_some_and(is_map) {
            return "entries".to_owned();
        }
        arguments.truncate(1);
    }
    add_defaults(&bare, &mut arguments);
    fit_arguments(&bare, function, &mut arguments);
    let mut name = match namer.paths.function(&bare) {
        Some(own) => format!("{own}({})", arguments.join(", ")),
        None => call_name(&bare, function, &arguments),
    };
    if !function.within_group.is_empty() {
        name = within_group_name(namer, &bare, name, &function.within_group);
    }
    if let Some(filter) = &function.filter {
        name += &format!(" FILTER (WHERE {})", namer.name(filter));
    }
    match &function.over {
        Some(ast::WindowType::WindowSpec(spec)) => {
            name += &format!(" OVER {}", window_name(namer, &bare, &arguments, spec));
        }
        Some(ast::WindowType::NamedWindow(window)) => name += &format!(" OVER {window}"),
        None => {}
    }
    name
}

/// The words for a call of a function that only its expression knows. One that takes lists of the rows
/// of groups is an aggregate to its users.
fn outside_name(namer: &Namer<'_>, function: &ast::Function) -> Option<String> {
    let ast::ObjectNamePart::Identifier(called) = function.name.0.first()? else { return None };
    let (name, identity) = called.value.split_once(MARK)?;
    let arguments = || worded(identity, arguments_of(namer, function)).join(", ");
    if !identity.starts_with(GROUPS) {
        return Some(format!("{name}({})", arguments()));
    }
    let lists = single_call(function);
    let (Some(lists), Some(rows)) = (lists, lists.and_then(single_call)) else {
        return Some(format!("{name}({})", arguments()));
    };
    let values = arguments_of(namer, rows).into_iter().skip(1).step_by(2);
    let mut words = format!("{name}({})", worded(identity, values.collect()).join(", "));
    if let Some(ast::WindowType::WindowSpec(spec)) = &lists.over {
        words += &format!(" OVER {}", window_name(namer, name, &[], spec));
    }
    Some(words)
}

/// Arguments with the names that the identity of a function gives them behind a semicolon.
fn worded(identity: &str, arguments: Vec<String>) -> Vec<String> {
    let mut names = identity.split_once(';').map_or("", |(_, names)| names).split(',');
    let arguments = arguments.into_iter().map(|argument| match names.next().unwrap_or_default() {
        "" => argument,
        name => format!("{name} => {argument}"),
    });
    arguments.collect()
}

/// The call that is the only argument of another.
fn single_call(function: &ast::Function) -> Option<&ast::Function> {
    let ast::FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(call)))] => Some(call),
        _ => None,
    }
}

fn call_name(name: &str, function: &ast::Function, arguments: &[String]) -> String {
    let arguments_text = arguments.join(", ");
    match (name, arguments) {
        ("if" | "iff", _) => return format!("(IF({arguments_text}))"),
        ("ceil" | "floor", [_]) => return format!("{}({arguments_text})", name.to_uppercase()),
        ("like", [text, pattern, escape]) => {
            return format!("{text} LIKE {pattern} ESCAPE '{escape}'");
        }
        ("like", [text, pattern]) => return format!("{text} LIKE {pattern}"),
        ("not", [operand]) => return format!("(NOT {operand})"),
        ("datepart", [field, source]) => return format!("datepart({field} FROM {source})"),
        ("extract", [field, source]) => return format!("extract({field} FROM {source})"),
        // Of a date and a time, both functions are the same one.
        ("make_timestamp_ltz", [_, _] | [_, _, _]) => {
            return format!("make_timestamp({arguments_text})");
        }
        ("mode", [operand, flag]) => {
            return match flag.as_str() {
                "true" => format!("mode() WITHIN GROUP (ORDER BY {operand} DESC)"),
                _ => format!("mode({operand})"),
            };
        }
        // They are tries of the functions that fail.
        ("try_to_time" | "try_make_timestamp_ntz", [_] | [_, _]) => {
            let strict = name.trim_start_matches("try_");
            return format!("{name}({strict}({arguments_text}))");
        }
        ("positive", [operand]) => return format!("(+ {operand})"),
        ("ltrim", [what, text]) => return format!("TRIM(LEADING {what} FROM {text})"),
        ("rtrim", [what, text]) => return format!("TRIM(TRAILING {what} FROM {text})"),
        ("trim", [what, text]) => return format!("TRIM(BOTH {what} FROM {text})"),
        ("isnull", [operand]) => return format!("({operand} IS NULL)"),
        ("isnotnull", [operand]) => return format!("({operand} IS NOT NULL)"),
        ("assert_true", [condition]) => {
            return format!("assert_true({condition}, '{condition}' is not true!)");
        }
        ("unix_timestamp" | "to_unix_timestamp", _) => {}
        _ => {}
    }
    let name = RENAMED.iter().find(|(other, _)| *other == name).map_or(name, |(_, first)| *first);
    let name = if CAPITALS.contains(&name) { name.to_uppercase() } else { name.to_owned() };
    let distinct = match &function.args {
        ast::FunctionArguments::List(list)
            if list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct) =>
        {
            "DISTINCT "
        }
        _ => "",
    };
    format!("{name}({distinct}{arguments_text})")
}

/// What a function that is given nothing else does at the end of `aggregate`.
const IDENTITY: &str = "lambdafunction(namedlambdavariable(), namedlambdavariable())";

/// How `array_sort` compares, if it is not told.
const COMPARISON: &str = "lambdafunction((IF(((namedlambdavariable() IS NULL) AND \
    (namedlambdavariable() IS NULL)), 0, (IF((namedlambdavariable() IS NULL), 1, \
    (IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < \
    namedlambdavariable()), -1, (IF((namedlambdavariable() > namedlambdavariable()), 1, \
    0)))))))))), namedlambdavariable(), namedlambdavariable())";

/// Shows the arguments that Spark puts in, and hides those that it takes for a clause.
fn fit_arguments(name: &str, function: &ast::Function, arguments: &mut Vec<String>) {
    match (name, arguments.len()) {
        ("aggregate" | "reduce", 3) => arguments.push(IDENTITY.to_owned()),
        ("array_sort", 1) => arguments.push(COMPARISON.to_owned()),
        ("any_value" | "first" | "first_value" | "last" | "last_value", 2) => {
            arguments.truncate(1);
        }
        ("log", 1) => arguments.insert(0, "E()".to_owned()),
        // Seeds, zones and types are no operands to Spark.
        ("shuffle", 2) | ("uuid", 1) => arguments.truncate(arguments.len() - 1),
        ("try_make_timestamp", 7) => arguments.truncate(6),
        ("variant_get" | "try_variant_get", 3) => arguments.truncate(2),
        ("lpad" | "rpad", 3) if gives_bytes(function) => {
            let is_default = match &function.args {
                ast::FunctionArguments::List(list) => list.args.len() == 2,
                _ => false,
            };
            if is_default {
                arguments[2] = "X'00'".to_owned();
            }
        }
        _ => {}
    }
}

/// Whether the first argument of a call is bytes, as far as its form tells.
fn gives_bytes(function: &ast::Function) -> bool {
    let ast::FunctionArguments::List(list) = &function.args else { return false };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) = list.args.first() else {
        return false;
    };
    match first {
        Expr::Value(value) => matches!(value.value, ast::Value::HexStringLiteral(_)),
        Expr::Cast { data_type, .. } => matches!(data_type, ast::DataType::Binary(_)),
        Expr::Function(call) => {
            let name = call.name.to_string().to_lowercase();
            ["binary", "encode", "to_binary", "unbase64", "unhex"].contains(&name.as_str())
        }
        _ => false,
    }
}

fn add_defaults(name: &str, arguments: &mut Vec<String>) {
    let Some(row) = DEFAULTS.iter().find(|row| row.name == name) else { return };
    if arguments.len() >= row.required {
        let given = arguments.len() - row.required;
        arguments.extend(row.rest.iter().skip(given).map(|text| (*text).to_owned()));
    }
}

/// `count(*)` counts ones, and Spark says so; `*` elsewhere is gone by now.
fn arguments_of(namer: &Namer<'_>, function: &ast::Function) -> Vec<String> {
    let ast::FunctionArguments::List(list) = &function.args else {
        return match &function.args {
            ast::FunctionArguments::Subquery(query) => {
                vec![namer.name(&Expr::Subquery(query.clone()))]
            }
            _ => Vec::new(),
        };
    };
    let argument = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
        | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }
        | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(expr), .. } => match expr {
            Expr::Named { expr, name } => format!("{} AS {}", namer.name(expr), name.value),
            other => namer.name(other),
        },
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => "1".to_owned(),
        other => other.to_string(),
    };
    let counts_rows = list.args.len() == 1
        && list.duplicate_treatment.is_none()
        && function.name.to_string().eq_ignore_ascii_case("count")
        && matches!(list.args[0], FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
    let arguments = list.args.iter().flat_map(|written| {
        let columns = if counts_rows { None } else { namer.paths.star(written) };
        columns.unwrap_or_else(|| vec![argument(written)])
    });
    arguments.collect()
}

/// `listagg(a, NULL) WITHIN GROUP (ORDER BY a ASC NULLS FIRST)`; percentiles and modes are terser.
fn within_group_name(
    namer: &Namer<'_>,
    function: &str,
    name: String,
    orders: &[ast::OrderByExpr],
) -> String {
    let name = match function {
        "string_agg" => name.replacen("string_agg", "listagg", 1),
        _ => name,
    };
    let terse = matches!(function, "percentile_cont" | "percentile_disc" | "mode");
    let orders = orders.iter().map(|order| {
        let descending = order.options.asc == Some(false);
        // The most frequent value is sought from the other end.
        match (terse, descending != (function == "mode")) {
            (true, true) => format!("{} DESC", namer.name(&order.expr)),
            (true, false) => namer.name(&order.expr),
            (false, _) => order_name(namer, order),
        }
    });
    format!("{name} WITHIN GROUP (ORDER BY {})", orders.collect::<Vec<_>>().join(", "))
}
