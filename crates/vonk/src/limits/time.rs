//! How long a statement may take. The clock is a thread of its own, so that it ticks also in a
//! runtime without timers, and when all workers are deep in their work.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use datafusion::common::Result as DfResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::future::{self, Either, Shared};
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::oneshot;

use crate::config::{self, Config};
use crate::error::{Condition, Error, Result};

/// The moment at which a statement has taken too long, if its session has a limit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deadline(Option<Clock>);

#[derive(Debug, Clone)]
struct Clock {
    limit: Duration,
    end: Instant,
    rung: Shared<oneshot::Receiver<()>>,
    /// The clock's thread ends when the last of these goes.
    _running: Arc<mpsc::Sender<()>>,
}

impl Deadline {
    /// Starts the clock.
    ///
    /// # Errors
    /// If the option is no time, or no thread can be started.
    pub(crate) fn start(config: &Config) -> Result<Self> {
        let Some(limit) = config.time(config::TIMEOUT)? else { return Ok(Self(None)) };
        let (ring, rung) = oneshot::channel();
        let (running, stopped) = mpsc::channel::<()>();
        let clock = std::thread::Builder::new().name("vonk-clock".to_owned()).spawn(move || {
            if stopped.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                // Nobody may listen any more.
                let _unheard = ring.send(());
            }
        });
        clock.map_err(|error| Error::internal(format!("no thread can be started: {error}")))?;
        let end = Instant::now() + limit;
        Ok(Self(Some(Clock { limit, end, rung: rung.shared(), _running: Arc::new(running) })))
    }

    /// What the future gives, if it does so in time; else it is dropped.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(clock) = &self.0 else { return work.await };
        match future::select(Box::pin(work), clock.rung.clone()).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(clock.error()),
        }
    }

    /// The stream, which fails and ends when the time is over.
    pub(crate) fn bound(&self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let Some(clock) = self.0.clone() else { return rows };
        let schema = rows.schema();
        let bound = stream::unfold(Some((rows, clock)), |running| async move {
            let (mut rows, clock) = running?;
            let next = future::select(rows.next(), clock.rung.clone()).await;
            let batch: Option<DfResult<_>> = match next {
                Either::Left((batch, _)) => batch,
                Either::Right(_) => Some(Err(clock.error().into())),
            };
            match batch {
                Some(Ok(_)) if Instant::now() >= clock.end => {
                    Some((Err(clock.error().into()), None))
                }
                Some(Ok(batch)) => Some((Ok(batch), Some((rows, clock)))),
                Some(Err(error)) => Some((Err(error), None)),
                None => None,
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, bound))
    }
}

impl Clock {
    fn error(&self) -> Error {
        let option = config::TIMEOUT;
        let message = format!(
            "the statement took longer than the limit `{option}`, which is {:?}",
            self.limit
        );
        Error::new(Condition::STATEMENT_TIMEOUT, message).hint("ask for less, or raise the limit")
    }
}
