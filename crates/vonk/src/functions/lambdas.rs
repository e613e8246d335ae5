//! Functions that take closures over items of arrays and entries of maps.

use std::cell::Cell;

use sqlparser::ast::{
    Expr, Ident, LambdaFunction, LambdaFunctionParameter, LambdaSyntax, OneOrManyWithParens,
};

use super::{Column, call};

thread_local! {
    /// How many closures are being asked for their bodies, each within the one before.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A lambda whose body is what a closure makes of its parameters.
fn lambda<const N: usize>(body: impl FnOnce([Column; N]) -> Column) -> Column {
    let depth = DEPTH.get();
    let names: [Ident; N] =
        std::array::from_fn(|at| Ident::with_quote('`', format!("__parameter{depth}_{at}")));
    DEPTH.set(depth + 1);
    let body = body(names.clone().map(|name| Column::of(Expr::Identifier(name))));
    DEPTH.set(depth);
    let parameter = |name| LambdaFunctionParameter { name, data_type: None };
    let params = OneOrManyWithParens::Many(names.into_iter().map(parameter).collect());
    body.map(|body| {
        let syntax = LambdaSyntax::Arrow;
        Expr::Lambda(LambdaFunction { params, body: Box::new(body), syntax })
    })
}

/// A lambda whose body names its parameters itself, as an argument of [`call`].
///
/// ```
/// # use vonk::prelude::*;
/// use vonk::functions::{call, lambda_of};
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let twice = call("transform", [lit(vec![1, 2]), lambda_of(["x"], col("x") * 2)]).alias("twice");
/// let rows = Session::new().range(0, 1).select([twice]);
/// assert_eq!(rows.rows::<(Vec<i32>,)>().await?, [(vec![2, 4],)]);
/// # Ok(()) }
/// ```
pub fn lambda_of<N: AsRef<str>>(names: impl IntoIterator<Item = N>, body: Column) -> Column {
    let parameter = |name: N| LambdaFunctionParameter {
        name: Ident::with_quote('`', name.as_ref()),
        data_type: None,
    };
    let params = OneOrManyWithParens::Many(names.into_iter().map(parameter).collect());
    body.map(|body| {
        let syntax = LambdaSyntax::Arrow;
        Expr::Lambda(LambdaFunction { params, body: Box::new(body), syntax })
    })
}

/// What a closure makes of every item of an array.
///
/// ```
/// # use vonk::prelude::*;
/// use vonk::functions::{array, transform};
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let lists = Session::new().range(1, 3).select([array([col("id"), col("id") * 2]).alias("a")]);
/// let sums = lists.select([transform("a", |item| item + 1).alias("b")]);
/// assert_eq!(sums.rows::<(Vec<i64>,)>().await?, [(vec![2, 3],), (vec![3, 5],)]);
/// # Ok(()) }
/// ```
pub fn transform(array: impl Into<Column>, body: impl FnOnce(Column) -> Column) -> Column {
    call("transform", [array.into(), lambda(|[item]| body(item))])
}

/// What a closure makes of every item of an array and its place from 0.
pub fn transform_with_place(
    array: impl Into<Column>,
    body: impl FnOnce(Column, Column) -> Column,
) -> Column {
    call("transform", [array.into(), lambda(|[item, place]| body(item, place))])
}

/// The items of an array of which a condition is true.
pub fn filter(array: impl Into<Column>, condition: impl FnOnce(Column) -> Column) -> Column {
    call("filter", [array.into(), lambda(|[item]| condition(item))])
}

/// Whether a condition is true of any item of an array.
pub fn exists(array: impl Into<Column>, condition: impl FnOnce(Column) -> Column) -> Column {
    call("exists", [array.into(), lambda(|[item]| condition(item))])
}

/// Whether a condition is true of all items of an array.
pub fn forall(array: impl Into<Column>, condition: impl FnOnce(Column) -> Column) -> Column {
    call("forall", [array.into(), lambda(|[item]| condition(item))])
}

/// The items of an array put together, one after the other, from a start.
///
/// ```
/// # use vonk::prelude::*;
/// use vonk::functions::aggregate;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let sum = aggregate(lit(vec![1, 2, 3]), lit(0), |sum, item| sum + item).alias("sum");
/// assert_eq!(Session::new().range(0, 1).select([sum]).rows::<(i32,)>().await?, [(6,)]);
/// # Ok(()) }
/// ```
pub fn aggregate(
    array: impl Into<Column>,
    start: impl Into<Column>,
    merge: impl FnOnce(Column, Column) -> Column,
) -> Column {
    let merge = lambda(|[sum, item]| merge(sum, item));
    call("aggregate", [array.into(), start.into(), merge])
}

/// What a closure makes of the items at the same places of two arrays.
pub fn zip_with(
    left: impl Into<Column>,
    right: impl Into<Column>,
    body: impl FnOnce(Column, Column) -> Column,
) -> Column {
    call("zip_with", [left.into(), right.into(), lambda(|[left, right]| body(left, right))])
}

/// The array in the order of a closure that gives a number below, of, or above zero for two items.
pub fn array_sort_by(
    array: impl Into<Column>,
    compare: impl FnOnce(Column, Column) -> Column,
) -> Column {
    call("array_sort", [array.into(), lambda(|[left, right]| compare(left, right))])
}

/// The entries of a map of which a condition is true.
pub fn map_filter(
    map: impl Into<Column>,
    condition: impl FnOnce(Column, Column) -> Column,
) -> Column {
    call("map_filter", [map.into(), lambda(|[key, value]| condition(key, value))])
}

/// The map with what a closure makes of each entry in place of its key.
pub fn transform_keys(
    map: impl Into<Column>,
    body: impl FnOnce(Column, Column) -> Column,
) -> Column {
    call("transform_keys", [map.into(), lambda(|[key, value]| body(key, value))])
}

/// The map with what a closure makes of each entry in place of its value.
pub fn transform_values(
    map: impl Into<Column>,
    body: impl FnOnce(Column, Column) -> Column,
) -> Column {
    call("transform_values", [map.into(), lambda(|[key, value]| body(key, value))])
}

/// One map of two, by a closure over each key and its values, NULL for one that a map has not.
pub fn map_zip_with(
    left: impl Into<Column>,
    right: impl Into<Column>,
    body: impl FnOnce(Column, Column, Column) -> Column,
) -> Column {
    let body = lambda(|[key, left, right]| body(key, left, right));
    call("map_zip_with", [left.into(), right.into(), body])
}
