//! Questions about plans: their columns, how they run, whether they are cached.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use spark_connect_proto::analyze_plan_request::explain::ExplainMode;
use spark_connect_proto::analyze_plan_request::{Analyze, Persist};
use spark_connect_proto::analyze_plan_response as response;
use spark_connect_proto::analyze_plan_response::Result as Answer;
use spark_connect_proto::plan::OpType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::{Plan, StorageLevel};
use vonk::{DataFrame, Error, Result};

use crate::errors::{self, required};
use crate::execute::{decompressed, statement_text};
use crate::session::ConnectSession;
use crate::{relation, types};

/// The version of Spark whose protocol and functions these are.
const SPARK_VERSION: &str = "4.3.0";

/// Answers one question; an error comes with the SQL text that it may have a place in.
pub(crate) async fn analyze(
    session: &Arc<ConnectSession>,
    question: Option<Analyze>,
) -> Result<Answer, (Error, Option<String>)> {
    let alone = |error: Error| (error, None);
    match required(question, "question").map_err(alone)? {
        Analyze::Schema(schema) => {
            let plan = required(schema.plan, "plan").map_err(alone)?;
            let text = statement_text(&plan);
            let schema = schema_of(session, plan).await.map_err(|error| (error, text))?;
            Ok(Answer::Schema(response::Schema { schema: Some(schema) }))
        }
        other => answer(session, other).await.map_err(alone),
    }
}

async fn answer(session: &Arc<ConnectSession>, question: Analyze) -> Result<Answer> {
    Ok(match question {
        Analyze::Schema(_) => return Err(Error::internal("schemas are answered before")),
        Analyze::Explain(explain) => {
            let mode = explain.explain_mode();
            let frame = frame(session, explain.plan).await?;
            let explain_string = explained(&frame, mode).await?;
            Answer::Explain(response::Explain { explain_string })
        }
        Analyze::TreeString(tree) => {
            let level = tree.level.and_then(|level| usize::try_from(level).ok());
            let text = frame(session, tree.plan).await?.schema_string().await?;
            let tree_string = above(&text, level.filter(|level| *level > 0));
            Answer::TreeString(response::TreeString { tree_string })
        }
        Analyze::IsLocal(local) => {
            let is_local = local.plan.as_ref().is_some_and(holds_its_rows);
            Answer::IsLocal(response::IsLocal { is_local })
        }
        Analyze::IsStreaming(streaming) => {
            let frame = frame(session, streaming.plan).await?;
            let is_streaming = relation::is_streaming(&frame).await?;
            Answer::IsStreaming(response::IsStreaming { is_streaming })
        }
        Analyze::InputFiles(files) => {
            let files = frame(session, files.plan).await?.input_files().await?;
            Answer::InputFiles(response::InputFiles { files })
        }
        Analyze::SparkVersion(_) => {
            Answer::SparkVersion(response::SparkVersion { version: SPARK_VERSION.to_owned() })
        }
        Analyze::DdlParse(ddl) => {
            Answer::DdlParse(response::DdlParse { parsed: Some(parsed(session, &ddl.ddl_string)?) })
        }
        Analyze::SameSemantics(same) => {
            let (target, other) = (
                meaning(session, same.target_plan).await?,
                meaning(session, same.other_plan).await?,
            );
            Answer::SameSemantics(response::SameSemantics { result: target == other })
        }
        Analyze::SemanticHash(hash) => {
            let mut hasher = DefaultHasher::new();
            meaning(session, hash.plan).await?.hash(&mut hasher);
            let result = hasher.finish() as i32;
            Answer::SemanticHash(response::SemanticHash { result })
        }
        other @ (Analyze::Persist(_) | Analyze::Unpersist(_) | Analyze::GetStorageLevel(_)) => {
            return cached(session, other).await;
        }
        Analyze::JsonToDdl(json) => {
            let ddl_string = types::ddl_of_json(&json.json_string)?;
            Answer::JsonToDdl(response::JsonToDdl { ddl_string })
        }
    })
}

/// Questions about what is cached.
async fn cached(session: &Arc<ConnectSession>, question: Analyze) -> Result<Answer> {
    Ok(match question {
        Analyze::Persist(persist) => {
            self::persist(session, persist).await?;
            Answer::Persist(response::Persist {})
        }
        Analyze::Unpersist(unpersist) => {
            session.kept.lock().unpersist(&required(unpersist.relation, "query")?);
            Answer::Unpersist(response::Unpersist {})
        }
        Analyze::GetStorageLevel(level) => {
            let relation = required(level.relation, "query")?;
            let none = StorageLevel { replication: 1, ..StorageLevel::default() };
            let kept = session.kept.lock();
            let storage_level = kept.persisted(&relation).map(|persisted| persisted.level);
            let storage_level = Some(storage_level.unwrap_or(none));
            Answer::GetStorageLevel(response::GetStorageLevel { storage_level })
        }
        _ => return Err(Error::internal("this is no question about caches")),
    })
}

