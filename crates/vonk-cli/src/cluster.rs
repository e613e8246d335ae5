//! `vonk worker` and `vonk cluster`: the processes that run parts of queries, started and looked at.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tokio::io::AsyncReadExt;
use vonk::config::{self, Config};
use vonk::{Condition, Error, Result};
use vonk_cluster::{Secret, State, Tls, WorkerOptions};

/// What a worker says once it takes connections, before its address.
const READY: &str = "listening at vonk://";

/// What `vonk worker` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Worker {
    /// Address and port to listen at
    #[arg(long, default_value = "127.0.0.1:7077", value_name = "ADDRESS")]
    listen: String,

    /// Threads that compute; all cores if not given
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Memory for operators, such as `4GB`; 70 % of the machine's if not given
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,

    /// Directory for what does not fit into memory
    #[arg(long, value_name = "DIR")]
    spill_dir: Option<PathBuf>,

    /// File with the secret that coordinators and workers share
    #[arg(long, env = "VONK_CLUSTER_SECRET_FILE", value_name = "FILE")]
    secret_file: Option<PathBuf>,

    /// Certificate in PEM, to speak TLS
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "tls_ca"])]
    tls_cert: Option<PathBuf>,

    /// Key of the certificate in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Certificates in PEM by which those of other workers are signed
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_ca: Option<PathBuf>,

    /// Address and port to tell figures at, in the format of Prometheus
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<String>,

    /// Lets other machines in without a secret or without TLS
    #[arg(long)]
    insecure: bool,

    /// Runs functions of Python programs also where other machines reach the worker
    #[arg(long)]
    allow_python: bool,

    /// The Python that runs functions of programs, where a session does not name another
    #[arg(long, env = "PYSPARK_PYTHON", default_value = "python3", value_name = "PYTHON")]
    python: String,

    /// Ends when standard input does
    #[arg(long, hide = true)]
    with_parent: bool,
}

/// What `vonk cluster` does.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Cluster {
    /// Starts workers on this machine and tells their master, until Ctrl-C
    Start {
        /// How many
        #[arg(long, default_value_t = 2, value_name = "N")]
        workers: usize,

        /// Threads of each; the cores shared out if not given
        #[arg(long, value_name = "N")]
        threads: Option<usize>,

        /// Memory of each, such as `1GB`
        #[arg(long, value_name = "SIZE")]
        memory: Option<String>,
    },
    /// Shows the workers of a master, and which of them live
    Status {
        /// The master, such as `vonk://host:7077,other:7077`
        #[arg(long, value_name = "MASTER")]
        master: String,

        /// File with the secret that coordinators and workers share
        #[arg(long, env = "VONK_CLUSTER_SECRET_FILE", value_name = "FILE")]
        secret_file: Option<PathBuf>,

        /// Certificates in PEM by which those of the workers are signed
        #[arg(long, value_name = "FILE")]
        tls_ca: Option<PathBuf>,
    },
}

/// Serves the tasks of queries until the process is told to end.
pub(crate) fn work(worker: &Worker) -> Result<()> {
    let mut config = Config::default();
    if let Some(threads) = worker.threads {
        config.set(config::MASTER, &format!("local[{threads}]"))?;
    }
    if let Some(memory) = &worker.memory {
        config.set(config::MEMORY_LIMIT, memory)?;
    }
    if let Some(directory) = &worker.spill_dir {
        config.set(config::SPILL_DIRECTORY, &directory.display().to_string())?;
    }
    config.set(config::MEMORY_GUARD, "true")?;
    let tls = match (&worker.tls_cert, &worker.tls_key, &worker.tls_ca) {
        (Some(certificate), Some(key), Some(ca)) => {
            Some(Tls { certificate: certificate.clone(), key: key.clone(), ca: ca.clone() })
        }
        _ => None,
    };
    let options = WorkerOptions {
        listen: worker.listen.clone(),
        metrics: worker.metrics.clone(),
        config,
        variables: std::env::vars_os().collect(),
        secret: worker.secret_file.as_deref().map(Secret::read).transpose()?,
        tls,
        insecure: worker.insecure,
    };
    let ready = |address: SocketAddr| {
        if worker.allow_python || address.ip().is_loopback() {
            vonk_connect::run_functions(&worker.python);
        }
        // Who has started the worker may have gone without reading on.
        let _ = writeln!(std::io::stdout(), "{READY}{address}");
    };
    vonk_cluster::serve(options, ready, told_to_end(worker.with_parent))
}

