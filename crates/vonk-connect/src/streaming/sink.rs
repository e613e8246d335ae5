//! Where the batches of a streaming query go.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parking_lot::Mutex;
use spark_connect_proto as proto;
use spark_connect_proto::streaming_foreach_function::Function as Foreach;
use spark_connect_proto::write_stream_operation_start::SinkDestination;
use vonk::dataframe::{col, lit};
use vonk::write::{DataFrameWriter, SaveMode};
use vonk::{Condition, DataFrame, Error, Result};

use super::option;
use super::plan::Mode;
use crate::config;
use crate::errors::{self, required};
use crate::expression::{quoted, structure};
use crate::python::{Function, Shape, Source, in_order};
use crate::session::{ConnectSession, new_id};

/// Where batches go.
#[derive(Debug)]
pub(super) enum Sink {
    /// Where the server tells its own user something.
    Console {
        rows: usize,
        truncate: bool,
    },
    /// Nowhere: the rows are computed.
    Noop,
    /// A view of the query's name over rows that the session holds.
    Memory {
        name: String,
        rows: Mutex<Vec<RecordBatch>>,
    },
    Files(Files),
    /// A function of the program for each row.
    Rows(Arc<Function>),
    /// A function of the program for each batch.
    Batches(Arc<Function>),
}

/// Files below a path, or of a table.
#[derive(Debug)]
pub(super) struct Files {
    target: SinkDestination,
    format: String,
    options: Vec<(String, String)>,
    keys: Vec<String>,
}

/// By which workers know functions of streaming queries, which PySpark has no numbers for.
const FOR_EACH_ROW: i32 = -2;
const FOR_EACH_BATCH: i32 = -3;

impl Sink {
    /// The place that a client names.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` for a kind that vonk has not, and if a name or path is missing.
    pub(super) fn new(
        session: &ConnectSession,
        command: &proto::WriteStreamOperationStart,
        mode: Mode,
    ) -> Result<Self> {
        if let Some(function) = &command.foreach_writer {
            return Ok(Self::Rows(function_of(session, function, FOR_EACH_ROW)?));
        }
        if let Some(function) = &command.foreach_batch {
            return Ok(Self::Batches(function_of(session, function, FOR_EACH_BATCH)?));
        }
        let option = |name: &str| option(&command.options, name);
        let is_table = matches!(command.sink_destination, Some(SinkDestination::TableName(_)));
        match command.format.to_lowercase().as_str() {
            "console" if !is_table => Ok(Self::Console {
                rows: option("numRows").and_then(|rows| rows.parse().ok()).unwrap_or(20),
                truncate: option("truncate").is_none_or(|value| value != "false"),
            }),
            "noop" if !is_table => Ok(Self::Noop),
            "memory" if !is_table => match command.query_name.is_empty() {
                true => {
                    let message = "a query that is kept in memory needs a name";
                    Err(Error::new(Condition::INVALID_PARAMETER, message)
                        .hint("give one with `.queryName(…)`: it is the name of its view"))
                }
                false => {
                    Ok(Self::Memory { name: command.query_name.clone(), rows: Mutex::default() })
                }
            },
            "kafka" => Err(errors::unsupported("streaming queries to Kafka")),
            format => {
                if mode != Mode::Append {
                    let message = "files and tables are only appended to by streaming queries";
                    return Err(Error::new(errors::OUTPUT_MODE, message)
                        .hint("use `.outputMode(\"append\")`, or `.foreachBatch(…)`"));
                }
                let target = match (&command.sink_destination, option("path")) {
                    (Some(target), _) => target.clone(),
                    (None, Some(path)) => SinkDestination::Path(path.clone()),
                    (None, None) => {
                        let message = "the query does not say where its rows are to be written";
                        return Err(Error::new(Condition::INVALID_PARAMETER, message)
                            .hint("give a path to `.start(…)`, or use `.toTable(…)`"));
                    }
                };
                let is_ours = |name: &str| {
                    ["path", "checkpointlocation", "queryname"]
                        .contains(&name.to_lowercase().as_str())
                };
                let options = command.options.iter().filter(|(name, _)| !is_ours(name));
                Ok(Self::Files(Files {
                    target,
                    format: config::format(&session.engine, Some(format)),
                    options: options.map(|(name, value)| (name.clone(), value.clone())).collect(),
                    keys: command.partitioning_column_names.clone(),
                }))
            }
        }
    }

    /// What users are told that it is.
    pub(super) fn description(&self) -> String {
        match self {
            Self::Console { .. } => "console".to_owned(),
            Self::Noop => "noop".to_owned(),
            Self::Memory { name, .. } => format!("MemorySink[{name}]"),
            Self::Files(Files { target: SinkDestination::Path(path), .. }) => {
                format!("FileSink[{path}]")
            }
            Self::Files(Files { target: SinkDestination::TableName(name), .. }) => {
                format!("Table[{name}]")
            }
            Self::Rows(_) => "ForeachWriter".to_owned(),
            Self::Batches(_) => "ForeachBatchSink".to_owned(),
        }
    }

