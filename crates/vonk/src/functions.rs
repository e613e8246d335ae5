//! Spark's functions for the DataFrame API, by the names of PySpark.
//!
//! A text argument is the name of a column, except where the function takes a constant, as the
//! pattern of [`regexp_replace`]. A function that is not here is called by [`call`] or in
//! [`expr`](crate::dataframe::expr); all are looked up by the query, as in SQL.
//!
//! ```
//! # use vonk::prelude::*;
//! use vonk::functions as f;
//! # #[tokio::main] async fn main() -> vonk::Result<()> {
//! let words = Session::new().sql("SELECT * FROM VALUES ('spark'), ('vonk'), ('spark') AS t(word)");
//! let counts = words
//!     .group_by([f::upper("word").alias("word")])
//!     .agg([f::count("*").alias("n")])
//!     .order_by([col("n").desc()]);
//! assert_eq!(counts.rows::<(String, i64)>().await?[0], ("SPARK".to_owned(), 2));
//! # Ok(()) }
//! ```

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{CaseWhen, DuplicateTreatment, Expr, FunctionArguments};

use crate::dataframe::{self, Column, Operand, columns};

pub use crate::dataframe::{col, expr, lit};

/// Calls a function by its SQL name.
///
/// ```
/// # use vonk::prelude::*;
/// assert_eq!(vonk::functions::call("least", ["a", "b"]).to_string(), "least(`a`, `b`)");
/// ```
pub fn call<C: Into<Column>>(name: &str, args: impl IntoIterator<Item = C>) -> Column {
    let name = name.to_owned();
    match Column::exprs(&columns(args)) {
        Ok(args) => Column::of(dataframe::call(&name, args)),
        Err(error) => Column::failed(error),
    }
}

/// The value of the first case that holds, to be continued by `when` and `otherwise`.
///
/// ```
/// # use vonk::prelude::*;
/// # use vonk::functions::when;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let size = when(col("id").lt(2), "small").otherwise("large").alias("size");
/// let sizes = Session::new().range(1, 3).select([size]).rows::<(String,)>().await?;
/// assert_eq!(sizes, [("small".to_owned(),), ("large".to_owned(),)]);
/// # Ok(()) }
/// ```
pub fn when(condition: impl Into<Column>, value: impl Operand) -> Column {
    condition.into().zip(value.into_operand(), |condition, result| Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result }],
        else_result: None,
    })
}

/// The number of distinct values, or of distinct combinations, without those that have NULL.
pub fn count_distinct<C: Into<Column>>(values: impl IntoIterator<Item = C>) -> Column {
    distinct(call("count", values))
}

/// The sum of the distinct values.
pub fn sum_distinct(value: impl Into<Column>) -> Column {
    distinct(call("sum", [value]))
}

fn distinct(call: Column) -> Column {
    call.map(|expr| match expr {
        Expr::Function(mut function) => {
            if let FunctionArguments::List(list) = &mut function.args {
                list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
            }
            Expr::Function(function)
        }
        other => other,
    })
}

/// The first value that is not NULL.
pub fn coalesce<C: Into<Column>>(values: impl IntoIterator<Item = C>) -> Column {
    call("coalesce", values)
}

/// One row per item of an array; a row with NULL or an empty array gives none.
///
/// ```
/// # use vonk::prelude::*;
/// # use vonk::functions::explode;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let lists = Session::new().range(0, 1).select([lit(vec![7, 8]).alias("list")]);
/// assert_eq!(lists.select([explode("list").alias("item")]).count().await?, 2);
/// # Ok(()) }
/// ```
pub fn explode(array: impl Into<Column>) -> Column {
    call("unnest", [array]).alias("col")
}

/// One row per item of an array; a row with NULL or an empty array gives one with NULL.
pub fn explode_outer(array: impl Into<Column>) -> Column {
    call("unnest_outer", [array]).alias("col")
}

/// Counts rows: all of them with `"*"`, else those where the value is not NULL.
pub fn count(value: impl Into<Column>) -> Column {
    call("count", [value])
}
/// The sum.
pub fn sum(value: impl Into<Column>) -> Column {
    call("sum", [value])
}
/// The row number.
pub fn row_number() -> Column {
    call("row_number", Vec::<Column>::new())
}
/// Upper case.
pub fn upper(value: impl Into<Column>) -> Column {
    call("upper", [value])
}
#[cfg(test)]
mod tests_tmp;
