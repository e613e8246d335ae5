//! Expressions: every name becomes the one column that it stands for.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use sqlparser::ast::{
    self, AccessExpr, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Value,
    VisitMut, VisitorMut,
};

use super::super::names::leading_fields;
use super::super::syntax::{call, empty_query};
use super::super::{ALL_COLUMNS, UNPIVOTED, variables};
use super::scope::{Column, Env, From};
use super::{Resolver, errors, unpivot};
use crate::display::shown;
use crate::error::{Condition, Error, Result};

/// Something that a SELECT list calls by a name.
#[derive(Debug, Clone)]
pub(super) struct Alias {
    pub name: String,
    pub expr: Expr,
    /// Whether rows are brought together to compute it.
    pub aggregates: bool,
    /// Whether the name was given with AS; such a name goes before one that was made.
    pub explicit: bool,
    /// Whether it is computed from other aliases of its SELECT list.
    pub lateral: bool,
}

/// The clause that an expression stands in, as far as it matters to aliases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Clause {
    Select,
    GroupBy,
    #[default]
    Other,
}

/// What a name means that both the SELECT list and FROM have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Precedence {
    #[default]
    Columns,
    /// The SELECT list's, as in ORDER BY.
    Aliases,
}

/// What names may stand for besides columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Names<'n> {
    /// What the SELECT list has named so far.
    pub aliases: &'n [Alias],
    pub precedence: Precedence,
    /// What rows are grouped by: a column of FROM that is none of these is not meant, if an alias is.
    pub groups: Option<&'n [Expr]>,
    pub clause: Clause,
}

/// How many calls of SQL functions a statement may have, with those in their bodies.
const ROUTINES_MAX: usize = 10_000;

/// Functions that are called without parentheses.
const BARE_CALLS: &[&str] = &[
    "current_catalog",
    "current_database",
    "current_date",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtimestamp",
    "session_user",
    "user",
];

impl Resolver<'_> {
    /// Resolves the names of an expression.
    pub(super) fn expr(&mut self, expr: &mut Expr, env: &Env<'_>, names: Names<'_>) -> Result<()> {
        let mut walker = Walker {
            resolver: self,
            env,
            names,
            lambdas: Vec::new(),
            queries: Vec::new(),
            aggregates: 0,
            windows: 0,
        };
        match VisitMut::visit(expr, &mut walker) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// What a path stands for in FROM, here or around, with the fields that it goes on to.
    pub(super) fn column(&mut self, path: &[Ident], env: &Env<'_>) -> Result<Option<Expr>> {
        let (found, used) = env.from.find(path, self.same);
        match found.as_slice() {
            [] => Ok(None),
            [column] => {
                let column = (*column).clone();
                self.note(&column, env);
                self.fields(column.reference, &column.data_type, &path[used..]).map(Some)
            }
            found => Err(errors::ambiguous(path, found)),
        }
    }

    /// Counts the SQL functions that are written out, which may call each other in a circle.
    pub(super) fn write_out_routine(&mut self) -> Result<()> {
        self.routines += 1;
        if self.routines > ROUTINES_MAX {
            return Err(
                Error::unsupported("SQL functions that call themselves").hint("use WITH RECURSIVE")
            );
        }
        Ok(())
    }

    fn outer_column(&mut self, path: &[Ident], env: &Env<'_>) -> Result<Option<Expr>> {
        let mut env = env.parent;
        while let Some(outer) = env {
            if let Some(found) = self.column(path, outer)? {
                return Ok(Some(found));
            }
            env = outer.parent;
        }
        self.column_around(path)
    }

    /// What a path stands for in the query around the one that is planned.
    fn column_around(&self, path: &[Ident]) -> Result<Option<Expr>> {
        let Some(around) = &self.scope.around else { return Ok(None) };
        let from = From::of_schema(around.schema(), None);
        let (found, used) = from.find(path, self.same);
        match found.as_slice() {
            [] => Ok(None),
            [column] => match around.stand_in(&column.reference) {
                Some(value) => self.fields(value, &column.data_type, &path[used..]).map(Some),
                None => Ok(None),
            },
            found => Err(errors::ambiguous(path, found)),
        }
    }

    /// Remembers that a column of `env` is used, for the queries within.
    pub(super) fn note(&mut self, column: &Column, env: &Env<'_>) {
        self.reached = self.reached.min(env.depth);
        for (depth, names) in &mut self.captures {
            if *depth == env.depth && !names.contains(&column.name) {
                names.push(column.name.clone());
            }
        }
    }

    /// `value.field.field`.
    pub(super) fn fields(
        &self,
        value: Expr,
        data_type: &DataType,
        fields: &[Ident],
    ) -> Result<Expr> {
        let Some((field, rest)) = fields.split_first() else { return Ok(value) };
        let text = |name: &str| Expr::value(Value::SingleQuotedString(name.to_owned()));
        match data_type {
            DataType::Struct(known) => {
                let found: Vec<_> =
                    known.iter().filter(|known| self.same.is(known.name(), &field.value)).collect();
                let [found] = found.as_slice() else {
                    return Err(errors::no_field(field, known, found.len()));
                };
                let inner = call("get_field", vec![value, text(found.name())]);
                self.fields(inner, found.data_type(), rest)
            }
            DataType::Map(entries, _) => {
                let index = ast::Subscript::Index { index: text(&field.value) };
                let item = Expr::CompoundFieldAccess {
                    root: Box::new(value),
                    access_chain: vec![AccessExpr::Subscript(index)],
                };
                let item_type = match entries.data_type() {
                    DataType::Struct(pair) if pair.len() == 2 => pair[1].data_type().clone(),
                    _ => DataType::Null,
                };
                self.fields(item, &item_type, rest)
            }
            DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => {
                let name = Ident::new("__item");
                let one = Expr::Identifier(name.clone());
                let body = self.fields(one, item.data_type(), std::slice::from_ref(field))?;
                let lambda = Expr::Lambda(ast::LambdaFunction {
                    params: ast::OneOrManyWithParens::One(ast::LambdaFunctionParameter {
                        name,
                        data_type: None,
                    }),
                    body: Box::new(body),
                    syntax: ast::LambdaSyntax::Arrow,
                });
                self.fields(call("transform", vec![value, lambda]), &DataType::Null, rest)
            }
            DataType::Null => {
                let inner = call("get_field", vec![value, text(&field.value)]);
                self.fields(inner, &DataType::Null, rest)
            }
            other => Err(errors::no_fields(field, other)),
        }
    }
}

