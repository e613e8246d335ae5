//! Errors as PySpark reads them: a status with Spark's class and condition, and details on request.

use prost::Message;
use prost_types::Any;
use spark_connect_proto::fetch_error_details_response as details;
use tonic::{Code, Status};
use vonk::error::{Condition, Kind};
use vonk::{Error, Result};

macro_rules! conditions {
    ($($constant:ident = $name:literal, $state:literal;)*) => {
        $(pub(crate) const $constant: Condition =
            Condition { name: $name, sql_state: $state, kind: Kind::Query };)*
    };
}

// Conditions of the protocol, which no other door has.
conditions! {
    ARTIFACT_EXISTS = "ARTIFACT_ALREADY_EXISTS", "42713";
    ARTIFACTS_TOO_LARGE = "CONNECT_ARTIFACT_LIMIT_EXCEEDED", "54000";
    FIELD_NOT_FOUND = "FIELD_NOT_FOUND", "42704";
    HANDLE_FORMAT = "INVALID_HANDLE.FORMAT", "HY000";
    INVALID_PLAN = "INVALID_PLAN_INPUT", "42000";
    OPERATION_ABANDONED = "INVALID_HANDLE.OPERATION_ABANDONED", "HY000";
    OPERATION_EXISTS = "INVALID_HANDLE.OPERATION_ALREADY_EXISTS", "HY000";
    OPERATION_NOT_FOUND = "INVALID_HANDLE.OPERATION_NOT_FOUND", "HY000";
    PYTHON_EXCEPTION = "PYTHON_EXCEPTION", "38000";
    PYTHON_VERSION = "PYTHON_VERSION_MISMATCH", "38000";
    OUTPUT_MODE = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE";
    RESPONSE_NOT_AVAILABLE = "INVALID_CURSOR.POSITION_NOT_AVAILABLE", "HY109";
    SESSION_CHANGED = "INVALID_HANDLE.SESSION_CHANGED", "HY000";
    SESSION_CLOSED = "INVALID_HANDLE.SESSION_CLOSED", "HY000";
    SESSION_EXISTS = "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS", "42K04";
    SESSION_NOT_FOUND = "INVALID_HANDLE.SESSION_NOT_FOUND", "HY000";
    STREAM_FAILED = "STREAM_FAILED", "XXKST";
    TOO_MANY_SESSIONS = "CONNECT_SESSION_LIMIT_EXCEEDED", "54000";
    TOO_MANY_STATEMENTS = "CONNECT_STATEMENT_LIMIT_EXCEEDED", "54000";
    TOO_MANY_TABLES = "TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS", "54023";
    WRITE_STREAM_NOT_ALLOWED = "WRITE_STREAM_NOT_ALLOWED", "42601";
}

/// Something of the protocol that vonk does not do.
pub(crate) fn unsupported(what: &str) -> Error {
    Error::unsupported(format!("vonk does not do {what}"))
}

/// A message that lacks a part without which it means nothing.
pub(crate) fn missing(what: &str) -> Error {
    Error::new(INVALID_PLAN, format!("the plan has no {what}"))
}

/// The part of a message, which has to be there.
pub(crate) fn required<T>(part: Option<T>, what: &str) -> Result<T> {
    part.ok_or_else(|| missing(what))
}

/// How a failure is told by the trailer of a call, and kept for a client that asks for more.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    message: String,
    classes: Vec<&'static str>,
    condition: Condition,
    parameters: Vec<(String, String)>,
    context: Option<details::QueryContext>,
}

impl Failure {
    /// The failure that an error is; `statement` is the SQL text that it may have a place in.
    pub(crate) fn new(error: &Error, statement: Option<&str>) -> Self {
        let context = statement.and_then(|statement| query_context(error, statement));
        Self {
            // It begins with the condition and ends with the state, as Spark's.
            message: error.to_string(),
            classes: classes(error.condition()),
            condition: error.condition(),
            parameters: error.parameters().to_vec(),
            context,
        }
    }

    /// The status that ends the call.
    pub(crate) fn status(&self, error_id: &str) -> Status {
        let parameters: serde_json::Map<String, serde_json::Value> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        let entry = |name: &str, value: String| (name.to_owned(), value);
        let info = ErrorInfo {
            reason: self.classes.first().copied().unwrap_or_default().to_owned(),
            domain: "org.apache.spark".to_owned(),
            metadata: [
                entry("classes", serde_json::json!(self.classes).to_string()),
                entry("errorClass", self.condition.name.to_owned()),
                entry("sqlState", self.condition.sql_state.to_owned()),
                entry("messageParameters", serde_json::Value::Object(parameters).to_string()),
                entry("errorId", error_id.to_owned()),
            ]
            .into(),
        };
        let short: String = self.message.chars().take(MESSAGE_CHARACTERS_MAX).collect();
        let status = RpcStatus {
            code: Code::Internal as i32,
            message: short.clone(),
            details: vec![Any {
                type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
                value: info.encode_to_vec(),
            }],
        };
        Status::with_details(Code::Internal, short, status.encode_to_vec().into())
    }

    /// The chain of errors that `FetchErrorDetails` gives.
    pub(crate) fn details(&self) -> details::Error {
        details::Error {
            error_type_hierarchy: self.classes.iter().map(|&class| class.to_owned()).collect(),
            message: self.message.clone(),
            stack_trace: Vec::new(),
            cause_idx: None,
            spark_throwable: Some(details::SparkThrowable {
                error_class: Some(self.condition.name.to_owned()),
                message_parameters: self.parameters.iter().cloned().collect(),
                query_contexts: self.context.iter().cloned().collect(),
                sql_state: Some(self.condition.sql_state.to_owned()),
                breaking_change_info: None,
            }),
        }
    }
}

