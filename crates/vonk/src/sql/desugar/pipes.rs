//! `FROM t |> WHERE … |> SELECT …`: each step is a query over the one before it.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident, PipeOperator,
    SelectItem, SetExpr, Spanned, TableFactor, VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::{Aggregates, alias_of, derived, select_all};
use crate::analyze;
use crate::error::{Condition, Error, Result};
use crate::sql::parse;
use crate::sql::steps::{ROWS, STEP};

/// Makes a plain query of one with pipes.
pub(super) fn spell_out(query: &mut ast::Query, calls: Aggregates<'_>) -> Result<()> {
    if query.pipe_operators.is_empty() {
        return Ok(());
    }
    let operators = std::mem::take(&mut query.pipe_operators);
    let with = query.with.take();
    let mut step = std::mem::replace(query, parse::query("SELECT NULL")?);
    for operator in operators {
        step = apply(step, operator, calls)?;
    }
    step.with = with;
    *query = step;
    Ok(())
}

/// What a step does to the query so far.
fn apply(query: ast::Query, operator: PipeOperator, calls: Aggregates<'_>) -> Result<ast::Query> {
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
            for item in &exprs {
                check_extension(item, calls)?;
            }
            change(query, is_open, |select| select.projection.extend(exprs))
        }
        PipeOperator::Set { assignments } => {
            assignments.into_iter().try_fold(query, |query, next| set(query, next, calls))
        }
        PipeOperator::As { alias } => {
            let (mut outer, select) = select_all(derived(query, Some(alias_of(alias))))?;
            *outer.body = SetExpr::Select(select);
            Ok(outer)
        }
        PipeOperator::Join(join) => joined(query, vec![join]),
        PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
            for item in &full_table_exprs {
                check_aggregate(&item.expr.expr, !group_by_expr.is_empty(), calls)?;
            }
            aggregate(query, full_table_exprs, group_by_expr)
        }
        PipeOperator::Call { function, alias: None } => match template_of(function) {
            Some(template) => fill(query, template, calls),
            None => Err(Error::unsupported("a function as a step")),
        },
        other => Err(Error::unsupported(format!("`|> {other}`"))),
    }
}

/// The query that a step is over the name for the rows so far.
fn template_of(function: ast::Function) -> Option<ast::Query> {
    let is_step = function.name.to_string() == STEP;
    match function.args {
        FunctionArguments::Subquery(query) if is_step => Some(*query),
        FunctionArguments::List(mut list) if is_step => match list.args.pop()? {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Subquery(query))) => Some(*query),
            _ => None,
        },
        _ => None,
    }
}

