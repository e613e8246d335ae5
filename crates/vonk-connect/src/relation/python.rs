//! Relations whose rows functions of Python make of partitions and of groups.

use std::sync::Arc;

use spark_connect_proto::{
    CoGroupMap, CommonInlineUserDefinedFunction, Expression, GroupMap, MapPartitions,
};
use vonk::dataframe::{Column, col};
use vonk::{DataFrame, Result, functions};

use super::{Query, input};
use crate::errors::{self, required};
use crate::expression::{self, quoted};
use crate::python::{self, Function, OverPartitions, Shape, groups, in_groups};
use crate::session::ConnectSession;

pub(super) async fn map(session: &Arc<ConnectSession>, map: &MapPartitions) -> Result<Query> {
    let input = input(session, &map.input).await?;
    let shape = Shape { names: input.names(), ..Shape::default() };
    let function = function(session, map.func.as_ref(), &shape)?;
    let schema = Arc::clone(&function.schema);
    let frame = input.frame.map_outside(schema, Arc::new(OverPartitions(function)));
    Query::new(frame).await
}

pub(super) async fn group_map(session: &Arc<ConnectSession>, map: &GroupMap) -> Result<Query> {
    if map.transform_with_state_info.is_some() || map.is_map_groups_with_state.is_some() {
        return Err(errors::unsupported("functions of Python for streaming queries"));
    }
    let input = input(session, &map.input).await?;
    let keys = map.grouping_expressions.len();
    let names = input.names();
    let groups = grouped(session, &input, &map.grouping_expressions, "key").await?;
    let shape = Shape { names, keys, ..Shape::default() };
    over_groups(session, &groups, map.func.as_ref(), &shape).await
}

pub(super) async fn cogroup_map(session: &Arc<ConnectSession>, map: &CoGroupMap) -> Result<Query> {
    let left = input(session, &map.input).await?;
    let right = input(session, &map.other).await?;
    let mut names = left.names();
    let left_count = names.len();
    names.extend(right.names());
    let left = grouped(session, &left, &map.input_grouping_expressions, "left").await?;
    let right = grouped(session, &right, &map.other_grouping_expressions, "right").await?;
    let keys = map.input_grouping_expressions.len();
    let of = |side: &str, at: usize| col(&format!("{side}{at}"));
    let same = (0..keys).map(|at| of("left", at).eq_null_safe(of("right", at)));
    let same = same.reduce(|all, one| all & one);
    let joined = left.join(&right, required(same, "key of the groups")?, "full");
    let mut columns = Vec::new();
    for at in 0..keys {
        let key = functions::coalesce([of("left", at), of("right", at)]);
        columns.push(key.alias(&format!("key{at}")));
    }
    columns.extend([col("leftrows"), col("rightrows")]);
    let order = (0..keys).map(|at| of("key", at)).collect::<Vec<_>>();
    let groups = joined.select(columns).order_by(order);
    let shape = Shape { names, keys, left: left_count, ..Shape::default() };
    over_groups(session, &groups, map.func.as_ref(), &shape).await
}

/// The groups of a query in the order of their keys: the columns of the key, and the list of the
/// group's rows in the order that they come in.
async fn grouped(
    session: &Arc<ConnectSession>,
    input: &Query,
    keys: &[Expression],
    prefix: &str,
) -> Result<DataFrame> {
    let scope = input.scope(session);
    let count = keys.len();
    let mut columns = Vec::new();
    for (at, key) in expression::columns(&scope, keys)?.into_iter().enumerate() {
        columns.push(key.alias(&format!("{prefix}{at}")));
    }
    let values = scope.names().map(|name| col(&quoted(name)));
    columns.push(python::row(values).alias(&format!("{prefix}rows")));
    let place = functions::call("monotonically_increasing_id", Vec::<Column>::new());
    columns.push(place.alias("place"));
    let order = (0..count).map(|at| format!("{prefix}{at}")).chain(["place".to_owned()]);
    let order = order.map(|name| col(&name)).collect::<Vec<_>>();
    let rows = scope.only(&input.frame).select(columns).order_by(order);
    let schema = groups::schema(rows.schema().await?.as_ref(), count);
    let made = Arc::clone(&schema);
    Ok(rows.map_batches(schema, move |rows| groups::gather(Arc::clone(&made), count, rows)))
}

async fn over_groups(
    session: &Arc<ConnectSession>,
    groups: &DataFrame,
    call: Option<&CommonInlineUserDefinedFunction>,
    shape: &Shape,
) -> Result<Query> {
    let function = function(session, call, shape)?;
    let workers = session.engine.config().threads()?;
    let schema = Arc::clone(&function.schema);
    let frame = groups.map_batches(schema, move |batches| in_groups(&function, batches, workers));
    Query::new(frame).await
}

fn function(
    session: &ConnectSession,
    call: Option<&CommonInlineUserDefinedFunction>,
    shape: &Shape,
) -> Result<Arc<Function>> {
    let udf = python::python(required(call, "function")?)?;
    let output = required(udf.output_type.as_ref(), "type of its function")?;
    let schema = Function::columns_of(session, output)?;
    Ok(Arc::new(Function::new(session, &udf.into(), schema, shape)?))
}
