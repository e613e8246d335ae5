//! The names of a query's columns: Spark's for what has no alias, and room for the same name twice.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Ident, SelectItem, SetExpr, Value, VisitMut, VisitorMut};

use super::fold::Names;
use super::generators;
use crate::display::DUPLICATE_MARK;

/// Gives every column of every SELECT in a query the name that Spark gives it.
pub(super) fn name_columns(query: &mut ast::Query, names: &Names) {
    let _ = VisitMut::visit(query, &mut Namer { names });
    if let SetExpr::Select(select) = query.body.as_mut() {
        part_duplicates(&mut select.projection);
    }
}

struct Namer<'a> {
    names: &'a Names,
}

impl VisitorMut for Namer<'_> {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = item else { continue };
            let keeps_its_name = match &*expr {
                Expr::Identifier(_) => true,
                Expr::CompoundIdentifier(parts) => {
                    parts.first().is_some_and(|first| self.names.is_qualifier(&first.value))
                        && parts.len() == 2
                }
                // Its columns have names of their own.
                other => generators::call_of(other).is_some(),
            };
            if !keeps_its_name {
                let alias = Ident::with_quote('`', name_of(expr));
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
        }
        ControlFlow::Continue(())
    }
}

/// Marks the second and later columns of one name, so that the plan can tell them apart.
fn part_duplicates(items: &mut [SelectItem]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for item in items {
        let (name, expr) = match item {
            SelectItem::UnnamedExpr(expr @ Expr::Identifier(_)) => (name_of(expr), expr.clone()),
            SelectItem::ExprWithAlias { expr, alias } => (alias.value.clone(), expr.clone()),
            _ => continue,
        };
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            let alias = Ident::with_quote('`', format!("{name}{DUPLICATE_MARK}{count}"));
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
    }
}

/// Spark's name for an expression without an alias: `count(1)`, `(a + 1)`, `sum(DISTINCT x)`.
fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => ident.value.clone(),
        Expr::CompoundIdentifier(parts) => {
            parts.last().map(|ident| ident.value.clone()).unwrap_or_default()
        }
        Expr::Nested(inner) => name_of(inner),
        Expr::Value(value) => value_name(&value.value),
        Expr::BinaryOp { left, op, right } => {
            format!("({} {op} {})", name_of(left), name_of(right))
        }
        Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => match &**expr {
            Expr::Value(value) => format!("-{}", value_name(&value.value)),
            other => format!("(- {})", name_of(other)),
        },
        Expr::UnaryOp { op, expr } => format!("({op} {})", name_of(expr)),
        Expr::Cast { expr, .. } if is_suffixed(expr) => name_of(expr),
        Expr::Cast { kind, expr, data_type, .. } => {
            let cast = if *kind == ast::CastKind::TryCast { "TRY_CAST" } else { "CAST" };
            format!("{cast}({} AS {data_type})", name_of(expr))
        }
        Expr::IsNull(inner) => format!("({} IS NULL)", name_of(inner)),
        Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", name_of(inner)),
        Expr::InList { expr, list, negated } => {
            let name = format!("({} IN ({}))", name_of(expr), names_of(list));
            negate(name, *negated)
        }
        Expr::Between { expr, negated, low, high } => {
            let name = format!("between({}, {}, {})", name_of(expr), name_of(low), name_of(high));
            negate(name, *negated)
        }
        Expr::Like { negated, expr, pattern, .. } => {
            negate(format!("{} LIKE {}", name_of(expr), name_of(pattern)), *negated)
        }
        Expr::RLike { negated, expr, pattern, .. } => {
            negate(format!("RLIKE({}, {})", name_of(expr), name_of(pattern)), *negated)
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            case_name(operand.as_deref(), conditions, else_result.as_deref())
        }
        Expr::Function(function) => function_name(function),
        Expr::Floor { expr, .. } => format!("floor({})", name_of(expr)),
        Expr::Ceil { expr, .. } => format!("ceil({})", name_of(expr)),
        Expr::Trim { expr, trim_what: None, trim_where: None, .. } => {
            format!("trim({})", name_of(expr))
        }
        Expr::Extract { field, expr, .. } => format!("extract({field} FROM {})", name_of(expr)),
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let arguments = [Some(expr), substring_from.as_ref(), substring_for.as_ref()];
            let arguments = arguments.into_iter().flatten().map(|argument| name_of(argument));
            format!("substring({})", arguments.collect::<Vec<_>>().join(", "))
        }
        Expr::Subquery(_) => "scalarsubquery()".to_owned(),
        other => other.to_string(),
    }
}

