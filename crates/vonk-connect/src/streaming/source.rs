//! What streaming queries read: where a source is, and its rows between two places.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parking_lot::Mutex;
use prost::Message;
use serde_json::{Value, json};
use spark_connect_proto::Read;
use spark_connect_proto::read::{DataSource, ReadType};
use vonk::{Condition, DataFrame, Error, Result};

use super::option;
use crate::errors::{self, required};
use crate::relation::{self, Query};
use crate::session::ConnectSession;

/// What a plan's reads of streams are while it is translated.
#[derive(Debug)]
pub(super) enum Within {
    /// They are gathered, each once.
    Start(Mutex<Vec<Source>>),
    /// They are these rows, by the bytes of the read.
    Batch(HashMap<Vec<u8>, DataFrame>),
}

tokio::task_local! {
    static WITHIN: Arc<Within>;
}

/// Translates a plan whose sources are these.
pub(super) async fn within<T>(sources: &Arc<Within>, work: impl Future<Output = T>) -> T {
    WITHIN.scope(Arc::clone(sources), work).await
}

/// A source of a plan: rows of a batch if one is being done, else something that has no end.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` for a kind that vonk has not, those of reading.
pub(crate) async fn read(session: &Arc<ConnectSession>, read: &Read) -> Result<Query> {
    let sources = WITHIN.try_with(Arc::clone).ok();
    if let Some(Within::Batch(rows)) = sources.as_deref() {
        let rows = rows.get(&read.encode_to_vec()).cloned();
        return Query::new(required(rows, "rows of a source")?).await;
    }
    let source = Source::new(session, read).await?;
    let rows = session.engine.unbounded(Arc::clone(&source.schema))?;
    if let Some(Within::Start(sources)) = sources.as_deref() {
        let mut sources = sources.lock();
        if sources.iter().all(|known| known.key != source.key) {
            sources.push(source);
        }
    }
    Query::new(rows).await
}

/// One source of a query.
#[derive(Debug)]
pub(super) struct Source {
    /// The bytes of its read.
    pub(super) key: Vec<u8>,
    kind: Kind,
    schema: SchemaRef,
}

#[derive(Debug)]
enum Kind {
    /// So many rows for each second since it began.
    Rate {
        per_second: i64,
    },
    /// So many rows for each batch, whose times are so far apart.
    RateOfBatch {
        rows: i64,
        start_ms: i64,
        step_ms: i64,
    },
    /// Lines of a socket, which are only described.
    Socket,
    Files {
        source: DataSource,
        /// Files that one batch may have.
        most: usize,
    },
    Table(String),
}

/// Where a batch begins or ends in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offset {
    /// Seconds or batches, and when the source began, in milliseconds since 1970.
    Count { count: i64, began_ms: i64 },
    /// The files that were read.
    Files(Vec<String>),
}

impl Source {
    async fn new(session: &Arc<ConnectSession>, read: &Read) -> Result<Self> {
        let kind = Kind::of(read)?;
        let schema = kind.schema(session).await?;
        Ok(Self { key: read.encode_to_vec(), kind, schema })
    }

    /// Refuses what can be described and not run.
    pub(super) fn check(&self) -> Result<()> {
        match self.kind {
            Kind::Socket => Err(errors::unsupported("streaming queries over sockets")),
            _ => Ok(()),
        }
    }

    /// What users are told that it is.
    pub(super) fn description(&self) -> String {
        match &self.kind {
            Kind::Rate { per_second } => format!("RateStream[rowsPerSecond={per_second}]"),
            Kind::RateOfBatch { rows, .. } => format!("RateStream[rowsPerBatch={rows}]"),
            Kind::Socket => "TextSocket".to_owned(),
            Kind::Files { source, .. } => format!("FileStreamSource[{}]", source.paths.join(", ")),
            Kind::Table(name) => format!("Table[{name}]"),
        }
    }

    /// Where it begins.
    pub(super) fn start(&self) -> Offset {
        match &self.kind {
            Kind::Files { .. } | Kind::Table(_) => Offset::Files(Vec::new()),
            Kind::RateOfBatch { start_ms, .. } => Offset::Count { count: 0, began_ms: *start_ms },
            Kind::Rate { .. } | Kind::Socket => Offset::Count { count: 0, began_ms: now_ms() },
        }
    }

