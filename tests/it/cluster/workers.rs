//! Workers as processes: this program again, which serves until its standard input ends.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use vonk::config::{self, Config};
use vonk::dataframe::Batches;
use vonk::udf::{OfferedUdf, TableCode, TravellingCode, offer_table_code, offer_udf};
use vonk::{Session, SessionBuilder};
use vonk_cluster::{Secret, Tls, WorkerOptions};
use vonk_tests::BoxError;

/// Tells the test below that it is the worker of another.
const ROLE: &str = "VONK_TEST_WORKER";

const READY: &str = "worker at ";

/// Does nothing but in processes that [`Worker::start`] has made.
#[test]
fn serves_the_tests_around() {
    let Ok(listen) = std::env::var(ROLE) else { return };
    scaled();
    offer_table_code(HEADS, |bytes| Ok(Arc::new(Heads(usize::from(bytes[0])))));
    let mut config = Config::default();
    config.set(config::MASTER, "local[2]").unwrap();
    if let Ok(memory) = std::env::var("VONK_TEST_MEMORY") {
        config.set(config::MEMORY_LIMIT, &memory).unwrap();
    }
    let secret =
        std::env::var_os("VONK_TEST_SECRET").map(|path| Secret::read(path.as_ref()).unwrap());
    let tls = std::env::var_os("VONK_TEST_TLS").map(|folder| {
        let file = |name: &str| Path::new(&folder).join(name);
        Tls { certificate: file("certificate"), key: file("key"), ca: file("certificate") }
    });
    let options = WorkerOptions { listen, config, secret, tls, ..WorkerOptions::default() };
    let ready = |address| {
        let mut output = std::io::stdout();
        writeln!(output, "\n{READY}{address}").unwrap();
        output.flush().unwrap();
    };
    let end = async {
        let wait = || std::io::stdin().read_line(&mut String::new());
        let _ended = tokio::task::spawn_blocking(wait).await;
    };
    vonk_cluster::serve(options, ready, end).unwrap();
}

/// A function that this program and its workers know.
pub(super) fn scaled() -> OfferedUdf<i64> {
    offer_udf("scaled", |factor: i64| move |number: i64| number * factor)
}

const HEADS: &str = "heads of batches";

/// The first rows of each batch.
#[derive(Debug)]
pub(super) struct Heads(pub(super) usize);

impl TableCode for Heads {
    fn run(&self, input: Batches) -> Batches {
        let rows = self.0;
        input.map_ok(move |batch| batch.slice(0, rows.min(batch.num_rows()))).boxed()
    }

    fn travelling(&self) -> Option<TravellingCode> {
        let bytes = vec![u8::try_from(self.0).ok()?];
        Some(TravellingCode { kind: HEADS.to_owned(), bytes })
    }
}

/// One worker; it ends with this.
pub(super) struct Worker {
    process: Child,
    pub(super) place: String,
}

impl Worker {
    pub(super) fn start() -> Result<Self, BoxError> {
        Self::start_at("127.0.0.1:0", &[])
    }

    pub(super) fn start_at(listen: &str, variables: &[(&str, &str)]) -> Result<Self, BoxError> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--exact", "cluster::workers::serves_the_tests_around", "--nocapture"])
            .env(ROLE, listen)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = process.stdout.take().ok_or("a worker without output")?;
        for line in BufReader::new(output).lines() {
            if let Some(place) = line?.strip_prefix(READY) {
                return Ok(Self { process, place: place.to_owned() });
            }
        }
        Err("a worker ended before it served".into())
    }

    /// Ends the process at once.
    pub(super) fn kill(&mut self) -> Result<(), BoxError> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Sends a signal by its name, such as `STOP`.
    pub(super) fn signal(&self, name: &str) -> Result<(), BoxError> {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &id]).status()?;
        if status.success() { Ok(()) } else { Err(format!("no signal to {id}").into()) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

pub(super) fn start(count: usize) -> Result<Vec<Worker>, BoxError> {
    (0..count).map(|_| Worker::start()).collect()
}

pub(super) fn master(workers: &[Worker]) -> String {
    let places: Vec<&str> = workers.iter().map(|worker| worker.place.as_str()).collect();
    format!("vonk://{}", places.join(","))
}

/// A session for which every byte of a file is worth a task.
pub(super) fn builder(workers: &[Worker]) -> SessionBuilder {
    vonk_cluster::install();
    Session::builder().master(master(workers)).config(config::CLUSTER_TASK_BYTES, "1")
}

pub(super) fn session(workers: &[Worker]) -> Result<Session, BoxError> {
    Ok(builder(workers).get_or_create()?)
}
