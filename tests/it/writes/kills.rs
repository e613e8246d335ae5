//! Writers that are killed at any moment: a reader sees the old rows or the new ones, never a part.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vonk::{Condition, Session};

use super::child;

/// Rows that each write has for each of the keys 0, 1 and 2.
const ROWS_PER_KEY: i64 = 500;

/// The longest time that a writer lives after its first write.
const LIFE_MS_MAX: u64 = 300;

/// A way to write over and over, `#` being the number of the write.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    /// What is there before the writer begins; `#` is 0.
    first: &'static str,
    statement: &'static str,
    /// Gives for each write and key that is seen how many rows it has.
    query: &'static str,
    /// Whether what is seen is what whole writes leave.
    is_whole: fn(&[(i64, i64, i64)]) -> bool,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "file",
        first: "",
        statement: "COPY (SELECT # AS g, id % 3 AS k FROM range(1500)) TO 'ROOT/out.parquet'",
        query: "SELECT g, k, count(*) FROM 'ROOT/out.parquet' GROUP BY g, k",
        is_whole: is_one_write,
    },
    Scenario {
        name: "directory",
        first: "",
        statement: "COPY (SELECT # AS g, id % 3 AS k FROM range(1500)) TO 'ROOT/out' \
            (FORMAT json, MODE overwrite)",
        query: "SELECT CAST(g AS BIGINT), k, count(*) FROM json.`ROOT/out` GROUP BY g, k",
        is_whole: is_one_write,
    },
    Scenario {
        name: "append",
        first: "CREATE TABLE t PARTITIONED BY (k) AS SELECT 0 AS g, id % 3 AS k FROM range(1500)",
        statement: "INSERT INTO t SELECT #, id % 3 FROM range(1500)",
        query: "SELECT CAST(g AS BIGINT), k, count(*) FROM t GROUP BY g, k",
        is_whole: are_whole_writes,
    },
    Scenario {
        name: "overwrite",
        first: "CREATE TABLE t USING csv PARTITIONED BY (k) AS \
            SELECT 0 AS g, id % 3 AS k FROM range(1500)",
        statement: "INSERT OVERWRITE t SELECT #, id % 3 FROM range(1500)",
        query: "SELECT CAST(g AS BIGINT), k, count(*) FROM t GROUP BY g, k",
        is_whole: is_one_write,
    },
    Scenario {
        name: "dynamic",
        first: "CREATE TABLE t PARTITIONED BY (k) AS \
            SELECT 0 AS g, CASE WHEN id < 1500 THEN id % 3 ELSE 9 END AS k FROM range(2000)",
        statement: "INSERT OVERWRITE t SELECT #, id % 3 FROM range(1500)",
        query: "SELECT CAST(g AS BIGINT), k, count(*) FROM t GROUP BY g, k",
        is_whole: is_one_write_beside_key_nine,
    },
];

fn is_one_write(seen: &[(i64, i64, i64)]) -> bool {
    let mut seen = seen.to_vec();
    seen.sort_by_key(|(_, key, _)| *key);
    let expected = (0..3).map(|key| (seen.first().map_or(0, |row| row.0), key, ROWS_PER_KEY));
    seen == expected.collect::<Vec<_>>()
}

fn are_whole_writes(seen: &[(i64, i64, i64)]) -> bool {
    let mut writes: Vec<i64> = seen.iter().map(|(write, ..)| *write).collect();
    writes.sort_unstable();
    writes.dedup();
    let of = |write: i64| seen.iter().copied().filter(move |row| row.0 == write);
    !writes.is_empty() && writes.iter().all(|write| is_one_write(&of(*write).collect::<Vec<_>>()))
}

fn is_one_write_beside_key_nine(seen: &[(i64, i64, i64)]) -> bool {
    let (nine, others): (Vec<_>, Vec<_>) = seen.iter().copied().partition(|row| row.1 == 9);
    nine == [(0, 9, ROWS_PER_KEY)] && is_one_write(&others)
}

fn session(root: &Path) -> Session {
    Session::builder()
        .master("local[2]")
        .config("spark.sql.warehouse.dir", root.join("warehouse").display().to_string())
        .config("spark.sql.sources.partitionOverwriteMode", "dynamic")
        .get_or_create()
        .unwrap()
}