/// Completes when the process is told to end, or with the one that has started it.
pub(crate) async fn told_to_end(with_parent: bool) {
    let parent_gone = async {
        if !with_parent {
            std::future::pending::<()>().await;
        }
        let mut byte = [0];
        while tokio::io::stdin().read(&mut byte).await.is_ok_and(|read| read > 0) {}
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = vonk_cluster::terminated() => {}
        () = parent_gone => {}
    }
}

/// Does what was asked for.
pub(crate) fn run(tool: &Cluster) -> Result<()> {
    match tool {
        Cluster::Start { workers, threads, memory } => start(*workers, *threads, memory.as_deref()),
        Cluster::Status { master, secret_file, tls_ca } => {
            let mut config = Config::default();
            config.set(config::MASTER, master)?;
            if let Some(path) = secret_file {
                config.set(config::CLUSTER_SECRET_FILE, &path.display().to_string())?;
            }
            if let Some(path) = tls_ca {
                config.set(config::CLUSTER_CA, &path.display().to_string())?;
            }
            let workers = runtime()?.block_on(vonk_cluster::status(&config))?;
            print(&table(&workers))
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(crate::no_threads)
}

/// Starts workers as processes that end with this one.
fn start(count: usize, threads: Option<usize>, memory: Option<&str>) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.unwrap_or((cores / count.max(1)).max(1));
    let mut workers = Vec::with_capacity(count);
    for _ in 0..count.max(1) {
        workers.push(Started::new(threads, memory)?);
    }
    let places: Vec<&str> = workers.iter().map(|worker| worker.place.as_str()).collect();
    let master = format!("vonk://{}", places.join(","));
    print(&format!(
        "{} workers of {threads} threads run until Ctrl-C; use them with\n  vonk --master {master}\n",
        workers.len()
    ))?;
    runtime()?.block_on(told_to_end(false));
    Ok(())
}

/// A worker that ends when this is dropped.
struct Started {
    process: Child,
    place: String,
}

impl Drop for Started {
    fn drop(&mut self) {
        // It ends when its standard input does.
        drop(self.process.stdin.take());
        let _ended = self.process.wait();
    }
}

impl Started {
    fn new(threads: usize, memory: Option<&str>) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(
                Condition::CLUSTER_UNREACHABLE,
                format!("no worker could be started: {error}"),
            )
        };
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(["worker", "--listen", "127.0.0.1:0", "--with-parent", "--threads"]);
        command.arg(threads.to_string());
        command.args(memory.iter().flat_map(|memory| ["--memory", memory]));
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(failed)?;
        }
        match line.trim().strip_prefix(READY) {
            Some(place) => Ok(Self { process, place: place.to_owned() }),
            None => {
                let message = "a worker ended before it took connections";
                Err(Error::new(Condition::CLUSTER_UNREACHABLE, message))
            }
        }
    }
}

/// The workers as a table.
fn table(workers: &[(String, State)]) -> String {
    let mut rows =
        vec![["worker", "state", "version", "threads", "memory", "pid"].map(str::to_owned)];
    rows.extend(workers.iter().map(|(place, state)| match state {
        State::Lives(status) => [
            place.clone(),
            "lives".to_owned(),
            status.version.clone(),
            status.threads.to_string(),
            crate::progress::size(status.memory),
            status.pid.to_string(),
        ],
        State::Lost(reason) => [
            place.clone(),
            format!("lost: {reason}"),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ],
    }));
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn print(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| {
        Error::new(Condition::WRITE_FAILED, format!("standard output cannot be written: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_shown_as_a_table() {
        let status = vonk_cluster::Status {
            version: "1.2.3".to_owned(),
            threads: 4,
            memory: 1 << 30,
            pid: 77,
        };
        let workers = [
            ("a:7077".to_owned(), State::Lives(status)),
            ("bb:7077".to_owned(), State::Lost("refused".to_owned())),
        ];
        let table = table(&workers);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("worker   state"), "{table}");
        assert!(lines[1].contains("lives") && lines[1].ends_with("77"), "{table}");
        assert!(lines[2].ends_with("lost: refused"), "{table}");
    }
}
