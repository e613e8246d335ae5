//! Relations that choose rows or order them; the columns stay.

use std::sync::Arc;

use spark_connect_proto::{Deduplicate, Filter, Limit, Offset, Sort, Tail};
use vonk::Result;
use vonk::dataframe::{Column, col};

use super::{Query, input};
use crate::errors::required;
use crate::expression::{self, quoted};
use crate::session::ConnectSession;

pub(super) async fn filter(session: &Arc<ConnectSession>, filter: &Filter) -> Result<Query> {
    let input = input(session, &filter.input).await?;
    let scope = input.scope(session);
    let condition = expression::column(&scope, required(filter.condition.as_ref(), "condition")?)?;
    Ok(input.with(scope.only(&input.frame).filter(condition)))
}

pub(super) async fn sort(session: &Arc<ConnectSession>, sort: &Sort) -> Result<Query> {
    let input = input(session, &sort.input).await?;
    let scope = input.scope(session);
    let keys = expression::sort_orders(&scope, &sort.order)?;
    let frame = scope.only(&input.frame);
    Ok(input.with(match sort.is_global {
        Some(false) => frame.sort_within_partitions(keys),
        _ => frame.order_by(keys),
    }))
}

pub(super) async fn limit(session: &Arc<ConnectSession>, limit: &Limit) -> Result<Query> {
    let input = input(session, &limit.input).await?;
    Ok(input.with(input.frame.limit(usize::try_from(limit.limit).unwrap_or(0))))
}

pub(super) async fn offset(session: &Arc<ConnectSession>, offset: &Offset) -> Result<Query> {
    let input = input(session, &offset.input).await?;
    Ok(input.with(input.frame.offset(usize::try_from(offset.offset).unwrap_or(0))))
}

pub(super) async fn tail(session: &Arc<ConnectSession>, tail: &Tail) -> Result<Query> {
    let input = input(session, &tail.input).await?;
    let rows = input.frame.tail(usize::try_from(tail.limit).unwrap_or(0)).await?;
    Ok(input.with(session.engine.from_batches(vec![rows])?))
}

pub(super) async fn deduplicate(
    session: &Arc<ConnectSession>,
    deduplicate: &Deduplicate,
) -> Result<Query> {
    let input = input(session, &deduplicate.input).await?;
    let keys = deduplicate.column_names.iter().map(|name| col(&quoted(name)));
    let keys: Vec<Column> = keys.collect();
    Ok(input.with(input.frame.drop_duplicates(keys)))
}
