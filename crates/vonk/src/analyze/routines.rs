//! SQL functions: expressions and queries with parameters, written out where they are called.
//!
//! A body that is one expression takes its arguments in the place of its parameters; one with a
//! query in it reads them as columns of a row beside, because its tables may have their names.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::RwLock;
use sqlparser::ast::{
    self, Expr, FunctionArg, Ident, ObjectName, ObjectNamePart, SelectItem, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins, Visit, VisitMut, Visitor, VisitorMut,
};

use super::named;
use super::syntax::{cast, query_of};
use crate::error::{Condition, Error, Result};

/// What the row of arguments and the rows of a body are called within a call in FROM.
const ROWS: &str = "__rows";

/// A parameter of a SQL function.
#[derive(Debug, Clone)]
pub(crate) struct RoutineParameter {
    pub(crate) name: String,
    pub(crate) data_type: ast::DataType,
    /// What stands for an argument that is left out.
    pub(crate) default: Option<Expr>,
}

/// What a SQL function gives.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// A value, which is cast to a type if one was named.
    Value(Box<Expr>, Option<ast::DataType>),
    /// The rows of a query, with the names and types of the columns if they were given.
    Rows(Box<ast::Query>, Vec<(Ident, ast::DataType)>),
}

/// A function that was made by a statement.
#[derive(Debug, Clone)]
pub(crate) struct Routine {
    pub(crate) name: String,
    pub(crate) parameters: Vec<RoutineParameter>,
    pub(crate) body: Body,
    /// Whether it is the session's own, and in no schema.
    pub(crate) is_temporary: bool,
}

/// The SQL functions of a session, by name without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Routines {
    by_name: RwLock<BTreeMap<String, Arc<Routine>>>,
}

impl Routines {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Routine>> {
        self.by_name.read().get(&name.to_lowercase()).cloned()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Routine>> {
        self.by_name.read().values().cloned().collect()
    }

    /// Adds the functions of another session.
    pub(crate) fn take_from(&self, other: &Self) {
        let others = other.by_name.read().clone();
        self.by_name.write().extend(others);
    }

    pub(crate) fn insert(&self, routine: Routine) {
        self.by_name.write().insert(routine.name.to_lowercase(), Arc::new(routine));
    }

    pub(crate) fn remove(&self, name: &str) -> bool {
        self.by_name.write().remove(&name.to_lowercase()).is_some()
    }

    /// The function that a call names, maybe with its catalog and schema.
    pub(crate) fn called(&self, name: &ObjectName) -> Option<Arc<Routine>> {
        if self.by_name.read().is_empty() {
            return None;
        }
        self.get(&last_word(name)?)
    }

    /// The queries whose tables a query uses by way of functions.
    pub(crate) fn queries_of(&self, query: &ast::Query) -> Vec<ast::Query> {
        let mut found: Vec<Arc<Routine>> = Vec::new();
        let mut queries: Vec<ast::Query> = Vec::new();
        if self.by_name.read().is_empty() {
            return queries;
        }
        let mut at = 0;
        self.collect(query, &mut found);
        while let Some(routine) = found.get(at).cloned() {
            let body = routine.query();
            self.collect(&body, &mut found);
            queries.push(body);
            at += 1;
        }
        queries
    }

    fn collect(&self, query: &ast::Query, found: &mut Vec<Arc<Routine>>) {
        struct Finder<'f>(&'f Routines, &'f mut Vec<Arc<Routine>>);
        impl Finder<'_> {
            fn add(&mut self, name: &ObjectName) {
                if let Some(routine) = self.0.called(name)
                    && !self.1.iter().any(|known| known.name == routine.name)
                {
                    self.1.push(routine);
                }
            }
        }
        impl Visitor for Finder<'_> {
            type Break = ();

            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                if let Expr::Function(function) = expr {
                    self.add(&function.name);
                }
                ControlFlow::Continue(())
            }

            fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
                if let TableFactor::Table { name, args: Some(_), .. }
                | TableFactor::Function { name, .. } = factor
                {
                    self.add(name);
                }
                ControlFlow::Continue(())
            }
        }
        let _ = query.visit(&mut Finder(self, found));
    }
}

