//! SQL from Python: a session, and results that go over as Arrow streams or as rows.

use std::ffi::CStr;

use arrow::error::ArrowError;
use arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use arrow::record_batch::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};
use vonk::{SessionBuilder, blocking};

use crate::rows;

create_exception!(_vonk, SqlError, PyException, "A statement is wrong or failed.");

/// The name that the Arrow PyCapsule interface gives to streams.
const STREAM: &CStr = c"arrow_array_stream";

/// A vonk error as Python's, with the condition and hint in its text.
fn told(error: vonk::Error) -> PyErr {
    SqlError::new_err(error.to_string())
}

/// What sessions with these settings are made of: they are told the environment of Python's process,
/// and may run on a cluster.
pub(crate) fn builder(settings: Vec<(String, String)>) -> SessionBuilder {
    vonk_cluster::install();
    let builder = vonk::Session::builder().environment(std::env::vars_os());
    settings.into_iter().fold(builder, |builder, (name, value)| builder.config(name, value))
}

/// A session with settings.
pub(crate) fn session(settings: Vec<(String, String)>) -> PyResult<blocking::Session> {
    Ok(builder(settings).get_or_create().map_err(told)?.into())
}

/// A session: its views, settings and catalog.
#[pyclass(frozen, module = "vonk._vonk")]
pub(crate) struct Session {
    inner: blocking::Session,
}

#[pymethods]
impl Session {
    /// A session with settings, by vonk's or Spark's names.
    #[new]
    #[pyo3(signature = (settings = Vec::new()))]
    fn new(settings: Vec<(String, String)>) -> PyResult<Self> {
        Ok(Self { inner: session(settings)? })
    }

    /// A statement; a query runs when its result is asked for, anything else at once.
    fn sql(&self, text: &str) -> Table {
        Table { inner: self.inner.sql(text) }
    }

    /// Makes a view of an object that gives an Arrow stream.
    fn register(&self, py: Python<'_>, name: &str, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let batches = batches_of(data)?;
        py.detach(|| {
            let table = self.inner.from_batches(batches)?;
            table.create_or_replace_temp_view(name)
        })
        .map_err(told)
    }
}

/// A statement's result, which is computed when something of it is asked for.
#[pyclass(frozen, module = "vonk._vonk")]
pub(crate) struct Table {
    inner: blocking::DataFrame,
}

#[pymethods]
impl Table {
    /// The result as a stream of Arrow batches, as the Arrow PyCapsule interface has it.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A consumer casts by itself what it wants otherwise: the request is a wish.
        let _ = requested_schema;
        let data = self.inner.clone();
        let (schema, batches) =
            py.detach(|| Ok::<_, vonk::Error>((data.schema()?, data.stream()?))).map_err(told)?;
        let batches = batches.map(|batch| {
            batch.map_err(|error| ArrowError::ExternalError(error.to_string().into()))
        });
        let reader = RecordBatchIterator::new(batches, schema);
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
    }

    /// The names of the columns.
    #[getter]
    fn columns(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        py.detach(|| self.inner.columns()).map_err(told)
    }

    /// The names of the columns, each with its type.
    #[getter]
    fn dtypes(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        py.detach(|| self.inner.dtypes()).map_err(told)
    }

    /// How many rows there are.
    fn count(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| self.inner.count()).map_err(told)
    }

    /// The first rows as Spark shows them; texts are cut after so many letters.
    #[pyo3(signature = (rows = 20, truncate = Some(20)))]
    fn show_string(
        &self,
        py: Python<'_>,
        rows: usize,
        truncate: Option<usize>,
    ) -> PyResult<String> {
        py.detach(|| self.inner.show_string(rows, truncate)).map_err(told)
    }

    /// The rows as tuples; at most so many.
    #[pyo3(signature = (most = None))]
    fn rows<'py>(&self, py: Python<'py>, most: Option<usize>) -> PyResult<Bound<'py, PyList>> {
        let data = most.map_or_else(|| self.inner.clone(), |most| self.inner.limit(most));
        let batches = py.detach(|| data.collect()).map_err(told)?;
        rows::of_batches(py, &batches)
    }
}

/// The batches of an object that has `__arrow_c_stream__`.
fn batches_of(data: &Bound<'_, PyAny>) -> PyResult<Vec<RecordBatch>> {
    let wrong = |error: ArrowError| PyTypeError::new_err(error.to_string());
    let capsule = data.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    #[expect(
        unsafe_code,
        reason = "the capsule's name says what it points to; the reader takes it over"
    )]
    let reader = unsafe { ArrowArrayStreamReader::from_raw(stream.as_ptr()) }.map_err(wrong)?;
    let schema = reader.schema();
    let mut batches = reader.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}
