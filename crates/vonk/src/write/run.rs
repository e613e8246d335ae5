//! Runs a plan and writes what it gives into staged files: one task per partition of the plan.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::common::spawn_buffered;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::encode::{self, Encode, EncodeError};
use super::options::{Format, Layout};
use super::partition::{self, Part, Splitter};
use super::sorted::sorted;
use super::staging::write_error;
use super::{Stage, WriteReport, find_io};
use crate::config;
use crate::error::{Condition, Error, Result, panic_text};

/// What all tasks of one write share.
pub(super) struct Sink {
    pub(super) stage: Arc<Stage>,
    pub(super) format: Format,
    pub(super) layout: Layout,
    /// The columns of the query under the names and nullability with which they are written.
    pub(super) schema: SchemaRef,
    pub(super) partition_columns: Vec<usize>,
    pub(super) rows_per_file_max: Option<u64>,
    pub(super) partitions_max: usize,
    /// The directories of partitions that this write has made.
    pub(super) partitions: Mutex<HashSet<PathBuf>>,
    pub(super) pool: Arc<dyn MemoryPool>,
    /// Makes the names of this write's files differ from those of all others.
    pub(super) job: String,
}

impl Sink {
    /// Refuses one partition more than a write may make.
    fn count_partition(&self, directory: &Path) -> Result<()> {
        let mut made = self.partitions.lock();
        if made.contains(directory) || made.len() < self.partitions_max {
            made.insert(directory.to_owned());
            return Ok(());
        }
        let (option, limit) = (config::PARTITIONS_MAX, self.partitions_max);
        let message = format!("the write makes more partitions than `{option}`, which is {limit}");
        Err(Error::new(Condition::TOO_MANY_PARTITIONS, message)
            .hint("partition by a column with fewer values, or raise the limit")
            .file(self.stage.target()))
    }
}

/// Runs the plan to its end; when it gives a report, every file is complete and durable.
pub(super) async fn run(
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    sink: Arc<Sink>,
) -> Result<WriteReport> {
    let streams = match sink.layout {
        Layout::File => vec![single_stream(plan, Arc::clone(&context))?],
        Layout::Directory => (0..plan.output_partitioning().partition_count())
            .map(|index| plan.execute(index, Arc::clone(&context)))
            .collect::<Result<Vec<_>, _>>()?,
    };
    let mut tasks = JoinSet::new();
    let files_max = (OPEN_FILES_MAX / streams.len().max(1)).max(1);
    for (index, stream) in streams.into_iter().enumerate() {
        let writer = PartWriter::new(Arc::clone(&sink), index, files_max)?;
        tasks.spawn(write_stream(stream, writer, Arc::clone(&context)));
    }
    let mut finished = join(tasks).await?;
    let is_bare = finished.iter().all(Vec::is_empty) && sink.partition_columns.is_empty();
    if is_bare && (sink.layout == Layout::File || sink.format.has_schema_without_rows()) {
        let mut writer = PartWriter::new(Arc::clone(&sink), 0, 1)?;
        writer.open(None, Path::new(""))?;
        finished.push(writer.finish().await?);
    }
    let mut syncs = JoinSet::new();
    for files in finished {
        let sink = Arc::clone(&sink);
        syncs.spawn_blocking(move || sync_files(&sink, &files));
    }
    let mut report = WriteReport::default();
    join(syncs).await?.into_iter().for_each(|part| report.add(part));
    Ok(report)
}

/// What the tasks give, or the first error, once all of them have stopped: then nobody holds the
/// staging directory any more, and it is gone when the error is seen.
async fn join<T: 'static>(mut tasks: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut results = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        match joined.unwrap_or_else(|error| Err(task_error(error))) {
            Ok(result) => results.push(result),
            Err(error) => {
                tasks.shutdown().await;
                return Err(error);
            }
        }
    }
    Ok(results)
}

fn task_error(error: tokio::task::JoinError) -> Error {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic_text(panic.as_ref()).unwrap_or_default();
            Error::internal(format!("a task panicked: {text}"))
        }
        Err(error) => Error::internal(format!("a task was lost: {error}")),
    }
}

async fn write_stream(
    mut stream: SendableRecordBatchStream,
    mut writer: PartWriter,
    context: Arc<TaskContext>,
) -> Result<Vec<Finished>> {
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        if batch.num_rows() > 0
            && let Some(unwritten) = writer.write(batch)?
        {
            let columns = &writer.sink.partition_columns;
            stream = sorted(unwritten, stream, columns, Arc::clone(&context))?;
            writer.is_sorted = true;
        }
        writer.send_finished().await?;
    }
    writer.finish().await
}

