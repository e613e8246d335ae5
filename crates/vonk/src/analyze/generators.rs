//! Spark's generators in the syntax of FROM: `SELECT explode(x)` and LATERAL VIEW become LATERAL calls.
//!
//! `SELECT a, explode(b) AS c FROM t` reads as `SELECT a, g.c FROM t, LATERAL explode(b) AS g(c)`.
//! Over groups and windows, the generator stands outside: `FROM (SELECT …) , LATERAL explode(…)`.

use std::ops::ControlFlow;

use datafusion::common::DFSchema;
use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, SelectItem,
    SelectItemQualifiedWildcardKind, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins,
    Visit, VisitMut, Visitor, VisitorMut,
};

use super::lateral::generator;
use super::syntax::{constraint_of, query_of};
use crate::error::{Condition, Error, Result};

/// What the rows of a generator in a SELECT list are called in FROM.
const GENERATED: &str = "__generated";

/// What a grouped query is called below a generator, and how its columns for the generator begin.
const GROUPED: &str = "__grouped";

/// Moves every generator of a query to a FROM clause; `made` are those in the plans it reads.
///
/// # Errors
/// `UNSUPPORTED_GENERATOR` for more than one over groups, or one where none can stand.
pub(super) fn translate(
    query: &mut ast::Query,
    made: usize,
    is_aggregate: &dyn Fn(&str) -> bool,
) -> Result<()> {
    match VisitMut::visit(query, &mut Translator { made, is_aggregate }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The call of a generator, if an expression of a SELECT list is one.
pub(super) fn call_of(expr: &Expr) -> Option<&ast::Function> {
    match expr {
        Expr::Function(function) if generator(&function.name).is_some() => Some(function),
        Expr::Nested(inner) => call_of(inner),
        _ => None,
    }
}

/// Whether an item of a SELECT list is a generator.
pub(super) fn is_call(item: &SelectItem) -> bool {
    item_expr(item).and_then(call_of).is_some()
}

/// How many names of generators' rows a plan has used up that gives their columns.
pub(super) fn made_in(schema: &DFSchema) -> usize {
    let tables = schema.iter().filter_map(|(table, _)| table);
    let numbers = tables.filter_map(|table| match table.table().strip_prefix(GENERATED)? {
        "" => Some(0),
        number => number.parse::<usize>().ok(),
    });
    numbers.max().map_or(0, |number| number + 1)
}

struct Translator<'a> {
    /// How many names of generators' rows are used up.
    made: usize,
    is_aggregate: &'a dyn Fn(&str) -> bool,
}

impl VisitorMut for Translator<'_> {
    type Break = Error;

    fn post_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<Error> {
        match self.select(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Translator<'_> {
    fn select(&mut self, select: &mut ast::Select) -> Result<()> {
        for view in std::mem::take(&mut select.lateral_views) {
            select.from.push(lateral_view(view)?);
        }
        let calls: Vec<usize> = (0..select.projection.len())
            .filter(|index| item_expr(&select.projection[*index]).and_then(call_of).is_some())
            .collect();
        match calls.as_slice() {
            [] => self.refuse_nested(select),
            [index] if self.groups(select) => generate_over_groups(select, *index, &self.name()),
            many if many.len() > 1 && self.groups(select) => Err(Error::new(
                Condition::MULTIPLE_GENERATORS,
                "a SELECT list over groups can have only one generator",
            )
            .hint("make rows of one after the other: `LATERAL VIEW explode(…) name AS column`")),
            many => {
                // Every row that one makes is there for each row of the next.
                for _ in many {
                    let Some(index) = select.projection.iter().position(is_call) else { break };
                    generate(select, index, &self.name())?;
                }
                Ok(())
            }
        }
    }

    /// A name for a generator's rows: a query without a name passes on what its columns are called.
    fn name(&mut self) -> Ident {
        let number = self.made;
        self.made += 1;
        match number {
            0 => Ident::new(GENERATED),
            number => Ident::new(format!("{GENERATED}{number}")),
        }
    }

    /// Whether rows are brought together before the SELECT list gives them.
    fn groups(&self, select: &ast::Select) -> bool {
        let grouped = match &select.group_by {
            ast::GroupByExpr::All(_) => true,
            ast::GroupByExpr::Expressions(exprs, _) => !exprs.is_empty(),
        };
        grouped || select.having.is_some() || self.calls_aggregate(&select.projection)
    }

    fn calls_aggregate(&self, items: &[SelectItem]) -> bool {
        struct Finder<'a>(&'a dyn Fn(&str) -> bool);
        impl Visitor for Finder<'_> {
            type Break = ();

            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                match expr {
                    Expr::Function(call) if call.over.is_some() => ControlFlow::Break(()),
                    Expr::Function(call) if (self.0)(&call.name.to_string()) => {
                        ControlFlow::Break(())
                    }
                    _ => ControlFlow::Continue(()),
                }
            }
        }
        items.iter().any(|item| item.visit(&mut Finder(self.is_aggregate)).is_break())
    }

    fn refuse_nested(&self, select: &ast::Select) -> Result<()> {
        struct Finder(Option<Error>);
        impl Visitor for Finder {
            type Break = ();

            fn pre_visit_query(&mut self, _query: &ast::Query) -> ControlFlow<()> {
                ControlFlow::Break(())
            }

            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                let Some(call) = call_of(expr) else { return ControlFlow::Continue(()) };
                let message = format!("`{}` stands within an expression", call.name);
                let error = Error::new(Condition::NESTED_GENERATOR, message)
                    .hint("make its rows in a subquery or by LATERAL VIEW, and use the column");
                self.0 = Some(error.at_span(ast::Spanned::span(&call.name)));
                ControlFlow::Break(())
            }
        }
        let mut finder = Finder(None);
        let _ = select.projection.visit(&mut finder);
        finder.0.map_or(Ok(()), Err)
    }
}

