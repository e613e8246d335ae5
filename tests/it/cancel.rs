//! A query that nobody waits for any more ends, and leaves neither threads at work nor files.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vonk::object_store::memory::InMemory;
use vonk::object_store::throttle::{ThrottleConfig, ThrottledStore};
use vonk::object_store::{ObjectStore, ObjectStoreExt};
use vonk::prelude::*;

/// Queries that would take minutes or more, of every shape that an operator or kernel gives them.
const ENDLESS: &[(&str, &str)] = &[
    ("scan and filter", "SELECT * FROM big WHERE id < 0"),
    ("projection", "SELECT max(id * 3 + 1 - id % 7) FROM big"),
    ("sum", "SELECT sum(id) FROM big"),
    ("few groups", "SELECT id % 10, count(*) FROM big GROUP BY id % 10"),
    ("many groups", "SELECT id, count(*) FROM big GROUP BY id"),
    ("distinct", "SELECT DISTINCT id FROM big"),
    ("count distinct", "SELECT count(DISTINCT id % 1000000) FROM big"),
    ("rollup", "SELECT id % 5, id % 7, count(*) FROM big GROUP BY ROLLUP (id % 5, id % 7)"),
    ("array_agg", "SELECT id % 3, array_agg(id) FROM big GROUP BY id % 3"),
    ("median", "SELECT median(id) FROM big"),
    ("sort", "SELECT id FROM big ORDER BY id % 1000, id DESC"),
    ("top", "SELECT id FROM big ORDER BY id % 1000, id DESC LIMIT 10"),
    ("inner join", "SELECT count(*) FROM big AS a JOIN big AS b ON a.id = b.id"),
    ("left join", "SELECT count(b.id) FROM big AS a LEFT JOIN big AS b ON a.id = b.id + 1"),
    ("full join", "SELECT count(*) FROM big AS a FULL JOIN big AS b ON a.id = b.id + 1"),
    ("semi join", "SELECT count(*) FROM big WHERE id IN (SELECT id FROM big AS b)"),
    ("anti join", "SELECT count(*) FROM big AS a LEFT ANTI JOIN big AS b ON a.id = b.id"),
    ("join of few keys", "SELECT count(*) FROM small AS a JOIN small AS b ON a.id % 2 = b.id % 2"),
    ("cross join", "SELECT count(*) FROM small AS a CROSS JOIN small AS b"),
    ("cross join of rows", "SELECT sum(a.id + b.id) FROM small AS a CROSS JOIN small AS b"),
    (
        "cross joins in a chain",
        "SELECT count(*) FROM few AS a CROSS JOIN few AS b CROSS JOIN few AS c CROSS JOIN few AS d",
    ),
    (
        "cross joins whose rows are filtered",
        "SELECT count(*) FROM small AS a CROSS JOIN small AS b WHERE a.id * b.id = -1",
    ),
    ("join by comparison", "SELECT count(*) FROM small AS a JOIN small AS b ON a.id + b.id < 0"),
    ("join by range", "SELECT count(*) FROM small AS a JOIN small AS b ON a.id < b.id"),
    ("outer join by comparison", "SELECT count(*) FROM small a LEFT JOIN small b ON a.id > b.id"),
    ("row numbers", "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY id) AS n FROM big)"),
    (
        "window sums",
        "SELECT max(n) FROM (SELECT sum(id) OVER (PARTITION BY id % 10) AS n FROM big)",
    ),
    (
        "sliding window",
        "SELECT max(n) FROM (SELECT max(id) OVER (ORDER BY id ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) \
         AS n FROM big)",
    ),
    (
        "union",
        "SELECT count(*) FROM (SELECT id FROM big UNION ALL SELECT -id FROM big) WHERE id > 5",
    ),
    (
        "union of distinct rows",
        "SELECT count(*) FROM (SELECT id FROM big UNION SELECT -id FROM big)",
    ),
    ("except", "SELECT count(*) FROM (SELECT id FROM big EXCEPT SELECT id FROM big AS b)"),
    ("intersect", "SELECT count(*) FROM (SELECT id FROM big INTERSECT SELECT id FROM big AS b)"),
    (
        "recursive query",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1000000000) \
         SELECT count(*) FROM r",
    ),
    (
        "subquery of each row",
        "SELECT count((SELECT max(b.id) FROM big AS b WHERE b.id = a.id)) FROM big AS a",
    ),
    (
        "explode",
        "SELECT count(*) FROM (SELECT explode(array(id, id, id)) AS e FROM big) WHERE e < 0",
    ),
    (
        "regular expression",
        "SELECT count(*) FROM big WHERE regexp_like(concat(repeat('ab', 50), id), '(a|b)+c')",
    ),
    (
        "replacement",
        "SELECT max(regexp_replace(concat(repeat('ab', 50), id), 'a(.)', '$1')) FROM big",
    ),
    ("hashes", "SELECT max(sha2(concat(repeat('ab', 50), id), 256)) FROM big"),
    ("texts", "SELECT max(upper(reverse(concat(repeat('ab', 50), id)))) FROM big"),
    ("function of Rust", "SELECT max(slow(id)) FROM big"),
    ("store that never answers", "SELECT count(*) FROM text.`stalled://store/lines.txt`"),
];

