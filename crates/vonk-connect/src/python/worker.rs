//! One worker process and the messages to and from it.

use std::collections::HashSet;
use std::fmt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use vonk::{Error, Result};

use crate::artifacts::Staged;
use crate::errors;

/// The modules of a worker's program, which its process is sent when it starts; the last one has `main`.
const MODULES: [(&str, &str); 4] = [
    ("files", include_str!("worker/files.py")),
    ("values", include_str!("worker/values.py")),
    ("kinds", include_str!("worker/kinds.py")),
    ("main", include_str!("worker/main.py")),
];

/// Reads the program from the socket that stands in for the standard input, and runs it.
///
/// A main module without a file is one of PySpark's doctests to its client, for which it wants a
/// whole Spark.
const BOOTSTRAP: &str = "\
import json, os, socket, struct, sys, types
__file__ = '<vonk worker>'
os.dup2(2, 1)
file = socket.socket(fileno=os.dup(0)).makefile('rwb', buffering=1 << 16)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
settings = json.loads(file.read(int.from_bytes(file.read(8), 'little')))
sys.modules['vonk_worker'] = types.ModuleType('vonk_worker')
try:
    for name, text in settings['modules']:
        module = sys.modules['vonk_worker.' + name] = types.ModuleType('vonk_worker.' + name)
        exec(compile(text, f'<vonk worker {name}>', 'exec'), module.__dict__)
except BaseException as error:
    about = {'class': type(error).__name__, 'message': str(error), 'traceback': ''}
    body = json.dumps(about).encode()
    file.write(struct.pack('<cQ', b'X', len(body)) + body)
    file.flush()
    os._exit(1)
module.main(file, settings)
";

/// The longest message that a worker is believed to send.
const MESSAGE_BYTES_MAX: u64 = 4 << 30;

/// What a worker has to be like to run a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The command of Python.
    pub(crate) python: String,
    /// The version of the Python that pickled the function, such as `3.12`.
    pub(crate) version: String,
    /// Megabytes of memory that the process may take; 0 is no limit.
    pub(crate) memory_mb: u64,
    /// What the session's client has left for its functions.
    pub(crate) files: Option<Staged>,
}

/// What a worker says.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It wants a batch of its input.
    Next,
    /// A batch of the result.
    Batch(Bytes),
    /// The function has ended.
    Done,
    /// The function has failed; the worker may be used on.
    Failed(Error),
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// A process; it ends with this.
pub(crate) struct Worker {
    process: Child,
    socket: Box<dyn Stream>,
    /// The functions that it was sent.
    known: HashSet<String>,
    pub(crate) needs: Needs,
    pub(crate) idle_since: Instant,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("process", &self.process.id()).finish_non_exhaustive()
    }
}

impl Worker {
    /// Starts a process and waits until it is ready.
    ///
    /// # Errors
    /// `PYTHON_EXCEPTION` if Python cannot be started or lacks what it needs, and
    /// `PYTHON_VERSION_MISMATCH`.
    pub(crate) async fn start(needs: &Needs) -> Result<Self> {
        let mut command = Command::new(&needs.python);
        command.args(["-c", BOOTSTRAP]).stdout(Stdio::null());
        // Texts hash alike in every process, as in Spark's workers.
        command.env("PYTHONHASHSEED", "0");
        // What functions import of PySpark is for a server, not for a JVM.
        command.env("SPARK_CONNECT_MODE_ENABLED", "1");
        let (process, socket) = spawn(command).map_err(|error| cannot_start(needs, &error))?;
        let mut worker = Self {
            process,
            socket,
            known: HashSet::new(),
            needs: needs.clone(),
            idle_since: Instant::now(),
        };
        let settings = serde_json::json!({
            "memory_mb": needs.memory_mb,
            "files": needs.files,
            "modules": MODULES,
        });
        let settings = settings.to_string();
        let hello = async {
            worker.socket.write_all(&(settings.len() as u64).to_le_bytes()).await?;
            worker.socket.write_all(settings.as_bytes()).await?;
            worker.socket.flush().await
        };
        if let Err(error) = hello.await {
            return Err(worker.death(&error));
        }
        match worker.message().await? {
            (b'H', body) => worker.check_version(&body)?,
            (b'X', body) => return Err(not_ready(needs, &body)),
            _ => return Err(strange()),
        }
        Ok(worker)
    }

    fn check_version(&self, hello: &[u8]) -> Result<()> {
        let hello: serde_json::Value = serde_json::from_slice(hello).map_err(|_| strange())?;
        let own = hello["version"].as_str().unwrap_or_default();
        let Needs { version, python, .. } = &self.needs;
        if version.is_empty() || own == version {
            return Ok(());
        }
        let message =
            format!("the function was made by Python {version}, and `{python}` is Python {own}");
        Err(Error::new(errors::PYTHON_VERSION, message)
            .hint("set `spark.pyspark.python` to a Python of the program's version"))
    }

