//! Writes that end early: each way to fail × format × shape leaves the old rows and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use vonk::{Condition, DataFrame, Error, Session};

use super::child::{self, Surroundings};

const FORMATS: [&str; 4] = ["parquet", "csv", "json", "text"];

const SHAPES: [&str; 3] = ["file", "directory", "partitioned"];

/// Rows of a write that fails: in no format do they fit into [`child::SPACE_BYTES`].
const ROWS: i64 = 40_000;

/// One cell of the matrix.
#[derive(Debug, Clone, Copy)]
struct Case {
    format: &'static str,
    shape: &'static str,
}

fn cases() -> impl Iterator<Item = Case> {
    FORMATS.iter().flat_map(|format| SHAPES.iter().map(|shape| Case { format, shape }))
}

impl Case {
    fn target(self, root: &Path) -> PathBuf {
        let ending = if self.format == "text" { "txt" } else { self.format };
        if self.shape == "file" { root.join(format!("out.{ending}")) } else { root.join("out") }
    }

    /// Rows of texts that no compression makes small; partitioned ones have a key of three values.
    fn rows(self, session: &Session, count: i64, stop: &str) -> DataFrame {
        let line = format!("{stop} AS line");
        let rows = session.range(0, count);
        match (self.shape, self.format) {
            ("partitioned", _) => rows.select_expr([line.as_str(), "id % 3 AS key"]),
            (_, "text") => rows.select_expr([line.as_str()]),
            _ => rows.select_expr([line.as_str(), "id AS number"]),
        }
    }

    async fn write(self, root: &Path, mode: &str, rows: DataFrame) -> Result<u64, Error> {
        let mut writer = rows.write().format(self.format).mode(mode);
        if self.shape == "partitioned" {
            writer = writer.partition_by(["key"]);
        }
        Ok(writer.save(self.target(root).to_str().unwrap()).await?.rows)
    }

    /// Writes a few rows that nothing stops.
    async fn write_old(self, session: &Session, root: &Path) {
        let rows = self.rows(session, 300, "concat('old ', id)");
        assert_eq!(self.write(root, "overwrite", rows).await.unwrap(), 300, "{self:?}");
    }
}

/// Every file below a directory with its bytes, by path, and every directory.
fn contents(root: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    // The staging directory of a write that ends may go while it is looked at.
    let is_gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let read = |path: PathBuf| {
        let read = path.is_file().then(|| fs::read(&path)).transpose();
        let bytes = if read.as_ref().is_err_and(is_gone) { return None } else { read.unwrap() };
        Some((path, bytes))
    };
    entries.filter_map(Result::ok).filter_map(|entry| read(entry.into_path())).collect()
}

/// Lets a query of many rows run into its end in one of the ways that its text can say.
#[derive(Default)]
struct Stop {
    reached: Notify,
    released: AtomicBool,
}

