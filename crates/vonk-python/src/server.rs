//! The Spark Connect server of a program's `SparkSession`, within the program's own process.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use vonk_connect::{Running, Server};

use crate::sql;

/// The one server of the process, with the threads that answer and those that compute.
struct Served {
    running: Running,
    control: Runtime,
    workers: Runtime,
}

static SERVED: Mutex<Option<Served>> = Mutex::new(None);

/// Threads that answer clients, however busy the others are.
const CONTROL_THREADS: usize = 2;

/// Deep expressions are evaluated by recursion.
const STACK_BYTES: usize = 16 << 20;

/// Starts the server, if it does not run yet, and gives its port: it listens to this machine only,
/// for clients that know the token. `python` is the command that runs the functions of programs.
#[pyfunction]
pub(crate) fn serve(
    py: Python<'_>,
    settings: Vec<(String, String)>,
    token: &str,
    python: &str,
) -> PyResult<u16> {
    let mut served = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(served) = served.as_ref() {
        return Ok(served.running.address().port());
    }
    let new = py.detach(|| start(settings, token, python));
    let new = new.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    Ok(served.insert(new).running.address().port())
}

/// Ends the server with its sessions and their queries.
#[pyfunction]
pub(crate) fn stop_serving(py: Python<'_>) {
    let served = SERVED.lock().unwrap_or_else(PoisonError::into_inner).take();
    py.detach(|| {
        if let Some(Served { running, control, workers }) = served {
            control.block_on(running.stop());
            workers.shutdown_background();
            control.shutdown_background();
        }
    });
}

fn start(settings: Vec<(String, String)>, token: &str, python: &str) -> vonk::Result<Served> {
    let template = sql::builder(settings);
    let threads = template.clone().get_or_create()?.config().threads()?;
    let runtime = |threads: usize| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads).thread_stack_size(STACK_BYTES).enable_all();
        builder
            .build()
            .map_err(|error| vonk::Error::internal(format!("there are no threads: {error}")))
    };
    let (control, workers) = (runtime(CONTROL_THREADS)?, runtime(threads.max(1))?);
    let server = Server::builder(template).workers(workers.handle().clone()).python(python);
    let server = server.console(|text| {
        Python::attach(|py| {
            // The program's own output is where its user looks.
            let _ = py.import("builtins").and_then(|all| all.call_method1("print", (text,)));
        });
    });
    let running = control.block_on(server.bind("127.0.0.1:0", Some(token)))?;
    Ok(Served { running, control, workers })
}
