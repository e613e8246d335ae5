//! The options that clients ask for: those of the session, and the defaults that PySpark relies on.

use spark_connect_proto::KeyValue;
use spark_connect_proto::config_request::Operation;
use spark_connect_proto::config_request::operation::OpType;
use vonk::error::Condition;
use vonk::{Error, Result, Session};

use crate::errors::required;

/// What PySpark's client wants to know and only Spark's own engine would change.
const DEFAULTS: &[(&str, &str)] = &[
    ("spark.python.sql.dataFrameDebugging.enabled", "true"),
    ("spark.sql.adaptive.enabled", "true"),
    ("spark.sql.autoBroadcastJoinThreshold", "10485760b"),
    ("spark.sql.connect.serverStacktrace.enabled", "false"),
    ("spark.sql.execution.arrow.maxRecordsPerBatch", "10000"),
    ("spark.sql.execution.arrow.pyspark.enabled", "false"),
    ("spark.sql.execution.arrow.pyspark.fallback.enabled", "true"),
    ("spark.sql.execution.arrow.pyspark.selfDestruct.enabled", "false"),
    ("spark.sql.execution.arrow.useLargeVarTypes", "false"),
    ("spark.sql.execution.pandas.convertToArrowArraySafely", "true"),
    ("spark.sql.execution.pandas.inferPandasDictAsMap", "false"),
    ("spark.sql.execution.pandas.structHandlingMode", "legacy"),
    ("spark.sql.execution.pyspark.binaryAsBytes", "true"),
    ("spark.sql.execution.pythonUDF.arrow.enabled", "true"),
    ("spark.sql.execution.pythonUDTF.arrow.enabled", "true"),
    ("spark.sql.pyspark.inferNestedDictAsStruct.enabled", "false"),
    ("spark.sql.pyspark.jvmStacktrace.enabled", "false"),
    ("spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled", "false"),
    ("spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled", "false"),
    ("spark.sql.repl.eagerEval.enabled", "false"),
    ("spark.sql.repl.eagerEval.maxNumRows", "20"),
    ("spark.sql.repl.eagerEval.truncate", "20"),
    ("spark.sql.session.localRelationBatchOfChunksSizeBytes", "1073741824"),
    ("spark.sql.session.localRelationCacheThreshold", "1048576"),
    ("spark.sql.session.localRelationChunkSizeBytes", "16777216"),
    ("spark.sql.session.localRelationChunkSizeRows", "10000"),
    ("spark.sql.session.localRelationSizeLimit", "3221225472"),
    ("spark.sql.shuffle.partitions", "200"),
    ("spark.sql.sources.default", "parquet"),
    ("spark.sql.timestampType", "TIMESTAMP_LTZ"),
    ("spark.connect.session.planCompression.defaultAlgorithm", "ZSTD"),
    ("spark.connect.session.planCompression.threshold", "10485760"),
    ("spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName", "true"),
    ("spark.sql.execution.pandas.udf.buffer.size", "65536"),
    ("spark.sql.artifact.isolation.enabled", "false"),
    ("spark.sql.scripting.enabled", "true"),
    ("spark.sql.warehouse.dir", "spark-warehouse"),
    ("spark.sql.sources.partitionOverwriteMode", "STATIC"),
    ("spark.sql.execution.topKSortFallbackThreshold", "2147483632"),
];

/// What the answer to a request holds: pairs of names and values, and warnings.
pub(crate) type Answer = (Vec<KeyValue>, Vec<String>);

/// Reads or changes options.
///
/// # Errors
/// `SQL_CONF_NOT_FOUND` for an option that is asked for and not there, those of [`Session::set`].
pub(crate) fn operate(session: &Session, operation: Option<Operation>) -> Result<Answer> {
    let operation = required(operation.and_then(|operation| operation.op_type), "operation")?;
    let mut pairs = Vec::new();
    match operation {
        OpType::Set(set) => {
            for pair in set.pairs {
                session.set(&pair.key, pair.value.as_deref().unwrap_or_default())?;
            }
        }
        OpType::Get(get) => {
            for key in get.keys {
                let value = value(session, &key).ok_or_else(|| not_found(&key))?;
                pairs.push(KeyValue { key, value: Some(value) });
            }
        }
        OpType::GetWithDefault(get) => {
            for pair in get.pairs {
                let value = set_value(session, &pair.key).or(pair.value);
                pairs.push(KeyValue { key: pair.key, value });
            }
        }
        OpType::GetOption(get) => {
            for key in get.keys {
                let value = value(session, &key);
                pairs.push(KeyValue { key, value });
            }
        }
        OpType::GetAll(all) => {
            let prefix = all.prefix.unwrap_or_default();
            for (name, value) in session.config().iter() {
                let name = spark_name(name);
                if let Some(rest) = name.strip_prefix(prefix.as_str()) {
                    pairs.push(KeyValue { key: rest.to_owned(), value: Some(value.to_owned()) });
                }
            }
        }
        OpType::Unset(unset) => unset.keys.iter().try_for_each(|key| session.unset(key))?,
        OpType::IsModifiable(is) => {
            for key in is.keys {
                let modifiable = is_modifiable(&key);
                pairs.push(KeyValue { key, value: Some(modifiable.to_string()) });
            }
        }
    }
    Ok((pairs, Vec::new()))
}

/// The value of an option: the session's, else what PySpark relies on.
pub(crate) fn value(session: &Session, key: &str) -> Option<String> {
    set_value(session, key).or_else(|| {
        let row = DEFAULTS.iter().find(|(name, _)| *name == key);
        row.map(|(_, value)| (*value).to_owned())
    })
}

/// The format that was asked for, else the session's default.
pub(crate) fn format(session: &Session, asked: Option<&str>) -> String {
    let asked = asked.filter(|format| !format.is_empty()).map(str::to_owned);
    asked.or_else(|| value(session, "spark.sql.sources.default")).unwrap_or_default()
}

fn set_value(session: &Session, key: &str) -> Option<String> {
    session.config().get(key).map(str::to_owned)
}

/// The name under which Spark's users know an option.
fn spark_name(name: &str) -> &str {
    let row = vonk::config::OPTIONS.iter().find(|row| row.name == name);
    row.and_then(|row| row.alias).unwrap_or(name)
}

/// Options of Spark's SQL may be set at any time; those of the process may not.
fn is_modifiable(key: &str) -> bool {
    let is_static =
        ["spark.sql.warehouse.dir", "spark.sql.extensions", "spark.sql.catalogImplementation"];
    key.starts_with("spark.sql.") && !is_static.contains(&key)
}

fn not_found(key: &str) -> Error {
    Error::new(Condition::CONFIG_NOT_FOUND, format!("option `{key}` is not set"))
        .parameter("sqlConf", format!("\"{key}\""))
}
