//! PIVOT as aggregates with conditions, grouped by all other columns; UNPIVOT as a query per column.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, Ident, SelectItem, SetExpr, Spanned, TableFactor, Visit, Visitor,
};

use super::{Aggregates, PIVOTED, alias_of, derived, select_all};
use crate::analyze;
use crate::error::{Condition, Error, Result};
use crate::sql::parse;

/// Makes a plain relation of a pivoted one.
pub(super) fn spell_out(factor: &mut TableFactor, calls: Aggregates<'_>) -> Result<()> {
    let spelled = match factor {
        TableFactor::Pivot {
            table,
            aggregate_functions,
            value_column,
            value_source,
            alias,
            ..
        } => {
            let ast::PivotValueSource::List(values) = value_source else {
                return Err(Error::unsupported("PIVOT without a list of values")
                    .hint("write the values in `IN (…)`"));
            };
            for aggregate in aggregate_functions.iter_mut() {
                unwrap(&mut aggregate.expr);
                check_aggregate(&aggregate.expr, calls)?;
            }
            let query = pivoted((table, calls), aggregate_functions, value_column, values)?;
            derived(query, alias.take())
        }
        TableFactor::Unpivot { table, value, name, columns, null_inclusion, alias } => {
            let keeps_null = matches!(null_inclusion, Some(ast::NullInclusion::IncludeNulls));
            let query = unpivoted(table, (value, name), columns, keeps_null)?;
            derived(query, alias.take())
        }
        _ => return Ok(()),
    };
    *factor = spelled;
    Ok(())
}

/// Takes an expression out of the call that it came through the parser in.
fn unwrap(expr: &mut Expr) {
    if let Expr::Function(function) = expr
        && function.name.to_string() == PIVOTED
        && let ast::FunctionArguments::List(list) = &mut function.args
        && let Some(ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(inner))) = list.args.pop()
    {
        *expr = inner;
    }
}

/// Only what brings rows together can be pivoted.
fn check_aggregate(expr: &Expr, calls: Aggregates<'_>) -> Result<()> {
    if analyze::has_aggregate(expr, calls) {
        return Ok(());
    }
    let message = format!("`{expr}` in PIVOT has no aggregate function");
    let error =
        Error::new(Condition::PIVOT_WITHOUT_AGGREGATE, message).parameter("sql", expr.to_string());
    Err(error.hint("wrap it in `sum`, `max` or the like").at_span(expr.span()))
}

fn pivoted(
    (table, calls): (&TableFactor, Aggregates<'_>),
    aggregates: &[ast::ExprWithAlias],
    keys: &[Expr],
    values: &[ast::ExprWithAlias],
) -> Result<ast::Query> {
    let mut used = Vec::new();
    keys.iter().for_each(|key| add_columns(key, &mut used));
    aggregates.iter().for_each(|aggregate| add_columns(&aggregate.expr, &mut used));
    let (mut query, mut select) = select_all(table.clone())?;
    let mut items = vec![wildcard_except(used)];
    for value in values {
        check_literal(&value.expr)?;
        let condition = condition(keys, &value.expr)?;
        for aggregate in aggregates {
            let name = column_name(value, aggregate, aggregates.len() == 1);
            let expr = filtered(&aggregate.expr, &condition, calls)?;
            items.push(SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('`', name) });
        }
    }
    select.projection = items;
    select.group_by = ast::GroupByExpr::All(Vec::new());
    *query.body = SetExpr::Select(select);
    Ok(query)
}

/// The value alone if there is one aggregate, else the value and the aggregate.
fn column_name(
    value: &ast::ExprWithAlias,
    aggregate: &ast::ExprWithAlias,
    is_only: bool,
) -> String {
    let value = match &value.alias {
        Some(alias) => alias.value.clone(),
        None => text_of(&value.expr),
    };
    match &aggregate.alias {
        _ if is_only => value,
        Some(alias) => format!("{value}_{}", alias.value),
        None => format!("{value}_{}", aggregate.expr),
    }
}