/// The step of a template over the query so far: as part of that where it can be, so that its tables
/// stay in reach.
fn fill(query: ast::Query, mut template: ast::Query, calls: Aggregates<'_>) -> Result<ast::Query> {
    let clauses = (template.order_by.take(), template.limit_clause.take());
    if let (SetExpr::Select(select), None, None) = (template.body.as_mut(), &clauses.0, &clauses.1)
        && let [from] = select.from.as_mut_slice()
        && matches!(&from.relation, TableFactor::Table { name, .. } if name.to_string() == ROWS)
    {
        if !from.joins.is_empty() {
            return joined(query, std::mem::take(&mut from.joins));
        }
        // EXTEND with windows of its own.
        if let [SelectItem::Wildcard(_), added @ ..] = select.projection.as_slice()
            && select.distinct.is_none()
        {
            for item in added {
                check_extension(item, calls)?;
            }
        }
        let select = select.as_mut();
        return change(query, is_open, |open| {
            open.projection = std::mem::take(&mut select.projection);
            open.distinct = select.distinct.take();
            open.named_window = std::mem::take(&mut select.named_window);
            open.group_by = std::mem::replace(&mut select.group_by, no_groups());
        });
    }
    let (order, limit) = clauses;
    if let Some(order) = order {
        let mut query =
            ready(query, |query| query.order_by.is_none() && query.limit_clause.is_none())?;
        query.order_by = Some(order);
        return Ok(query);
    }
    if let Some(limit) = limit {
        let mut query = ready(query, |query| query.limit_clause.is_none())?;
        query.limit_clause = Some(limit);
        return Ok(query);
    }
    let query = ready(query, |_| true)?;
    let name = inner_alias(&query);
    match VisitMut::visit(&mut template, &mut Filler { query, name }) {
        ControlFlow::Continue(()) => Ok(template),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Puts the query so far where a template names it.
struct Filler {
    query: ast::Query,
    name: Option<Ident>,
}

impl VisitorMut for Filler {
    type Break = Error;

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match factor {
            TableFactor::Table { name, alias, .. } if name.to_string() == ROWS => {
                let alias = alias.take().or_else(|| self.name.clone().map(alias_of));
                *factor = derived(self.query.clone(), alias);
            }
            TableFactor::Derived { alias: alias @ Some(_), .. }
                if alias.as_ref().is_some_and(|alias| alias.name.value == ROWS) =>
            {
                *alias = self.name.clone().map(alias_of);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn joined(query: ast::Query, joins: Vec<ast::Join>) -> Result<ast::Query> {
    change(query, is_open_from, |select| {
        if let Some(from) = select.from.first_mut() {
            from.joins.extend(joins);
        }
    })
}

/// A column that is added is one of its own row: no aggregate, no star.
fn check_extension(item: &SelectItem, calls: Aggregates<'_>) -> Result<()> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            check_row("EXTEND", expr, calls)
        }
        SelectItem::Wildcard(_) => {
            let message = "`|> EXTEND` adds columns one by one, not `*`";
            Err(Error::new(Condition::INVALID_USAGE_OF_STAR, message).at_span(item.span()))
        }
        _ => Ok(()),
    }
}

fn check_row(clause: &str, expr: &Expr, calls: Aggregates<'_>) -> Result<()> {
    if !analyze::has_aggregate(expr, calls) {
        return Ok(());
    }
    let message = format!("`{expr}` is an aggregate, which `|> {clause}` does not take");
    let error = Error::new(Condition::PIPE_CONTAINS_AGGREGATE, message)
        .parameter("expr", expr.to_string())
        .parameter("clause", clause)
        .hint("use `|> AGGREGATE`");
    Err(error.at_span(expr.span()))
}

/// What `|> AGGREGATE` gives beside its groups brings rows together.
fn check_aggregate(expr: &Expr, has_groups: bool, calls: Aggregates<'_>) -> Result<()> {
    if analyze::has_aggregate(expr, calls) {
        return Ok(());
    }
    if has_groups && analyze::has_window(expr) {
        let message = "`|> AGGREGATE` does not take window functions";
        let error = Error::new(Condition::PIPE_AGGREGATE_UNSUPPORTED, message)
            .parameter("case", "window functions")
            .hint("put them into a `|> SELECT` behind it");
        return Err(error.at_span(expr.span()));
    }
    let message = format!("`{expr}` of `|> AGGREGATE` has no aggregate function");
    let error = Error::new(Condition::PIPE_LACKS_AGGREGATE, message)
        .parameter("expr", expr.to_string())
        .hint("a column to group by stands behind GROUP BY only");
    Err(error.at_span(expr.span()))
}

fn no_groups() -> GroupByExpr {
    GroupByExpr::Expressions(Vec::new(), Vec::new())
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
        && select.named_window.is_empty()
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

/// Puts a value in the place of a column; each assignment sees those before it.
fn set(
    query: ast::Query,
    assignment: ast::Assignment,
    calls: Aggregates<'_>,
) -> Result<ast::Query> {
    let ast::AssignmentTarget::ColumnName(name) = &assignment.target else {
        return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, "`SET` names one column at a time"));
    };
    let [ast::ObjectNamePart::Identifier(column)] = name.0.as_slice() else {
        let message = format!("`SET` takes a column's name without a table, not `{name}`");
        let error = Error::new(Condition::OPERATION_NOT_ALLOWED, message);
        return Err(error.at_span(name.span()));
    };
    check_row("SET", &assignment.value, calls)?;
    let column_name = column.clone();
    let item = ast::ReplaceSelectElement { expr: assignment.value, column_name, as_keyword: true };
    let replaced = ast::ReplaceSelectItem { items: vec![Box::new(item)] };
    change(query, is_open, |select| {
        let all = WildcardAdditionalOptions { opt_replace: Some(replaced), ..Default::default() };
        select.projection = vec![SelectItem::Wildcard(all)];
    })
}

/// The keys first, then the aggregates. The number of a key is that of a column of the rows so far.
fn aggregate(
    query: ast::Query,
    aggregates: Vec<ast::ExprWithAliasAndOrderBy>,
    keys: Vec<ast::ExprWithAliasAndOrderBy>,
) -> Result<ast::Query> {
    let item = |expr: Expr, alias: Option<Ident>| match alias {
        Some(alias) => SelectItem::ExprWithAlias { expr, alias },
        None => SelectItem::UnnamedExpr(expr),
    };
    let mut items = Vec::with_capacity(keys.len() + aggregates.len());
    let mut groups = Vec::with_capacity(keys.len());
    for (at, key) in keys.into_iter().enumerate() {
        let ast::ExprWithAlias { expr, alias } = key.expr;
        match &expr {
            Expr::Value(literal) if matches!(literal.value, ast::Value::Number(..)) => {
                groups.push(Expr::value(ast::Value::Number((at + 1).to_string(), false)));
                items.push(item(analyze::call(analyze::COLUMN_AT, vec![expr]), alias));
            }
            _ => {
                groups.push(expr.clone());
                items.push(item(expr, alias));
            }
        }
    }
    items.extend(aggregates.into_iter().map(|part| item(part.expr.expr, part.expr.alias)));
    change(query, is_open, |select| {
        select.projection = items;
        select.group_by = GroupByExpr::Expressions(groups, Vec::new());
    })
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
