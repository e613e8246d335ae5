//! Files where they live: Hadoop's file system, S3 and servers of HTTP, each as a real server that the
//! test starts and ends.

mod faults;
mod hdfs;
mod http;
mod s3;
mod servers;

use std::collections::BTreeMap;

use vonk::Condition;
use vonk::prelude::*;

/// A text with few words, and how often each comes by a count of its own.
fn poem() -> (String, BTreeMap<String, i64>) {
    let words = ["to", "be", "or", "not", "that", "is", "the", "question"];
    let lines: Vec<String> = (0..5000_usize)
        .map(|line| {
            (0..8).map(|at| words[(line * at + line / 7) % 8]).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let text = lines.join("\n") + "\n";
    let mut counts = BTreeMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    (text, counts)
}

/// The word count of the same text through each door of the library.
async fn check_word_counts(session: &Session, path: &str, expected: &BTreeMap<String, i64>) {
    let query = format!(
        "SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS word FROM text.`{path}`) \
         GROUP BY word"
    );
    let rows = session.sql(query).rows::<(String, i64)>().await.unwrap();
    assert_eq!(&rows.into_iter().collect::<BTreeMap<_, _>>(), expected, "SQL over {path}");
    let words = session
        .context()
        .text_file(path)
        .flat_map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let counted = words.map(|word| (word, 1_i64)).reduce_by_key(|a, b| a + b).collect().await;
    let counted: BTreeMap<String, i64> = counted.unwrap().into_iter().collect();
    assert_eq!(&counted, expected, "RDD over {path}");
    let lines = session.read().text(path).count().await.unwrap();
    assert_eq!(lines, 5000, "DataFrame over {path}");
}

/// What every store that can be written to has to do, below a directory of it.
async fn check_writes(session: &Session, root: &str) {
    let numbers = |from: i64, to: i64| {
        session.sql(format!("SELECT id, id % 3 AS k FROM range({from}, {to})"))
    };
    let read = |path: String| async move {
        let sums = session.sql(format!("SELECT count(*), sum(id) FROM parquet.`{path}`"));
        sums.rows::<(i64, Option<i64>)>().await.map(|rows| rows[0])
    };
    let table = format!("{root}/numbers");
    let report = numbers(0, 10).write().parquet(&table).await.unwrap();
    assert_eq!(report.rows, 10);
    assert_eq!(read(table.clone()).await.unwrap(), (10, Some(45)));
    let error = numbers(0, 1).write().parquet(&table).await.unwrap_err();
    assert_eq!(error.condition(), Condition::PATH_ALREADY_EXISTS, "{error}");
    numbers(10, 20).write().mode("append").parquet(&table).await.unwrap();
    assert_eq!(read(table.clone()).await.unwrap(), (20, Some(190)));
    numbers(0, 1).write().mode("ignore").parquet(&table).await.unwrap();
    numbers(0, 5).write().mode("overwrite").parquet(&table).await.unwrap();
    assert_eq!(read(table.clone()).await.unwrap(), (5, Some(10)));

    // A query that fails midway leaves what was there.
    let failing = session.sql("SELECT id, 10 / (id - 70000) AS k FROM range(0, 100000)");
    let error = failing.write().mode("overwrite").parquet(&table).await.unwrap_err();
    assert_eq!(error.condition(), Condition::DIVIDE_BY_ZERO, "{error}");
    assert_eq!(read(table.clone()).await.unwrap(), (5, Some(10)));

    let parts = format!("{root}/parts");
    let write = |from, to| numbers(from, to).write().partition_by(["k"]);
    write(0, 30).parquet(&parts).await.unwrap();
    assert_eq!(read(parts.clone()).await.unwrap(), (30, Some(435)));
    let one = session.sql("SELECT 1000 AS id, 1 AS k");
    let dynamic = one.write().partition_by(["k"]).option("partitionOverwriteMode", "dynamic");
    dynamic.mode("overwrite").parquet(&parts).await.unwrap();
    // Of 0..30 the ten with remainder 1 are gone: 1 + 4 + … + 28 is 145.
    assert_eq!(read(parts.clone()).await.unwrap(), (21, Some(435 - 145 + 1000)));
    assert_eq!(read(format!("{parts}/k=1")).await.unwrap(), (1, Some(1000)));

    for (file, format) in [("one.csv", "csv"), ("one.json", "json"), ("one.parquet", "parquet")] {
        let path = format!("{root}/{file}");
        for to in [7, 9] {
            let written = numbers(0, to).write().mode("overwrite").format(format).save(&path).await;
            assert_eq!(written.unwrap().files, 1);
            let count = session.sql(format!("SELECT sum(id) FROM '{path}'"));
            assert_eq!(count.rows::<(i64,)>().await.unwrap(), [((0..to).sum(),)], "{path}");
        }
    }
    let lines = session.context().range(0, 100);
    let path = format!("{root}/lines");
    lines.save_as_text_file(&path).await.unwrap();
    assert_eq!(session.context().text_file(&path).count().await.unwrap(), 100);
    let again = session.context().range(0, 1).save_as_text_file(&path).await.unwrap_err();
    assert_eq!(again.condition(), Condition::PATH_ALREADY_EXISTS);
}

/// Tables of the catalog whose files are in a store.
async fn check_tables(session: &Session, root: &str) {
    let run = |text: String| async move { session.sql(text).collect().await.unwrap() };
    let sum = || async {
        session.sql("SELECT count(*), sum(id) FROM far").rows::<(i64, Option<i64>)>().await.unwrap()
            [0]
    };
    run(format!(
        "CREATE TABLE far USING parquet LOCATION '{root}/far' AS SELECT id FROM range(0, 4)"
    ))
    .await;
    assert_eq!(sum().await, (4, Some(6)));
    run("INSERT INTO far SELECT id FROM range(4, 6)".to_owned()).await;
    assert_eq!(sum().await, (6, Some(15)));
    run("INSERT OVERWRITE far VALUES (7L)".to_owned()).await;
    assert_eq!(sum().await, (1, Some(7)));
    run(format!("CREATE TABLE empty (a INT) USING parquet LOCATION '{root}/empty'")).await;
    assert_eq!(session.table("empty").count().await.unwrap(), 0);
    run("INSERT INTO empty VALUES (1), (2)".to_owned()).await;
    assert_eq!(session.table("empty").count().await.unwrap(), 2);
    run(format!("COPY (SELECT 1 AS a UNION ALL SELECT 2) TO '{root}/copy.csv'")).await;
    let copied = session.sql(format!("SELECT sum(a) FROM '{root}/copy.csv'"));
    assert_eq!(copied.rows::<(i64,)>().await.unwrap(), [(3,)]);
    run("DROP TABLE far".to_owned()).await;
    // As in Spark the files of a location of its own stay.
    assert_eq!(session.read().parquet(format!("{root}/far")).count().await.unwrap(), 1);
}

/// Readers see one of the writes as a whole, while these follow each other.
async fn check_readers(session: &Session, path: &str) {
    let write = |value: i64| {
        let rows = session.sql(format!("SELECT {value} AS v FROM range(0, 400)")).repartition(4);
        rows.write().mode("overwrite").parquet(path)
    };
    write(0).await.unwrap();
    let (done, mut is_done) = tokio::sync::watch::channel(false);
    let reader = async {
        let mut reads = 0;
        while !*is_done.borrow_and_update() {
            let query = format!("SELECT count(*), count(DISTINCT v) FROM parquet.`{path}`");
            match session.sql(query).rows::<(i64, i64)>().await {
                Ok(rows) => assert_eq!(rows, [(400, 1)]),
                // Listed before a write and read after it.
                Err(error) => {
                    let gone = [Condition::PATH_NOT_FOUND, Condition::CANNOT_READ_FILE];
                    assert!(gone.contains(&error.condition()), "{error}");
                }
            }
            reads += 1;
        }
        reads
    };
    let writer = async {
        for value in 1..6 {
            write(value).await.unwrap();
        }
        done.send(true).unwrap();
    };
    let (reads, ()) = tokio::join!(reader, writer);
    assert!(reads > 0);
}

/// A session whose warehouse is in a directory of the test's, with options.
fn session_in(directory: &std::path::Path, options: &[(&str, &str)]) -> Session {
    let warehouse = directory.join("warehouse").display().to_string();
    let builder = Session::builder().config(vonk::config::WAREHOUSE, warehouse);
    let builder =
        options.iter().fold(builder, |builder, (name, value)| builder.config(*name, *value));
    builder.get_or_create().unwrap()
}