/// A value as its column is called: as it is shown, `{a, 1}` for a struct.
fn text_of(value: &Expr) -> String {
    let texts = |values: &[Expr]| values.iter().map(text_of).collect::<Vec<_>>();
    match value {
        Expr::Value(literal) if literal.value == ast::Value::Null => "null".to_owned(),
        Expr::Value(literal) => match &literal.value {
            ast::Value::Number(digits, _) => digits.clone(),
            other => other.clone().into_string().unwrap_or_else(|| value.to_string()),
        },
        Expr::Nested(inner) => text_of(inner),
        Expr::Cast {
            expr, data_type: ast::DataType::Double(_) | ast::DataType::Float(_), ..
        } => {
            let text = text_of(expr);
            let is_whole = text.trim_start_matches('-').bytes().all(|digit| digit.is_ascii_digit());
            if is_whole { format!("{text}.0") } else { text }
        }
        Expr::Cast { expr, .. } => text_of(expr),
        Expr::TypedString(typed) => text_of(&Expr::Value(typed.value.clone())),
        Expr::Tuple(parts) => format!("{{{}}}", texts(parts).join(", ")),
        Expr::Function(function) => {
            let ast::FunctionArguments::List(list) = &function.args else {
                return value.to_string();
            };
            let arguments = list.args.iter().filter_map(|argument| match argument {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Some(text_of(expr)),
                _ => None,
            });
            let arguments: Vec<String> = arguments.collect();
            let pair = |pair: &[String]| pair.join(" -> ");
            match function.name.to_string().to_lowercase().as_str() {
                "array" => format!("[{}]", arguments.join(", ")),
                "struct" => format!("{{{}}}", arguments.join(", ")),
                "map" => {
                    format!("{{{}}}", arguments.chunks(2).map(pair).collect::<Vec<_>>().join(", "))
                }
                _ => value.to_string(),
            }
        }
        other => other.to_string(),
    }
}

/// The values of PIVOT become names of columns, so that they cannot come from rows.
fn check_literal(value: &Expr) -> Result<()> {
    let mut columns = Vec::new();
    add_columns(value, &mut columns);
    let Some(column) = columns.first() else { return Ok(()) };
    let message = format!("`{value}` in PIVOT depends on the column `{column}`");
    let error = Error::new(Condition::NON_LITERAL_PIVOT_VALUES, message)
        .parameter("expression", value.to_string())
        .hint("list values that are known before the rows are");
    Err(error.at_span(column.span))
}

/// `key <=> value`, for several keys each with its part of the value.
fn condition(keys: &[Expr], value: &Expr) -> Result<Expr> {
    let parts: Vec<Expr> = match (keys, value) {
        ([_], value) => vec![value.clone()],
        (_, Expr::Tuple(parts)) if parts.len() == keys.len() => parts.clone(),
        _ => {
            let message = format!("{} columns are pivoted by `{value}`", keys.len());
            return Err(Error::new(Condition::PIVOT_VALUE_TYPE, message)
                .hint("write a value for each column in parentheses"));
        }
    };
    let equal = keys.iter().zip(parts).map(|(key, part)| Expr::BinaryOp {
        left: Box::new(key.clone()),
        op: ast::BinaryOperator::Spaceship,
        right: Box::new(part),
    });
    let both = |left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: ast::BinaryOperator::And,
        right: Box::new(right),
    };
    equal.reduce(both).ok_or_else(|| Error::internal("PIVOT without a column"))
}

/// The aggregates over the rows of the condition only; NULL where there are none.
fn filtered(expr: &Expr, condition: &Expr, calls: Aggregates<'_>) -> Result<Expr> {
    struct Filter<'a>(&'a Expr, Aggregates<'a>);
    impl ast::VisitorMut for Filter<'_> {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::Function(function) = expr
                && function.over.is_none()
                && (self.1)(function)
            {
                let condition = self.0.clone();
                function.filter = Some(Box::new(match function.filter.take() {
                    Some(own) => Expr::BinaryOp {
                        left: Box::new(Expr::Nested(own)),
                        op: ast::BinaryOperator::And,
                        right: Box::new(Expr::Nested(Box::new(condition))),
                    },
                    None => condition,
                }));
            }
            ControlFlow::Continue(())
        }
    }
    let mut filtered = expr.clone();
    let _ = ast::VisitMut::visit(&mut filtered, &mut Filter(condition, calls));
    let text = format!("CASE WHEN count(*) FILTER (WHERE {condition}) > 0 THEN NULL END");
    let SelectItem::UnnamedExpr(mut case) = parse::select_item(&text)? else {
        return Err(Error::internal("CASE was read as something else"));
    };
    if let Expr::Case { conditions, .. } = &mut case
        && let Some(when) = conditions.first_mut()
    {
        when.result = filtered;
    }
    Ok(case)
}

