//! Every limit: what goes over it is refused by name, and the session lives on.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use vonk::{Condition, Session};

fn session(options: &[(&str, &str)]) -> Session {
    let builder =
        options.iter().fold(Session::builder(), |b, (name, value)| b.config(*name, *value));
    builder.get_or_create().unwrap()
}

/// The error names the option, and the session still answers.
async fn check(session: &Session, text: &str, condition: Condition, option: &str) {
    let error = session.sql(text).collect().await.map(drop).expect_err(text);
    assert_eq!(error.condition(), condition, "{text}: {error}");
    assert!(error.to_string().contains(option), "{text}: {error}");
    assert_eq!(session.sql("SELECT 1").count().await.unwrap(), 1);
}

/// Each makes more than a megabyte of one row.
const EXPLOSIONS: &[&str] = &[
    "repeat('x', 2000000)",
    "repeat('x', 2147483647)",
    "repeat(repeat('x', 1000), 2000)",
    "lpad('x', 2000000, 'ab')",
    "rpad('x', 2000000, 'ab')",
    "lpad('x', 500000, 'é')",
    "space(CAST(2000000 AS INT))",
    "array_repeat('abc', 1000000)",
    "list_repeat(1, 1000000)",
    "array_repeat(array_repeat(1, 1000), 1000)",
    "array_resize([1], 1000000, 0)",
    "range(0, 1000000)",
    "range(1000000)",
    "range(1000000, 0, -1)",
    "generate_series(0, 1000000)",
    "generate_series(-9000000000000000000, 9000000000000000000)",
    "sequence(0, 1000000)",
    "sequence(DATE '0001-01-01', DATE '9999-12-31', INTERVAL 1 DAY)",
    "sequence(TIMESTAMP '2024-01-01', TIMESTAMP '2024-02-01', INTERVAL 1 SECOND)",
    "array_insert([1], 1000000, 2)",
    "randstr(2000000)",
    "concat(repeat('x', 900000), repeat('y', 900000))",
    "concat_ws(repeat('-', 500000), 'a', 'b', 'c', 'd')",
    "array_to_string(range(0, 1000), repeat('-', 10000))",
    "array_join(range(0, 1000), repeat('-', 10000))",
    "replace(repeat('a', 10000), 'a', repeat('b', 10000))",
    "regexp_replace(repeat('a', 10000), 'a', repeat('b', 10000))",
    "format_string('%2000000d', 1)",
    "printf('%1$s%1$s%1$s', repeat('x', 500000))",
];

#[tokio::test]
async fn expressions_that_explode_are_refused_before_they_allocate() {
    let session = session(&[("vonk.execution.expression.bytes.max", "1MB")]);
    let option = "vonk.execution.expression.bytes.max";
    for call in EXPLOSIONS {
        let text = format!("SELECT {call} AS x");
        check(&session, &text, Condition::EXPRESSION_TOO_LARGE, option).await;
    }
    // The same with values that are not constants, row after row.
    for call in [
        "repeat('x', id * 1000)",
        "lpad('x', id * 1000, 'y')",
        "range(0, id * 1000)",
        "array_repeat(id, id * 1000)",
        "concat(repeat('x', 1000), repeat('y', id))",
    ] {
        let text = format!("SELECT {call} AS x FROM range(5000)");
        check(&session, &text, Condition::EXPRESSION_TOO_LARGE, option).await;
    }
}

#[tokio::test]
async fn without_an_option_a_part_of_the_memory_is_the_limit() {
    let session = session(&[("vonk.memory.limit", "40MB")]);
    let option = "vonk.execution.expression.bytes.max`";
    let text = "SELECT length(repeat('x', 12000000))";
    check(&session, text, Condition::EXPRESSION_TOO_LARGE, option).await;
    assert_eq!(session.sql("SELECT length(repeat('x', 9000000))").count().await.unwrap(), 1);
    let text = "SELECT length(repeat('xy', 2147483647))";
    check(&Session::new(), text, Condition::EXPRESSION_TOO_LARGE, option).await;
}

#[tokio::test]
async fn what_fits_is_computed_though_the_bound_of_the_batch_does_not() {
    let session = session(&[("vonk.execution.expression.bytes.max", "1MB")]);
    for (text, expected) in [
        // 10,000 times 100 bytes, in two batches.
        ("SELECT sum(length(repeat('x', 100))) FROM range(10000)", 1_000_000),
        // One long row among short ones.
        (
            "SELECT sum(length(repeat('x', CASE id WHEN 7 THEN 500000 ELSE 1 END))) FROM range(8000)",
            507_999,
        ),
        // Each letter could be replaced, and none is.
        (
            "SELECT sum(length(replace(repeat('a', 1000 + id - id), 'b', repeat('c', 100)))) FROM range(500)",
            500_000,
        ),
        ("SELECT sum(length(lpad(CAST(id AS STRING), 10, '0'))) FROM range(9000)", 90_000),
        ("SELECT sum(size(range(id, id + 3))) FROM range(1000)", 3_000),
        ("SELECT count(repeat(CAST(NULL AS STRING), 5)) FROM range(10)", 0),
        ("SELECT length(repeat('x', -5))", 0),
        (
            "SELECT sum(length(concat('a', CAST(id AS STRING), NULL))) FROM range(10) WHERE id < 0 OR id = 1",
            0,
        ),
    ] {
        let found = session.sql(text).first::<Option<i64>>().await.unwrap().flatten();
        assert_eq!(found.unwrap_or(0), expected, "{text}");
    }
}

