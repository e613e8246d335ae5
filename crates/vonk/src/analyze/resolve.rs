//! Names to columns: walks a query from its FROM outwards, and leaves no name to be guessed.
//!
//! Every relation in FROM that stands alone is planned first, so that its columns and their types
//! are known; names then become qualified references, spelled as the planner has them. Case, stars,
//! USING, aliases that later items use, positions and outer references are settled here, once for
//! SQL and DataFrames. docs/decisions/names-before-plans.md says why.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{ExprSchemable, LogicalPlan};
use datafusion::sql::planner::{PlannerContext, SqlToRel};
use sqlparser::ast::{
    self, Expr, Ident, ObjectName, SelectItem, SetExpr, TableFactor, Visit, Visitor,
};

use self::exprs::Names;
use self::scope::{Env, From, Same};
use super::syntax::query_of;
use super::{Scope, parser_options};
use crate::config::{self, Config};
use crate::display::shown;
use crate::error::{Condition, Error, Result};

mod errors;
mod exprs;
mod from;
mod groups;
mod scope;
mod select;
mod sets;
mod star;
mod taken;
mod unpivot;

pub(super) use scope::reference;
pub(super) use select::empty_select;

/// What VALUES are called while their columns get Spark's names.
const VALUES: &str = "__values";

/// A column that a query gives.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Its name in the plan, with a mark if another has the same.
    name: String,
    /// Its type; `Null` if nobody knows yet.
    data_type: DataType,
}

/// What a name of a WITH clause stands for.
#[derive(Debug, Clone)]
enum Source {
    Plan(LogicalPlan),
    /// A query that uses the queries around it, out to this depth.
    Query(Box<ast::Query>, Vec<Output>, usize),
    /// The query itself, while it is resolved.
    Recursive(Ident, Vec<Output>, usize),
}

/// Resolves the names of one statement.
pub(super) struct Resolver<'a> {
    scope: &'a Scope<'a>,
    same: Same,
    ctes: Vec<(String, Source)>,
    /// How many of these a query in FROM is given without being in the scope of their WITH.
    apart: usize,
    /// How many queries the current one is in.
    depth: usize,
    /// The outermost query that a column was used of since this was last set.
    reached: usize,
    /// For every query that is being resolved within an expression: what it uses of this depth.
    captures: Vec<(usize, Vec<String>)>,
    /// What the queries within the last expression used.
    captured: Vec<Vec<String>>,
    /// How many SQL functions are written out within each other.
    routines: usize,
    /// Whether an alias of the same SELECT list was used since this was last unset.
    uses_lateral: bool,
    config: Arc<Config>,
}

/// Resolves every name of a query.
pub(super) fn resolve(query: &mut ast::Query, scope: &Scope<'_>) -> Result<()> {
    let config = super::config_of(scope.state);
    let case_sensitive = config.is_on(config::CASE_SENSITIVE);
    let mut resolver = Resolver {
        scope,
        same: Same { case_sensitive },
        ctes: Vec::new(),
        apart: 0,
        depth: 0,
        reached: usize::MAX,
        captures: Vec::new(),
        captured: Vec::new(),
        routines: 0,
        uses_lateral: false,
        config,
    };
    resolver.query(query, None).map(|_| ())
}

