//! Functions whose rows are a relation: `spark.tvf.explode(…)`.

use std::sync::Arc;

use spark_connect_proto::UnresolvedTableValuedFunction;
use vonk::Result;

use super::{Query, Scope, around};
use crate::expression;
use crate::session::ConnectSession;

pub(super) async fn call(
    session: &Arc<ConnectSession>,
    call: &UnresolvedTableValuedFunction,
) -> Result<Query> {
    let scope = Scope::empty(session);
    let args = expression::columns(&scope, &call.arguments)?;
    let args = args.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let text = format!("SELECT * FROM {}({args})", call.function_name);
    Query::new(around::engine(session).sql(text)).await
}
