//! Connections on threads of their own: those that compute would let them wait, and a worker that
//! does not answer in time counts as lost.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};
use vonk::{Error, Result};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The threads that look after connections.
///
/// # Errors
/// If the system gives no thread.
pub(crate) fn handle() -> Result<Handle> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle().clone());
    }
    let runtime = runtime()?;
    // Another thread may have been faster; its runtime is the one.
    let runtime = match RUNTIME.set(runtime) {
        Ok(()) => RUNTIME.get(),
        Err(late) => {
            late.shutdown_background();
            RUNTIME.get()
        }
    };
    runtime
        .map(|runtime| runtime.handle().clone())
        .ok_or_else(|| Error::internal("threads that were started are not there"))
}

/// A thread that looks after connections.
///
/// # Errors
/// If the system gives none.
pub(crate) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("vonk-io")
        .enable_all()
        .build()
        .map_err(no_threads)
}

/// The system gives no thread.
pub(crate) fn no_threads(error: std::io::Error) -> Error {
    Error::internal(format!("no threads can be started: {error}"))
}
