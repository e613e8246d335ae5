//! A function of a program: what it is given, what it gives, and the message that tells a worker.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use sha2::{Digest, Sha256};
use spark_connect_proto as proto;
use vonk::{Error, Result};

use super::pool::Pool;
use super::worker::Needs;
use crate::artifacts::hex;
use crate::errors;
use crate::execute::{client_schema, ipc_batches, with_schema};
use crate::session::ConnectSession;
use crate::types;

/// What PySpark's number of a function means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value for each row.
    Scalar,
    /// A value for each group of rows.
    Aggregate,
    /// Rows for the batches of a partition.
    Map,
    /// Rows for each group of rows.
    GroupMap,
    /// Rows for the groups of two inputs with one key.
    CogroupMap,
    /// Rows for the arguments of a call.
    Table,
}

impl Kind {
    /// The kind of PySpark's number.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` for functions of streaming queries.
    pub(crate) fn of(eval_type: i32) -> Result<Self> {
        Ok(match eval_type {
            100 | 101 | 200 | 204 | 250 | 251 => Self::Scalar,
            202 | 203 | 217 | 252 | 253 | 254 => Self::Aggregate,
            205 | 207 => Self::Map,
            201 | 209 | 215 | 216 => Self::GroupMap,
            206 | 210 => Self::CogroupMap,
            300..=302 => Self::Table,
            _ => return Err(errors::unsupported("functions of Python for streaming queries")),
        })
    }
}

/// What a function is given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// The names of its columns, or of the fields of a group's rows.
    pub(crate) names: Vec<String>,
    /// The names of its arguments that have one.
    pub(crate) named: Vec<Option<String>>,
    /// Columns of a group's key before its rows.
    pub(crate) keys: usize,
    /// Of two groups, how many of the names are the first one's.
    pub(crate) left: usize,
    /// Which argument is a row of a table.
    pub(crate) table: Option<usize>,
}

/// A function that workers can run.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) id: String,
    pub(crate) pool: Arc<Pool>,
    pub(crate) needs: Needs,
    /// The columns of the result.
    pub(crate) schema: SchemaRef,
    /// What a worker is told.
    pub(crate) definition: Vec<u8>,
    pub(super) zone: String,
}

impl Function {
    /// A function of a program with the columns of its result.
    ///
    /// # Errors
    /// Those of [`Pool::needs`].
    pub(crate) fn new(
        session: &ConnectSession,
        source: &Source<'_>,
        schema: Schema,
        shape: &Shape,
    ) -> Result<Self> {
        let files = session.artifacts.files.staged();
        let needs = session.python.needs(&session.engine, source.version, files)?;
        let config = session.engine.config();
        let zone = config.get(vonk::config::TIME_ZONE).unwrap_or("UTC").to_owned();
        let setting = |name: &str| crate::config::value(&session.engine, name);
        let is_set = |name: &str, default: bool| {
            setting(name).map_or(default, |value| value.eq_ignore_ascii_case("true"))
        };
        let told = client_schema(&schema, &zone);
        let about = serde_json::json!({
            "kind": source.eval_type,
            "names": shape.names,
            "named": shape.named,
            "keys": shape.keys,
            "left": shape.left,
            "table": shape.table,
            "zone": zone,
            // With other files a function may do something else.
            "files": needs.files,
            "safe": is_set("spark.sql.execution.pandas.convertToArrowArraySafely", true),
            "by_name": is_set("spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName", true),
        });
        let told = empty_stream(&told)?;
        let mut hash = Sha256::new();
        for part in [about.to_string().as_bytes(), &told, source.command] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let id = hex(&hash.finalize()[..12]);
        let mut named = about;
        named["id"] = id.clone().into();
        let mut definition = Vec::new();
        for part in [named.to_string().as_bytes(), &told, source.command] {
            definition.extend((part.len() as u64).to_le_bytes());
            definition.extend(part);
        }
        let pool = Arc::clone(&session.python);
        let schema = Arc::new(nullable(&schema));
        Ok(Self { id, pool, needs, schema, definition, zone })
    }

    /// The columns of a result that a type of the protocol describes: of a struct, its fields.
    ///
    /// # Errors
    /// Those of [`types::to_field`].
    pub(crate) fn columns_of(
        session: &ConnectSession,
        data_type: &proto::DataType,
    ) -> Result<Schema> {
        if let Some(proto::data_type::Kind::Unparsed(text)) = &data_type.kind
            && let Ok(schema) = session.engine.schema_of_ddl(&text.data_type_string)
        {
            return Ok(schema.as_ref().clone());
        }
        let field = types::to_field(&session.engine, data_type)?;
        Ok(match field.data_type() {
            DataType::Struct(fields) => Schema::new(fields.clone()),
            _ => Schema::new(vec![field.with_name("_0")]),
        })
    }

    /// A batch of the input as messages to a worker.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` if a column cannot be sent.
    pub(crate) fn messages(&self, batch: &RecordBatch) -> Result<Vec<bytes::Bytes>> {
        let schema = client_schema(&batch.schema(), &self.zone);
        let parts = ipc_batches(batch, &schema)?;
        Ok(parts.into_iter().map(|(_, data)| data).collect())
    }

    /// The batch of a worker's answer.
    ///
    /// # Errors
    /// `PYTHON_EXCEPTION` if it is none, or has other columns than the function said.
    pub(crate) fn read(&self, answer: &[u8]) -> Result<RecordBatch> {
        let wrong = |error: arrow::error::ArrowError| {
            let message = format!("the function gave what is no result of its type: {error}");
            Error::new(errors::PYTHON_EXCEPTION, message)
        };
        let mut reader = StreamReader::try_new(answer, None).map_err(wrong)?;
        let Some(batch) = reader.next().transpose().map_err(wrong)? else {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        };
        with_schema(&batch, &self.schema).map_err(wrong)
    }
}

/// The pickle of a function.
pub(crate) struct Source<'a> {
    pub(crate) eval_type: i32,
    pub(crate) version: &'a str,
    pub(crate) command: &'a [u8],
}

impl<'a> From<&'a proto::PythonUdf> for Source<'a> {
    fn from(udf: &'a proto::PythonUdf) -> Self {
        Self { eval_type: udf.eval_type, version: &udf.python_ver, command: &udf.command }
    }
}

impl<'a> From<&'a proto::PythonUdtf> for Source<'a> {
    fn from(udtf: &'a proto::PythonUdtf) -> Self {
        Self { eval_type: udtf.eval_type, version: &udtf.python_ver, command: &udtf.command }
    }
}

/// The schema with columns that all may be NULL: nobody checks what a function gives.
fn nullable(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Schema::new(fields.collect::<Fields>())
}

/// A schema as an Arrow stream without batches.
pub(super) fn empty_stream(schema: &Schema) -> Result<Vec<u8>> {
    let failed = |error| Error::internal(format!("a schema cannot be written: {error}"));
    let mut writer = StreamWriter::try_new(Vec::new(), schema).map_err(failed)?;
    writer.finish().map_err(failed)?;
    writer.into_inner().map_err(failed)
}
