//! Groups and their aggregates, with ROLLUP, CUBE, grouping sets and PIVOT.

use std::sync::Arc;

use spark_connect_proto::Aggregate;
use spark_connect_proto::aggregate::GroupType;
use vonk::Result;
use vonk::dataframe::Column;

use super::{Query, input};
use crate::errors::{missing, required};
use crate::session::ConnectSession;
use crate::{expression, literal};

pub(super) async fn aggregate(
    session: &Arc<ConnectSession>,
    aggregate: &Aggregate,
) -> Result<Query> {
    let input = input(session, &aggregate.input).await?;
    let scope = input.scope(session);
    let keys = expression::columns(&scope, &aggregate.grouping_expressions)?;
    let aggregates = expression::columns(&scope, &aggregate.aggregate_expressions)?;
    let pivot = match &aggregate.pivot {
        Some(pivot) => {
            let column = expression::column(&scope, required(pivot.col.as_ref(), "pivot column")?)?;
            let values = pivot.values.iter().map(|value| literal::column(&session.engine, value));
            Some((column, values.collect::<Result<Vec<Column>>>()?))
        }
        None => None,
    };
    let sets = aggregate.grouping_sets.iter();
    let sets = sets.map(|set| expression::columns(&scope, &set.grouping_set));
    let sets = sets.collect::<Result<Vec<Vec<Column>>>>()?;
    let frame = scope.only(&input.frame);
    let grouped = match aggregate.group_type() {
        GroupType::Groupby => frame.group_by(keys),
        GroupType::Rollup => frame.rollup(keys),
        GroupType::Cube => frame.cube(keys),
        GroupType::GroupingSets => frame.grouping_sets(sets, keys),
        GroupType::Pivot => {
            let (column, values) = required(pivot, "pivot")?;
            frame.group_by(keys).pivot(column, values)
        }
        GroupType::Unspecified => return Err(missing("kind of its groups")),
    };
    let mut query = Query::new(grouped.agg(aggregates)).await?;
    for (output, key) in query.outputs.iter_mut().zip(&aggregate.grouping_expressions) {
        let name = expression::attribute_name(key);
        let same = input.outputs.iter().find(|one| name == Some(one.name.as_str()));
        if let Some(same) = same {
            output.origins.clone_from(&same.origins);
        }
    }
    Ok(query)
}