struct Walker<'w, 'r, 's> {
    resolver: &'w mut Resolver<'r>,
    env: &'w Env<'s>,
    names: Names<'w>,
    lambdas: Vec<Vec<String>>,
    /// Queries that are resolved already, while the expression around them is visited.
    queries: Vec<ast::Query>,
    /// In how many aggregate functions the expression is.
    aggregates: usize,
    /// In how many window functions it is.
    windows: usize,
}

impl Walker<'_, '_, '_> {
    fn path(&mut self, path: &[Ident]) -> Result<Option<Expr>> {
        let Some(first) = path.first() else { return Ok(None) };
        if variables::is_reference(first) {
            return Ok(None);
        }
        let mut lambda = self.lambdas.iter().rev().flatten();
        let same = self.resolver.same;
        if let Some(name) = lambda.find(|name| same.is(name, &first.value)).cloned() {
            let value = Expr::Identifier(Ident { value: name, ..first.clone() });
            return self.resolver.fields(value, &DataType::Null, &path[1..]).map(Some);
        }
        if self.names.precedence == Precedence::Aliases
            && self.aggregates == 0
            && let Some(found) = self.alias(path)?
        {
            return Ok(Some(found));
        }
        let local = self.resolver.column(path, self.env)?;
        if let Some(found) = local {
            let is_meant = self.aggregates > 0
                || self.names.groups.is_none_or(|groups| groups.contains(&found));
            if is_meant {
                return Ok(Some(found));
            }
            return Ok(Some(self.alias(path)?.unwrap_or(found)));
        }
        if let Some(found) = self.alias(path)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.resolver.outer_column(path, self.env)? {
            return Ok(Some(found));
        }
        if let Some((variable, fields)) = variables::find(path, &self.resolver.scope.variables) {
            let data_type = self.resolver.scope.variables.type_of(&variable.value);
            let data_type = data_type.unwrap_or(DataType::Null);
            return self.resolver.fields(Expr::Identifier(variable), &data_type, fields).map(Some);
        }
        if let [name] = path
            && name.quote_style.is_none()
            && BARE_CALLS.iter().any(|bare| name.value.eq_ignore_ascii_case(bare))
        {
            return Ok(Some(call(&name.value.to_lowercase(), Vec::new())));
        }
        if let [name] = path
            && name.value.eq_ignore_ascii_case("grouping__id")
        {
            return Ok(Some(call("grouping_id", Vec::new())));
        }
        Err(errors::unresolved(path, self.env))
    }

    fn alias(&mut self, path: &[Ident]) -> Result<Option<Expr>> {
        let same = self.resolver.same;
        let mut found: Vec<&Alias> = Vec::new();
        for alias in
            self.names.aliases.iter().filter(|alias| same.is(shown(&alias.name), &path[0].value))
        {
            if !found.iter().any(|known| known.expr == alias.expr) {
                found.push(alias);
            }
        }
        if found.iter().filter(|alias| alias.explicit).count() == 1 {
            found.retain(|alias| alias.explicit);
        }
        let value = match found.as_slice() {
            [] => return Ok(None),
            [alias] => {
                let (name, is_lateral) = (shown(&alias.name), alias.lateral);
                self.check_lateral(path, name, is_lateral)?;
                alias.expr.clone()
            }
            found => {
                let names: Vec<String> = found.iter().map(|alias| alias.name.clone()).collect();
                return Err(errors::ambiguous_names(path, &names));
            }
        };
        let value = match value {
            simple @ (Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::Function(_)
            | Expr::Value(_)) => simple,
            other => Expr::Nested(Box::new(other)),
        };
        let data_type = match path.len() {
            1 => DataType::Null,
            _ => self.resolver.type_of(&value, self.env),
        };
        self.resolver.fields(value, &data_type, &path[1..]).map(Some)
    }

    /// An alias of the same SELECT list is not for its aggregates, nor for what rows are grouped by.
    fn check_lateral(&mut self, path: &[Ident], name: &str, is_lateral: bool) -> Result<()> {
        let (condition, place) = match self.names.clause {
            Clause::Select if self.aggregates > 0 => {
                (Condition::LATERAL_ALIAS_IN_AGGREGATE, "an aggregate function")
            }
            Clause::Select if self.windows > 0 => {
                (Condition::LATERAL_ALIAS_IN_WINDOW, "a window function")
            }
            Clause::GroupBy if is_lateral => (Condition::LATERAL_ALIAS_IN_GROUP_BY, "GROUP BY"),
            Clause::Select => {
                self.resolver.uses_lateral = true;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let message = format!("an alias of the SELECT list is used in {place} by `{name}`");
        let error = Error::new(condition, message).hint("compute it in a subquery");
        Err(errors::at(error, path))
    }

    fn enter(&mut self, expr: &mut Expr) -> Result<()> {
        if let Expr::Function(function) = expr
            && function.over.is_none()
            && let Some(routine) = self.resolver.scope.routines.called(&function.name)
        {
            self.resolver.write_out_routine()?;
            *expr = routine.value_of(function)?;
            return self.enter(expr);
        }
        match expr {
            Expr::InSubquery { expr, subquery, .. } => {
                let columns = self.query(subquery)?;
                check_length(expr, columns)?;
            }
            Expr::Subquery(query) | Expr::Exists { subquery: query, .. } => {
                self.query(query)?;
            }
            Expr::Function(function) => {
                if let FunctionArguments::Subquery(query) = &mut function.args {
                    self.query(query)?;
                }
                if function.over.is_some() {
                    self.windows += 1;
                } else if self.resolver.is_aggregate(function) {
                    self.aggregates += 1;
                }
                self.star_arguments(function)?;
            }
            Expr::Struct { values, fields } if fields.is_empty() => {
                values.iter_mut().for_each(name_path);
            }
            Expr::Lambda(lambda) => {
                let params = match &lambda.params {
                    ast::OneOrManyWithParens::One(param) => std::slice::from_ref(param),
                    ast::OneOrManyWithParens::Many(params) => params.as_slice(),
                };
                let names = params.iter().map(|param| param.name.value.clone());
                self.lambdas.push(names.collect());
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                *expr = unchain(
                    std::mem::replace(root, Box::new(nothing())),
                    std::mem::take(access_chain),
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn leave(&mut self, expr: &mut Expr) -> Result<()> {
        match expr {
            Expr::Subquery(query)
            | Expr::Exists { subquery: query, .. }
            | Expr::InSubquery { subquery: query, .. } => {
                if let Some(resolved) = self.queries.pop() {
                    **query = resolved;
                }
            }
            Expr::Function(function) => {
                if let FunctionArguments::Subquery(query) = &mut function.args
                    && let Some(resolved) = self.queries.pop()
                {
                    **query = resolved;
                }
                if function.over.is_some() {
                    self.windows -= 1;
                } else if self.resolver.is_aggregate(function) {
                    self.aggregates -= 1;
                }
                self.field_of_value(expr)?;
                if let Expr::Function(function) = &*expr
                    && function.name.to_string() == UNPIVOTED
                {
                    let all = super::select::arguments_of(&function.args);
                    *expr = unpivot::value(self.resolver, all, self.env)?;
                }
            }
            Expr::Lambda(_) => {
                self.lambdas.pop();
            }
            Expr::Identifier(ident) => {
                let path = [ident.clone()];
                if let Some(found) = self.path(&path)? {
                    *expr = placed(found, &path);
                }
            }
            Expr::CompoundIdentifier(path) => {
                let path = path.clone();
                if let Some(found) = self.path(&path)? {
                    *expr = placed(found, &path);
                }
            }
            Expr::InList { list, .. } => {
                let items = std::mem::take(list).into_iter().flat_map(with_stars);
                *list = items.map(unnamed).collect();
            }
            Expr::Struct { values, .. } => {
                *values = std::mem::take(values).into_iter().flat_map(with_stars).collect();
            }
            _ => {}
        }
        Ok(())
    }

    /// Resolves a query within the expression, and keeps it from the visitor.
    ///
    /// It tells how many columns the query has.
    fn query(&mut self, query: &mut ast::Query) -> Result<usize> {
        let mut inner = std::mem::replace(query, empty_query());
        self.resolver.captures.push((self.env.depth, Vec::new()));
        let resolved = self.resolver.query(&mut inner, Some(self.env));
        if let Some((_, names)) = self.resolver.captures.pop() {
            self.resolver.captured.push(names);
        }
        let columns = resolved?.len();
        self.queries.push(inner);
        Ok(columns)
    }

    /// `f(*)` and `f(t.*)` are calls with all columns as arguments, but for `count(*)`.
    fn star_arguments(&mut self, function: &mut ast::Function) -> Result<()> {
        let is_count = function.name.to_string().eq_ignore_ascii_case("count");
        let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
        let is_star = |argument: &FunctionArg| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => {
                !is_count || list.duplicate_treatment.is_some()
            }
            FunctionArg::Unnamed(
                FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::WildcardWithOptions(_),
            ) => true,
            _ => false,
        };
        if !list.args.iter().any(is_star) {
            return Ok(());
        }
        let mut args = Vec::with_capacity(list.args.len());
        for argument in std::mem::take(&mut list.args) {
            let columns = match &argument {
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => self.resolver.star(
                    None,
                    &ast::WildcardAdditionalOptions::default(),
                    self.env,
                )?,
                FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) => {
                    let path = super::select::idents_of(name);
                    let options = ast::WildcardAdditionalOptions::default();
                    self.resolver.star(Some(&path), &options, self.env)?
                }
                FunctionArg::Unnamed(FunctionArgExpr::WildcardWithOptions(options)) => {
                    self.resolver.star(None, options, self.env)?
                }
                _ => {
                    args.push(argument);
                    continue;
                }
            };
            args.extend(columns.into_iter().map(|(name, expr)| {
                let expr = match &expr {
                    Expr::CompoundIdentifier(_) | Expr::Identifier(_) => expr,
                    _ => Expr::Named { expr: Box::new(expr), name: Ident::with_quote('`', name) },
                };
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
            }));
        }
        list.args = args;
        Ok(())
    }

    /// `f(x).field` was made `__field(f(x), 'field')`; now the type of `f(x)` can be told.
    fn field_of_value(&mut self, expr: &mut Expr) -> Result<()> {
        let Expr::Function(function) = &*expr else { return Ok(()) };
        if function.name.to_string() != FIELD {
            return Ok(());
        }
        let FunctionArguments::List(list) = &function.args else { return Ok(()) };
        let [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(name))),
        ] = list.args.as_slice()
        else {
            return Ok(());
        };
        let Value::SingleQuotedString(name) = &name.value else { return Ok(()) };
        let (value, field) = (value.clone(), Ident::new(name.clone()));
        let data_type = self.resolver.type_of(&value, self.env);
        *expr = self.resolver.fields(value, &data_type, &[field])?;
        Ok(())
    }
}

/// `value IN (query)` needs a query of as many columns as there are values.
fn check_length(values: &Expr, columns: usize) -> Result<()> {
    let length = match values {
        Expr::Tuple(values) => values.len(),
        _ => 1,
    };
    // A struct may be sought among rows of its fields.
    if length == columns || !matches!(values, Expr::Identifier(_) | Expr::Value(_) | Expr::Tuple(_))
    {
        return Ok(());
    }
    let message = format!("the subquery of IN has {columns} columns, where {length} are compared");
    let error = Error::new(Condition::IN_SUBQUERY_LENGTH, message);
    Err(errors::at_expr(error.hint("select what is compared"), values))
}

impl VisitorMut for Walker<'_, '_, '_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match self.enter(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match self.leave(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// A value without the name that it has as an argument.
fn unnamed(value: Expr) -> Expr {
    match value {
        Expr::Named { expr, .. } => *expr,
        other => other,
    }
}

/// Gives the value at a path the name of its last part, which a struct of it keeps.
fn name_path(value: &mut Expr) {
    if let Expr::CompoundIdentifier(parts) = value
        && let Some(name) = parts.last().cloned()
    {
        let expr = Box::new(std::mem::replace(value, nothing()));
        *value = Expr::Named { expr, name };
    }
}

/// An item of a list, or the columns that a star there stands for.
fn with_stars(item: Expr) -> Vec<Expr> {
    match item {
        Expr::Function(function) if function.name.to_string() == ALL_COLUMNS => {
            let FunctionArguments::List(list) = function.args else { return Vec::new() };
            let columns = list.args.into_iter().filter_map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            });
            columns.collect()
        }
        other => vec![other],
    }
}

