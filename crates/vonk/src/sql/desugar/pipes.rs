//! `FROM t |> WHERE … |> SELECT …`: each step is a query over the one before it.

use sqlparser::ast::{
    self, Expr, GroupByExpr, Ident, PipeOperator, SelectItem, SetExpr, TableFactor,
    WildcardAdditionalOptions,
};

use super::{alias_of, derived, select_all};
use crate::error::{Condition, Error, Result};
use crate::sql::parse;

/// Makes a plain query of one with pipes.
pub(super) fn spell_out(query: &mut ast::Query) -> Result<()> {
    if query.pipe_operators.is_empty() {
        return Ok(());
    }
    let operators = std::mem::take(&mut query.pipe_operators);
    let with = query.with.take();
    let mut step = std::mem::replace(query, parse::query("SELECT NULL")?);
    for operator in operators {
        step = apply(step, operator)?;
    }
    step.with = with;
    *query = step;
    Ok(())
}

/// What a step does to the query so far.
fn apply(query: ast::Query, operator: PipeOperator) -> Result<ast::Query> {
    match operator {
        PipeOperator::Where { expr } => change(query, is_open, |select| {
            select.selection = Some(match select.selection.take() {
                Some(before) => Expr::BinaryOp {
                    left: Box::new(Expr::Nested(Box::new(before))),
                    op: ast::BinaryOperator::And,
                    right: Box::new(Expr::Nested(Box::new(expr))),
                },
                None => expr,
            });
        }),
        PipeOperator::Select { exprs } => {
            change(query, is_open, |select| select.projection = exprs)
        }
        PipeOperator::Extend { exprs } => {
            change(query, is_open, |select| select.projection.extend(exprs))
        }
        PipeOperator::Set { assignments } => assignments.into_iter().try_fold(query, set),
        PipeOperator::Drop { columns } => wildcard(query, |options| {
            let mut columns = columns.into_iter();
            if let Some(first_element) = columns.next() {
                let additional_elements = columns.collect();
                options.opt_except =
                    Some(ast::ExceptSelectItem { first_element, additional_elements });
            }
        }),
        PipeOperator::As { alias } => {
            let (mut outer, select) = select_all(derived(query, Some(alias_of(alias))))?;
            *outer.body = SetExpr::Select(select);
            Ok(outer)
        }
        PipeOperator::Join(join) => change(query, is_open_from, |select| {
            if let Some(from) = select.from.first_mut() {
                from.joins.push(join);
            }
        }),
        PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
            aggregate(query, full_table_exprs, group_by_expr)
        }
        PipeOperator::OrderBy { exprs } => order(query, exprs),
        PipeOperator::Limit { expr, offset } => limit(query, expr, offset),
        PipeOperator::Union { set_quantifier, queries } => {
            combine(query, ast::SetOperator::Union, set_quantifier, queries)
        }
        PipeOperator::Intersect { set_quantifier, queries } => {
            combine(query, ast::SetOperator::Intersect, set_quantifier, queries)
        }
        PipeOperator::Except { set_quantifier, queries } => {
            combine(query, ast::SetOperator::Except, set_quantifier, queries)
        }
        other => relation(query, other),
    }
}

/// Steps whose query is a relation of a form of its own.
fn relation(query: ast::Query, operator: PipeOperator) -> Result<ast::Query> {
    let alias = inner_alias(&query).map(alias_of);
    let factor = match operator {
        PipeOperator::TableSample { sample } => TableFactor::Derived {
            lateral: false,
            subquery: Box::new(query),
            alias,
            sample: Some(ast::TableSampleKind::AfterTableAlias(sample)),
        },
        PipeOperator::Pivot { aggregate_functions, value_column, value_source, alias: name } => {
            TableFactor::Pivot {
                table: Box::new(derived(query, alias)),
                aggregate_functions,
                value_column: value_column.into_iter().map(Expr::Identifier).collect(),
                value_source,
                default_on_null: None,
                alias: name.map(alias_of),
            }
        }
        PipeOperator::Unpivot { value_column, name_column, unpivot_columns, alias: name } => {
            let column = |ident| ast::ExprWithAlias { expr: Expr::Identifier(ident), alias: None };
            TableFactor::Unpivot {
                table: Box::new(derived(query, alias)),
                value: Expr::Identifier(value_column),
                name: name_column,
                columns: unpivot_columns.into_iter().map(column).collect(),
                null_inclusion: None,
                alias: name.map(alias_of),
            }
        }
        other => {
            let message = format!("`|> {other}` is not supported");
            return Err(Error::new(Condition::UNSUPPORTED_FEATURE, message));
        }
    };
    let mut factor = factor;
    super::pivot::spell_out(&mut factor)?;
    let (mut outer, select) = select_all(factor)?;
    *outer.body = SetExpr::Select(select);
    Ok(outer)
}

/// Whether a SELECT has done nothing to the columns yet, so that its tables are still in reach.
fn is_open(select: &ast::Select) -> bool {
    let is_whole = match select.projection.as_slice() {
        [] => true,
        [SelectItem::Wildcard(options)] => *options == WildcardAdditionalOptions::default(),
        _ => false,
    };
    let has_groups = !matches!(&select.group_by,
        GroupByExpr::Expressions(exprs, modifiers) if exprs.is_empty() && modifiers.is_empty());
    is_whole
        && !has_groups
        && select.distinct.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
}

fn is_open_from(select: &ast::Select) -> bool {
    is_open(select)
        && select.from.len() == 1
        && select.selection.is_none()
        && select.lateral_views.is_empty()
}

