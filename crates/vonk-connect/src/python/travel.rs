//! Functions of Python on the workers of a cluster: their pickles travel with the plans, and run in
//! processes beside the worker.

use std::sync::{Arc, OnceLock};

use arrow::ipc::reader::StreamReader;
use serde::{Deserialize, Serialize};
use vonk::udf::{TravellingCode, offer_code, offer_table_code};
use vonk::{Error, Result};

use super::function::{Function, empty_stream};
use super::pool::{Interpreter, Pool};
use super::run::{OverPartitions, Scalar};
use super::worker::Needs;

/// The kind of code, as an error words it.
const KIND: &str = "Python";

/// The processes that this process runs functions in.
static POOL: OnceLock<Arc<Pool>> = OnceLock::new();

/// A function without its processes.
#[derive(Serialize, Deserialize)]
struct Travelling {
    id: String,
    /// The command of Python, if the session has named one; else that of the worker.
    python: Option<String>,
    version: String,
    memory_mb: u64,
    /// The columns of the result, as a stream of Arrow without batches.
    schema: Vec<u8>,
    definition: Vec<u8>,
    zone: String,
}

/// Lets this process run the functions of Python that come with the plans of a cluster, by this
/// command where a session does not name another by `spark.pyspark.python`.
///
/// Who may send plans may then do whatever the process's user may.
pub fn run_functions(python: &str) {
    let interpreter = Interpreter { is_allowed: true, command: python.to_owned() };
    let _known = POOL.set(Arc::new(Pool::new(interpreter)));
    offer_code(KIND, |bytes| Ok(Arc::new(Scalar(Arc::new(read(bytes)?)))));
    offer_table_code(KIND, |bytes| Ok(Arc::new(OverPartitions(Arc::new(read(bytes)?)))));
}

/// The function for another process; `None` if it needs files of the session, which are only here.
pub(super) fn written(function: &Function) -> Option<TravellingCode> {
    let Needs { python, version, memory_mb, files: None } = &function.needs else { return None };
    let travelling = Travelling {
        id: function.id.clone(),
        python: (*python != function.pool.command()).then(|| python.clone()),
        version: version.clone(),
        memory_mb: *memory_mb,
        schema: empty_stream(&function.schema).ok()?,
        definition: function.definition.clone(),
        zone: function.zone.clone(),
    };
    let bytes = postcard::to_extend(&travelling, Vec::new()).ok()?;
    Some(TravellingCode { kind: KIND.to_owned(), bytes })
}

fn read(bytes: &[u8]) -> Result<Function> {
    let unreadable = |error: &dyn std::error::Error| {
        Error::internal(format!("a function of Python cannot be read: {error}"))
    };
    let travelling: Travelling = postcard::from_bytes(bytes).map_err(|error| unreadable(&error))?;
    let schema = StreamReader::try_new(travelling.schema.as_slice(), None);
    let schema = schema.map_err(|error| unreadable(&error))?.schema();
    let pool = POOL.get().ok_or_else(|| Error::internal("no functions of Python run here"))?;
    pool.sweep();
    let needs = Needs {
        python: travelling.python.unwrap_or_else(|| pool.command().to_owned()),
        version: travelling.version,
        memory_mb: travelling.memory_mb,
        files: None,
    };
    Ok(Function {
        id: travelling.id,
        pool: Arc::clone(pool),
        needs,
        schema,
        definition: travelling.definition,
        zone: travelling.zone,
    })
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn a_function_arrives_with_the_python_of_the_worker_or_of_the_session() {
        let interpreter = Interpreter { is_allowed: true, command: "python3.12".to_owned() };
        let schema = Schema::new(vec![Field::new("_0", DataType::Int64, true)]);
        for (named, there) in [("python3.12", "python-of-worker"), ("/opt/python", "/opt/python")] {
            let function = Function {
                id: "id".to_owned(),
                pool: Arc::new(Pool::new(interpreter.clone())),
                needs: Needs {
                    python: named.to_owned(),
                    version: "3.12".to_owned(),
                    memory_mb: 7,
                    files: None,
                },
                schema: Arc::new(schema.clone()),
                definition: vec![1, 2, 3],
                zone: "Asia/Tokyo".to_owned(),
            };
            let code = written(&function).unwrap();
            assert_eq!(code.kind, KIND);
            run_functions("python-of-worker");
            let back = read(&code.bytes).unwrap();
            assert_eq!(back.needs.python, there);
            assert_eq!((back.needs.version.as_str(), back.needs.memory_mb), ("3.12", 7));
            assert_eq!((back.schema, back.definition), (function.schema, vec![1, 2, 3]));
            assert_eq!((back.id.as_str(), back.zone.as_str()), ("id", "Asia/Tokyo"));
        }
    }
}
