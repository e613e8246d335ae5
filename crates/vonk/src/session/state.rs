//! The only assembler of DataFusion's session state, so that a name means the same everywhere.

use std::sync::Arc;

use datafusion::catalog::TableFunction;
use datafusion::execution::SessionState;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::prelude::SessionConfig;
use datafusion_spark::planner::SparkFunctionPlanner;
use vonk_functions::{Library, MapKeys, tables};

use super::memory;
use super::spill::SpillPlace;
use crate::config::{self, Config};
use crate::error::Result;
use crate::operators::in_order::keep_file_order;
use crate::optimize;
use crate::placement::{Cluster, Workers};
use crate::sources::store::Stores;
use crate::sources::travel::bytes_read;

/// Memory pool, spill directory and caches: what all statements of a session share.
pub(crate) fn runtime(config: &Config, stores: &Arc<Stores>) -> Result<Arc<RuntimeEnv>> {
    let disk =
        DiskManagerBuilder::default().with_temp_file_factory(Arc::new(SpillPlace::new(config)?));
    // The list of files is never cached: a file added to a directory is seen by the next query.
    let caches = CacheManagerConfig::default()
        .with_list_files_cache(None)
        .with_list_files_cache_limit(0)
        .with_metadata_cache_limit(256 << 20);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(memory::pool(config)?)
        .with_disk_manager_builder(disk)
        .with_cache_manager(caches)
        .with_object_store_registry(Arc::clone(stores) as Arc<dyn ObjectStoreRegistry>)
        .build_arc()?;
    Ok(runtime)
}

/// Functions, rules and options of DataFusion as vonk uses them.
pub(super) fn assemble(
    id: &str,
    config: &Config,
    stores: &Arc<Stores>,
    runtime: &Arc<RuntimeEnv>,
    cluster: Option<&Arc<dyn Cluster>>,
) -> Result<SessionState> {
    // With a zone that does not exist every statement from here on would fail.
    config.time_zone()?;
    let policy = Arc::new(stores.policy().clone());
    let session = configure(SessionConfig::new(), config)?;
    let mut session = session.with_extension(policy).with_extension(Arc::clone(stores));
    if let Some(cluster) = cluster {
        session.set_extension(Arc::new(workers(config, cluster)?));
    }
    let mut builder = SessionStateBuilder::new()
        .with_session_id(id.to_owned())
        .with_config(session)
        .with_runtime_env(Arc::clone(runtime))
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        // Functions come from the library when they are asked for, but for one that DISTINCT ON is made of.
        .with_aggregate_functions(vec![first_value_udaf()])
        .with_optimizer_rules(optimize::logical_rules(config))
        .with_physical_optimizer_rules(optimize::physical_rules(config, memory::limit(config)?))
        .with_query_planner(Arc::new(optimize::Twice));
    let planners = builder.expr_planners().get_or_insert_default();
    planners.insert(0, Arc::new(SparkFunctionPlanner));
    let defaults = SessionStateDefaults::default_table_functions().into_iter();
    let defaults = defaults.map(|function| (function.name().to_owned(), function));
    let ours = tables::FUNCTIONS.iter().map(|function| {
        let name = function.name.to_owned();
        (name.clone(), Arc::new(TableFunction::new(name, Arc::new(*function))))
    });
    builder.table_functions().get_or_insert_default().extend(defaults.chain(ours));
    let mut state = builder.build();
    // Functions ask for the mode and the time zone while they run.
    let options = Arc::clone(state.config_options());
    state.execution_props_mut().config_options = Some(options);
    Ok(state)
}

/// How the plans for a cluster are made.
fn workers(config: &Config, cluster: &Arc<dyn Cluster>) -> Result<Workers> {
    let in_order = match config.is_on(config::FILE_ORDER) {
        true => keep_file_order,
        false => Ok,
    };
    Ok(Workers {
        cluster: Arc::clone(cluster),
        logical_rules: optimize::portable_logical_rules(config)?,
        rules: optimize::portable_rules(config)?,
        finish: optimize::finishing_rules(config, memory::limit(config)?).into(),
        in_order,
        bytes_read,
    })
}