fn last_word(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(ObjectNamePart::as_ident).map(|ident| ident.value.clone())
}

impl Routine {
    /// Its body as a query.
    fn query(&self) -> ast::Query {
        match &self.body {
            Body::Value(expr, _) => select(vec![SelectItem::UnnamedExpr((**expr).clone())], None),
            Body::Rows(query, _) => (**query).clone(),
        }
    }

    /// A query that is wrong if the function is: over a row of parameters that are NULL.
    pub(crate) fn example(&self) -> ast::Query {
        let nulls = self.parameters.iter().map(|_| Expr::value(ast::Value::Null)).collect();
        match &self.body {
            Body::Value(expr, data_type) => {
                let value = SelectItem::UnnamedExpr(cast_if((**expr).clone(), data_type.as_ref()));
                select(vec![value], self.row_of(nulls))
            }
            Body::Rows(..) => self.rows_of(nulls),
        }
    }

    /// The value of a call.
    pub(crate) fn value_of(&self, call: &ast::Function) -> Result<Expr> {
        let Body::Value(body, data_type) = &self.body else {
            let message = format!("`{}` makes rows, not a value", self.name);
            return Err(
                Error::new(Condition::NOT_A_SCALAR_FUNCTION, message).hint("call it in FROM")
            );
        };
        let args = match &call.args {
            ast::FunctionArguments::List(list) => list.args.as_slice(),
            _ => &[],
        };
        let args = self.arguments(args)?;
        if !has_query(body) {
            let mut value = (**body).clone();
            let mut filler = Filler { routine: self, args: &args, lambdas: Vec::new() };
            let _ = VisitMut::visit(&mut value, &mut filler);
            return Ok(Expr::Nested(Box::new(cast_if(value, data_type.as_ref()))));
        }
        let value = SelectItem::UnnamedExpr(cast_if((**body).clone(), data_type.as_ref()));
        Ok(Expr::Subquery(Box::new(select(vec![value], self.row_of(args)))))
    }

    /// The rows of a call in FROM, as a query that may read columns of the tables before it.
    pub(crate) fn rows_of_call(&self, args: &[FunctionArg]) -> Result<ast::Query> {
        if matches!(self.body, Body::Value(..)) {
            let message = format!("`{}` makes a value, not rows", self.name);
            return Err(Error::new(Condition::NOT_A_TABLE_FUNCTION, message)
                .hint("call it in an expression"));
        }
        Ok(self.rows_of(self.arguments(args)?))
    }

    fn rows_of(&self, args: Vec<Expr>) -> ast::Query {
        let Body::Rows(body, columns) = &self.body else { return self.query() };
        let items = columns.iter().map(|(name, data_type)| SelectItem::ExprWithAlias {
            expr: cast(
                Expr::CompoundIdentifier(vec![Ident::new(ROWS), name.clone()]),
                data_type.clone(),
            ),
            alias: name.clone(),
        });
        let items: Vec<SelectItem> = items.collect();
        let columns = columns.iter().map(|(name, _)| name.clone()).collect();
        let items = match items.is_empty() {
            true => {
                let kind =
                    ast::SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(vec![
                        Ident::new(ROWS),
                    ]));
                vec![SelectItem::QualifiedWildcard(kind, ast::WildcardAdditionalOptions::default())]
            }
            false => items,
        };
        let rows = derived((**body).clone(), Ident::new(ROWS), columns, !args.is_empty());
        let row = self.row_of(args);
        let mut query = select(items, row);
        if let ast::SetExpr::Select(select) = query.body.as_mut() {
            select.from.push(TableWithJoins { relation: rows, joins: Vec::new() });
        }
        query
    }

    /// A row whose columns are the parameters, cast to their types.
    fn row_of(&self, args: Vec<Expr>) -> Option<TableFactor> {
        if self.parameters.is_empty() {
            return None;
        }
        let items =
            self.parameters.iter().zip(args).map(|(parameter, arg)| SelectItem::ExprWithAlias {
                expr: cast(arg, parameter.data_type.clone()),
                alias: Ident::with_quote('`', parameter.name.as_str()),
            });
        let row = select(items.collect(), None);
        Some(derived(row, Ident::with_quote('`', self.name.as_str()), Vec::new(), false))
    }

    /// The arguments of a call in the order of the parameters.
    fn arguments(&self, args: &[FunctionArg]) -> Result<Vec<Expr>> {
        let names: Vec<&str> =
            self.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let given = named::place(&self.name, &names, args)?;
        let filled = given.into_iter().zip(&self.parameters);
        let filled =
            filled.map(|(given, parameter)| given.cloned().or_else(|| parameter.default.clone()));
        filled.collect::<Option<Vec<Expr>>>().ok_or_else(|| {
            let (takes, given) = (self.parameters.len(), args.len());
            let message = format!("`{}` takes {takes} arguments, not {given}", self.name);
            Error::new(Condition::WRONG_NUM_ARGS, message)
        })
    }
}