    /// Makes what readers may ask for before there is a row.
    pub(super) async fn prepare(
        &self,
        session: &Arc<ConnectSession>,
        schema: &SchemaRef,
    ) -> Result<()> {
        let empty =
            || session.engine.from_batches(vec![RecordBatch::new_empty(Arc::clone(schema))]);
        match self {
            Self::Memory { name, .. } => empty()?.create_or_replace_temp_view(name).await,
            Self::Files(files) => match &files.target {
                SinkDestination::TableName(name)
                    if session.engine.table(name).check().await.is_err() =>
                {
                    files.writer(&empty()?).save_as_table(name).await.map(drop)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Takes a batch in; gives the number of its rows, if that is known.
    pub(super) async fn take(
        &self,
        session: &Arc<ConnectSession>,
        frame: &DataFrame,
        number: u64,
        mode: Mode,
    ) -> Result<Option<u64>> {
        match self {
            Self::Console { rows, truncate } => {
                let frame = frame.cache();
                let shown = frame.show_string(*rows, truncate.then_some(20)).await?;
                let line = "-".repeat(43);
                session.host.console.write(&format!("{line}\nBatch: {number}\n{line}\n{shown}"));
                Ok(Some(frame.count().await? as u64))
            }
            Self::Noop => {
                let mut stream = frame.stream().await?;
                let mut rows = 0;
                while let Some(batch) = futures::StreamExt::next(&mut stream).await {
                    rows += batch?.num_rows() as u64;
                }
                Ok(Some(rows))
            }
            Self::Memory { name, rows } => {
                let batch = frame.to_arrow().await?;
                let taken = batch.num_rows() as u64;
                let all = {
                    let mut rows = rows.lock();
                    if mode == Mode::Complete {
                        rows.clear();
                    }
                    rows.push(batch);
                    rows.clone()
                };
                session.engine.from_batches(all)?.create_or_replace_temp_view(name).await?;
                Ok(Some(taken))
            }
            Self::Files(files) => files.take(frame).await.map(Some),
            Self::Rows(function) => for_rows(frame, function, number).await.map(|()| None),
            Self::Batches(function) => {
                for_batch(session, frame, function, number).await.map(|()| None)
            }
        }
    }
}

impl Files {
    fn writer(&self, frame: &DataFrame) -> DataFrameWriter {
        let mut writer = frame.write().mode(SaveMode::Append).format(self.format.clone());
        if !self.keys.is_empty() {
            writer = writer.partition_by(self.keys.clone());
        }
        self.options.iter().fold(writer, |writer, (name, value)| writer.option(name, value))
    }

    async fn take(&self, frame: &DataFrame) -> Result<u64> {
        let writer = self.writer(frame);
        let report = match &self.target {
            SinkDestination::Path(path) => writer.save(path).await?,
            SinkDestination::TableName(name) => writer.save_as_table(name).await?,
        };
        Ok(report.rows)
    }
}

fn function_of(
    session: &ConnectSession,
    function: &proto::StreamingForeachFunction,
    eval_type: i32,
) -> Result<Arc<Function>> {
    let udf = match required(function.function.as_ref(), "function of the streaming query")? {
        Foreach::PythonFunction(udf) => udf,
        Foreach::ScalaFunction(_) => {
            return Err(errors::unsupported("functions of Scala and Java"));
        }
    };
    let source = Source { eval_type, ..Source::from(udf) };
    let schema = Schema::new(vec![Field::new("done", DataType::Boolean, true)]);
    Ok(Arc::new(Function::new(session, &source, schema, &Shape::default())?))
}

/// Calls a function of the program for the rows of a batch.
async fn for_rows(frame: &DataFrame, function: &Arc<Function>, number: u64) -> Result<()> {
    let columns = frame.columns().await?;
    let row = structure(columns.iter().map(|name| (name, col(&quoted(name)))));
    let number = lit(i64::try_from(number).unwrap_or(i64::MAX));
    let rows = frame.select([row.alias("_0"), number.alias("_1")]);
    run(&rows, function).await
}

/// Calls a function of the program with the batch, which it may ask the server for.
async fn for_batch(
    session: &Arc<ConnectSession>,
    frame: &DataFrame,
    function: &Arc<Function>,
    number: u64,
) -> Result<()> {
    let id = new_id();
    session.kept.lock().checkpoints.insert(id.clone(), frame.clone());
    let number = lit(i64::try_from(number).unwrap_or(i64::MAX));
    let address = lit(session.host.address_of(session));
    let call = session.engine.sql("SELECT 1 AS one");
    let call = call.select([address.alias("_0"), lit(id.as_str()).alias("_1"), number.alias("_2")]);
    let done = run(&call, function).await;
    session.kept.lock().checkpoints.remove(&id);
    done
}

async fn run(rows: &DataFrame, function: &Arc<Function>) -> Result<()> {
    let (schema, function) = (Arc::clone(&function.schema), Arc::clone(function));
    let results = rows.map_batches(schema, move |batches| in_order(&function, batches));
    results.count().await.map(drop)
}
