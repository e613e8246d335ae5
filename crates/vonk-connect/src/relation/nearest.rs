//! Joins of every row with the nearest rows of another relation, and of rows by their place.

use std::sync::Arc;

use spark_connect_proto::{AsOfJoin, NearestByJoin, Zip};
use vonk::dataframe::{Column, DataFrame, JoinOn, WindowSpec, col, lit};
use vonk::error::Condition;
use vonk::{Error, Result, functions};

use super::join::inherit;
use super::{Output, Query, Scope, input};
use crate::errors::required;
use crate::expression::{self, quoted};
use crate::session::ConnectSession;

/// The column that tells the rows of the left side apart.
const ROW: &str = "__row";

/// The column that does so for the right side.
const OTHER_ROW: &str = "__other_row";

/// The place of a pair among those of one left row, the nearest first.
const RANK: &str = "__rank";

/// What makes a pair of rows near.
struct Nearness {
    condition: Option<Column>,
    order: Column,
    count: i64,
}

pub(super) async fn as_of(session: &Arc<ConnectSession>, join: &AsOfJoin) -> Result<Query> {
    let (left, right) = (input(session, &join.left).await?, input(session, &join.right).await?);
    let scope = both(session, &left, &right);
    let of = |expression| expression::column(&scope, required(expression, "column to compare")?);
    let (a, b) = (of(join.left_as_of.as_ref())?, of(join.right_as_of.as_ref())?);
    let tolerance = join.tolerance.as_ref();
    let tolerance = tolerance.map(|one| expression::column(&scope, one)).transpose()?;
    let mut conditions = bounds(join, &a, &b, tolerance)?;
    if let Some(condition) = join.join_expr.as_ref() {
        conditions.push(expression::column(&scope, condition)?);
    }
    for name in &join.using_columns {
        conditions.push(scope.at(name, 0).eq(scope.at(name, left.outputs.len())));
    }
    let condition = conditions.into_iter().reduce(Column::and);
    let order = match join.direction.as_str() {
        "backward" => a - b,
        "forward" => b - a,
        _ => functions::when(a.clone().gt(b.clone()), a.clone() - b.clone()).otherwise(b - a),
    };
    let nearness = Nearness { condition, order: order.asc_nulls_last(), count: 1 };
    nearest(&scope, (&left, &right), nearness, &join.join_type).await
}

/// Which rows of the right side come into question.
fn bounds(
    join: &AsOfJoin,
    a: &Column,
    b: &Column,
    tolerance: Option<Column>,
) -> Result<Vec<Column>> {
    let (a, b) = (a.clone(), b.clone());
    let at_least = |x: Column, y: Column| match join.allow_exact_matches {
        true => x.geq(y),
        false => x.gt(y),
    };
    let low = tolerance.clone().map(|most| at_least(b.clone(), a.clone() - most));
    let high = tolerance.map(|most| at_least(a.clone() + most, b.clone()));
    let exact = join.allow_exact_matches;
    let (first, bounds) = match join.direction.as_str() {
        "backward" => (Some(at_least(a, b)), [low, None]),
        "forward" => (Some(at_least(b, a)), [high, None]),
        "nearest" => ((!exact).then(|| a.neq(b)), [low, high]),
        other => {
            let message = format!("there is no as-of join of direction `{other}`");
            return Err(Error::new(Condition::INVALID_PARAMETER, message)
                .hint("use `backward`, `forward` or `nearest`"));
        }
    };
    Ok(first.into_iter().chain(bounds.into_iter().flatten()).collect())
}

pub(super) async fn by_ranking(
    session: &Arc<ConnectSession>,
    join: &NearestByJoin,
) -> Result<Query> {
    let (left, right) = (input(session, &join.left).await?, input(session, &join.right).await?);
    let scope = both(session, &left, &right);
    let ranking = required(join.ranking_expression.as_ref(), "ranking")?;
    let ranking = expression::column(&scope, ranking)?;
    let order = match join.direction.eq_ignore_ascii_case("similarity") {
        true => ranking.desc_nulls_last(),
        false => ranking.asc_nulls_last(),
    };
    let nearness = Nearness { condition: None, order, count: i64::from(join.num_results) };
    nearest(&scope, (&left, &right), nearness, &join.join_type).await
}

/// Numbers the rows of the left side, joins, and keeps the first pairs of each.
async fn nearest(
    scope: &Scope<'_>,
    (left, right): (&Query, &Query),
    nearness: Nearness,
    how: &str,
) -> Result<Query> {
    let (a, b) = (left.outputs.len(), right.outputs.len());
    let left_rows = numbered(&scope.apply(&left.frame, 0, a), ROW);
    let right_rows = scope.apply(&right.frame, a, b);
    let on = JoinOn::Condition(nearness.condition.unwrap_or_else(|| lit(true)));
    let pairs = left_rows.join(&right_rows, on, how);
    let window = WindowSpec::default().partition_by([ROW]).order_by([nearness.order]);
    let ranked = pairs.with_column(RANK, functions::row_number().over(&window));
    let frame = ranked.filter(col(RANK).leq(lit(nearness.count))).drop([ROW, RANK]);
    let mut query = Query::new(frame).await?;
    inherit(&mut query, left, right, &[]);
    Ok(query)
}

/// Rows side by side, by their place.
pub(super) async fn zip(session: &Arc<ConnectSession>, zip: &Zip) -> Result<Query> {
    let (left, right) = (input(session, &zip.left).await?, input(session, &zip.right).await?);
    let on = JoinOn::Condition(col(ROW).eq(col(OTHER_ROW)));
    let (a, b) = (numbered(&left.frame, ROW), numbered(&right.frame, OTHER_ROW));
    let frame = a.join(&b, on, "inner").order_by([ROW]).drop([ROW, OTHER_ROW]);
    let mut query = Query::new(frame).await?;
    inherit(&mut query, &left, &right, &[]);
    Ok(query)
}

/// The rows with their numbers, in their order.
fn numbered(frame: &DataFrame, name: &str) -> DataFrame {
    frame.with_column(name, row_number())
}

/// The number of a row in the order that rows come in. A window has to name an order: one that leaves
/// them where they are.
pub(crate) fn row_number() -> Column {
    functions::row_number().over(&WindowSpec::default().order_by([lit(1)]))
}

fn both<'a>(session: &'a ConnectSession, left: &'a Query, right: &'a Query) -> Scope<'a> {
    let outputs: Vec<&Output> = left.outputs.iter().chain(&right.outputs).collect();
    Scope::new(session, outputs)
}

impl Scope<'_> {
    /// The first column of a name from a place on.
    fn at(&self, name: &str, from: usize) -> Column {
        match self.place(name, from) {
            Some(at) => col(&format!("{}.{}", quoted(&self.tell_apart(at)), quoted(name))),
            None => col(&quoted(name)),
        }
    }
}