    /// Begins to run a function, which is sent if the worker does not know it.
    ///
    /// # Errors
    /// As [`Worker::answer`].
    pub(crate) async fn begin(&mut self, id: &str, definition: &[u8]) -> Result<()> {
        if !self.known.contains(id) {
            self.send(b'F', definition).await?;
            self.known.insert(id.to_owned());
        }
        self.send(b'G', id.as_bytes()).await
    }

    /// Sends a batch of the input, or its end.
    ///
    /// # Errors
    /// As [`Worker::answer`].
    pub(crate) async fn give(&mut self, batch: Option<&[u8]>) -> Result<()> {
        match batch {
            Some(batch) => self.send(b'B', batch).await,
            None => self.send(b'E', &[]).await,
        }
    }

    /// What the worker says next.
    ///
    /// # Errors
    /// `PYTHON_EXCEPTION` if the process has ended.
    pub(crate) async fn answer(&mut self) -> Result<Answer> {
        Ok(match self.message().await? {
            (b'N', _) => Answer::Next,
            (b'R', body) => Answer::Batch(body),
            (b'Z', _) => Answer::Done,
            (b'X', body) => Answer::Failed(exception(&body)),
            _ => return Err(strange()),
        })
    }

    async fn send(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        let sent = async {
            let mut header = [kind; 9];
            header[1..].copy_from_slice(&(body.len() as u64).to_le_bytes());
            self.socket.write_all(&header).await?;
            self.socket.write_all(body).await?;
            self.socket.flush().await
        };
        match sent.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.death(&error)),
        }
    }

    async fn message(&mut self) -> Result<(u8, Bytes)> {
        let received = async {
            let mut header = [0; 9];
            self.socket.read_exact(&mut header).await?;
            let mut size = [0; 8];
            size.copy_from_slice(&header[1..]);
            let size = u64::from_le_bytes(size);
            if size > MESSAGE_BYTES_MAX {
                return Err(std::io::Error::other("it sent a message that is too long"));
            }
            let mut body = Vec::new();
            let taken = (&mut self.socket).take(size).read_to_end(&mut body).await?;
            match taken as u64 == size {
                true => Ok((header[0], Bytes::from(body))),
                false => Err(std::io::ErrorKind::UnexpectedEof.into()),
            }
        };
        match received.await {
            Ok(message) => Ok(message),
            Err(error) => Err(self.death(&error)),
        }
    }

    /// How the process has ended that cannot be talked to.
    fn death(&mut self, error: &std::io::Error) -> Error {
        let _killed = self.process.kill();
        let how = match self.process.wait() {
            Ok(status) => status.to_string(),
            Err(_) => error.to_string(),
        };
        Error::new(errors::PYTHON_EXCEPTION, format!("the Python worker ended: {how}")).hint(
            "a worker that needs too much memory is killed by the system: use more partitions",
        )
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
}

#[cfg(unix)]
fn spawn(mut command: Command) -> std::io::Result<(Child, Box<dyn Stream>)> {
    let (own, theirs) = std::os::unix::net::UnixStream::pair()?;
    own.set_nonblocking(true)?;
    let socket = tokio::net::UnixStream::from_std(own)?;
    let process = command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs))).spawn()?;
    Ok((process, Box::new(socket)))
}

#[cfg(not(unix))]
fn spawn(_command: Command) -> std::io::Result<(Child, Box<dyn Stream>)> {
    Err(std::io::Error::other("this system has no sockets between processes"))
}

fn cannot_start(needs: &Needs, error: &std::io::Error) -> Error {
    let message = format!("`{}` cannot be started: {error}", needs.python);
    Error::new(errors::PYTHON_EXCEPTION, message)
        .hint("set `spark.pyspark.python` to the Python that is to run the program's functions")
}

fn not_ready(needs: &Needs, body: &[u8]) -> Error {
    let about: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let why = about["message"].as_str().unwrap_or_default();
    let message = format!("`{}` cannot run the program's functions: {why}", needs.python);
    Error::new(errors::PYTHON_EXCEPTION, message).hint(
        "install pyspark-client and pyarrow for it, or set `spark.pyspark.python` to a Python that has them",
    )
}

/// An exception of the function, with its traceback.
fn exception(body: &[u8]) -> Error {
    let about: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| about[name].as_str().unwrap_or_default();
    let traceback = text("traceback").trim_end();
    let what = "An exception was thrown from the Python worker";
    Error::new(errors::PYTHON_EXCEPTION, format!("{what}: {traceback}"))
        .parameter("msg", what)
        .parameter("traceback", traceback)
}

fn strange() -> Error {
    Error::internal("the Python worker said what it may not")
}