/// Changes the SELECT of a query where that is open, else that of a new one over it.
fn change(
    mut query: ast::Query,
    is_open: fn(&ast::Select) -> bool,
    change: impl FnOnce(&mut ast::Select),
) -> Result<ast::Query> {
    let is_bare = query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    if is_bare
        && let SetExpr::Select(select) = query.body.as_mut()
        && is_open(select)
    {
        complete(select)?;
        change(select);
        return Ok(query);
    }
    let alias = inner_alias(&query).map(alias_of);
    let (mut outer, mut select) = select_all(derived(query, alias))?;
    change(&mut select);
    *outer.body = SetExpr::Select(select);
    Ok(outer)
}

/// `FROM t` is `SELECT * FROM t`.
fn complete(select: &mut ast::Select) -> Result<()> {
    if select.projection.is_empty() {
        let all = SelectItem::Wildcard(WildcardAdditionalOptions::default());
        select.projection = vec![all];
        select.flavor = ast::SelectFlavor::Standard;
    }
    Ok(())
}

/// The name by which the columns of a query over one relation may still be called.
fn inner_alias(query: &ast::Query) -> Option<Ident> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let [from] = select.from.as_slice() else { return None };
    if !from.joins.is_empty() || !is_open(select) {
        return None;
    }
    match &from.relation {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. } => Some(alias.name.clone()),
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().cloned(),
        _ => None,
    }
}

/// `SELECT * EXCEPT …`, `SELECT * REPLACE …`.
fn wildcard(
    query: ast::Query,
    options: impl FnOnce(&mut WildcardAdditionalOptions),
) -> Result<ast::Query> {
    change(query, is_open, |select| {
        let mut all = WildcardAdditionalOptions::default();
        options(&mut all);
        select.projection = vec![SelectItem::Wildcard(all)];
    })
}

/// Puts a value in the place of a column; each assignment sees those before it.
fn set(query: ast::Query, assignment: ast::Assignment) -> Result<ast::Query> {
    let ast::AssignmentTarget::ColumnName(name) = &assignment.target else {
        return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, "`SET` names one column at a time"));
    };
    let [ast::ObjectNamePart::Identifier(column)] = name.0.as_slice() else {
        let message = format!("`SET` takes a column's name without a table, not `{name}`");
        return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, message));
    };
    let column_name = column.clone();
    wildcard(query, |options| {
        let item =
            ast::ReplaceSelectElement { expr: assignment.value, column_name, as_keyword: true };
        options.opt_replace = Some(ast::ReplaceSelectItem { items: vec![Box::new(item)] });
    })
}

/// The keys first, then the aggregates.
fn aggregate(
    query: ast::Query,
    aggregates: Vec<ast::ExprWithAliasAndOrderBy>,
    keys: Vec<ast::ExprWithAliasAndOrderBy>,
) -> Result<ast::Query> {
    let item = |part: &ast::ExprWithAliasAndOrderBy| match part.expr.alias.clone() {
        Some(alias) => SelectItem::ExprWithAlias { expr: part.expr.expr.clone(), alias },
        None => SelectItem::UnnamedExpr(part.expr.expr.clone()),
    };
    let groups: Vec<Expr> = keys.iter().map(|key| key.expr.expr.clone()).collect();
    let items = keys.iter().chain(&aggregates).map(item).collect();
    change(query, is_open, |select| {
        select.projection = items;
        select.group_by = GroupByExpr::Expressions(groups, Vec::new());
    })
}

fn order(query: ast::Query, exprs: Vec<ast::OrderByExpr>) -> Result<ast::Query> {
    let mut query = ready(query, |query| query.order_by.is_none() && query.limit_clause.is_none())?;
    let kind = ast::OrderByKind::Expressions(exprs);
    query.order_by = Some(ast::OrderBy { kind, interpolate: None });
    Ok(query)
}

fn limit(query: ast::Query, limit: Expr, offset: Option<Expr>) -> Result<ast::Query> {
    let mut query = ready(query, |query| query.limit_clause.is_none())?;
    let offset = offset.map(|value| ast::Offset { value, rows: ast::OffsetRows::None });
    let clause = ast::LimitClause::LimitOffset { limit: Some(limit), offset, limit_by: Vec::new() };
    query.limit_clause = Some(clause);
    Ok(query)
}

/// The query itself if a clause can be added to it, else a query over it.
fn ready(query: ast::Query, is_free: fn(&ast::Query) -> bool) -> Result<ast::Query> {
    let mut query = query;
    if is_free(&query) {
        if let SetExpr::Select(select) = query.body.as_mut() {
            complete(select)?;
        }
        return Ok(query);
    }
    let alias = inner_alias(&query).map(alias_of);
    let (mut outer, select) = select_all(derived(query, alias))?;
    *outer.body = SetExpr::Select(select);
    Ok(outer)
}

fn combine(
    query: ast::Query,
    op: ast::SetOperator,
    set_quantifier: ast::SetQuantifier,
    queries: Vec<ast::Query>,
) -> Result<ast::Query> {
    let mut left = ready(query, |_| true)?;
    for right in queries {
        let mut both = parse::query("SELECT NULL")?;
        *both.body = SetExpr::SetOperation {
            op,
            set_quantifier,
            left: Box::new(SetExpr::Query(Box::new(left))),
            right: Box::new(SetExpr::Query(Box::new(right))),
        };
        left = both;
    }
    Ok(left)
}
