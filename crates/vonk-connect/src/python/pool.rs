//! The workers of a session that have nothing to do, and which Python they are.

use std::time::Duration;

use parking_lot::Mutex;
use vonk::{Condition, Error, Result, Session};

use super::worker::{Needs, Worker};
use crate::artifacts::Staged;

/// Workers that are kept for the next function.
const IDLE_MAX: usize = 16;

/// How long they are kept.
const IDLE_FOR: Duration = Duration::from_secs(60);

/// Whether and by which Python functions are run.
#[derive(Debug, Clone)]
pub(crate) struct Interpreter {
    /// Whether clients may send functions.
    pub(crate) is_allowed: bool,
    /// The command, where a session does not name another.
    pub(crate) command: String,
}

/// The workers of a session.
#[derive(Debug)]
pub(crate) struct Pool {
    interpreter: Interpreter,
    idle: Mutex<Vec<Worker>>,
}

impl Pool {
    pub(crate) fn new(interpreter: Interpreter) -> Self {
        Self { interpreter, idle: Mutex::default() }
    }

    /// The command of Python, where a session does not name another.
    pub(crate) fn command(&self) -> &str {
        &self.interpreter.command
    }

    /// Checks that a session may run functions.
    ///
    /// # Errors
    /// `UNSUPPORTED_FEATURE` if it may not.
    pub(crate) fn check_allowed(&self, session: &Session) -> Result<()> {
        if !self.interpreter.is_allowed {
            return Err(Error::unsupported("the server does not run functions of Python")
                .hint("other machines can reach it: start it with `--allow-python` to run them all the same"));
        }
        if session.policy().is_restricted() {
            return Err(Error::unsupported(
                "a session with a policy does not run functions of Python",
            ));
        }
        Ok(())
    }

    /// What workers of a session have to be like for a function of this version of Python.
    ///
    /// # Errors
    /// Those of [`Pool::check_allowed`], `INVALID_CONF_VALUE` for a limit of memory that is no size.
    pub(crate) fn needs(
        &self,
        session: &Session,
        version: &str,
        files: Option<Staged>,
    ) -> Result<Needs> {
        self.check_allowed(session)?;
        let config = session.config();
        let python = config.get("spark.pyspark.python").filter(|python| !python.is_empty());
        let memory = config.get("spark.executor.pyspark.memory");
        Ok(Needs {
            python: python.unwrap_or(&self.interpreter.command).to_owned(),
            version: version.to_owned(),
            memory_mb: memory.map(megabytes).transpose()?.unwrap_or(0),
            files,
        })
    }

    /// A worker that nobody else has: an idle one, or a new one.
    ///
    /// # Errors
    /// Those of [`Worker::start`].
    pub(crate) async fn take(&self, needs: &Needs) -> Result<Worker> {
        let idle = {
            let mut idle = self.idle.lock();
            let at = idle.iter().rposition(|worker| worker.needs == *needs);
            at.map(|at| idle.swap_remove(at))
        };
        match idle {
            Some(worker) => Ok(worker),
            None => Worker::start(needs).await,
        }
    }

    /// Keeps a worker whose function has ended.
    pub(crate) fn give_back(&self, mut worker: Worker) {
        worker.idle_since = std::time::Instant::now();
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX {
            idle.push(worker);
        }
    }

    /// Ends workers that have had nothing to do for a while.
    pub(crate) fn sweep(&self) {
        self.idle.lock().retain(|worker| worker.idle_since.elapsed() < IDLE_FOR);
    }

    /// Ends all idle workers.
    pub(crate) fn clear(&self) {
        self.idle.lock().clear();
    }
}

/// Spark's sizes of memory: a number of megabytes, or with a unit.
fn megabytes(text: &str) -> Result<u64> {
    let text = text.trim().to_lowercase();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match text[digits.len()..].trim_end_matches('b') {
        "" | "m" => Some(1.0),
        "k" => Some(1.0 / 1024.0),
        "g" => Some(1024.0),
        "t" => Some(1024.0 * 1024.0),
        _ => None,
    };
    match (digits.parse::<f64>(), factor) {
        (Ok(number), Some(factor)) if number >= 0.0 => Ok((number * factor).ceil() as u64),
        _ => Err(Error::new(
            Condition::INVALID_CONFIG_VALUE,
            format!("`{text}` is no size of memory for `spark.executor.pyspark.memory`"),
        )
        .hint("give one such as `512m` or `2g`")),
    }
}

#[cfg(test)]
mod tests {
    use super::megabytes;

    #[test]
    fn sizes_are_megabytes_unless_they_have_a_unit() {
        assert_eq!(megabytes("512").unwrap(), 512);
        assert_eq!(megabytes("2g").unwrap(), 2048);
        assert_eq!(megabytes("1536k").unwrap(), 2);
        assert!(megabytes("much").is_err());
    }
}
