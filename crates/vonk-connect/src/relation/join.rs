//! Joins of two relations.

use std::sync::Arc;

use spark_connect_proto::join::JoinType;
use spark_connect_proto::{Join, LateralJoin};
use vonk::Result;
use vonk::dataframe::{DataFrame, JoinOn};

use super::{Output, Query, Scope, around, input};
use crate::errors::{self, missing};
use crate::expression;
use crate::session::ConnectSession;

pub(super) async fn join(session: &Arc<ConnectSession>, join: &Join) -> Result<Query> {
    if join.join_data_type.is_some() {
        return Err(errors::unsupported("joins of typed datasets"));
    }
    let (left, right) = (input(session, &join.left).await?, input(session, &join.right).await?);
    let how = how(join.join_type())?;
    let outputs: Vec<&Output> = left.outputs.iter().chain(&right.outputs).collect();
    let scope = Scope::new(session, outputs);
    let on = match (&join.join_condition, join.using_columns.as_slice()) {
        (Some(condition), _) => Some(JoinOn::Condition(expression::column(&scope, condition)?)),
        (None, []) => None,
        (None, names) => Some(JoinOn::Names(names.to_vec())),
    };
    let (a, b) = (left.outputs.len(), right.outputs.len());
    let sides = (scope.apply(&left.frame, 0, a), scope.apply(&right.frame, a, b));
    let frame = joined(&sides, on, how);
    let mut query = Query::new(frame).await?;
    inherit(&mut query, &left, &right, &join.using_columns);
    Ok(query)
}

/// A join with rows that are computed of the columns of the left side.
pub(super) async fn lateral(session: &Arc<ConnectSession>, join: &LateralJoin) -> Result<Query> {
    let left = input(session, &join.left).await?;
    let around = left.frame.around().await?;
    let right = around::within(around, input(session, &join.right)).await?;
    let how = how(join.join_type())?;
    let outputs: Vec<&Output> = left.outputs.iter().chain(&right.outputs).collect();
    let scope = Scope::new(session, outputs);
    let condition = join.join_condition.as_ref();
    let condition = condition.map(|one| expression::column(&scope, one)).transpose()?;
    let (a, b) = (left.outputs.len(), right.outputs.len());
    // The right side names columns of the left one as they are, so that these keep their tables.
    let right_frame = scope.apply(&right.frame, a, b);
    let mut query = Query::new(left.frame.lateral_join(&right_frame, condition, how)).await?;
    inherit(&mut query, &left, &right, &[]);
    Ok(query)
}

fn joined((left, right): &(DataFrame, DataFrame), on: Option<JoinOn>, how: &str) -> DataFrame {
    match (on, how) {
        (Some(on), "cross") => left.join(right, on, "inner"),
        (Some(on), how) => left.join(right, on, how),
        (None, "inner" | "cross") => left.cross_join(right),
        (None, how) => left.join(right, JoinOn::Condition(vonk::dataframe::lit(true)), how),
    }
}

fn how(kind: JoinType) -> Result<&'static str> {
    Ok(match kind {
        JoinType::Inner => "inner",
        JoinType::FullOuter => "full",
        JoinType::LeftOuter => "left",
        JoinType::RightOuter => "right",
        JoinType::LeftAnti => "anti",
        JoinType::LeftSemi => "semi",
        JoinType::Cross => "cross",
        JoinType::Unspecified => return Err(missing("type of join")),
    })
}

/// The columns of a join are those of its sides; columns that it is on by name come first, once.
pub(super) fn inherit(query: &mut Query, left: &Query, right: &Query, using: &[String]) {
    let is_key = |name: &str| using.iter().any(|key| key.eq_ignore_ascii_case(name));
    let of_side = |side: &Query, name: &str| {
        let found = side.outputs.iter().find(|output| output.name.eq_ignore_ascii_case(name));
        found.map(|output| output.origins.clone()).unwrap_or_default()
    };
    let keys = using.iter().map(|key| [of_side(left, key), of_side(right, key)].concat());
    let others = left.outputs.iter().chain(&right.outputs).filter(|output| !is_key(&output.name));
    let origins = keys.chain(others.map(|output| output.origins.clone()));
    for (output, origins) in query.outputs.iter_mut().zip(origins) {
        output.origins = origins;
    }
}
