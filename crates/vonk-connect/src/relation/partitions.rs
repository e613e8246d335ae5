//! How rows lie in partitions, and hints.

use std::sync::Arc;

use spark_connect_proto::{Hint, Repartition, RepartitionByExpression};
use vonk::Result;

use super::{Query, input};
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
    let keys = expression::columns(&scope, &by.partition_exprs)?;
    let count = by.num_partitions.and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| *count > 0).unwrap_or(PARTITIONS_DEFAULT);
    let frame = scope.only(&input.frame);
    Ok(input.with(match keys.is_empty() {
        true => frame.repartition(count),
        false => frame.repartition_by(count, keys),
    }))
}

pub(super) async fn hint(session: &Arc<ConnectSession>, hint: &Hint) -> Result<Query> {
    let input = input(session, &hint.input).await?;
    let partitions = hint.parameters.iter().find_map(expression::literal_number);
    let partitions = partitions.and_then(|count| usize::try_from(count).ok());
    Ok(input.with(input.frame.hint(&hint.name, partitions)))
}