impl Resolver<'_> {
    /// Resolves a query within those around it, and tells its columns.
    fn query(&mut self, query: &mut ast::Query, parent: Option<&Env<'_>>) -> Result<Vec<Output>> {
        let known = self.ctes.len();
        self.depth += 1;
        let outputs = self.query_here(query, parent);
        self.depth -= 1;
        self.ctes.truncate(known);
        outputs
    }

    fn query_here(
        &mut self,
        query: &mut ast::Query,
        parent: Option<&Env<'_>>,
    ) -> Result<Vec<Output>> {
        if let Some(with) = query.with.take() {
            self.with(with, parent)?;
        }
        let ast::Query { body, order_by, .. } = query;
        if let SetExpr::Select(select) = body.as_mut() {
            return self.select(select, order_by.as_mut(), parent);
        }
        let outputs = self.set_expr(body, parent)?;
        if let Some(order_by) = order_by {
            self.order_by_outputs(order_by, &outputs, parent)?;
        }
        Ok(outputs)
    }

    fn set_expr(&mut self, body: &mut SetExpr, parent: Option<&Env<'_>>) -> Result<Vec<Output>> {
        match body {
            SetExpr::Select(select) => self.select(select, None, parent),
            SetExpr::Query(query) => self.query(query, parent),
            SetExpr::SetOperation { left, right, set_quantifier, op } => {
                if *op == ast::SetOperator::Minus {
                    *op = ast::SetOperator::Except;
                }
                let left = self.set_expr(left, parent)?;
                let right = self.set_expr(right, parent)?;
                let by_name = set_quantifier.to_string().contains("BY NAME");
                if left.len() != right.len() && !by_name {
                    let message = format!(
                        "{op} needs as many columns on both sides, but has {} and {}",
                        left.len(),
                        right.len()
                    );
                    return Err(Error::new(Condition::NUM_COLUMNS_MISMATCH, message));
                }
                Ok(left)
            }
            SetExpr::Values(values) => {
                let outputs = self.values(values, parent)?;
                *body = named_values(values.clone(), &outputs);
                Ok(outputs)
            }
            SetExpr::Table(table) => {
                let words = [&table.schema_name, &table.table_name];
                let name = words.into_iter().flatten().map(|word| Ident::new(word.as_str()));
                *body = select_all(ObjectName::from(name.collect::<Vec<_>>()));
                self.set_expr(body, parent)
            }
            _ => Err(Error::unsupported("a statement that writes within a query")),
        }
    }

    fn values(
        &mut self,
        values: &mut ast::Values,
        parent: Option<&Env<'_>>,
    ) -> Result<Vec<Output>> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let nothing = From::default();
        let env = Env { from: &nothing, depth: self.depth, parent };
        for row in &mut values.rows {
            if row.content.len() != width {
                let message =
                    format!("the rows of VALUES have {width} and {} columns", row.content.len());
                return Err(Error::new(Condition::INLINE_TABLE_COLUMNS, message));
            }
            for expr in &mut row.content {
                self.expr(expr, &env, Names::default())?;
            }
        }
        let outputs = (1..=width)
            .map(|number| Output { name: format!("col{number}"), data_type: DataType::Null });
        Ok(outputs.collect())
    }

    /// Plans the queries of a WITH clause, or keeps those that use the query around them.
    fn with(&mut self, with: ast::With, parent: Option<&Env<'_>>) -> Result<()> {
        let mut names: Vec<String> = Vec::new();
        let around = self.ctes.len();
        for mut cte in with.cte_tables {
            let name = cte.alias.name.value.clone();
            if self.precedence() == "EXCEPTION"
                && self.ctes[self.apart.min(around)..around]
                    .iter()
                    .any(|(known, _)| self.same.is(shown(known), shown(&name)))
            {
                let message =
                    format!("`{}` is the name of a query around this one, too", shown(&name));
                let error = Error::new(Condition::AMBIGUOUS_ALIAS_IN_NESTED_CTE, message)
                    .hint(format!("give it another name, or set `{}`", config::CTE_PRECEDENCE));
                return Err(errors::at(error, &[cte.alias.name]));
            }
            if names.iter().any(|known| self.same.is(known, &name)) {
                let error = Error::new(
                    Condition::DUPLICATED_CTE_NAMES,
                    format!("WITH defines `{name}` twice"),
                );
                return Err(errors::at(error, &[cte.alias.name]));
            }
            names.push(name.clone());
            let source = if with.recursive && mentions(&cte.query, &name, self.same) {
                self.recursive(cte, parent)?
            } else {
                let (outputs, reached) = self.standing_alone(&mut cte.query, parent)?;
                if reached > self.depth {
                    let plan = self.scope.plan((*cte.query).clone())?;
                    Source::Plan(from::renamed(plan, &cte.alias)?)
                } else {
                    Source::Query(cte.query, from::named(outputs, &cte.alias), reached)
                }
            };
            self.ctes.push((name, source));
        }
        Ok(())
    }

    fn recursive(&mut self, mut cte: ast::Cte, parent: Option<&Env<'_>>) -> Result<Source> {
        let name = cte.alias.name.value.clone();
        let mut anchor = (*cte.query).clone();
        if let SetExpr::SetOperation { left, .. } = *anchor.body {
            anchor.body = left;
        }
        let outputs = self.query(&mut anchor, parent)?;
        let outputs = from::named(outputs, &cte.alias);
        let itself = Source::Recursive(cte.alias.name.clone(), outputs, self.depth + 1);
        self.ctes.push((name, itself));
        let resolved = self.query(&mut cte.query, parent);
        self.ctes.pop();
        resolved?;
        let mut query = query_of(select::empty_select());
        *query.body = select_all(ObjectName::from(vec![cte.alias.name.clone()]));
        query.with = Some(ast::With {
            with_token: ast::helpers::attached_token::AttachedToken::empty(),
            recursive: true,
            cte_tables: vec![cte],
        });
        Ok(Source::Plan(self.scope.plan(query)?))
    }

    /// Which of two queries of one name is meant.
    fn precedence(&self) -> String {
        let policy = self.config.get(config::CTE_PRECEDENCE).unwrap_or_default();
        policy.to_uppercase()
    }

    fn cte(&self, name: &str) -> Option<Source> {
        let found = match self.precedence().as_str() {
            "LEGACY" => {
                let mut ctes = self.ctes.iter();
                ctes.find(|(known, _)| self.same.is(shown(known), shown(name)))
            }
            _ => self.ctes.iter().rev().find(|(known, _)| self.same.is(known, name)),
        };
        found.map(|(_, source)| source.clone())
    }

    /// The type of a resolved expression; `Null` if the planner cannot tell.
    fn type_of(&self, expr: &Expr, env: &Env<'_>) -> DataType {
        let known = groups::column_type(expr, env);
        if known != DataType::Null {
            return known;
        }
        self.planned_type(expr, env).unwrap_or(DataType::Null)
    }

    fn planned_type(&self, expr: &Expr, env: &Env<'_>) -> Option<DataType> {
        let schema =
            |from: &From| DFSchema::new_with_metadata(from.fields.clone(), HashMap::new()).ok();
        let own = schema(env.from)?;
        let mut around = Vec::new();
        let mut outer = env.parent;
        while let Some(env) = outer {
            around.push(schema(env.from)?);
            outer = env.parent;
        }
        let mut context = PlannerContext::new();
        for schema in around.into_iter().rev() {
            context.append_outer_query_schema(std::sync::Arc::new(schema));
        }
        let mut select = select::empty_select();
        select.projection.push(SelectItem::UnnamedExpr(expr.clone()));
        let mut query = query_of(select);
        super::spell(&mut query, &super::config_of(self.scope.state)).ok()?;
        let SetExpr::Select(select) = *query.body else { return None };
        let Some(SelectItem::UnnamedExpr(spelled)) = select.projection.into_iter().next() else {
            return None;
        };
        let planner = SqlToRel::new_with_options(self.scope, parser_options(self.scope.state));
        planner.sql_to_expr(spelled, &own, &mut context).ok()?.get_type(&own).ok()
    }

    /// Whether a function of the call's name exists.
    fn is_known(&self, function: &ast::Function) -> bool {
        use datafusion::logical_expr::planner::ContextProvider;
        let name = function.name.to_string();
        self.scope.get_function_meta(&name).is_some()
            || self.scope.get_higher_order_meta(&name).is_some()
            || self.scope.get_window_meta(&name).is_some()
            || self.scope.get_aggregate_meta(&name).is_some()
    }

    /// Whether a call brings rows together.
    fn is_aggregate(&self, function: &ast::Function) -> bool {
        use datafusion::logical_expr::planner::ContextProvider;
        let name = function.name.to_string();
        self.scope.get_aggregate_meta(&name).is_some() || name.eq_ignore_ascii_case("grouping_id")
    }
}

