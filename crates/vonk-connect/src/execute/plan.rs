//! Plans that are executed: relations give their rows, commands their effect.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use futures::StreamExt;
use spark_connect_proto::execute_plan_response::{ArrowBatch, ResponseType};
use spark_connect_proto::plan::OpType;
use spark_connect_proto::plan::compressed_operation::OpType as Compressed;
use spark_connect_proto::{Plan, Relation};
use vonk::dataframe::Execution;
use vonk::{Error, Result};

use super::batches::{client_schema, ipc_batches};
use super::progress::{metrics, progress};
use super::{Operation, Response};
use crate::errors::{self, required};
use crate::relation::Observed;
use crate::session::ConnectSession;
use crate::{codec, command, relation, types};

/// How often a client is told how far its statement is.
const PROGRESS_EVERY: Duration = Duration::from_millis(300);

/// What one statement needs while it runs.
pub(crate) struct Context {
    pub(crate) session: Arc<ConnectSession>,
    pub(crate) operation: Arc<Operation>,
}

/// Executes a plan; the answers go to the operation.
///
/// # Errors
/// Those of planning, of the data and of writing.
pub(crate) async fn run(context: &Context, plan: Plan) -> Result<()> {
    let observed = Observed::default();
    match decompressed(plan, context.session.limits.message_bytes_max)? {
        OpType::Root(relation) => observed.during(rows(context, &relation)).await?,
        OpType::Command(command) => observed.during(command::run(context, command)).await?,
        OpType::CompressedOperation(_) => {
            return Err(errors::missing("operation that is not compressed"));
        }
    }
    let observed_metrics = observed.figures().await?;
    if !observed_metrics.is_empty() {
        let figures = Response { observed_metrics, ..Response::default() };
        context.operation.send(&context.session, figures).await;
    }
    Ok(())
}

/// The relation or command of a plan.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if there is none, or if it has more bytes than a message may have.
pub(crate) fn decompressed(plan: Plan, bytes_max: usize) -> Result<OpType> {
    let compressed = match required(plan.op_type, "root and no command")? {
        OpType::CompressedOperation(compressed) => compressed,
        plain => return Ok(plain),
    };
    let damaged = |error: std::io::Error| {
        Error::new(errors::INVALID_PLAN, format!("the compressed plan cannot be read: {error}"))
    };
    let decoder = zstd::Decoder::new(compressed.data.as_ref()).map_err(damaged)?;
    let mut data = Vec::new();
    decoder.take(bytes_max as u64 + 1).read_to_end(&mut data).map_err(damaged)?;
    if data.len() > bytes_max {
        let message = format!("the plan has more than {bytes_max} bytes");
        return Err(Error::new(errors::INVALID_PLAN, message));
    }
    let data = Bytes::from(data);
    let undecodable = |error: String| {
        Error::new(errors::INVALID_PLAN, format!("the compressed plan cannot be read: {error}"))
    };
    match Compressed::try_from(compressed.op_type) {
        Ok(Compressed::Relation) => Ok(OpType::Root(codec::decode(data).map_err(undecodable)?)),
        Ok(Compressed::Command) => Ok(OpType::Command(codec::decode(data).map_err(undecodable)?)),
        _ => Err(errors::missing("kind of its compressed operation")),
    }
}

/// Sends the rows of a relation.
async fn rows(context: &Context, relation: &Relation) -> Result<()> {
    let frame = relation::frame(&context.session, relation).await?;
    let Execution { mut stream, plan, .. } = frame.execute().await?;
    let mut sender = Sender::new(context, &stream.schema()).await?;
    let mut ticks = tokio::time::interval(PROGRESS_EVERY);
    ticks.tick().await;
    let mut was_told = false;
    loop {
        tokio::select! {
            biased;
            batch = stream.next() => match batch {
                Some(batch) => sender.take(batch?).await?,
                None => break,
            },
            _ = ticks.tick() => {
                was_told = true;
                context.operation.send(&context.session, progress(&plan, false)).await;
            }
        }
    }
    sender.finish().await?;
    if was_told {
        context.operation.send(&context.session, progress(&plan, true)).await;
    }
    context.operation.send(&context.session, metrics(&plan)).await;
    Ok(())
}

/// Gathers small batches and sends them in answers of a few megabytes.
struct Sender<'a> {
    context: &'a Context,
    schema: SchemaRef,
    held: Vec<RecordBatch>,
    held_bytes: usize,
    rows: usize,
}

impl<'a> Sender<'a> {
    /// A sender that has told the client the schema.
    async fn new(context: &'a Context, schema: &SchemaRef) -> Result<Self> {
        let zone = context.session.engine.config();
        let zone = zone.get(vonk::config::TIME_ZONE).unwrap_or("UTC");
        let told = Response { schema: Some(types::of_schema(schema)), ..Response::default() };
        context.operation.send(&context.session, told).await;
        let schema = client_schema(schema, zone);
        Ok(Self { context, schema, held: Vec::new(), held_bytes: 0, rows: 0 })
    }

    async fn take(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.held_bytes += batch.get_array_memory_size();
        self.held.push(batch);
        match self.held_bytes >= super::batches::BATCH_BYTES {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    async fn flush(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        let Some(first) = held.first() else { return Ok(()) };
        let batch = arrow::compute::concat_batches(&first.schema(), &held)?;
        self.send(&batch).await
    }

    async fn send(&mut self, batch: &RecordBatch) -> Result<()> {
        for (rows, data) in ipc_batches(batch, &self.schema)? {
            let start = self.rows;
            self.rows += rows;
            for answer in self.chunks(rows, start, data) {
                let answer = ResponseType::ArrowBatch(answer);
                self.context.operation.send(&self.context.session, answer.into()).await;
            }
        }
        Ok(())
    }

    /// One answer, or several if the client wants smaller ones.
    fn chunks(&self, rows: usize, start: usize, data: Bytes) -> Vec<ArrowBatch> {
        let whole = ArrowBatch {
            row_count: rows as i64,
            data: data.clone(),
            start_offset: Some(start as i64),
            chunk_index: None,
            num_chunks_in_batch: None,
        };
        let size = self.context.operation.wishes.chunk_bytes.unwrap_or(usize::MAX).max(1);
        if data.len() <= size {
            return vec![whole];
        }
        let count = data.len().div_ceil(size);
        let chunk = |at: usize| ArrowBatch {
            data: data.slice(at * size..data.len().min((at + 1) * size)),
            chunk_index: Some(at as i64),
            num_chunks_in_batch: Some(count as i64),
            ..whole.clone()
        };
        (0..count).map(chunk).collect()
    }

    /// Sends what is held; a result without rows is one batch with the schema alone.
    async fn finish(&mut self) -> Result<()> {
        self.flush().await?;
        if self.rows > 0 {
            return Ok(());
        }
        let empty = RecordBatch::new_empty(Arc::clone(&self.schema));
        self.send(&empty).await
    }
}

impl Context {
    /// Sends one answer.
    pub(crate) async fn answer(&self, answer: ResponseType) {
        self.operation.send(&self.session, answer.into()).await;
    }
}