/// Puts arguments in the place of parameters.
struct Filler<'f> {
    routine: &'f Routine,
    args: &'f [Expr],
    /// The names of the lambdas around, which are no parameters.
    lambdas: Vec<Vec<String>>,
}

impl Filler<'_> {
    fn argument(&self, path: &[Ident]) -> Option<Expr> {
        let is = |ident: &Ident, name: &str| ident.value.eq_ignore_ascii_case(name);
        let bound = self.lambdas.iter().flatten();
        if path.len() == 1 && bound.clone().any(|name| is(&path[0], name)) {
            return None;
        }
        let path = match path {
            [first, rest @ ..] if !rest.is_empty() && is(first, &self.routine.name) => rest,
            path => path,
        };
        let (first, fields) = path.split_first()?;
        let parameters = &self.routine.parameters;
        let at = parameters.iter().position(|parameter| is(first, &parameter.name))?;
        let value = cast(self.args.get(at)?.clone(), parameters[at].data_type.clone());
        let value = Expr::Nested(Box::new(value));
        if fields.is_empty() {
            return Some(value);
        }
        let fields =
            fields.iter().map(|field| ast::AccessExpr::Dot(Expr::Identifier(field.clone())));
        Some(Expr::CompoundFieldAccess { root: Box::new(value), access_chain: fields.collect() })
    }
}

impl VisitorMut for Filler<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Lambda(lambda) = expr {
            let params = match &lambda.params {
                ast::OneOrManyWithParens::One(param) => std::slice::from_ref(param),
                ast::OneOrManyWithParens::Many(params) => params.as_slice(),
            };
            self.lambdas.push(params.iter().map(|param| param.name.value.clone()).collect());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let found = match expr {
            Expr::Identifier(ident) => self.argument(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(parts) => self.argument(parts),
            Expr::Lambda(_) => {
                self.lambdas.pop();
                None
            }
            _ => None,
        };
        if let Some(found) = found {
            *expr = found;
        }
        ControlFlow::Continue(())
    }
}

fn has_query(expr: &Expr) -> bool {
    struct Finder;
    impl Visitor for Finder {
        type Break = ();

        fn pre_visit_query(&mut self, _query: &ast::Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    expr.visit(&mut Finder).is_break()
}

fn cast_if(expr: Expr, data_type: Option<&ast::DataType>) -> Expr {
    match data_type {
        Some(data_type) => cast(Expr::Nested(Box::new(expr)), data_type.clone()),
        None => expr,
    }
}

fn select(items: Vec<SelectItem>, from: Option<TableFactor>) -> ast::Query {
    let mut select = super::resolve::empty_select();
    select.projection = items;
    select.from =
        from.into_iter().map(|relation| TableWithJoins { relation, joins: Vec::new() }).collect();
    query_of(select)
}

fn derived(query: ast::Query, name: Ident, columns: Vec<Ident>, lateral: bool) -> TableFactor {
    let columns = columns.into_iter().map(|name| TableAliasColumnDef { name, data_type: None });
    let alias = TableAlias { explicit: true, name, columns: columns.collect(), at: None };
    TableFactor::Derived { lateral, subquery: Box::new(query), alias: Some(alias), sample: None }
}
