//! Commands of the protocol: statements, views, writes, checkpoints.

use spark_connect_proto::Command;
use spark_connect_proto::command::CommandType;
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::{
    CachedRemoteRelation, CheckpointCommand, CheckpointCommandResult, CreateDataFrameViewCommand,
    GetResourcesCommandResult,
};
use vonk::Result;

use crate::errors::{self, required};
use crate::execute::Context;
use crate::session::new_id;
use crate::{python, relation, streaming};

mod sql;
mod write;

/// Does a command.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` for one that vonk has not, and those of what it does.
pub(crate) async fn run(context: &Context, command: Command) -> Result<()> {
    use CommandType as Type;
    match required(command.command_type, "command")? {
        Type::SqlCommand(command) => sql::run(context, command).await,
        Type::CreateDataframeView(view) => create_view(context, view).await,
        Type::WriteOperation(write) => write::run(context, write).await,
        Type::WriteOperationV2(write) => write::run_v2(context, write).await,
        Type::CheckpointCommand(checkpoint) => self::checkpoint(context, checkpoint).await,
        Type::RemoveCachedRemoteRelationCommand(remove) => {
            let id = remove.relation.unwrap_or_default().relation_id;
            context.session.kept.lock().checkpoints.remove(&id);
            Ok(())
        }
        Type::RegisterFunction(function) => python::register(&context.session, &function),
        Type::RegisterTableFunction(function) => {
            python::register_table(&context.session, &function)
        }
        Type::GetResourcesCommand(_) => {
            let none = GetResourcesCommandResult::default();
            context.answer(ResponseType::GetResourcesCommandResult(none)).await;
            Ok(())
        }
        Type::WriteStreamOperationStart(start) => streaming::start(context, start).await,
        Type::StreamingQueryCommand(command) => streaming::command(context, command).await,
        Type::StreamingQueryManagerCommand(command) => streaming::manage(context, command).await,
        Type::StreamingQueryListenerBusCommand(command) => {
            streaming::listen(context, command).await
        }
        other => Err(errors::unsupported(unsupported(&other))),
    }
}

/// What to call a command that vonk does not have.
fn unsupported(command: &CommandType) -> &'static str {
    use CommandType as Type;
    match command {
        Type::RegisterDataSource(_) => "data sources of Python",
        Type::MergeIntoTableCommand(_) => "MERGE",
        Type::MlCommand(_) => "machine learning",
        Type::PipelineCommand(_) => "pipelines",
        Type::CreateResourceProfileCommand(_) => "resource profiles",
        _ => "commands of this kind",
    }
}

async fn create_view(context: &Context, view: CreateDataFrameViewCommand) -> Result<()> {
    let input = required(view.input.as_ref(), "query of the view")?;
    let frame = relation::frame(&context.session, input).await?;
    match (view.is_global, view.replace) {
        (true, replace) => frame.create_global_temp_view(&view.name, replace).await,
        (false, true) => frame.create_or_replace_temp_view(&view.name).await,
        (false, false) => frame.create_temp_view(&view.name).await,
    }
}

/// Keeps the rows of a query, which later plans name by an identifier.
async fn checkpoint(context: &Context, checkpoint: CheckpointCommand) -> Result<()> {
    let input = required(checkpoint.relation.as_ref(), "query of the checkpoint")?;
    let frame = relation::frame(&context.session, input).await?.cache();
    if checkpoint.eager {
        frame.count().await?;
    }
    let relation_id = new_id();
    context.session.kept.lock().checkpoints.insert(relation_id.clone(), frame);
    let relation = Some(CachedRemoteRelation { relation_id });
    let answer = ResponseType::CheckpointCommandResult(CheckpointCommandResult { relation });
    context.answer(answer).await;
    Ok(())
}
