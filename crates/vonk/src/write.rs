//! Where rows go: every write is all or nothing to every reader, whatever the sink.
//!
//! A write runs its plan into a hidden staging directory beside the target, brings every file to
//! the disk, and publishes with one rename when the whole plan has succeeded. An error, a panic or
//! a dropped future leaves what was there before. `docs/decisions/writes.md` has the reasons.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use parking_lot::Mutex;

use crate::config::{self, Config};
use crate::error::{Condition, Error, Result, causes};
use crate::placement;

mod assign;
mod compress;
mod encode;
mod frame;
mod insert;
mod options;
mod partition;
mod path;
mod pattern;
mod publish;
mod remote;
mod run;
mod sorted;
mod stage;
mod staging;

pub(crate) use assign::is_assignable;
pub use frame::{DataFrameWriter, SaveMode};
pub(crate) use insert::{
    CopySpec, InsertSpec, SaveTableSpec, copy_to, create_table_as, insert_into, save_as_table,
};
pub(crate) use options::{Format, Layout, WriteOptions};
pub(crate) use partition::{partition_columns, partition_directory};
pub(crate) use path::{Place, Target};
pub(crate) use publish::{Existing, copy_files, rename_new, write_durable};
pub(crate) use stage::Stage;
pub(crate) use staging::{
    Guard, Staging, already_exists, lock_directory, make_private, write_error,
};

/// What a write has written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteReport {
    /// Rows in all files together.
    pub rows: u64,
    /// Files with data.
    pub files: u64,
    /// Bytes in these files.
    pub bytes: u64,
}

impl WriteReport {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

/// One write: where to, how, and what becomes of that which is there.
#[derive(Debug)]
pub(crate) struct WriteSpec {
    pub(crate) target: Place,
    pub(crate) layout: Layout,
    pub(crate) existing: Existing,
    pub(crate) format: Format,
    /// Names of columns that name directories instead of standing in the files.
    pub(crate) partition_by: Vec<String>,
    pub(crate) rows_per_file_max: Option<u64>,
    /// Small files that are published together with the data, by name.
    pub(crate) companions: Vec<(String, Vec<u8>)>,
    /// The columns to write, if other than the query's: same types, but names and nullability count.
    pub(crate) schema: Option<SchemaRef>,
    /// What must not change until the write is published.
    pub(crate) guard: Option<Guard>,
}

/// Runs a query and writes its rows, all or nothing.
///
/// # Errors
/// Those of the query; `PATH_ALREADY_EXISTS`, `FAILED_WRITE.DISK_FULL` and `TASK_WRITE_FAILED` of the
/// target.
pub(crate) async fn write_plan(
    state: &SessionState,
    query: &LogicalPlan,
    spec: WriteSpec,
) -> Result<WriteReport> {
    let schema = match &spec.schema {
        Some(schema) => Arc::clone(schema),
        None => nullable(query.schema().as_arrow()),
    };
    check_names(&schema)?;
    let partition_columns = partition::partition_columns(&schema, &spec.partition_by)?;
    encode::check_schema(&spec.format, &partition::file_schema(&schema, &partition_columns)?)?;
    let plan = placement::plan(state, query).await?.plan;
    let context = state.task_ctx();
    let (companions, layout) = (spec.companions, spec.layout);
    let stage = Arc::new(Stage::begin(state, &spec.target, layout, &companions).await?);
    let sink = run::Sink {
        stage: Arc::clone(&stage),
        format: spec.format,
        layout,
        schema: with_types_of(&schema, &plan.schema())?,
        partition_columns,
        rows_per_file_max: spec.rows_per_file_max.filter(|max| *max > 0),
        partitions_max: partitions_max(state)?,
        partitions: Mutex::default(),
        pool: Arc::clone(context.memory_pool()),
        job: job_name(),
    };
    let report = match run::run(plan, context, Arc::new(sink)).await {
        Ok(report) => report,
        Err(error) => {
            stage.abandon().await;
            return Err(error);
        }
    };
    Stage::publish(stage, layout, spec.existing, (spec.guard, companions)).await?;
    Ok(report)
}

/// How many partitions the session lets a write make.
fn partitions_max(state: &SessionState) -> Result<usize> {
    let config = state.config().get_extension::<Config>().unwrap_or_default();
    Ok(config.count(config::PARTITIONS_MAX)?.unwrap_or(usize::MAX))
}

/// Hadoop's name of the option whether a directory gets an empty file `_SUCCESS` when it is
/// complete.
const SUCCESS_OPTION: &str = "mapreduce.fileoutputcommitter.marksuccessfuljobs";

/// The companion that tells the readers of Hadoop and Spark that a directory is complete, unless the
/// write's options or else the session's say no.
pub(crate) fn success_marker(
    state: &SessionState,
    options: &WriteOptions,
) -> Result<Option<(String, Vec<u8>)>> {
    let config = state.config().get_extension::<Config>().unwrap_or_default();
    let of_session = [SUCCESS_OPTION, &format!("spark.hadoop.{SUCCESS_OPTION}")]
        .iter()
        .find_map(|name| config.get(name).map(|value| value.eq_ignore_ascii_case("true")));
    let is_wanted = options.flag(SUCCESS_OPTION)?.or(of_session).unwrap_or(true);
    Ok(is_wanted.then(|| (publish::SUCCESS.to_owned(), Vec::new())))
}

/// Runs file system calls where they hold up no other task.
pub(crate) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(call).await;
    done.unwrap_or_else(|error| Err(Error::internal(format!("a file system call failed: {error}"))))
}

/// Spark writes every column as nullable, so that files of several writes fit together.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// The names and nullability of one schema with the types of another.
fn with_types_of(schema: &Schema, types: &Schema) -> Result<SchemaRef> {
    if schema.fields().len() != types.fields().len() {
        return Err(Error::internal("the plan has other columns than the query"));
    }
    let pairs = schema.fields().iter().zip(types.fields());
    let fields = pairs
        .map(|(field, typed)| field.as_ref().clone().with_data_type(typed.data_type().clone()));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<Field>>())))
}

/// Files with two columns of one name cannot be read back by name.
fn check_names(schema: &Schema) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    match schema.fields().iter().find(|field| !seen.insert(field.name().to_lowercase())) {
        None => Ok(()),
        Some(field) => {
            let message = format!("column `{}` is written twice", field.name());
            Err(Error::new(Condition::COLUMN_ALREADY_EXISTS, message)
                .hint("give one of them an alias"))
        }
    }
}

/// A name in the form of a random UUID, as Spark puts it into the names of files.
fn job_name() -> String {
    let bits = rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62) | (4 << 76) | (2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The input/output error at the root of another, if that is what it is.
fn find_io<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

#[cfg(test)]
mod tests;