impl Stop {
    /// Gives a session `fails(id)`, `panics(id)` and `waits(id)`, which make a text of a number
    /// until they are given the last one.
    fn teach(session: &Session) -> Arc<Self> {
        let stop = Arc::new(Self::default());
        let text = |id: i64| format!("{:016x}", (id + 1).wrapping_mul(0x1e37_79b9_7f4a_7c15));
        session
            .udf("panics", move |id: i64| {
                assert!(id < ROWS - 1, "a test panics");
                text(id)
            })
            .unwrap();
        let waiting = Arc::clone(&stop);
        session
            .udf("waits", move |id: i64| {
                if id == ROWS - 1 {
                    waiting.reached.notify_one();
                    let deadline = Instant::now() + Duration::from_secs(20);
                    while !waiting.released.load(Ordering::Relaxed) && Instant::now() < deadline {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
                text(id)
            })
            .unwrap();
        session.udf("goes", text).unwrap();
        stop
    }
}

/// How a write is made to fail, by the text that makes its column.
const FAILS: (&str, &str) =
    ("error", "concat(goes(id), CAST(if(id = 39999, 'no number', '1') AS INT))");
const PANICS: (&str, &str) = ("panic", "panics(id)");
const GOES: &str = "goes(id)";

fn session() -> Session {
    Session::builder().master("local[2]").get_or_create().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_or_a_panic_of_the_query_leaves_the_old_rows() {
    let session = session();
    let _stop = Stop::teach(&session);
    for case in cases() {
        for (name, stop) in [FAILS, PANICS] {
            let root = tempfile::tempdir().unwrap();
            let refused = async |mode: &str| {
                let rows = case.rows(&session, ROWS, stop);
                let error = case.write(root.path(), mode, rows).await.expect_err("it was stopped");
                let expected = match name {
                    "error" => Condition::CAST_INVALID_INPUT,
                    _ => Condition::USER_CODE_FAILED,
                };
                assert_eq!(error.condition(), expected, "{case:?}: {error}");
            };
            refused("error").await;
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "{case:?} {name}");
            case.write_old(&session, root.path()).await;
            let before = contents(root.path());
            refused("overwrite").await;
            assert!(contents(root.path()) == before, "{case:?} {name}: overwrite left its traces");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_dropped_write_leaves_the_old_rows() {
    let session = session();
    for case in cases() {
        let stop = Stop::teach(&session);
        let root = tempfile::tempdir().unwrap();
        case.write_old(&session, root.path()).await;
        let before = contents(root.path());
        let rows = case.rows(&session, ROWS, "waits(id)");
        let mut write = Box::pin(case.write(root.path(), "overwrite", rows));
        tokio::select! {
            _ = &mut write => panic!("{case:?}: the write did not wait"),
            () = stop.reached.notified() => {}
        }
        assert!(contents(root.path()).len() > before.len(), "{case:?}: nothing was staged");
        drop(write);
        stop.released.store(true, Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_secs(10);
        while contents(root.path()).len() != before.len() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(contents(root.path()) == before, "{case:?}: the dropped write left its traces");
    }
}

#[test]
fn a_full_disk_leaves_the_old_rows() {
    child::run("writes::failed::cases_without_space", Surroundings::SmallDisk, cases().count());
}

#[test]
fn a_limit_of_the_size_of_files_leaves_the_old_rows() {
    child::run("writes::failed::cases_without_space", Surroundings::SmallFiles, cases().count());
}

/// What the two tests above run where there is little space.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs as a process of its own, in little space"]
async fn cases_without_space() {
    let Some(root) = child::root() else { return };
    let session = session();
    let _stop = Stop::teach(&session);
    for case in cases() {
        case.write_old(&session, &root).await;
        let before = contents(&root);
        let rows = case.rows(&session, ROWS, GOES);
        let error = case.write(&root, "overwrite", rows).await.expect_err("there is no space");
        assert_eq!(error.condition(), Condition::DISK_FULL, "{case:?}: {error}");
        assert_eq!(error.file_path(), Some(case.target(&root).as_path()), "{case:?}");
        assert!(contents(&root) == before, "{case:?}: the full disk has traces of the write");
        let target = case.target(&root);
        if target.is_dir() { fs::remove_dir_all(target) } else { fs::remove_file(target) }.unwrap();
        child::passed(&format!("{case:?}"));
    }
}

/// Each way in which a statement or a program writes, with `STOP` for what ends its query.
const SINKS: [(&str, &str); 7] = [
    ("create table as", "CREATE TABLE fresh AS SELECT id, STOP AS line FROM range(40000)"),
    ("or replace", "CREATE OR REPLACE TABLE plain AS SELECT id, STOP AS line FROM range(40000)"),
    ("insert into", "INSERT INTO plain SELECT id, STOP FROM range(40000)"),
    ("insert overwrite", "INSERT OVERWRITE plain SELECT id, STOP FROM range(40000)"),
    ("static", "INSERT OVERWRITE parted PARTITION (key = 1) SELECT STOP FROM range(40000)"),
    ("dynamic", "INSERT OVERWRITE parted SELECT STOP, id % 3 FROM range(40000)"),
    ("copy", "COPY (SELECT STOP AS line FROM range(40000)) TO 'ROOT/out.csv'"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_that_writes_does_all_or_nothing() {
    let root = tempfile::tempdir().unwrap();
    let warehouse = root.path().join("warehouse").display().to_string();
    let session = Session::builder()
        .master("local[2]")
        .config("spark.sql.warehouse.dir", &warehouse)
        .config("spark.sql.sources.partitionOverwriteMode", "dynamic")
        .get_or_create()
        .unwrap();
    let _stop = Stop::teach(&session);
    let text = |statement: &str| statement.replace("ROOT", &root.path().display().to_string());
    for statement in [
        "CREATE TABLE plain AS SELECT id, 'old' AS line FROM range(10)",
        "CREATE TABLE parted PARTITIONED BY (key) AS SELECT 'old' AS line, id AS key FROM range(5)",
        "COPY (SELECT 'old' AS line) TO 'ROOT/out.csv'",
    ] {
        session.sql(text(statement)).collect().await.unwrap();
    }
    let before = contents(root.path());
    for (sink, statement) in SINKS {
        for (name, stop) in [FAILS, PANICS] {
            let failed = session.sql(text(&statement.replace("STOP", stop))).collect().await;
            assert!(failed.is_err(), "{sink} {name}");
            assert!(contents(root.path()) == before, "{sink} {name} left its traces");
        }
        // The same statement with nothing in its way changes what is there.
        let done = session.sql(text(&statement.replace("STOP", GOES))).collect().await;
        done.unwrap_or_else(|error| panic!("{sink}: {error}"));
        assert!(contents(root.path()) != before, "{sink} did nothing");
        fs::remove_dir_all(root.path()).unwrap();
        restore(&before);
    }
}

fn restore(contents: &[(PathBuf, Option<Vec<u8>>)]) {
    for (path, bytes) in contents {
        match bytes {
            None => fs::create_dir(path).unwrap(),
            Some(bytes) => fs::write(path, bytes).unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_rdd_that_fails_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("lines").display().to_string();
    let context = session().context();
    let numbers = context.range(0, ROWS).map(|id| {
        assert!(id < ROWS - 1, "a test panics");
        id
    });
    numbers.save_as_text_file(&target).await.unwrap_err();
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    context.range(0, ROWS).save_as_text_file(&target).await.unwrap();
    let again = context.range(0, ROWS).save_as_text_file(&target).await.unwrap_err();
    assert_eq!(again.condition(), Condition::PATH_ALREADY_EXISTS);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}
