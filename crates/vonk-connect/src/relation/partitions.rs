//! How rows lie in partitions, and hints.

use std::sync::Arc;

use spark_connect_proto::expression::ExprType;
use spark_connect_proto::{Expression, Hint, Repartition, RepartitionByExpression};
use vonk::Result;

use super::{Query, input};
use crate::errors::required;
use crate::expression;
use crate::session::ConnectSession;

/// Partitions where a plan does not say how many.
const PARTITIONS_DEFAULT: usize = 8;

pub(super) async fn repartition(
    session: &Arc<ConnectSession>,
    repartition: &Repartition,
) -> Result<Query> {
    let input = input(session, &repartition.input).await?;
    let count = usize::try_from(repartition.num_partitions).unwrap_or(1).max(1);
    Ok(input.with(match repartition.shuffle.unwrap_or(false) {
        true => input.frame.repartition(count),
        false => input.frame.coalesce(count),
    }))
}

pub(super) async fn by_expression(
    session: &Arc<ConnectSession>,
    by: &RepartitionByExpression,
) -> Result<Query> {
    let input = input(session, &by.input).await?;
    let scope = input.scope(session);
    let keys = match by.partition_exprs.as_slice() {
        [Expression { expr_type: Some(ExprType::DirectShufflePartitionId(id)), .. }] => {
            let id = required(id.child.as_deref(), "number of a partition")?;
            vec![expression::column(&scope, id)?]
        }
        keys => expression::columns(&scope, keys)?,
    };
    let count = by.num_partitions.and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| *count > 0).unwrap_or(PARTITIONS_DEFAULT);
    let frame = scope.only(&input.frame);
    let is_kind = |kind: fn(&ExprType) -> bool| {
        by.partition_exprs.iter().any(|key| key.expr_type.as_ref().is_some_and(kind))
    };
    let by_range = is_kind(|key| matches!(key, ExprType::SortOrder(_)));
    let by_id = is_kind(|key| matches!(key, ExprType::DirectShufflePartitionId(_)));
    Ok(input.with(match keys.as_slice() {
        [] => frame.repartition(count),
        [id] if by_id => frame.repartition_by_id(count, id.clone()),
        _ if by_range => frame.repartition_by_range(count, keys),
        _ => frame.repartition_by(count, keys),
    }))
}

pub(super) async fn hint(session: &Arc<ConnectSession>, hint: &Hint) -> Result<Query> {
    let input = input(session, &hint.input).await?;
    let partitions = hint.parameters.iter().find_map(expression::literal_number);
    let partitions = partitions.and_then(|count| usize::try_from(count).ok());
    Ok(input.with(input.frame.hint(&hint.name, partitions)))
}