/// All partitions as one stream: sorted if they are, and in their order if that has a meaning.
fn single_stream(
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let count = plan.output_partitioning().partition_count();
    if count == 1 {
        return Ok(plan.execute(0, context)?);
    }
    if let Some(ordering) = plan.output_ordering() {
        let merge = SortPreservingMergeExec::new(ordering.clone(), Arc::clone(&plan));
        return Ok(merge.execute(0, context)?);
    }
    if is_shuffled(plan.as_ref()) {
        return Ok(CoalescePartitionsExec::new(plan).execute(0, context)?);
    }
    // The partitions are ranges of the input. All of them start, a few batches ahead.
    const BATCHES_AHEAD: usize = 4;
    let schema = plan.schema();
    let streams = (0..count)
        .map(|index| Ok(spawn_buffered(plan.execute(index, Arc::clone(&context))?, BATCHES_AHEAD)))
        .collect::<Result<Vec<_>>>()?;
    let in_order = futures::stream::iter(streams).flatten();
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, in_order)))
}

fn is_shuffled(plan: &dyn ExecutionPlan) -> bool {
    plan.downcast_ref::<RepartitionExec>().is_some()
        || plan.children().into_iter().any(|child| is_shuffled(child.as_ref()))
}

/// The open files of one task.
struct PartWriter {
    sink: Arc<Sink>,
    splitter: Option<Splitter>,
    file_schema: SchemaRef,
    index: usize,
    files: HashMap<Option<arrow::row::OwnedRow>, OpenFile>,
    files_begun: usize,
    finished: Vec<Finished>,
    /// How many files may be open before the rows have to come sorted.
    files_max: usize,
    /// Whether the rows come partition by partition, so that a file is done when the next begins.
    is_sorted: bool,
}

/// Files that a write holds open, each with buffers of its own; of more partitions than these the
/// rows are sorted first, as in Spark.
const OPEN_FILES_MAX: usize = 128;

struct OpenFile {
    encoder: Box<dyn Encode>,
    path: PathBuf,
    rows: u64,
}

/// A file whose bytes the system has but perhaps not yet the disk. It is not held open, because
/// there may be more of them than a process may have open files.
struct Finished {
    path: PathBuf,
    rows: u64,
    /// Its size, once it was sent to a store and is not here any more.
    sent: Option<u64>,
}

impl PartWriter {
    fn new(sink: Arc<Sink>, index: usize, files_max: usize) -> Result<Self> {
        let splitter = match sink.partition_columns.as_slice() {
            [] => None,
            columns => Some(Splitter::new(&sink.schema, columns)?),
        };
        let file_schema = partition::file_schema(&sink.schema, &sink.partition_columns)?;
        Ok(Self {
            sink,
            splitter,
            file_schema,
            index,
            files: HashMap::new(),
            files_begun: 0,
            finished: Vec::new(),
            files_max,
            is_sorted: false,
        })
    }

    /// Writes a batch, or gives it back if its partitions are too many to be written unsorted.
    fn write(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        self.check_nulls(&batch)?;
        let schema = SchemaRef::clone(&self.sink.schema);
        let named = RecordBatch::try_new(schema, batch.columns().to_vec())?;
        let Some(splitter) = &self.splitter else {
            self.write_rows(None, Path::new(""), &named)?;
            return Ok(None);
        };
        let parts = splitter.split(&named)?;
        let is_new = |part: &&Part| !self.files.contains_key(&Some(part.key.clone()));
        let count = self.files.len() + parts.iter().filter(is_new).count();
        if !self.is_sorted && count > self.files_max {
            self.close_all()?;
            return Ok(Some(batch));
        }
        for part in parts {
            let key = Some(part.key);
            if self.is_sorted && !self.files.contains_key(&key) {
                self.close_all()?;
            }
            self.write_rows(key, &part.directory, &part.rows)?;
        }
        Ok(None)
    }

    fn check_nulls(&self, batch: &RecordBatch) -> Result<()> {
        let mut columns = self.sink.schema.fields().iter().zip(batch.columns());
        let refuses = |(field, column): &(&FieldRef, &ArrayRef)| {
            !field.is_nullable() && column.logical_null_count() > 0
        };
        match columns.find(refuses) {
            None => Ok(()),
            Some((field, _)) => {
                let message = format!("column `{}` cannot hold NULL", field.name());
                Err(Error::new(Condition::NOT_NULL_VIOLATION, message)
                    .hint("filter these rows out or use `coalesce`"))
            }
        }
    }

