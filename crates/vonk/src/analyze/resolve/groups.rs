//! What rows are grouped and ordered by: positions, aliases, ALL, and sets of groupings.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use sqlparser::ast::{
    self, Expr, GroupByExpr, GroupByWithModifier, Ident, SelectItem, UnaryOperator, Value, Visit,
    Visitor,
};

use super::super::calls::{has_aggregate, has_window};
use super::exprs::{Alias, Clause, Names, Precedence};
use super::scope::{Column, Env, From};
use super::select::plain;
use super::sets::{Groups, set_of_call};
use super::{Output, Resolver, errors, sets};
use crate::config;
use crate::display::shown;
use crate::error::{Condition, Error, Result};

/// What a GROUP BY may refer to.
pub(super) struct Grouping<'g> {
    pub aliases: &'g [Alias],
    /// Whether the SELECT list was written with a star, which has no positions.
    pub has_star: bool,
}

impl Resolver<'_> {
    pub(super) fn group_by(
        &mut self,
        select: &mut ast::Select,
        env: &Env<'_>,
        grouping: &Grouping<'_>,
    ) -> Result<Groups> {
        let (mut keys, modifiers) = match &mut select.group_by {
            GroupByExpr::All(modifiers) => {
                (self.all_keys(grouping, env)?, std::mem::take(modifiers))
            }
            GroupByExpr::Expressions(keys, modifiers) => {
                for key in keys.iter_mut() {
                    self.key_of_groups(key, env, grouping)?;
                }
                (std::mem::take(keys), std::mem::take(modifiers))
            }
        };
        for modifier in modifiers {
            let each = || keys.iter().map(|key| vec![key.clone()]).collect();
            keys = match modifier {
                GroupByWithModifier::Rollup => vec![Expr::Rollup(each())],
                GroupByWithModifier::Cube => vec![Expr::Cube(each())],
                GroupByWithModifier::GroupingSets(mut sets) => {
                    self.key_of_groups(&mut sets, env, grouping)?;
                    return self.grouped(select, &keys, vec![sets]);
                }
                GroupByWithModifier::Totals => return Err(Error::unsupported("WITH TOTALS")),
            };
        }
        self.grouped(select, &[], keys)
    }

    /// Gives a SELECT its groups; `first` are keys whose sets come after them.
    fn grouped(&self, select: &mut ast::Select, first: &[Expr], keys: Vec<Expr>) -> Result<Groups> {
        let groups = Groups::of(first, &keys)?;
        select.group_by = GroupByExpr::Expressions(groups.group_by(), Vec::new());
        groups.spell_items(&mut select.projection, &|function| self.is_aggregate(function))?;
        Ok(groups)
    }

    /// `GROUP BY ALL`: what the SELECT list has besides aggregates.
    fn all_keys(&self, grouping: &Grouping<'_>, env: &Env<'_>) -> Result<Vec<Expr>> {
        let mut keys = Vec::new();
        for alias in grouping.aliases {
            if !alias.aggregates && !matches!(alias.expr, Expr::Subquery(_)) {
                if alias.lateral {
                    let message =
                        format!("GROUP BY ALL is by `{}`, of aliases", shown(&alias.name));
                    let error = Error::new(Condition::LATERAL_ALIAS_IN_GROUP_BY, message);
                    return Err(error.hint("compute it in a subquery"));
                }
                keys.push(constant_key(alias.expr.clone()));
            }
        }
        for alias in grouping.aliases.iter().filter(|alias| alias.aggregates) {
            if self.loose_column(&alias.expr, env, &keys).is_some() {
                let message =
                    format!("GROUP BY ALL cannot tell what to group `{}` by", shown(&alias.name));
                return Err(Error::new(Condition::UNRESOLVED_ALL_IN_GROUP_BY, message)
                    .hint("name the expressions to group by"));
            }
        }
        Ok(keys)
    }

    fn key_of_groups(
        &mut self,
        key: &mut Expr,
        env: &Env<'_>,
        grouping: &Grouping<'_>,
    ) -> Result<()> {
        if let Some(set) = set_of_call(key) {
            *key = set;
        }
        match key {
            Expr::GroupingSets(sets) | Expr::Rollup(sets) | Expr::Cube(sets) => {
                for key in sets.iter_mut().flatten() {
                    self.key_of_groups(key, env, grouping)?;
                }
                return Ok(());
            }
            _ => {}
        }
        if let Some(position) = position_of(key)
            && self.config.is_on(config::GROUP_BY_ORDINAL)
        {
            *key = self.at_position(key, position, grouping)?;
            return Ok(());
        }
        let written = key.clone();
        let aliases = match self.config.is_on(config::GROUP_BY_ALIASES) {
            true => grouping.aliases,
            false => &[],
        };
        let names = Names { aliases, clause: Clause::GroupBy, ..Names::default() };
        self.expr(key, env, names)?;
        if self.has_aggregate(key) {
            let message = format!("`{written}` is an aggregate, by which no rows can be grouped");
            let error = Error::new(Condition::GROUP_BY_AGGREGATE, message);
            return Err(errors::at_expr(error, &written));
        }
        if let Expr::Nested(inner) = key {
            *key = (**inner).clone();
        }
        *key = constant_key(key.clone());
        Ok(())
    }

    fn at_position(&self, key: &Expr, position: i64, grouping: &Grouping<'_>) -> Result<Expr> {
        if grouping.has_star {
            let error = Error::new(
                Condition::STAR_GROUP_BY_POS,
                "a SELECT list with a star has no positions to group by",
            );
            return Err(errors::at_expr(error, key));
        }
        let items = grouping.aliases.len();
        let alias = usize::try_from(position - 1).ok().and_then(|at| grouping.aliases.get(at));
        let Some(alias) = alias else {
            let message =
                format!("position {position} is not in the SELECT list of {items} columns");
            let error = Error::new(Condition::GROUP_BY_POS_OUT_OF_RANGE, message)
                .parameter("index", position.to_string())
                .parameter("size", items.to_string());
            return Err(errors::at_expr(error, key));
        };
        if alias.aggregates {
            let message = format!("position {position} is an aggregate, `{}`", shown(&alias.name));
            return Err(errors::at_expr(
                Error::new(Condition::GROUP_BY_POS_AGGREGATE, message),
                key,
            ));
        }
        Ok(constant_key(alias.expr.clone()))
    }

    /// Spells `grouping_id()` and its like in another clause than the SELECT list.
    pub(super) fn spell_grouping(&self, expr: &mut Expr, groups: &Groups) -> Result<()> {
        groups.spell(expr, &|function| self.is_aggregate(function))
    }

    /// Every column of a grouped SELECT is grouped by or aggregated.
    pub(super) fn check_groups(&self, select: &ast::Select, env: &Env<'_>) -> Result<()> {
        let keys = keys_of(&select.group_by);
        let exprs = || {
            let items = select.projection.iter().filter_map(|item| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    Some(expr)
                }
                _ => None,
            });
            items.chain(&select.having)
        };
        let is_global = keys.is_empty();
        if is_global && !exprs().any(|expr| self.has_aggregate(expr)) {
            return Ok(());
        }
        for expr in exprs() {
            let Some(column) = self.loose_column(expr, env, &keys) else { continue };
            let is_having = select.having.as_ref().is_some_and(|having| std::ptr::eq(having, expr));
            let condition = match is_global {
                true => Condition::MISSING_GROUP_BY,
                false if is_having => Condition::UNRESOLVED_COLUMN,
                false => Condition::MISSING_AGGREGATION,
            };
            let name = match &column {
                Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()),
                Expr::Identifier(ident) => Some(ident.value.clone()),
                _ => None,
            };
            let name = name.unwrap_or_default();
            let message = format!(
                "column `{}` is neither in GROUP BY nor in an aggregate function",
                shown(&name)
            );
            let error = Error::new(condition, message)
                .parameter("expression", shown(&name))
                .hint("add the column to GROUP BY or wrap it in `any_value`");
            return Err(errors::at_expr(error, &column));
        }
        Ok(())
    }

    /// HAVING without GROUP BY is about one group of all rows, even if nothing is aggregated.
    pub(super) fn check_having(&self, select: &mut ast::Select, env: &Env<'_>) -> Result<()> {
        let Some(having) = &select.having else { return Ok(()) };
        let is_grouped = !keys_of(&select.group_by).is_empty();
        let exprs = select.projection.iter().filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        });
        let mut exprs: Vec<&Expr> = exprs.collect();
        exprs.push(having);
        if is_grouped || exprs.iter().any(|expr| self.has_aggregate(expr)) {
            return Ok(());
        }
        if let Some(column) = exprs.iter().find_map(|expr| self.loose_column(expr, env, &[])) {
            let message = format!("`{column}` is neither in GROUP BY nor in an aggregate function");
            return Err(errors::at_expr(Error::new(Condition::MISSING_GROUP_BY, message), &column));
        }
        let counted = super::super::syntax::call(
            "count",
            vec![Expr::Wildcard(ast::helpers::attached_token::AttachedToken::empty())],
        );
        let one_group = Expr::IsNotNull(Box::new(counted));
        select.having = select.having.take().map(|having| Expr::BinaryOp {
            left: Box::new(Expr::Nested(Box::new(having))),
            op: ast::BinaryOperator::And,
            right: Box::new(one_group),
        });
        Ok(())
    }

    /// A column of FROM in an expression that is neither grouped by nor aggregated.
    fn loose_column(&self, expr: &Expr, env: &Env<'_>, keys: &[Expr]) -> Option<Expr> {
        let mut finder = LooseColumns { resolver: self, env, keys, covered: 0 };
        match expr.visit(&mut finder) {
            ControlFlow::Break(column) => Some(column),
            ControlFlow::Continue(()) => None,
        }
    }

    /// WHERE sees single rows: no aggregates, no windows.
    pub(super) fn check_condition(&self, condition: &Expr) -> Result<()> {
        if !self.has_aggregate(condition) && !has_window(condition) {
            return Ok(());
        }
        if !self.has_aggregate(condition) {
            let message = format!("WHERE cannot hold a window function: `{condition}`");
            let error = Error::new(Condition::WINDOW_FUNCTION_NOT_ALLOWED, message);
            return Err(errors::at_expr(error.hint("use QUALIFY"), condition));
        }
        let error = Error::new(
            Condition::INVALID_WHERE_CONDITION,
            format!("WHERE cannot hold an aggregate or window function: `{condition}`"),
        )
        .hint("use HAVING for groups, QUALIFY for windows");
        Err(errors::at_expr(error, condition))
    }

    /// Whether an expression brings rows together.
    pub(super) fn has_aggregate(&self, expr: &Expr) -> bool {
        has_aggregate(expr, &|call| self.is_aggregate(call))
    }

    /// Resolves the ORDER BY of a SELECT: by its columns first, by those of FROM then.
    pub(super) fn order_by(
        &mut self,
        order_by: &mut ast::OrderBy,
        env: &Env<'_>,
        outputs: &[Alias],
        groups: &Groups,
    ) -> Result<()> {
        expand_all(order_by, outputs.len());
        self.drop_constants(order_by);
        let ast::OrderByKind::Expressions(orders) = &mut order_by.kind else { return Ok(()) };
        for order in orders {
            if let Some(position) = position_of(&order.expr) {
                check_order_position(&order.expr, position, outputs.len())?;
                continue;
            }
            let precedence = Precedence::Aliases;
            let names = Names { aliases: outputs, precedence, ..Names::default() };
            self.expr(&mut order.expr, env, names)?;
            if !groups.keys.is_empty()
                && let Some(column) = self.loose_column(&order.expr, env, &groups.keys)
            {
                let message = format!("`{column}` is not a column of the groups");
                let error = Error::new(Condition::UNRESOLVED_COLUMN, message)
                    .hint("add the column to GROUP BY or wrap it in `any_value`");
                return Err(errors::at_expr(error, &column));
            }
            self.spell_grouping(&mut order.expr, groups)?;
            let at = outputs.iter().position(|output| plain(&output.expr) == plain(&order.expr));
            if let Some(at) = at {
                order.expr = Expr::value(Value::Number((at + 1).to_string(), false));
            }
        }
        Ok(())
    }

    /// Numbers that are no positions put nothing in order.
    fn drop_constants(&self, order_by: &mut ast::OrderBy) {
        if self.config.is_on(config::ORDER_BY_ORDINAL) {
            return;
        }
        let ast::OrderByKind::Expressions(orders) = &mut order_by.kind else { return };
        for order in orders.iter_mut() {
            order.expr = constant_key(std::mem::replace(&mut order.expr, Expr::value(Value::Null)));
        }
    }

    /// Resolves the ORDER BY of a set operation or of VALUES.
    pub(super) fn order_by_outputs(
        &mut self,
        order_by: &mut ast::OrderBy,
        outputs: &[Output],
        parent: Option<&Env<'_>>,
    ) -> Result<()> {
        expand_all(order_by, outputs.len());
        self.drop_constants(order_by);
        let ast::OrderByKind::Expressions(orders) = &mut order_by.kind else { return Ok(()) };
        let columns = outputs.iter().map(|output| Column {
            name: shown(&output.name).to_owned(),
            qualifier: Vec::new(),
            reference: Expr::Identifier(Ident::with_quote('`', output.name.as_str())),
            data_type: output.data_type.clone(),
            hidden: false,
            exact: None,
        });
        let from = From { columns: columns.collect(), fields: Vec::new() };
        let env = Env { from: &from, depth: self.depth, parent };
        for order in orders {
            if let Some(position) = position_of(&order.expr) {
                check_order_position(&order.expr, position, outputs.len())?;
                continue;
            }
            self.expr(&mut order.expr, &env, Names::default())?;
        }
        Ok(())
    }
}