/// Whether a number was written with its type, as in `1L`; a CAST gives it that type.
fn is_suffixed(expr: &Expr) -> bool {
    match expr {
        Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => is_suffixed(expr),
        Expr::Value(value) => matches!(value.value, Value::Number(_, true)),
        _ => false,
    }
}

fn names_of(list: &[Expr]) -> String {
    list.iter().map(name_of).collect::<Vec<_>>().join(", ")
}

fn negate(name: String, negated: bool) -> String {
    if negated { format!("(NOT {name})") } else { name }
}

fn value_name(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Number(digits, _) => digits.clone(),
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
        other => other.to_string(),
    }
}

fn case_name(
    operand: Option<&Expr>,
    conditions: &[ast::CaseWhen],
    otherwise: Option<&Expr>,
) -> String {
    let mut name = "CASE".to_owned();
    if let Some(operand) = operand {
        name += &format!(" {}", name_of(operand));
    }
    for when in conditions {
        name += &format!(" WHEN {} THEN {}", name_of(&when.condition), name_of(&when.result));
    }
    if let Some(otherwise) = otherwise {
        name += &format!(" ELSE {}", name_of(otherwise));
    }
    name + " END"
}

fn function_name(function: &ast::Function) -> String {
    let mut name = function.name.to_string().to_lowercase();
    if let ast::FunctionArguments::List(list) = &function.args {
        let distinct = matches!(list.duplicate_treatment, Some(ast::DuplicateTreatment::Distinct));
        let arguments: Vec<String> = list.args.iter().map(argument_name).collect();
        let distinct = if distinct { "DISTINCT " } else { "" };
        name += &format!("({distinct}{})", arguments.join(", "));
    }
    if let Some(filter) = &function.filter {
        name += &format!(" FILTER (WHERE {})", name_of(filter));
    }
    match &function.over {
        Some(ast::WindowType::WindowSpec(window)) => name += &format!(" OVER ({window})"),
        Some(ast::WindowType::NamedWindow(window)) => name += &format!(" OVER {window}"),
        None => {}
    }
    name
}

/// `count(*)` counts ones, and Spark says so.
fn argument_name(argument: &ast::FunctionArg) -> String {
    use ast::{FunctionArg, FunctionArgExpr};
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => name_of(expr),
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => "1".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;
    use sqlparser::ast::SelectItem;

    #[test]
    fn names_are_those_of_spark() {
        let cases = [
            ("count(*)", "count(1)"),
            ("a + 1", "(a + 1)"),
            ("SUM(DISTINCT x)", "sum(DISTINCT x)"),
            ("-1", "-1"),
            ("1L", "1"),
            ("2.50BD", "2.50"),
            ("CAST(1 AS BIGINT)", "CAST(1 AS BIGINT)"),
            ("-a", "(- a)"),
            ("'text'", "text"),
            ("NOT a", "(NOT a)"),
            ("CAST(a AS INT)", "CAST(a AS INT)"),
            ("CASE WHEN a > 1 THEN 'x' ELSE 'y' END", "CASE WHEN (a > 1) THEN x ELSE y END"),
            ("a IN (1, 2)", "(a IN (1, 2))"),
            ("a IS NULL", "(a IS NULL)"),
        ];
        for (text, name) in cases {
            let item = crate::sql::parse_select_item(text).unwrap();
            let SelectItem::UnnamedExpr(expr) = item else { panic!("`{text}` has an alias") };
            assert_eq!(name_of(&expr), name, "{text}");
        }
    }
}