fn item_expr(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr)
        | SelectItem::ExprWithAlias { expr, .. }
        | SelectItem::ExprWithAliases { expr, .. } => Some(expr),
        _ => None,
    }
}

/// `LATERAL VIEW [OUTER] explode(x) name AS columns` as an item of FROM.
pub(super) fn lateral_view(view: ast::LateralView) -> Result<TableWithJoins> {
    let Some(call) = call_of(&view.lateral_view).cloned() else {
        return Err(Error::new(
            Condition::UNRESOLVED_ROUTINE,
            format!("`{}` makes no rows", view.lateral_view),
        )
        .hint("LATERAL VIEW takes a generator, such as `explode`"));
    };
    let name = match view.lateral_view_name.0.last().and_then(ObjectNamePart::as_ident) {
        Some(name) => name.clone(),
        None => Ident::new(GENERATED),
    };
    lateral_call(call, name, &view.lateral_col_alias, view.outer)
}

/// `LATERAL call(…) AS name(columns)`.
fn lateral_call(
    call: ast::Function,
    name: Ident,
    columns: &[Ident],
    outer: bool,
) -> Result<TableWithJoins> {
    let mut function = call.name;
    if outer
        && let Some(ObjectNamePart::Identifier(last)) = function.0.last_mut()
        && !last.value.to_lowercase().ends_with("_outer")
    {
        last.value.push_str("_outer");
    }
    let args = match call.args {
        ast::FunctionArguments::List(list) => list.args,
        _ => Vec::new(),
    };
    let columns =
        columns.iter().map(|column| TableAliasColumnDef { name: column.clone(), data_type: None });
    let alias = TableAlias { explicit: true, name, columns: columns.collect(), at: None };
    let relation = TableFactor::Function {
        lateral: true,
        name: function,
        args,
        with_ordinality: false,
        alias: Some(alias),
    };
    Ok(TableWithJoins { relation, joins: Vec::new() })
}

/// Moves the generator at `index` of a SELECT list to its FROM, under a name.
fn generate(select: &mut ast::Select, index: usize, name: &Ident) -> Result<()> {
    let mut items = Vec::with_capacity(select.projection.len());
    let mut generated = None;
    for (at, item) in std::mem::take(&mut select.projection).into_iter().enumerate() {
        match item {
            item if at == index => {
                let (call, aliases) = call_and_aliases(item)?;
                items.extend(generated_items(name, &aliases));
                generated = Some(lateral_call(call, name.clone(), &aliases, false)?);
            }
            SelectItem::Wildcard(options) => items.extend(wildcards(&select.from, &options)?),
            item => items.push(item),
        }
    }
    select.projection = items;
    select.from.extend(generated);
    Ok(())
}

/// A call, and the names that its columns are given.
fn call_and_aliases(item: SelectItem) -> Result<(ast::Function, Vec<Ident>)> {
    let (expr, aliases) = match item {
        SelectItem::UnnamedExpr(expr) => (expr, Vec::new()),
        SelectItem::ExprWithAlias { expr, alias } => (expr, vec![alias]),
        SelectItem::ExprWithAliases { expr, aliases } => (expr, aliases),
        other => return Err(Error::internal(format!("`{other}` is no generator"))),
    };
    let call = call_of(&expr).cloned();
    let call = call.ok_or_else(|| Error::internal(format!("`{expr}` is no generator")))?;
    Ok((call, aliases))
}

