//! Queries within expressions: a value, a test for rows, membership.

use std::sync::Arc;

use sqlparser::ast::{self, Expr};

use super::DataFrame;
use super::column::{Column, columns};
use crate::analyze::{References, reference_name};
use crate::error::Result;
use crate::sql;

/// A query that expressions of other queries of its session may hold, as long as this lives.
///
/// The queries that use it have to be planned while it lives; see [`DataFrame::check`].
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let session = Session::new();
/// let largest = session.range(0, 5).select_expr(["max(id)"]).reference().await?;
/// let rows = session.range(3, 9).filter(col("id").leq(largest.scalar()));
/// assert_eq!(rows.rows::<(i64,)>().await?, [(3,), (4,)]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Reference {
    held: Arc<Held>,
    rows: DataFrame,
}

#[derive(Debug)]
struct Held {
    references: Arc<References>,
    number: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.references.remove(self.number);
    }
}

impl DataFrame {
    /// Makes the query one that expressions may hold.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn reference(&self) -> Result<Reference> {
        let references = Arc::clone(self.session.references());
        let number = references.add(self.logical_plan().await?.clone());
        Ok(Reference { held: Arc::new(Held { references, number }), rows: self.clone() })
    }
}

impl Reference {
    /// The query itself.
    pub fn rows(&self) -> &DataFrame {
        &self.rows
    }

    /// The one value of the query, NULL if it has no row.
    pub fn scalar(&self) -> Column {
        self.column(|query| Expr::Subquery(Box::new(query)))
    }

    /// Whether the query has a row.
    pub fn exists(&self) -> Column {
        self.column(|query| Expr::Exists { subquery: Box::new(query), negated: false })
    }

    /// Whether the query has a row of these values.
    pub fn contains<C: Into<Column>>(&self, values: impl IntoIterator<Item = C>) -> Column {
        let values = match Column::exprs(&columns(values)) {
            Ok(values) => values,
            Err(error) => return Column::failed(error),
        };
        let value = match values.as_slice() {
            [value] => value.clone(),
            _ => Expr::Tuple(values),
        };
        self.column(|query| Expr::InSubquery {
            expr: Box::new(value),
            subquery: Box::new(query),
            negated: false,
        })
    }

    fn column(&self, make: impl FnOnce(ast::Query) -> Expr) -> Column {
        let text = format!("SELECT * FROM {}", reference_name(self.held.number));
        match sql::parse_query(&text) {
            Ok(query) => Column::of(make(query)),
            Err(error) => Column::failed(error),
        }
    }
}