    /// How far the next batch may go; `is_bounded` says whether its size is to be limited.
    pub(super) async fn next(
        &self,
        session: &Arc<ConnectSession>,
        from: &Offset,
        is_bounded: bool,
    ) -> Result<Offset> {
        let (files, most) = match (&self.kind, from) {
            (Kind::Rate { .. } | Kind::Socket, Offset::Count { began_ms, count }) => {
                let count = ((now_ms() - began_ms) / 1000).max(*count);
                return Ok(Offset::Count { count, began_ms: *began_ms });
            }
            (Kind::RateOfBatch { .. }, Offset::Count { began_ms, count }) => {
                return Ok(Offset::Count { count: count + 1, began_ms: *began_ms });
            }
            (Kind::Files { source, most }, Offset::Files(_)) => {
                let whole = relation::reader(session, source);
                (whole.0.schema(Arc::clone(&self.schema)).load(whole.1).input_files().await, *most)
            }
            (Kind::Table(name), Offset::Files(_)) => {
                (session.engine.table(name).input_files().await, usize::MAX)
            }
            _ => return Err(Error::internal("an offset is of another source")),
        };
        let files = match files {
            Ok(files) => files,
            // A directory may be empty still.
            Err(error) if error.condition() == Condition::PATH_NOT_FOUND => Vec::new(),
            Err(error) => return Err(error),
        };
        let Offset::Files(before) = from else { return Ok(from.clone()) };
        let known: HashSet<&String> = before.iter().collect();
        let new = files.into_iter().filter(|file| !known.contains(file));
        let most = if is_bounded { most } else { usize::MAX };
        Ok(Offset::Files(before.iter().cloned().chain(new.take(most)).collect()))
    }

    /// Its rows between two places.
    pub(super) async fn rows(
        &self,
        session: &Arc<ConnectSession>,
        from: &Offset,
        to: &Offset,
    ) -> Result<DataFrame> {
        let engine = &session.engine;
        match (&self.kind, from, to) {
            (kind, Offset::Count { count: first, .. }, Offset::Count { count: end, began_ms }) => {
                engine.from_batches(vec![kind.counted(&self.schema, *first..*end, *began_ms)?])
            }
            (Kind::Files { source, .. }, Offset::Files(first), Offset::Files(end)) => {
                let (mut reader, paths) = relation::reader(session, source);
                if let [path] = paths.as_slice()
                    && !path.contains(['*', '?', '[', '{'])
                {
                    // Directories below it may be columns.
                    reader = reader.option("basePath", path);
                }
                self.of_files(session, reader.schema(Arc::clone(&self.schema)), first, end)
            }
            (Kind::Table(_), Offset::Files(first), Offset::Files(end)) => {
                let reader = engine.read().schema(Arc::clone(&self.schema));
                self.of_files(session, reader, first, end)
            }
            _ => Err(Error::internal("an offset is of another source")),
        }
    }

    fn of_files(
        &self,
        session: &Arc<ConnectSession>,
        reader: vonk::dataframe::DataFrameReader,
        first: &[String],
        end: &[String],
    ) -> Result<DataFrame> {
        let known: HashSet<&String> = first.iter().collect();
        let new = end.iter().filter(|file| !known.contains(file)).cloned();
        let new: Vec<String> = new.collect();
        match new.is_empty() {
            true => {
                let empty = RecordBatch::new_empty(Arc::clone(&self.schema));
                session.engine.from_batches(vec![empty])
            }
            false => Ok(reader.load(new)),
        }
    }
}

impl Kind {
    fn of(read: &Read) -> Result<Self> {
        let source = match required(read.read_type.as_ref(), "source")? {
            ReadType::NamedTable(table) => {
                return Ok(Self::Table(table.unparsed_identifier.clone()));
            }
            ReadType::DataSource(source) => source,
        };
        Ok(match source.format.as_deref() {
            Some("rate") => {
                if number(source, "rampUpTime", 0)? > 0 {
                    return Err(errors::unsupported("option `rampUpTime` of the source `rate`"));
                }
                Self::Rate { per_second: number(source, "rowsPerSecond", 1)?.max(1) }
            }
            Some("rate-micro-batch") => Self::RateOfBatch {
                rows: number(source, "rowsPerBatch", 1)?.max(1),
                start_ms: number(source, "startTimestamp", 0)?,
                step_ms: number(source, "advanceMillisPerBatch", 1000)?,
            },
            Some("socket") => Self::Socket,
            Some("kafka" | "kinesis" | "state-metadata" | "statestore") => {
                return Err(errors::unsupported("streaming queries over Kafka and state"));
            }
            _ => Self::files(source)?,
        })
    }

    /// Files, without the options that only streams of them have.
    fn files(source: &DataSource) -> Result<Self> {
        let most = number(source, "maxFilesPerTrigger", i64::MAX)?;
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        let mut source = source.clone();
        for (name, value) in &source.options {
            let is_off = ["false", "off"].contains(&value.to_lowercase().as_str());
            if !is_off && OTHER_OPTIONS.iter().any(|option| option.eq_ignore_ascii_case(name)) {
                let what = format!("option `{name}` of streaming queries over files");
                return Err(errors::unsupported(&what));
            }
        }
        source.options.retain(|name, _| {
            let mut known = OTHER_OPTIONS.iter().chain(&["maxFilesPerTrigger", "maxFileAge"]);
            !known.any(|option| option.eq_ignore_ascii_case(name))
        });
        Ok(Self::Files { source, most })
    }