/// What stands in a SELECT list for the columns of a generator that is in FROM.
fn generated_items(name: &Ident, aliases: &[Ident]) -> Vec<SelectItem> {
    if aliases.is_empty() {
        let name = ObjectName::from(vec![name.clone()]);
        return vec![qualified_wildcard(name, ast::WildcardAdditionalOptions::default())];
    }
    let column = |alias: &Ident| SelectItem::ExprWithAlias {
        expr: Expr::CompoundIdentifier(vec![name.clone(), alias.clone()]),
        alias: alias.clone(),
    };
    aliases.iter().map(column).collect()
}

fn qualified_wildcard(name: ObjectName, options: ast::WildcardAdditionalOptions) -> SelectItem {
    SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
}

/// `*` as it was before the generator came into FROM: `a.*, b.*`.
fn wildcards(
    from: &[TableWithJoins],
    options: &ast::WildcardAdditionalOptions,
) -> Result<Vec<SelectItem>> {
    let factors: Vec<&TableFactor> = from
        .iter()
        .flat_map(|item| {
            std::iter::once(&item.relation).chain(item.joins.iter().map(|join| &join.relation))
        })
        .collect();
    let has_options = *options != ast::WildcardAdditionalOptions::default();
    let names: Option<Vec<ObjectName>> = factors.into_iter().map(factor_name).collect();
    match names {
        Some(names) if names.len() == 1 || !has_options && !merges_columns(from) => {
            Ok(names.into_iter().map(|name| qualified_wildcard(name, options.clone())).collect())
        }
        _ => Err(Error::unsupported("`*` beside a generator over this FROM clause")
            .hint("name the columns, or make the rows by LATERAL VIEW")),
    }
}

fn factor_name(factor: &TableFactor) -> Option<ObjectName> {
    let alias = match factor {
        TableFactor::Table { name, alias: None, .. } => {
            return name.0.last().map(|last| ObjectName(vec![last.clone()]));
        }
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. } => alias.as_ref()?,
        _ => return None,
    };
    Some(ObjectName::from(vec![alias.name.clone()]))
}

/// Whether USING or NATURAL gives one column for two, which `a.*, b.*` would not.
fn merges_columns(from: &[TableWithJoins]) -> bool {
    use ast::JoinConstraint::{Natural, Using};
    from.iter()
        .flat_map(|item| &item.joins)
        .filter_map(|join| constraint_of(&join.join_operator))
        .any(|constraint| matches!(constraint, Natural | Using(_)))
}

/// Puts a grouped SELECT below, and makes the rows of the generator at `index` over it.
fn generate_over_groups(select: &mut ast::Select, index: usize, name: &Ident) -> Result<()> {
    let mut outer = Vec::with_capacity(select.projection.len());
    let mut below = Vec::with_capacity(select.projection.len());
    let mut generated = None;
    for (at, item) in std::mem::take(&mut select.projection).into_iter().enumerate() {
        if at == index {
            let (mut call, aliases) = call_and_aliases(item)?;
            move_arguments(&mut call, &mut below)?;
            outer.extend(generated_items(name, &aliases));
            generated = Some(lateral_call(call, name.clone(), &aliases, false)?);
            continue;
        }
        let column = match &item {
            SelectItem::ExprWithAlias { alias, .. } => alias.clone(),
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => name.clone(),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) if !parts.is_empty() => {
                parts[parts.len() - 1].clone()
            }
            other => return Err(Error::unsupported(format!("`{other}` beside a generator"))),
        };
        outer.push(SelectItem::UnnamedExpr(Expr::CompoundIdentifier(vec![
            Ident::new(GROUPED),
            column,
        ])));
        below.push(item);
    }
    let grouped = ast::Select { projection: below, distinct: None, ..select.clone() };
    let alias =
        TableAlias { explicit: true, name: Ident::new(GROUPED), columns: Vec::new(), at: None };
    let relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query_of(grouped)),
        alias: Some(alias),
        sample: None,
    };
    let from = [TableWithJoins { relation, joins: Vec::new() }];
    select.projection = outer;
    select.from = from.into_iter().chain(generated).collect();
    select.selection = None;
    select.group_by = ast::GroupByExpr::Expressions(Vec::new(), Vec::new());
    select.having = None;
    select.qualify = None;
    select.named_window = Vec::new();
    Ok(())
}

/// Makes a generator's arguments columns of the query below it.
fn move_arguments(call: &mut ast::Function, below: &mut Vec<SelectItem>) -> Result<()> {
    let ast::FunctionArguments::List(list) = &mut call.args else { return Ok(()) };
    for (at, argument) in list.args.iter_mut().enumerate() {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else {
            return Err(Error::unsupported(format!("`{argument}` as a generator's argument")));
        };
        let alias = Ident::new(format!("{GROUPED}{at}"));
        let column = Expr::CompoundIdentifier(vec![Ident::new(GROUPED), alias.clone()]);
        let expr = std::mem::replace(expr, column);
        below.push(SelectItem::ExprWithAlias { expr, alias });
    }
    Ok(())
}
