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

mod lambdas;
mod operators;
mod table;

pub use lambdas::*;
pub use table::*;

pub use crate::dataframe::{col, expr, lit};

/// Calls a function by its SQL name, or an operator by the one that Spark's plans give it.
///
/// ```
/// # use vonk::prelude::*;
/// assert_eq!(vonk::functions::call("least", ["a", "b"]).to_string(), "least(`a`, `b`)");
/// ```
pub fn call<C: Into<Column>>(name: &str, args: impl IntoIterator<Item = C>) -> Column {
    let name = name.to_owned();
    match Column::exprs(&columns(args)) {
        Ok(args) => Column::of(
            operators::apply(&name, args).unwrap_or_else(|args| dataframe::call(&name, args)),
        ),
        Err(error) => Column::failed(error),
    }
}

/// Calls an aggregate function over the distinct values only.
///
/// ```
/// # use vonk::prelude::*;
/// let call = vonk::functions::call_distinct("sum", ["a"]);
/// assert_eq!(call.to_string(), "sum(DISTINCT `a`)");
/// ```
pub fn call_distinct<C: Into<Column>>(name: &str, args: impl IntoIterator<Item = C>) -> Column {
    distinct(call(name, args))
}

/// An argument by its name, `name => value`, for [`call`].
///
/// ```
/// # use vonk::prelude::*;
/// let argument = vonk::functions::named("len", lit(3));
/// assert_eq!(vonk::functions::call("f", [argument]).to_string(), "f(`len` => 3)");
/// ```
pub fn named(name: &str, value: impl Into<Column>) -> Column {
    value.into().map(|value| dataframe::named_argument(name, value))
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

/// One row per item of an array, or per entry of a map as `key` and `value`; a row with NULL or
/// nothing in it gives none.
///
/// ```
/// # use vonk::prelude::*;
/// # use vonk::functions::explode;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let lists = Session::new().range(0, 1).select([lit(vec![7, 8]).alias("list")]);
/// let items = lists.select([explode("list")]);
/// assert_eq!(items.columns().await?, ["col"]);
/// assert_eq!(items.rows::<i32>().await?, [7, 8]);
/// # Ok(()) }
/// ```
pub fn explode(array: impl Into<Column>) -> Column {
    call("explode", [array])
}

/// As [`explode`], but a row with NULL or nothing in it gives one with NULL.
pub fn explode_outer(array: impl Into<Column>) -> Column {
    call("explode_outer", [array])
}

/// As [`explode`], with the position from 0 before each item, as `pos`.
pub fn posexplode(array: impl Into<Column>) -> Column {
    call("posexplode", [array])
}

/// As [`posexplode`], but a row with NULL or nothing in it gives one with NULL.
pub fn posexplode_outer(array: impl Into<Column>) -> Column {
    call("posexplode_outer", [array])
}

/// One row per struct of an array, with a column per field.
pub fn inline(array: impl Into<Column>) -> Column {
    call("inline", [array])
}

/// Lays values out in so many rows, one after the other.
pub fn stack<C: Into<Column>>(rows: i32, values: impl IntoIterator<Item = C>) -> Column {
    let mut args = vec![lit(rows)];
    args.extend(columns(values));
    call("stack", args)
}

/// Numbers the rows of a window's partition from 1, in its order.
pub fn row_number() -> Column {
    call("row_number", NO_ARGUMENTS)
}

/// The value of a column some rows before, NULL where there is none.
pub fn lag(value: impl Into<Column>, rows: i32) -> Column {
    call("lag", [value.into(), lit(rows)])
}

/// The value of a column some rows after, NULL where there is none.
pub fn lead(value: impl Into<Column>, rows: i32) -> Column {
    call("lead", [value.into(), lit(rows)])
}

/// Joins texts with a separator between them, leaving NULL out.
pub fn concat_ws<C: Into<Column>>(
    separator: impl Operand,
    values: impl IntoIterator<Item = C>,
) -> Column {
    let mut args = vec![separator.into_operand()];
    args.extend(columns(values));
    call("concat_ws", args)
}

/// Fills a pattern such as `%d of %s` with values.
pub fn format_string<C: Into<Column>>(
    pattern: impl Operand,
    values: impl IntoIterator<Item = C>,
) -> Column {
    let mut args = vec![pattern.into_operand()];
    args.extend(columns(values));
    call("format_string", args)
}

/// A timestamp cut to a unit such as `month` or `hour`.
pub fn date_trunc(unit: impl Operand, timestamp: impl Into<Column>) -> Column {
    call("date_trunc", [unit.into_operand(), timestamp.into()])
}

/// The query as it is: vonk chooses how to join by the sizes that it finds.
#[must_use]
pub fn broadcast(data: crate::DataFrame) -> crate::DataFrame {
    data
}

const NO_ARGUMENTS: [Column; 0] = [];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_tables_is_known_to_a_session() {
        let known = crate::Session::new().function_names();
        let is_unknown = |name: &&&str| !known.iter().any(|known| known == **name);
        let unknown: Vec<&&str> = table::NAMES.iter().filter(is_unknown).collect();
        assert!(unknown.is_empty(), "unknown: {unknown:?}");
    }

    #[test]
    fn text_is_a_column_except_where_a_constant_is_taken() {
        let call = regexp_replace("name", "[a-z]", "-");
        assert_eq!(call.to_string(), "regexp_replace(`name`, '[a-z]', '-')");
        assert_eq!(count("*").to_string(), "count(*)");
    }
}
