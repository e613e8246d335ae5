//! The query around the one that is being translated, whose columns it may read.

use std::sync::Arc;

use spark_connect_proto::Relation;
use spark_connect_proto::relation::RelType;
use vonk::dataframe::{Around, DataFrame};
use vonk::{Result, Session};

use super::query;
use crate::session::ConnectSession;

tokio::task_local! {
    static AROUND: Around;
}

/// Translates within a query.
pub(super) async fn within<T>(around: Around, work: impl Future<Output = T>) -> T {
    AROUND.scope(around, work).await
}

/// A query as it is planned here: within the one around, if there is one.
pub(super) fn placed(frame: DataFrame) -> DataFrame {
    match AROUND.try_with(Clone::clone) {
        Ok(around) => frame.within(&around),
        Err(_) => frame,
    }
}

/// The session that plans what is made here.
pub(super) fn engine(session: &ConnectSession) -> Session {
    match AROUND.try_with(Clone::clone) {
        Ok(around) => session.engine.within(&around),
        Err(_) => session.engine.clone(),
    }
}

/// A query that expressions of `root` hold. A client does not tell which of its names are columns
/// of the query around: those that nothing else has.
///
/// # Errors
/// Those of translating and planning it.
pub(super) async fn referred(
    session: &Arc<ConnectSession>,
    root: &Relation,
    reference: &Relation,
) -> Result<DataFrame> {
    let alone = planned(session, reference).await;
    let Err(error) = &alone else { return alone };
    let is_unknown = error.condition().name.starts_with("UNRESOLVED_COLUMN");
    let Some(input) = input_of(root).filter(|_| is_unknown) else { return alone };
    let around = query(session, input).await?.frame.around().await?;
    within(around, planned(session, reference)).await
}

async fn planned(session: &Arc<ConnectSession>, relation: &Relation) -> Result<DataFrame> {
    let frame = query(session, relation).await?.frame;
    frame.check().await?;
    Ok(frame)
}

/// The relation whose columns the expressions of another read.
fn input_of(relation: &Relation) -> Option<&Relation> {
    use RelType as Type;
    let input = match relation.rel_type.as_ref()? {
        Type::Aggregate(aggregate) => &aggregate.input,
        Type::Drop(drop) => &drop.input,
        Type::Filter(filter) => &filter.input,
        Type::Join(join) => &join.left,
        Type::LateralJoin(join) => &join.left,
        Type::Project(project) => &project.input,
        Type::Sort(sort) => &sort.input,
        Type::WithColumns(with) => &with.input,
        _ => return None,
    };
    input.as_deref()
}
