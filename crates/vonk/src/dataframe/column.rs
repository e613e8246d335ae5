//! Columns: expressions as syntax, resolved when the query is planned.

use std::fmt;

use sqlparser::ast::{self, Expr, Ident, SelectItem};

use crate::error::Result;
use crate::sql;

/// An expression over the columns of a [`crate::DataFrame`].
///
/// It holds syntax, not a resolved expression: names, types and functions get their meaning from
/// the query in which it is used, by the same rules as SQL text.
#[derive(Debug, Clone)]
pub struct Column {
    item: std::result::Result<SelectItem, String>,
}

/// The column of this name; `a.b` is column `b` of table or struct `a`, `*` all columns.
pub fn col(name: &str) -> Column {
    expr(name)
}

/// An expression in SQL, with an optional alias.
pub fn expr(text: &str) -> Column {
    Column { item: sql::parse_select_item(text).map_err(|error| error.to_string()) }
}

/// A constant.
pub fn lit(value: i64) -> Column {
    expr(&value.to_string())
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.item {
            Ok(item) => write!(f, "{item}"),
            Err(error) => f.write_str(error),
        }
    }
}

/// `SELECT * FROM table`, the beginning of every transformation.
pub(super) fn select_all(table: &str) -> Result<ast::Query> {
    sql::parse_query(&format!("SELECT * FROM {table}"))
}

#[expect(dead_code, reason = "the DataFrame API is being built on it")]
fn identifier(name: &str) -> Expr {
    Expr::Identifier(Ident::with_quote('`', name))
}
