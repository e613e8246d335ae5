//! The compiled part of the Python package `vonk`: traced steps of RDDs, SQL, and the server of `SparkSession`.

use pyo3::prelude::*;

mod expr;
mod hash;
mod held;
mod methods;
mod numbers;
mod redo;
mod rows;
mod run;
mod server;
mod sql;
mod stores;
mod sums;
mod table;
mod text;
mod value;

/// Python's hash of a text or bytes under PYTHONHASHSEED=0.
#[pyfunction]
fn stable_hash(object: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(text) = object.extract::<&str>() {
        return Ok(hash::of_text(text));
    }
    match object.extract::<&[u8]>() {
        Ok(bytes) => Ok(hash::of_bytes(bytes)),
        Err(_) => object.hash().map(|hash| hash as i64),
    }
}

/// The extension module.
#[pymodule]
fn _vonk(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("RedoInPython", module.py().get_type::<redo::RedoInPython>())?;
    module.add("SqlError", module.py().get_type::<sql::SqlError>())?;
    module.add_class::<held::Held>()?;
    module.add_class::<sql::Session>()?;
    module.add_class::<sql::Table>()?;
    module.add_function(wrap_pyfunction!(stable_hash, module)?)?;
    module.add_function(wrap_pyfunction!(stores::set_stores, module)?)?;
    module.add_function(wrap_pyfunction!(stores::list_files, module)?)?;
    module.add_function(wrap_pyfunction!(stores::read_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(stores::publish_files, module)?)?;
    module.add_function(wrap_pyfunction!(server::serve, module)?)?;
    module.add_function(wrap_pyfunction!(server::stop_serving, module)?)?;
    module.add_function(wrap_pyfunction!(held::run, module)?)
}