impl Scenario {
    async fn write(&self, session: &Session, root: &Path, number: u64) -> Result<(), vonk::Error> {
        let statement =
            if number == 0 && !self.first.is_empty() { self.first } else { self.statement };
        let statement = statement.replace("#", &number.to_string());
        let statement = statement.replace("ROOT", &root.display().to_string());
        session.sql(statement).collect().await.map(drop)
    }

    /// What a reader sees.
    async fn read(
        &self,
        session: &Session,
        root: &Path,
    ) -> Result<Vec<(i64, i64, i64)>, vonk::Error> {
        let query = self.query.replace("ROOT", &root.display().to_string());
        session.sql(query).rows::<(i64, i64, i64)>().await
    }
}

/// Reads of living writers: how many gave rows, and how many a refusal.
#[derive(Debug, Default)]
struct Reads {
    whole: u64,
    refused: u64,
}

/// Lets a writer work for a random time, with a reader looping, and kills it.
async fn kill_one(scenario: Scenario, root: &Path, first: u64, random: &mut ChaCha8Rng) -> Reads {
    let mut command = child::command("writes::kills::writer", root);
    command.env("VONK_TEST_SCENARIO", scenario.name).env("VONK_TEST_FIRST", first.to_string());
    let mut writer = command.stdout(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(writer.stdout.take().unwrap()).lines();
    let began = told.map_while(Result::ok).any(|line| line.starts_with("passed: "));
    assert!(began, "{}: the writer did not begin", scenario.name);
    let life = Duration::from_micros(random.random_range(0..LIFE_MS_MAX * 1000));
    let end = Instant::now() + life;
    let session = session(root);
    let mut reads = Reads::default();
    while Instant::now() < end {
        match scenario.read(&session, root).await {
            Ok(seen) => {
                assert!((scenario.is_whole)(&seen), "{}: a part: {seen:?}", scenario.name);
                reads.whole += 1;
            }
            Err(error) => {
                // The files of which the reader knew are gone, and it says so.
                let expected = [Condition::PATH_NOT_FOUND, Condition::CANNOT_READ_FILE];
                assert!(expected.contains(&error.condition()), "{}: {error}", scenario.name);
                assert!(error.file_path().is_some(), "{}: {error}", scenario.name);
                reads.refused += 1;
            }
        }
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    let seen = scenario.read(&session, root).await.unwrap();
    assert!((scenario.is_whole)(&seen), "{}: killed within: {seen:?}", scenario.name);
    reads
}

/// Kills writers of all scenarios in turn; what they leave is swept by the next writer.
async fn kill(count: usize, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut reads = Reads::default();
    let mut left = 0;
    for scenario in SCENARIOS.iter().cycle().take(SCENARIOS.len().min(count)) {
        let root = tempfile::tempdir().unwrap();
        scenario.write(&session(root.path()), root.path(), 0).await.unwrap();
        for round in 0..count.div_ceil(SCENARIOS.len()) as u64 {
            let first = 1 + round * 100_000;
            let one = kill_one(*scenario, root.path(), first, &mut random).await;
            reads.whole += one.whole;
            reads.refused += one.refused;
            left += left_overs(root.path());
            scenario.write(&session(root.path()), root.path(), first + 99_999).await.unwrap();
            assert_eq!(left_overs(root.path()), 0, "{}: not swept", scenario.name);
        }
    }
    child::tell(&format!("{count} kills: {left} left a staging directory, all swept; {reads:?}"));
}

/// How many staging directories there are.
fn left_overs(root: &Path) -> usize {
    let below = |directory: &Path| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().contains("staging")).count()
    };
    below(root) + below(&root.join("warehouse"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_writer_leaves_the_old_rows_or_the_new() {
    kill(10, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the soak"]
async fn soak() {
    kill(100, 2).await;
}

/// Writes until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs as a process of its own, and is killed"]
async fn writer() {
    let Some(root) = child::root() else { return };
    let name = std::env::var("VONK_TEST_SCENARIO").unwrap();
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap();
    let first: u64 = std::env::var("VONK_TEST_FIRST").unwrap().parse().unwrap();
    let session = session(&root);
    for number in first..first + 99_999 {
        scenario.write(&session, &root, number).await.unwrap();
        if number == first {
            child::passed("the first write");
        }
    }
}