/// Whether a query names a relation anywhere.
fn mentions(query: &ast::Query, name: &str, same: Same) -> bool {
    struct Finder<'f>(&'f str, Same);
    impl Visitor for Finder<'_> {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            match factor {
                TableFactor::Table { name, args: None, .. }
                    if name.0.len() == 1
                        && select::idents_of(name)
                            .first()
                            .is_some_and(|ident| self.1.is(&ident.value, self.0)) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    query.visit(&mut Finder(name, same)).is_break()
}

/// VALUES whose columns are called `col1`, `col2` and so on.
fn named_values(values: ast::Values, outputs: &[Output]) -> SetExpr {
    let mut query = query_of(select::empty_select());
    *query.body = SetExpr::Values(values);
    let mut select = select::empty_select();
    let items = outputs.iter().enumerate().map(|(at, output)| SelectItem::ExprWithAlias {
        expr: Expr::CompoundIdentifier(vec![
            Ident::new(VALUES),
            Ident::new(format!("col{}", at + 1)),
        ]),
        alias: Ident::new(shown(&output.name)),
    });
    select.projection = items.collect();
    let alias =
        ast::TableAlias { explicit: true, name: Ident::new(VALUES), columns: Vec::new(), at: None };
    let relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias: Some(alias),
        sample: None,
    };
    select.from.push(ast::TableWithJoins { relation, joins: Vec::new() });
    SetExpr::Select(Box::new(select))
}

fn select_all(name: ObjectName) -> SetExpr {
    let mut select = select::empty_select();
    select.projection.push(SelectItem::Wildcard(ast::WildcardAdditionalOptions::default()));
    let relation = from::table_factor(name);
    select.from.push(ast::TableWithJoins { relation, joins: Vec::new() });
    SetExpr::Select(Box::new(select))
}