fn check_order_position(expr: &Expr, position: i64, size: usize) -> Result<()> {
    if size == 0 || usize::try_from(position).is_ok_and(|position| (1..=size).contains(&position)) {
        return Ok(());
    }
    let message = format!("position {position} is not in the SELECT list of {size} columns");
    let error = Error::new(Condition::ORDER_BY_POS_OUT_OF_RANGE, message)
        .parameter("index", position.to_string())
        .parameter("size", size.to_string());
    Err(errors::at_expr(error, expr))
}

/// `ORDER BY ALL` is by every column from left to right.
fn expand_all(order_by: &mut ast::OrderBy, columns: usize) {
    let ast::OrderByKind::All(options) = &order_by.kind else { return };
    let orders = (1..=columns).map(|position| ast::OrderByExpr {
        expr: Expr::value(Value::Number(position.to_string(), false)),
        options: *options,
        with_fill: None,
    });
    order_by.kind = ast::OrderByKind::Expressions(orders.collect());
}

/// The number of a column of the SELECT list, if an expression is one.
fn position_of(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, false) => digits.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => position_of(expr).map(|number| -number),
        Expr::Nested(inner) => position_of(inner),
        _ => None,
    }
}

/// The planner takes a number for a position; a constant of any other kind groups as well.
fn constant_key(key: Expr) -> Expr {
    match position_of(&key) {
        Some(number) => Expr::value(Value::SingleQuotedString(number.to_string())),
        None => key,
    }
}