async fn session(spill: &std::path::Path) -> Session {
    let session = Session::builder()
        .master("local[2]")
        .config("vonk.spill.directory", spill.display().to_string())
        .config("vonk.memory.limit", "64MB")
        .get_or_create()
        .unwrap();
    session.range(0, 100_000_000_000).create_or_replace_temp_view("big").await.unwrap();
    session.range(0, 1_000_000).create_or_replace_temp_view("small").await.unwrap();
    session.register_object_store("stalled://store", stalled().await).unwrap();
    session.range(0, 2_000).create_or_replace_temp_view("few").await.unwrap();
    let slow = |id: i64| {
        std::thread::sleep(Duration::from_micros(5));
        id
    };
    session.udf("slow", slow).unwrap();
    session
}

/// A store that lists its file, but never gives a byte of it.
async fn stalled() -> Arc<dyn ObjectStore> {
    let store = InMemory::new();
    store.put(&"lines.txt".into(), "to be\nor not".into()).await.unwrap();
    let wait_get_per_call = Duration::from_secs(3600);
    let config = ThrottleConfig { wait_get_per_call, ..ThrottleConfig::default() };
    Arc::new(ThrottledStore::new(store, config))
}

/// How long a query goes on after nobody waits for it; `None` if it ended on its own.
fn time_to_end(name: &str, sql: &str) -> Option<Duration> {
    let spill = tempfile::tempdir().unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let session = runtime.block_on(session(spill.path()));
    let handle = runtime.handle().clone();
    let outcome = runtime.block_on(async {
        let query = session.sql(sql);
        let rows = async { query.collect().await.map(|_| ()) };
        tokio::time::timeout(Duration::from_millis(300), rows).await
    });
    assert!(!matches!(outcome, Ok(Ok(()))), "{name} is done too soon");
    let dropped = Instant::now();
    while handle.metrics().num_alive_tasks() > 0 {
        assert!(dropped.elapsed() < Duration::from_secs(20), "{name} goes on");
        std::thread::sleep(Duration::from_millis(1));
    }
    let elapsed = dropped.elapsed();
    drop((session, runtime));
    let left: Vec<_> = walk(spill.path());
    assert!(left.is_empty(), "{name} left {left:?}");
    outcome.is_err().then_some(elapsed)
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn what_nobody_waits_for_ends() {
    let times = times_to_end(1);
    assert!(times.len() >= 30, "only {} of the queries ran until they were cancelled", times.len());
}

/// The percentiles of many rounds, which mean something in an optimised build.
#[test]
#[ignore = "takes minutes"]
fn soak() {
    const ROUNDS: usize = 10;
    let times = times_to_end(ROUNDS);
    let percentile = |percent: usize| times[times.len() * (100 - percent) / 100].0;
    let (half, most) = (percentile(50), percentile(99));
    let rounds = ROUNDS * ENDLESS.len();
    tell(&format!("of {rounds}: half within {half:.0?}, 99 % within {most:.0?}"));
}

fn tell(what: &str) {
    let mut out = std::io::stderr();
    writeln!(out, "{what}").unwrap();
}

/// How long each query that was cancelled went on, the longest first.
fn times_to_end(rounds: usize) -> Vec<(Duration, &'static str)> {
    let queries = (0..rounds).flat_map(|_| ENDLESS);
    let mut times: Vec<(Duration, &str)> =
        queries.filter_map(|(name, sql)| Some((time_to_end(name, sql)?, *name))).collect();
    times.sort_by(|a, b| b.cmp(a));
    let slowest: Vec<String> =
        times.iter().take(5).map(|(time, name)| format!("{name} {time:.0?}")).collect();
    let (count, slowest) = (times.len(), slowest.join(", "));
    tell(&format!("{count} queries were cancelled; the slowest: {slowest}"));
    times
}