    /// Writes rows of one directory, into the next file when one is full.
    fn write_rows(
        &mut self,
        key: Option<arrow::row::OwnedRow>,
        directory: &Path,
        batch: &RecordBatch,
    ) -> Result<()> {
        let mut done = 0;
        while done < batch.num_rows() {
            if !self.files.contains_key(&key) {
                self.open(key.clone(), directory)?;
            }
            let Some(file) = self.files.get_mut(&key) else { break };
            let left = batch.num_rows() - done;
            let room = self.sink.rows_per_file_max.map(|max| max.saturating_sub(file.rows));
            let count = room.map_or(left, |room| left.min(usize::try_from(room).unwrap_or(left)));
            let slice = batch.slice(done, count);
            file.encoder.write(&slice).map_err(|error| encode_error(&self.sink, error))?;
            file.rows += count as u64;
            done += count;
            if self.sink.rows_per_file_max.is_some_and(|max| file.rows >= max)
                && let Some(full) = self.files.remove(&key)
            {
                self.close(full)?;
            }
        }
        Ok(())
    }

    fn open(&mut self, key: Option<arrow::row::OwnedRow>, directory: &Path) -> Result<()> {
        let sink = &self.sink;
        sink.count_partition(directory)?;
        let root = sink.stage.new_path();
        let path = match sink.layout {
            Layout::File => root,
            Layout::Directory => {
                let (part, ending) = (self.index, sink.format.file_ending());
                let name = format!("part-{part:05}-{}-c{:03}{ending}", sink.job, self.files_begun);
                root.join(directory).join(name)
            }
        };
        let start = || -> Result<Box<dyn Encode>, EncodeError> {
            if sink.layout == Layout::Directory {
                fs::create_dir_all(root_of(&path))?;
            }
            let file = File::create_new(&path)?;
            encode::start(&sink.format, file, &self.file_schema, &sink.pool)
        };
        let encoder = start().map_err(|error| encode_error(sink, error))?;
        self.files_begun += 1;
        self.files.insert(key, OpenFile { encoder, path, rows: 0 });
        Ok(())
    }

    fn close(&mut self, open: OpenFile) -> Result<()> {
        open.encoder.finish().map_err(|error| encode_error(&self.sink, error))?;
        self.finished.push(Finished { path: open.path, rows: open.rows, sent: None });
        Ok(())
    }

    /// Ends all files.
    async fn finish(mut self) -> Result<Vec<Finished>> {
        self.close_all()?;
        self.send_finished().await?;
        Ok(self.finished)
    }

    /// Sends the files that are complete, if the target is not on this machine.
    async fn send_finished(&mut self) -> Result<()> {
        for finished in self.finished.iter_mut().filter(|finished| finished.sent.is_none()) {
            finished.sent = self.sink.stage.send(&finished.path).await?;
        }
        Ok(())
    }

    fn close_all(&mut self) -> Result<()> {
        let open: Vec<OpenFile> = self.files.drain().map(|(_, open)| open).collect();
        open.into_iter().try_for_each(|open| self.close(open))
    }
}

/// Brings files to the disk.
fn sync_files(sink: &Sink, files: &[Finished]) -> Result<WriteReport> {
    let mut report = WriteReport::default();
    for finished in files {
        let bytes = match finished.sent {
            Some(bytes) => bytes,
            None => sync_file(&finished.path)
                .map_err(|error| write_error(sink.stage.target(), "write", error))?,
        };
        report.add(WriteReport { rows: finished.rows, files: 1, bytes });
    }
    Ok(report)
}

/// Brings a file to the disk and gives its size in bytes.
fn sync_file(path: &Path) -> std::io::Result<u64> {
    let file = File::options().write(true).open(path)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn root_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// An encoder's error under the name of the target.
fn encode_error(sink: &Sink, error: EncodeError) -> Error {
    let target = sink.stage.target();
    if let Some(io) = find_io(error.as_ref()) {
        return write_error(target, "write", std::io::Error::new(io.kind(), io.to_string()));
    }
    match error.downcast::<arrow::error::ArrowError>() {
        Ok(error) => Error::from(*error),
        Err(error) => {
            let message = format!("cannot write: {error}");
            Error::new(Condition::WRITE_FAILED, message).caused_by(error)
        }
    }
    .file(target)
}