/// The call that stands for a field of a value until the value's type is known.
const FIELD: &str = "__field";

/// `a.b[0].c` as an access to an item of a path, and a field of that.
fn unchain(root: Box<Expr>, chain: Vec<AccessExpr>) -> Expr {
    let mut parts = match *root {
        Expr::Identifier(ref ident) => vec![ident.clone()],
        Expr::CompoundIdentifier(ref parts) => parts.clone(),
        _ => Vec::new(),
    };
    let (mut value, fields) = if parts.is_empty() {
        (*root, 0)
    } else {
        let fields = leading_fields(&chain, &mut parts);
        let path = if parts.len() == 1 {
            Expr::Identifier(parts.remove(0))
        } else {
            Expr::CompoundIdentifier(parts)
        };
        (path, fields)
    };
    for access in chain.into_iter().skip(fields) {
        value = match access {
            AccessExpr::Dot(Expr::Identifier(field)) => {
                call(FIELD, vec![value, Expr::value(Value::SingleQuotedString(field.value))])
            }
            other => Expr::CompoundFieldAccess { root: Box::new(value), access_chain: vec![other] },
        };
    }
    // The visitor goes on with what is in this node, not with the node itself.
    match value {
        access @ Expr::CompoundFieldAccess { .. } => access,
        other => Expr::Nested(Box::new(other)),
    }
}

/// Puts the place of a name to what stands for it, for messages.
fn placed(found: Expr, path: &[Ident]) -> Expr {
    let span = path[0].span.union(&path[path.len() - 1].span);
    match found {
        Expr::CompoundIdentifier(mut parts) => {
            parts.iter_mut().for_each(|part| part.span = span);
            Expr::CompoundIdentifier(parts)
        }
        Expr::Identifier(ident) => Expr::Identifier(Ident { span, ..ident }),
        other => other,
    }
}

fn nothing() -> Expr {
    Expr::value(Value::Null)
}
