//! Columns to rows.

use std::sync::Arc;

use spark_connect_proto::{Transpose, Unpivot};
use vonk::Result;
use vonk::dataframe::{Column, col};

use super::{Query, input};
use crate::errors;
use crate::expression::{self, quoted};
use crate::session::ConnectSession;

pub(super) async fn unpivot(session: &Arc<ConnectSession>, unpivot: &Unpivot) -> Result<Query> {
    let input = input(session, &unpivot.input).await?;
    let scope = input.scope(session);
    let ids = expression::columns(&scope, &unpivot.ids)?;
    let values = match &unpivot.values {
        Some(values) => expression::columns(&scope, &values.values)?,
        None => Vec::new(),
    };
    let (variable, value) = (&unpivot.variable_column_name, &unpivot.value_column_name);
    Query::new(scope.only(&input.frame).unpivot(ids, values, variable, value)).await
}

/// Rows to columns: the values of the index column name the columns, the names of the others are
/// the first column.
pub(super) async fn transpose(
    session: &Arc<ConnectSession>,
    transpose: &Transpose,
) -> Result<Query> {
    let input = input(session, &transpose.input).await?;
    let scope = input.scope(session);
    let index = match transpose.index_columns.as_slice() {
        [] => input.outputs.first().map(|output| col(&quoted(&output.name))),
        [index] => Some(expression::column(&scope, index)?),
        _ => return Err(errors::unsupported("transposing by several columns")),
    };
    let Some(index) = index else { return Ok(input) };
    let frame = scope.only(&input.frame);
    let long = frame.unpivot([index.clone()], Vec::<Column>::new(), "key", "__value");
    let first = vonk::functions::call("first", [col("__value")]);
    Query::new(long.group_by(["key"]).pivot::<&str>(index, []).agg([first]).order_by(["key"])).await
}