    async fn schema(&self, session: &Arc<ConnectSession>) -> Result<SchemaRef> {
        match self {
            Self::Rate { .. } | Self::RateOfBatch { .. } => {
                let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
                Ok(Arc::new(Schema::new(vec![
                    Field::new("timestamp", time, true),
                    Field::new("value", DataType::Int64, true),
                ])))
            }
            Self::Socket => {
                Ok(Arc::new(Schema::new(vec![Field::new("value", DataType::Utf8, true)])))
            }
            Self::Table(name) => session.engine.table(name).schema().await,
            Self::Files { source, .. } => {
                let has_schema = source.schema.as_ref().is_some_and(|schema| !schema.is_empty());
                let infers =
                    crate::config::value(&session.engine, "spark.sql.streaming.schemaInference");
                let infers = infers.is_some_and(|value| value.eq_ignore_ascii_case("true"));
                let is_text = source.format.as_deref() == Some("text");
                if is_text && !has_schema {
                    let value = Field::new("value", DataType::Utf8, true);
                    return Ok(Arc::new(Schema::new(vec![value])));
                }
                if !has_schema && !infers {
                    let message = "a streaming query over files has to be told their columns";
                    return Err(Error::new(Condition::UNABLE_TO_INFER_SCHEMA, message).hint(
                        "give them with `.schema(…)`, or set `spark.sql.streaming.schemaInference`",
                    ));
                }
                let (reader, paths) = relation::reader(session, source);
                match source.schema.as_deref().filter(|schema| !schema.is_empty()) {
                    Some(schema) => relation::schema_of(session, schema),
                    None => reader.load(paths).schema().await,
                }
            }
        }
    }

    /// The rows of a source that counts.
    fn counted(
        &self,
        schema: &SchemaRef,
        counts: std::ops::Range<i64>,
        began_ms: i64,
    ) -> Result<RecordBatch> {
        let (per, of): (i64, Box<dyn Fn(i64) -> i64>) = match self {
            Self::Rate { per_second } => {
                let per = *per_second;
                // Rows of one second are spread over it.
                (per, Box::new(move |value| began_ms * 1000 + value * 1_000_000 / per))
            }
            Self::RateOfBatch { rows, step_ms, .. } => {
                let (rows, step_ms) = (*rows, *step_ms);
                (rows, Box::new(move |value| (began_ms + value / rows * step_ms) * 1000))
            }
            _ => return Err(Error::internal("a source of files does not count")),
        };
        let values: Vec<i64> = (counts.start * per..counts.end * per).collect();
        let times = values.iter().map(|value| of(*value)).collect::<Vec<_>>();
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"));
        let values: ArrayRef = Arc::new(Int64Array::from(values));
        Ok(RecordBatch::try_new(Arc::clone(schema), vec![times, values])?)
    }
}

impl Offset {
    pub(super) fn is_count(&self) -> bool {
        matches!(self, Self::Count { .. })
    }

    /// As it stands in a checkpoint.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Count { count, began_ms } => json!({ "count": count, "beganMs": began_ms }),
            Self::Files(files) => json!({ "files": files }),
        }
    }

    /// Reads what [`Offset::to_json`] has written.
    pub(super) fn from_json(json: &Value) -> Option<Self> {
        if let Some(files) = json["files"].as_array() {
            let files = files.iter().map(|file| file.as_str().map(str::to_owned));
            return Some(Self::Files(files.collect::<Option<_>>()?));
        }
        Some(Self::Count { count: json["count"].as_i64()?, began_ms: json["beganMs"].as_i64()? })
    }

    /// A short form for people.
    pub(super) fn told(&self) -> Value {
        match self {
            Self::Count { count, .. } => json!(count),
            Self::Files(files) => json!({ "files": files.len() }),
        }
    }
}

/// Options of streams of files that vonk has not, unless they are off.
const OTHER_OPTIONS: &[&str] =
    &["cleanSource", "fileNameOnly", "latestFirst", "maxBytesPerTrigger"];

/// A whole number among the options of a source.
fn number(source: &DataSource, name: &str, default: i64) -> Result<i64> {
    let Some(value) = option(&source.options, name) else { return Ok(default) };
    value.trim().trim_end_matches('s').parse().map_err(|_| {
        let message = format!("option `{name}` cannot be `{value}`");
        Error::new(Condition::INVALID_PARAMETER, message).hint("give a whole number")
    })
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
