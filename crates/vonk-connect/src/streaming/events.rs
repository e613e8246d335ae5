//! What clients are told of streaming queries, in Spark's JSON.

use arrow::array::TimestampMillisecondArray;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Value, json};
use spark_connect_proto as proto;
use spark_connect_proto::StreamingQueryEventType as EventType;
use spark_connect_proto::execute_plan_response::ObservedMetrics;
use spark_connect_proto::expression::Literal;
use spark_connect_proto::expression::literal::LiteralType;

use super::query::{Ended, StreamingQuery};

/// Something that has happened to a query.
#[derive(Debug, Clone)]
pub(super) struct Event {
    kind: EventType,
    json: String,
}

impl From<Event> for proto::StreamingQueryListenerEvent {
    fn from(event: Event) -> Self {
        Self { event_json: event.json, event_type: event.kind.into() }
    }
}

/// What a batch has done.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) number: u64,
    /// When it began, in milliseconds since 1970.
    pub(super) began_ms: i64,
    pub(super) duration_ms: u64,
    /// For each source, what it is, where the batch begins and ends in it, and its rows.
    pub(super) sources: Vec<(String, Value, Value, u64)>,
    pub(super) sink: String,
    pub(super) rows: Option<u64>,
    pub(super) observed: Vec<ObservedMetrics>,
}

/// That a query has begun.
pub(super) fn started(query: &StreamingQuery) -> String {
    json!({
        "id": query.id, "runId": query.run_id, "name": query.name,
        "timestamp": time(query.began_ms), "jobTags": [],
    })
    .to_string()
}

/// What a batch of a query has done, as `lastProgress` gives it.
pub(super) fn progress(query: &StreamingQuery, batch: &Batch) -> String {
    let seconds = (batch.duration_ms.max(1)) as f64 / 1000.0;
    let rows: u64 = batch.sources.iter().map(|(.., rows)| rows).sum();
    let sources = batch.sources.iter().map(|(description, start, end, rows)| {
        json!({
            "description": description, "startOffset": start, "endOffset": end,
            "latestOffset": end, "numInputRows": rows,
            "inputRowsPerSecond": *rows as f64 / seconds,
            "processedRowsPerSecond": *rows as f64 / seconds,
        })
    });
    let told = json!({
        "id": query.id, "runId": query.run_id, "name": query.name,
        "timestamp": time(batch.began_ms), "batchId": batch.number,
        "batchDuration": batch.duration_ms,
        "numInputRows": rows,
        "inputRowsPerSecond": rows as f64 / seconds,
        "processedRowsPerSecond": rows as f64 / seconds,
        "durationMs": { "triggerExecution": batch.duration_ms },
        "stateOperators": [],
        "sources": sources.collect::<Vec<_>>(),
        "sink": {
            "description": batch.sink,
            "numOutputRows": batch.rows.map_or(-1, |rows| i64::try_from(rows).unwrap_or(i64::MAX)),
        },
    });
    // The figures keep their order, which an object of `serde_json` would not.
    let observed = batch.observed.iter().map(|metrics| {
        let values = metrics.keys.iter().zip(&metrics.values);
        let values = values.map(|(key, value)| format!("{}:{}", json!(key), plain(value)));
        format!("{}:{{{}}}", json!(metrics.name), values.collect::<Vec<_>>().join(","))
    });
    let observed = observed.collect::<Vec<_>>().join(",");
    let told = told.to_string();
    let told = told.strip_suffix('}').unwrap_or(&told);
    format!("{told},\"observedMetrics\":{{{observed}}}}}")
}

/// That a batch is done.
pub(super) fn progressed(progress: &str) -> Event {
    let json = format!("{{\"progress\":{progress}}}");
    Event { kind: EventType::QueryProgressEvent, json }
}

/// That a query has ended.
pub(super) fn terminated(query: &StreamingQuery, ended: &Ended) -> Event {
    let failure = ended.failure.as_ref();
    let json = json!({
        "id": query.id, "runId": query.run_id,
        "exception": failure.map(|failure| &failure.message),
        "errorClassOnException": failure.map(|failure| &failure.condition),
    });
    Event { kind: EventType::QueryTerminatedEvent, json: json.to_string() }
}

/// A moment as Spark words it: `2026-01-31T12:00:00.000Z`.
fn time(ms: i64) -> String {
    let array = TimestampMillisecondArray::from(vec![ms]);
    let format = FormatOptions::new().with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.3fZ"));
    match ArrayFormatter::try_new(&array, &format) {
        Ok(formatter) => formatter.value(0).to_string(),
        Err(_) => String::new(),
    }
}

/// A figure as JSON; those that JSON has no form of are NULL.
fn plain(value: &Literal) -> Value {
    match &value.literal_type {
        Some(LiteralType::Boolean(value)) => json!(value),
        Some(
            LiteralType::Byte(value) | LiteralType::Short(value) | LiteralType::Integer(value),
        ) => {
            json!(value)
        }
        Some(LiteralType::Long(value)) => json!(value),
        Some(LiteralType::Float(value)) => json!(value),
        Some(LiteralType::Double(value)) => json!(value),
        Some(LiteralType::String(value)) => json!(value),
        Some(LiteralType::Decimal(value)) => json!(value.value),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn moments_are_in_utc_with_milliseconds() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(1_709_208_000_123), "2024-02-29T12:00:00.123Z");
    }
}
