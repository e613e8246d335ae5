//! The threads that run queries, and others in their place if a cancelled query does not let go.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};

/// How long a cancelled query may take to let its threads go.
const PATIENCE: Duration = Duration::from_millis(200);

/// How often is looked whether it has.
const TICK: Duration = Duration::from_millis(5);

/// The threads that run queries; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    threads: usize,
    runtime: Arc<Mutex<Option<Runtime>>>,
    handle: Arc<Mutex<Handle>>,
}

impl Workers {
    /// Starts threads.
    ///
    /// # Errors
    /// If the system gives none.
    pub(crate) fn start(threads: usize) -> io::Result<Self> {
        let runtime = runtime(threads)?;
        let handle = Arc::new(Mutex::new(runtime.handle().clone()));
        Ok(Self { threads, runtime: Arc::new(Mutex::new(Some(runtime))), handle })
    }

    /// The threads as they are now.
    pub(crate) fn handle(&self) -> Handle {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for cancelled tasks to end, and leaves the threads to those that do not.
    ///
    /// A task ends where it would wait, and some operators compute for minutes before they do. The
    /// next statement shall not wait for them.
    pub(crate) async fn reclaim(&self) {
        let start = Instant::now();
        while self.handle().metrics().num_alive_tasks() > 0 {
            if start.elapsed() >= PATIENCE {
                // Without new threads the old ones are better than none.
                let _kept = self.replace();
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Ends the threads, and waits a moment for what runs on them.
    pub(crate) fn stop(&self, patience: Duration) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(patience);
        }
    }

    fn replace(&self) -> io::Result<()> {
        let fresh = runtime(self.threads)?;
        *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = fresh.handle().clone();
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = runtime.replace(fresh) {
            old.shutdown_background();
        }
        Ok(())
    }
}

/// Deep expressions are evaluated by recursion, and planning takes a stack of its own, of new pages each time,
/// where less than 32 MB are left. Pages that are never touched cost nothing.
const STACK_BYTES: usize = 48 << 20;

fn runtime(threads: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_never_waits_does_not_hold_the_next() {
        let control = Builder::new_current_thread().enable_all().build().unwrap();
        let workers = Workers::start(1).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let deaf = workers.handle().spawn(async move {
            let _until_the_test_ends = receiver.recv();
        });
        deaf.abort();
        control.block_on(workers.reclaim());
        let answer = workers.handle().spawn(async { 42 });
        assert_eq!(control.block_on(answer).unwrap(), 42);
        drop(sender);
        workers.stop(Duration::from_secs(1));
    }
}