/// Whether the rows of a plan are in it.
fn holds_its_rows(plan: &Plan) -> bool {
    let Some(OpType::Root(root)) = &plan.op_type else { return false };
    let mut relation = Some(root);
    while let Some(RelType::ToDf(to_df)) = relation.and_then(|one| one.rel_type.as_ref()) {
        relation = to_df.input.as_deref();
    }
    let kind = relation.and_then(|one| one.rel_type.as_ref());
    matches!(kind, Some(RelType::LocalRelation(_)))
}

/// The relation of a plan.
async fn frame(session: &Arc<ConnectSession>, plan: Option<Plan>) -> Result<DataFrame> {
    match decompressed(required(plan, "plan")?, session.limits.message_bytes_max)? {
        OpType::Root(relation) => relation::frame(session, &relation).await,
        _ => Err(errors::missing("root")),
    }
}

async fn schema_of(
    session: &Arc<ConnectSession>,
    plan: Plan,
) -> Result<spark_connect_proto::DataType> {
    let frame = frame(session, Some(plan)).await?;
    Ok(types::of_schema(frame.schema().await?.as_ref()))
}

/// The plans under Spark's headings.
/// How a query runs, in the words of a mode of `explain`.
///
/// # Errors
/// Those of planning.
pub(crate) async fn explained(frame: &DataFrame, mode: ExplainMode) -> Result<String> {
    let physical = frame.explain("simple").await?;
    let physical = format!("== Physical Plan ==\n{physical}");
    Ok(match mode {
        ExplainMode::Cost => {
            let optimized = frame.explain("cost").await?;
            format!("== Optimized Logical Plan ==\n{optimized}\n\n{physical}")
        }
        ExplainMode::Extended | ExplainMode::Codegen => {
            let logical = frame.explain("logical").await?;
            let optimized = frame.explain("optimized").await?;
            format!(
                "== Parsed Logical Plan ==\n{logical}\n\n== Analyzed Logical Plan ==\n{logical}\n\n\
                 == Optimized Logical Plan ==\n{optimized}\n\n{physical}"
            )
        }
        _ => physical,
    })
}

/// The lines of a schema's tree that stand at most so deep.
fn above(tree: &str, level: Option<usize>) -> String {
    let Some(level) = level else { return tree.to_owned() };
    let depth = |line: &str| line.find("|-- ").map_or(0, |at| at / " |   ".len() + 1);
    let lines = tree.split_inclusive('\n').filter(|line| depth(line) <= level);
    lines.collect()
}

/// The struct of a list of columns, or the type that a text names.
fn parsed(session: &Arc<ConnectSession>, text: &str) -> Result<spark_connect_proto::DataType> {
    match session.engine.type_of_ddl(text) {
        Ok(field) => Ok(types::of_field(&field)),
        Err(error) => match session.engine.schema_of_ddl(text) {
            Ok(schema) => Ok(types::of_schema(&schema)),
            Err(_) => Err(error),
        },
    }
}

/// What a query means, in words that two queries of one meaning share.
async fn meaning(session: &Arc<ConnectSession>, plan: Option<Plan>) -> Result<String> {
    frame(session, plan).await?.semantics().await
}

async fn persist(session: &Arc<ConnectSession>, persist: Persist) -> Result<()> {
    let relation = required(persist.relation, "query")?;
    let given = persist.storage_level.unwrap_or(MEMORY_AND_DISK_DESERIALIZED);
    let level = match (given.use_disk, given.use_memory) {
        (true, false) => vonk::StorageLevel::DiskOnly,
        (false, _) => vonk::StorageLevel::MemoryOnly,
        (true, true) => vonk::StorageLevel::MemoryAndDisk,
    };
    let frame = relation::frame(session, &relation).await?;
    session.kept.lock().persist(&relation, given, || frame.persist(level));
    Ok(())
}

/// The level of `cache()`.
const MEMORY_AND_DISK_DESERIALIZED: StorageLevel = StorageLevel {
    use_disk: true,
    use_memory: true,
    use_off_heap: false,
    deserialized: true,
    replication: 1,
};