/// The options of DataFusion's session and the extensions of ours, over those that are there.
pub(crate) fn configure(session: SessionConfig, config: &Config) -> Result<SessionConfig> {
    let mut session = session
        .with_target_partitions(config.threads()?)
        .with_batch_size(config.count(config::BATCH_SIZE)?.unwrap_or(8192))
        .with_information_schema(false)
        .with_extension(Arc::new(config.clone()))
        .with_extension(Arc::new(Library::new(config.arithmetic())));
    let options = session.options_mut();
    options.sql_parser.collect_spans = true;
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.parse_float_as_decimal = true;
    // A DataFrame is a subquery of the next one and keeps its order.
    options.sql_parser.enable_subquery_sort_elimination = false;
    // Spark sorts NULL before every value, ascending, and after, descending.
    options.sql_parser.default_null_ordering = "nulls_min".to_owned();
    let repeated_keys = config.get(config::MAP_KEYS).unwrap_or_default();
    options.extensions.insert(MapKeys::new(repeated_keys.eq_ignore_ascii_case("LAST_WIN")));
    options.execution.enable_ansi_mode = config.is_on(config::ANSI);
    // Of min(a) and max(b + 1), DataFusion makes a filter by the first alone.
    options.optimizer.enable_aggregate_dynamic_filter_pushdown =
        !config.is_on(config::REPAIR_EXTREMES);
    options.execution.time_zone = config.get(config::TIME_ZONE).map(str::to_owned);
    options.execution.parquet.coerce_int96 = Some("us".to_owned());
    // A plan may know of a column that it is never NULL where its operators do not, as for
    // `CASE WHEN a NOT IN (a) THEN NULL ELSE 1 END`; DataFusion refuses to group by such columns.
    options.execution.skip_physical_aggregate_schema_check = true;
    // A file for each batch that goes to disk between partitions. DataFusion's RepartitionExec reads
    // its files in the order of their creation and waits for each to be full; with two of them open,
    // what it waits for may be in the second while nothing more comes to the first.
    options.set("datafusion.execution.max_spill_file_size_bytes", "1")?;
    // Where there are few threads, one table for all of them costs less than to copy both sides of a
    // join into partitions; it has to fit into memory beside everything else.
    let build = ((128 << 20) / config.threads()?.max(1)).clamp(4 << 20, 64 << 20);
    let build = build.min(memory::limit(config)? / 32).max(1 << 20);
    options.optimizer.hash_join_single_partition_threshold = build;
    options.optimizer.hash_join_single_partition_threshold_rows = build / 32;
    // A table with a place for each key between the least and the greatest is asked faster than one by
    // hashes, also where most places are empty: TPC-H takes 0.92 of the time. It may take 80 bytes for
    // each row, so that it has to be denser where memory is short.
    if memory::limit(config)? >= 1 << 30 {
        options.execution.perfect_hash_join_small_build_threshold = 256 << 10;
        options.execution.perfect_hash_join_min_key_density = 0.05;
    }
    Ok(session)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::array::{Int64Array, RecordBatch};
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::execution::TaskContext;
    use datafusion::execution::memory_pool::GreedyMemoryPool;
    use datafusion::physical_expr::expressions::col;
    use datafusion::physical_plan::repartition::RepartitionExec;
    use datafusion::physical_plan::{Partitioning, collect_partitioned};

    use super::*;

    /// Eight partitions of batches, each of a few rows.
    fn partitions() -> Vec<Vec<RecordBatch>> {
        let batch = |first: i64| {
            let rows = Int64Array::from_iter_values(first..first + 100);
            RecordBatch::try_from_iter([("k", Arc::new(rows) as _)]).unwrap()
        };
        (0..8).map(|part| (0..40).map(|n| batch(part * 4000 + n * 100)).collect()).collect()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn rows_that_pass_between_partitions_through_files_all_arrive() {
        let mut config = Config::default();
        config.set(config::BATCH_SIZE, "50").unwrap();
        for _ in 0..20 {
            let partitions = partitions();
            let schema = partitions[0][0].schema();
            let source = MemorySourceConfig::try_new_exec(&partitions, Arc::clone(&schema), None);
            let by_key = Partitioning::Hash(vec![col("k", &schema).unwrap()], 4);
            let plan = Arc::new(RepartitionExec::try_new(source.unwrap(), by_key).unwrap());
            // No memory at all: every batch goes through a file.
            let runtime = RuntimeEnvBuilder::new()
                .with_memory_pool(Arc::new(GreedyMemoryPool::new(0)))
                .build_arc()
                .unwrap();
            let task = TaskContext::default()
                .with_session_config(configure(SessionConfig::new(), &config).unwrap())
                .with_runtime(runtime);
            let collected = collect_partitioned(plan, Arc::new(task));
            let collected = tokio::time::timeout(Duration::from_mins(1), collected).await;
            let batches = collected.expect("a partition waits for ever").unwrap();
            let rows: usize = batches.iter().flatten().map(RecordBatch::num_rows).sum();
            assert_eq!(rows, 32_000);
        }
    }
}
