//! Columns: expressions as syntax, resolved when the query is planned.

use std::fmt;
use std::sync::Arc;

use sqlparser::ast::{self, Expr, Ident, OrderByOptions, SelectItem};

use super::literal::Operand;
use super::syntax;
use crate::error::{Error, Result};
use crate::sql;

mod methods;
mod operators;

/// An expression over the columns of a [`crate::DataFrame`].
///
/// It holds syntax, not a resolved expression: names, types and functions get their meaning from
/// the query in which it is used, by the same rules as SQL text. What is wrong with it is told by
/// the query's action.
///
/// ```
/// # use vonk::prelude::*;
/// let price = (col("net") * 1.21).alias("gross");
/// assert_eq!(price.to_string(), "`net` * CAST('1.21' AS DOUBLE) AS `gross`");
/// ```
#[derive(Debug, Clone)]
pub struct Column {
    node: Result<Node, Arc<Error>>,
}

/// An expression with what a SELECT list or an ORDER BY may add to it.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) expr: Expr,
    /// The names of its output: none, one, or as many as a generator gives.
    pub(crate) aliases: Vec<Ident>,
    pub(crate) order: Option<OrderByOptions>,
}

/// The column of this name; `a.b` is column `b` of table or struct `a`, `*` all columns.
///
/// A name with a dot or a quote in it is put in backquotes: ``col("`a.b`")``.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let people = Session::new().sql("SELECT 'Ada' AS `first name`, 36 AS age");
/// let names = people.select([col("first name")]);
/// assert_eq!(names.columns().await?, ["first name"]);
/// # Ok(()) }
/// ```
pub fn col(name: &str) -> Column {
    Column::of(syntax::column(name))
}

/// An expression in SQL, with an optional alias.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let range = Session::new().range(0, 10).select([expr("max(id) - min(id) AS spread")]);
/// assert_eq!(range.columns().await?, ["spread"]);
/// # Ok(()) }
/// ```
pub fn expr(text: &str) -> Column {
    let node = sql::parse_select_item(text).map(|item| match item {
        SelectItem::UnnamedExpr(expr) => Node::of(expr),
        SelectItem::ExprWithAlias { expr, alias } => {
            Node { aliases: vec![alias], ..Node::of(expr) }
        }
        SelectItem::ExprWithAliases { expr, aliases } => Node { aliases, ..Node::of(expr) },
        SelectItem::Wildcard(_) => Node::of(syntax::column("*")),
        SelectItem::QualifiedWildcard(..) => Node::of(syntax::column(text.trim())),
    });
    Column { node: node.map_err(Arc::new) }
}

/// A constant: a number, text, a boolean, `None` for NULL, or a `Vec` of them for an array.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let row = Session::new().range(0, 1).select([lit(1).alias("one"), lit("a").alias("letter")]);
/// assert_eq!(row.count().await?, 1);
/// # Ok(()) }
/// ```
pub fn lit(value: impl Operand) -> Column {
    value.into_operand()
}

impl Node {
    fn of(expr: Expr) -> Self {
        Self { expr, aliases: Vec::new(), order: None }
    }
}

impl Column {
    pub(crate) fn of(expr: Expr) -> Self {
        Self { node: Ok(Node::of(expr)) }
    }

    pub(crate) fn failed(error: Error) -> Self {
        Self { node: Err(Arc::new(error)) }
    }

    /// The expression with its aliases and order, or what is wrong with it.
    pub(crate) fn node(&self) -> Result<&Node> {
        self.node.as_ref().map_err(|error| error.copy())
    }

    /// The bare expression, without aliases and order.
    pub(crate) fn expr(&self) -> Result<Expr> {
        Ok(self.node()?.expr.clone())
    }

    /// The expression as an item of a SELECT list.
    pub(crate) fn item(&self) -> Result<SelectItem> {
        let Node { expr, aliases, .. } = self.node()?.clone();
        Ok(match aliases.len() {
            0 => SelectItem::UnnamedExpr(expr),
            1 => SelectItem::ExprWithAlias { expr, alias: aliases[0].clone() },
            _ => SelectItem::ExprWithAliases { expr, aliases },
        })
    }

    /// The expression as a sort key; ascending with NULL first unless it says otherwise.
    pub(crate) fn sort_key(&self) -> Result<ast::OrderByExpr> {
        let Node { expr, order, .. } = self.node()?.clone();
        let options = order.unwrap_or(OrderByOptions { asc: Some(true), nulls_first: Some(true) });
        Ok(ast::OrderByExpr { expr, options, with_fill: None })
    }

    /// The name of a plain column, without its qualifier.
    pub(crate) fn plain_name(&self) -> Option<&str> {
        match &self.node.as_ref().ok()?.expr {
            Expr::Identifier(ident) => Some(&ident.value),
            Expr::CompoundIdentifier(idents) => idents.last().map(|ident| ident.value.as_str()),
            _ => None,
        }
    }

    /// Changes the expression; aliases and order are dropped, since they belong to the old one.
    pub(crate) fn map(self, change: impl FnOnce(Expr) -> Expr) -> Self {
        Self { node: self.node.map(|node| Node::of(change(node.expr))) }
    }

    pub(crate) fn try_map(self, change: impl FnOnce(Expr) -> Result<Expr>) -> Self {
        let node = self.node.and_then(|node| change(node.expr).map(Node::of).map_err(Arc::new));
        Self { node }
    }

    /// Combines two expressions to one.
    pub(crate) fn zip(self, other: Column, combine: impl FnOnce(Expr, Expr) -> Expr) -> Self {
        match other.node {
            Ok(other) => self.map(|expr| combine(expr, other.expr)),
            Err(error) => Self { node: self.node.and(Err(error)) },
        }
    }

    /// The expressions of many columns, or the first thing that is wrong with one.
    pub(crate) fn exprs(columns: &[Column]) -> Result<Vec<Expr>> {
        columns.iter().map(Column::expr).collect()
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item() {
            Ok(item) => write!(f, "{item}"),
            Err(error) => write!(f, "{error}"),
        }
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        col(name)
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        col(&name)
    }
}

impl From<&String> for Column {
    fn from(name: &String) -> Self {
        col(name)
    }
}

impl From<&Column> for Column {
    fn from(column: &Column) -> Self {
        column.clone()
    }
}

/// The columns of an argument that takes many.
pub(crate) fn columns<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> Vec<Column> {
    columns.into_iter().map(Into::into).collect()
}