fn unpivoted(
    table: &TableFactor,
    (value, name): (&Expr, &Ident),
    columns: &[ast::ExprWithAlias],
    keeps_null: bool,
) -> Result<ast::Query> {
    let values = parts(value);
    let mut used = Vec::new();
    columns.iter().for_each(|column| add_columns(&column.expr, &mut used));
    let mut union: Option<ast::Query> = None;
    let all: Vec<Vec<Expr>> = columns.iter().map(|column| parts(&column.expr)).collect();
    for (column, sources) in columns.iter().zip(&all) {
        if sources.len() != values.len() {
            let message = format!("{} values are unpivoted from {}", values.len(), column.expr);
            return Err(Error::new(Condition::UNPIVOT_SIZE_MISMATCH, message));
        }
        let label = match &column.alias {
            Some(alias) => alias.value.clone(),
            None => sources.iter().map(last_name).collect::<Vec<_>>().join("_"),
        };
        let mut items = vec![wildcard_except(used.clone())];
        let label = Expr::Value(ast::Value::SingleQuotedString(label).into());
        items.push(SelectItem::ExprWithAlias { expr: label, alias: name.clone() });
        for (at, (source, value)) in sources.iter().zip(&values).enumerate() {
            let Expr::Identifier(alias) = value else { continue };
            // The first is the value, beside which the others are for their types.
            let alike = all.iter().filter_map(|sources| sources.get(at)).cloned();
            let arguments = std::iter::once(source.clone()).chain(alike).collect();
            let expr = analyze::call(analyze::UNPIVOTED, arguments);
            items.push(SelectItem::ExprWithAlias { expr, alias: alias.clone() });
        }
        let (mut query, mut select) = select_all(table.clone())?;
        select.projection = items;
        if !keeps_null {
            let not_null = sources.iter().cloned();
            let not_null = not_null.map(|source| Expr::IsNotNull(Box::new(source)));
            select.selection = not_null.reduce(|left, right| Expr::BinaryOp {
                left: Box::new(left),
                op: ast::BinaryOperator::Or,
                right: Box::new(right),
            });
        }
        *query.body = SetExpr::Select(select);
        union = Some(match union {
            Some(before) => union_all(before, query)?,
            None => query,
        });
    }
    let union = union.ok_or_else(|| Error::internal("UNPIVOT without a column"))?;
    let (mut query, select) = select_all(derived(union, Some(alias_of(Ident::new("unpivoted")))))?;
    *query.body = SetExpr::Select(select);
    Ok(query)
}

fn union_all(left: ast::Query, right: ast::Query) -> Result<ast::Query> {
    let mut query = parse::query("SELECT NULL")?;
    *query.body = SetExpr::SetOperation {
        op: ast::SetOperator::Union,
        set_quantifier: ast::SetQuantifier::All,
        left: left.body,
        right: right.body,
    };
    Ok(query)
}

/// The parts of `(a, b)`, or the one that stands alone.
fn parts(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::Tuple(parts) => parts.clone(),
        Expr::Nested(inner) => vec![inner.as_ref().clone()],
        other => vec![other.clone()],
    }
}

fn last_name(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => ident.value.clone(),
        Expr::CompoundIdentifier(parts) => {
            parts.last().map(|part| part.value.clone()).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

/// Adds the columns that an expression names.
fn add_columns(expr: &Expr, used: &mut Vec<Ident>) {
    struct Finder<'a>(&'a mut Vec<Ident>);
    impl Visitor for Finder<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let ident = match expr {
                Expr::Identifier(ident) => Some(ident),
                Expr::CompoundIdentifier(parts) => parts.last(),
                _ => None,
            };
            if let Some(ident) = ident
                && !self.0.iter().any(|known| known.value.eq_ignore_ascii_case(&ident.value))
            {
                self.0.push(ident.clone());
            }
            ControlFlow::Continue(())
        }
    }
    let _ = expr.visit(&mut Finder(used));
}

fn wildcard_except(columns: Vec<Ident>) -> SelectItem {
    let mut options = ast::WildcardAdditionalOptions::default();
    let mut columns = columns.into_iter();
    if let Some(first_element) = columns.next() {
        let additional_elements = columns.collect();
        options.opt_except = Some(ast::ExceptSelectItem { first_element, additional_elements });
    }
    SelectItem::Wildcard(options)
}
