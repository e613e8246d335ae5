//! PIVOT as aggregates with conditions, grouped by all other columns; UNPIVOT as a query per column.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Ident, SelectItem, SetExpr, TableFactor, Visit, Visitor};

use super::{alias_of, derived, select_all};
use crate::error::{Condition, Error, Result};
use crate::sql::parse;

/// Makes a plain relation of a pivoted one.
pub(super) fn spell_out(factor: &mut TableFactor) -> Result<()> {
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
            let query = pivoted(table, aggregate_functions, value_column, values)?;
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

fn pivoted(
    table: &TableFactor,
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
        let condition = condition(keys, &value.expr)?;
        for aggregate in aggregates {
            let name = column_name(value, aggregate, aggregates.len() == 1);
            let expr = filtered(&aggregate.expr, &condition)?;
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
    let value = match (&value.alias, &value.expr) {
        (Some(alias), _) => alias.value.clone(),
        (None, Expr::Value(literal)) => match literal.value.clone().into_string() {
            Some(text) => text,
            None => value.expr.to_string(),
        },
        (None, expr) => expr.to_string(),
    };
    match &aggregate.alias {
        _ if is_only => value,
        Some(alias) => format!("{value}_{}", alias.value),
        None => format!("{value}_{}", aggregate.expr),
    }
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
fn filtered(expr: &Expr, condition: &Expr) -> Result<Expr> {
    struct Filter<'a>(&'a Expr);
    impl ast::VisitorMut for Filter<'_> {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::Function(function) = expr
                && function.filter.is_none()
                && IS_AGGREGATE
                    .iter()
                    .any(|name| function.name.to_string().eq_ignore_ascii_case(name))
            {
                function.filter = Some(Box::new(self.0.clone()));
            }
            ControlFlow::Continue(())
        }
    }
    let mut filtered = expr.clone();
    let _ = ast::VisitMut::visit(&mut filtered, &mut Filter(condition));
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

/// The aggregates that PIVOT is used with; what calls them may be any expression.
const IS_AGGREGATE: &[&str] = &[
    "any_value",
    "approx_count_distinct",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "collect_list",
    "collect_set",
    "corr",
    "count",
    "count_if",
    "every",
    "first",
    "first_value",
    "last",
    "last_value",
    "listagg",
    "max",
    "max_by",
    "mean",
    "median",
    "min",
    "min_by",
    "mode",
    "percentile",
    "percentile_approx",
    "some",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "try_avg",
    "try_sum",
    "var_pop",
    "var_samp",
    "variance",
];

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
    for column in columns {
        let sources = parts(&column.expr);
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
        for (source, value) in sources.iter().zip(&values) {
            let Expr::Identifier(alias) = value else { continue };
            let (expr, alias) = (source.clone(), alias.clone());
            items.push(SelectItem::ExprWithAlias { expr, alias });
        }
        let (mut query, mut select) = select_all(table.clone())?;
        select.projection = items;
        if !keeps_null {
            let not_null = sources.into_iter().map(|source| Expr::IsNotNull(Box::new(source)));
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