/// What a resolved GROUP BY groups by, each key once.
pub(super) fn keys_of(group_by: &GroupByExpr) -> Vec<Expr> {
    let mut keys = Vec::new();
    if let GroupByExpr::Expressions(exprs, _) = group_by {
        exprs.iter().for_each(|key| sets::add_keys(key, &mut keys));
    }
    keys
}

/// Looks for columns outside of keys, aggregates and inner queries.
struct LooseColumns<'l, 'r> {
    resolver: &'l Resolver<'r>,
    env: &'l Env<'l>,
    keys: &'l [Expr],
    covered: usize,
}

impl LooseColumns<'_, '_> {
    fn covers(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Function(call) if call.over.is_none() => {
                // A function that does not exist is told by its own error.
                self.resolver.is_aggregate(call)
                    || !self.resolver.is_known(call)
                    || self.keys.contains(expr)
            }
            other => self.keys.contains(other),
        }
    }
}

impl Visitor for LooseColumns<'_, '_> {
    type Break = Expr;

    fn pre_visit_query(&mut self, _query: &ast::Query) -> ControlFlow<Expr> {
        self.covered += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &ast::Query) -> ControlFlow<Expr> {
        self.covered -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Expr> {
        if self.covers(expr) {
            self.covered += 1;
        }
        let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        if self.covered == 0
            && is_column
            && self.env.from.columns.iter().any(|column| column.reference == *expr)
        {
            return ControlFlow::Break(expr.clone());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Expr> {
        if self.covers(expr) {
            self.covered -= 1;
        }
        ControlFlow::Continue(())
    }
}

/// The type of a resolved column, without asking the planner.
pub(super) fn column_type(expr: &Expr, env: &Env<'_>) -> DataType {
    let column = env.from.columns.iter().find(|column| column.reference == *expr);
    column.map_or(DataType::Null, |column| column.data_type.clone())
}