#[tokio::test]
async fn the_text_of_a_statement_has_a_limit() {
    let session = session(&[("vonk.sql.text.bytes.max", "1k")]);
    let text = format!("SELECT '{}'", "x".repeat(1100));
    check(&session, &text, Condition::STATEMENT_TOO_LONG, "vonk.sql.text.bytes.max").await;
    let long = format!("SELECT '{}'", "x".repeat(17 << 20));
    let error = Session::new().sql(long).count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::STATEMENT_TOO_LONG);
}

#[tokio::test]
async fn results_have_limits_of_rows_and_bytes() {
    let option = "vonk.result.rows.max";
    let few = session(&[(option, "10")]);
    check(&few, "SELECT * FROM range(11)", Condition::RESULT_TOO_LARGE, option).await;
    assert_eq!(few.sql("SELECT * FROM range(10)").to_arrow().await.unwrap().num_rows(), 10);
    // Counting gives one number.
    assert_eq!(few.sql("SELECT * FROM range(100000)").count().await.unwrap(), 100_000);
    let stream = few.sql("SELECT * FROM range(11)").stream().await.unwrap();
    let error = stream.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.condition(), Condition::RESULT_TOO_LARGE);

    let small = session(&[("spark.driver.maxResultSize", "100k")]);
    let option = "vonk.result.bytes.max";
    let text = "SELECT * FROM range(100000)";
    check(&small, text, Condition::RESULT_TOO_LARGE, option).await;
    assert!(small.sql(text).rows::<i64>().await.is_err());
    // A stream is not held.
    let stream = small.sql(text).stream().await.unwrap();
    assert!(stream.try_collect::<Vec<_>>().await.is_ok());
    let open = session(&[("spark.driver.maxResultSize", "0")]);
    assert_eq!(open.sql(text).collect().await.unwrap().len(), 13);
}

const LONG: &str = "SELECT sum(id % 7) FROM range(1000000000000)";

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_ends_when_its_time_is_over() {
    let option = "vonk.sql.timeout";
    let hasty = session(&[(option, "300ms")]);
    let begin = Instant::now();
    check(&hasty, LONG, Condition::STATEMENT_TIMEOUT, option).await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(hasty.sql(LONG).count().await.is_err());
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out.csv").display().to_string();
    let error = hasty.sql(LONG).write().csv(&target).await.unwrap_err();
    assert_eq!(error.condition(), Condition::STATEMENT_TIMEOUT, "{error}");
    let copy = format!("COPY ({LONG}) TO '{target}'");
    check(&hasty, &copy, Condition::STATEMENT_TIMEOUT, option).await;
    // Its tasks end on their own time; then nothing is left.
    for _ in 0..200 {
        if std::fs::read_dir(root.path()).unwrap().count() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn the_clock_needs_no_timer_of_the_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let hasty = session(&[("spark.sql.thriftServer.queryTimeout", "0.2")]);
    let error = runtime.block_on(hasty.sql(LONG).collect()).unwrap_err();
    assert_eq!(error.condition(), Condition::STATEMENT_TIMEOUT, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_makes_so_many_partitions_and_no_more() {
    let session = session(&[("hive.exec.max.dynamic.partitions", "5")]);
    let root = tempfile::tempdir().unwrap();
    let write = |count: i64, name: &str| {
        let target = root.path().join(name).display().to_string();
        let data = session.range(0, 1000).select_expr(["id", &format!("id % {count} AS p")]);
        async move { data.write().partition_by(["p"]).parquet(&target).await }
    };
    assert_eq!(write(5, "fits").await.unwrap().rows, 1000);
    let error = write(6, "more").await.unwrap_err();
    assert_eq!(error.condition(), Condition::TOO_MANY_PARTITIONS);
    assert!(error.message().contains("vonk.write.partitions.max"), "{error}");
    assert!(!root.path().join("more").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn spilled_rows_have_a_limit_and_leave_nothing() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().display().to_string();
    let options = |limit| {
        [
            ("vonk.memory.limit", "30MB"),
            ("spark.local.dir", directory.as_str()),
            ("vonk.spill.limit", limit),
            ("spark.master", "local[2]"),
        ]
    };
    let sort = "SELECT x FROM (SELECT random() AS x, id FROM range(3000000)) ORDER BY x";
    let tight = session(&options("1MB"));
    let error = tight.sql(sort).count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::DISK_FULL, "{error}");
    assert!(error.to_string().contains("vonk.spill.limit"), "{error}");
    let wide = session(&options("1GB"));
    assert_eq!(wide.sql(sort).count().await.unwrap(), 3_000_000);
    drop((tight, wide));
    for _ in 0..200 {
        if std::fs::read_dir(root.path()).unwrap().count() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn long_texts_of_aggregates_are_in_the_books_of_the_memory() {
    let session = session(&[("vonk.memory.limit", "50MB")]);
    let text = "SELECT length(string_agg(repeat('x', 10000), ',')) FROM range(100000)";
    check(&session, text, Condition::OUT_OF_MEMORY, "vonk.memory.limit").await;
}
