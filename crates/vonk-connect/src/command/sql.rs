//! SQL statements: a query becomes a relation for later, anything else is done at once.

use spark_connect_proto::execute_plan_response::{ResponseType, SqlCommandResult};
use spark_connect_proto::relation::RelType;
use spark_connect_proto::{LocalRelation, Relation, Sql, SqlCommand};
use vonk::{DataFrame, Result};

use crate::execute::{Context, ipc_batches_of};
use crate::relation;

pub(super) async fn run(context: &Context, command: SqlCommand) -> Result<()> {
    let input = relation_of(command);
    let text = match &input.rel_type {
        Some(RelType::Sql(sql)) => sql.query.as_str(),
        Some(RelType::WithRelations(with)) => match with.root.as_ref().map(|root| &root.rel_type) {
            Some(Some(RelType::Sql(sql))) => sql.query.as_str(),
            _ => "SELECT",
        },
        _ => "SELECT",
    };
    let relation = match vonk::sql::is_query(text) {
        Ok(false) => {
            let frame = relation::frame(&context.session, &input).await?;
            rows_of(context, &frame).await?
        }
        // What the parser does not know may have parameters where it wants something else.
        Ok(true) | Err(_) => {
            relation::frame(&context.session, &input).await?;
            input
        }
    };
    let result = SqlCommandResult { relation: Some(relation) };
    context.answer(ResponseType::SqlCommandResult(result)).await;
    Ok(())
}

/// The statement as a relation, which clients before 4.0 did not send.
fn relation_of(command: SqlCommand) -> Relation {
    if let Some(input) = command.input {
        return input;
    }
    #[expect(deprecated, reason = "clients before 4.0 give the statement here")]
    let sql = Sql {
        query: command.sql,
        args: command.args,
        pos_args: command.pos_args,
        named_arguments: command.named_arguments,
        pos_arguments: command.pos_arguments,
    };
    Relation { common: None, rel_type: Some(RelType::Sql(sql)) }
}

/// The answer of a statement, as a relation that holds its rows.
async fn rows_of(context: &Context, frame: &DataFrame) -> Result<Relation> {
    let batch = frame.to_arrow().await?;
    let config = context.session.engine.config();
    let zone = config.get(vonk::config::TIME_ZONE).unwrap_or("UTC");
    let local = LocalRelation { data: Some(ipc_batches_of(&batch, zone)?), schema: None };
    Ok(Relation { common: None, rel_type: Some(RelType::LocalRelation(local)) })
}