/// How much of a message a trailer holds, which has a limit of a few kilobytes.
const MESSAGE_CHARACTERS_MAX: usize = 1000;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(map = "string, string", tag = "3")]
    metadata: std::collections::HashMap<String, String>,
}

const ANALYSIS: &str = "org.apache.spark.sql.AnalysisException";
const PARSE: &str = "org.apache.spark.sql.catalyst.parser.ParseException";
const RUNTIME: &str = "org.apache.spark.SparkRuntimeException";
const SPARK: &str = "org.apache.spark.SparkException";

/// The classes of Java that a condition's exception has, innermost first.
const CLASSES: &[(&str, &[&str])] = &[
    ("PARSE_SYNTAX_ERROR", &[PARSE, ANALYSIS]),
    ("DIVIDE_BY_ZERO", &["org.apache.spark.SparkArithmeticException", ARITHMETIC]),
    ("REMAINDER_BY_ZERO", &["org.apache.spark.SparkArithmeticException", ARITHMETIC]),
    ("INTERVAL_DIVIDED_BY_ZERO", &["org.apache.spark.SparkArithmeticException", ARITHMETIC]),
    ("ARITHMETIC_OVERFLOW", &["org.apache.spark.SparkArithmeticException", ARITHMETIC]),
    ("CAST_OVERFLOW", &["org.apache.spark.SparkArithmeticException", ARITHMETIC]),
    ("NUMERIC_VALUE_OUT_OF_RANGE", &["org.apache.spark.SparkArithmeticException", ARITHMETIC]),
    ("CAST_INVALID_INPUT", &["org.apache.spark.SparkNumberFormatException", NUMBER_FORMAT]),
    ("INVALID_ARRAY_INDEX", &["org.apache.spark.SparkArrayIndexOutOfBoundsException", ARRAY_INDEX]),
    (
        "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
        &["org.apache.spark.SparkArrayIndexOutOfBoundsException", ARRAY_INDEX],
    ),
    ("CANNOT_PARSE_TIMESTAMP", &["org.apache.spark.SparkDateTimeException", DATE_TIME]),
    ("DATETIME_FIELD_OUT_OF_BOUNDS", &["org.apache.spark.SparkDateTimeException", DATE_TIME]),
    ("INCONSISTENT_BEHAVIOR_CROSS_VERSION", &["org.apache.spark.SparkUpgradeException"]),
    ("SQL_CONF_NOT_FOUND", &["org.apache.spark.SparkNoSuchElementException"]),
    ("INVALID_CONF_VALUE", &["org.apache.spark.SparkIllegalArgumentException", ILLEGAL]),
    ("CANNOT_MODIFY_STATIC_CONFIG", &[ANALYSIS]),
    ("UNSUPPORTED_FEATURE", &["org.apache.spark.SparkUnsupportedOperationException", UNSUPPORTED]),
    ("INVALID_PLAN_INPUT", &["org.apache.spark.sql.connect.common.InvalidPlanInput"]),
    ("PYTHON_EXCEPTION", &["org.apache.spark.api.python.PythonException"]),
    ("USER_RAISED_EXCEPTION", &[RUNTIME]),
];

const ARITHMETIC: &str = "java.lang.ArithmeticException";
const ARRAY_INDEX: &str = "java.lang.ArrayIndexOutOfBoundsException";
const DATE_TIME: &str = "java.time.DateTimeException";
const ILLEGAL: &str = "java.lang.IllegalArgumentException";
const NUMBER_FORMAT: &str = "java.lang.NumberFormatException";
const UNSUPPORTED: &str = "java.lang.UnsupportedOperationException";

fn classes(condition: Condition) -> Vec<&'static str> {
    let main = condition.name.split('.').next().unwrap_or_default();
    let named = CLASSES.iter().find(|(name, _)| *name == main).map(|(_, classes)| classes.to_vec());
    let mut classes = named.unwrap_or_else(|| match &condition.sql_state[..2] {
        "42" | "0A" | "21" | "2B" => vec![ANALYSIS],
        "22" | "23" => vec![RUNTIME],
        _ => vec![SPARK],
    });
    classes.push("java.lang.Exception");
    classes
}

/// Where in a statement the error is, counted in characters from 0.
fn query_context(error: &Error, statement: &str) -> Option<details::QueryContext> {
    let place = error.place()?;
    let line_start: usize = statement
        .split_inclusive('\n')
        .take(usize::try_from(place.line).ok()?.checked_sub(1)?)
        .map(|line| line.chars().count())
        .sum();
    let start = line_start + usize::try_from(place.column).ok()?.checked_sub(1)?;
    let length = usize::try_from(place.length).ok()?;
    let fragment: String = statement.chars().skip(start).take(length).collect();
    let summary =
        format!("== SQL (line {}, position {}) ==\n{statement}\n", place.line, place.column);
    Some(details::QueryContext {
        context_type: details::query_context::ContextType::Sql as i32,
        start_index: i32::try_from(start).ok()?,
        stop_index: i32::try_from(start + length.max(1) - 1).ok()?,
        fragment,
        summary,
        ..Default::default()
    })
}
