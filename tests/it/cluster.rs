//! Clusters of real processes on this machine: the rows are those of one machine, also when workers are
//! killed or stop, and errors are those of one machine too.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use vonk::{Condition, Session};
use vonk_tests::{BoxError, data, render, repository};

use super::tpch;

mod lost;
mod workers;

/// The text of a query's plan.
async fn explained(session: &Session, query: &str) -> Result<String, BoxError> {
    let rows = render::rows(&session.sql(format!("EXPLAIN {query}")).collect().await?)?;
    Ok(rows.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

/// The rows of a query as texts.
async fn rows(session: &Session, query: &str) -> Result<Vec<Vec<String>>, BoxError> {
    Ok(render::rows(&session.sql(query).collect().await?)?)
}

/// Fails unless the workers run the query and give the rows of one machine.
async fn same_as_here(cluster: &Session, query: &str) -> Result<(), BoxError> {
    let plan = explained(cluster, query).await?;
    if !plan.contains("Stage 1") {
        return Err(format!("not on the workers: {query}\n{plan}").into());
    }
    let there = rows(cluster, query).await.map_err(|error| format!("{query}: {error}\n{plan}"))?;
    let here = rows(&Session::new(), query).await?;
    if there == here { Ok(()) } else { Err(format!("{query}\n{there:?}\n{here:?}").into()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn tpch_on_one_to_three_workers_has_the_recorded_answers() {
    let all = workers::start(3).unwrap();
    for count in 1..=3 {
        let session = workers::session(&all[..count]).unwrap();
        tpch::register(&session).await.unwrap();
        let mut divided = 0;
        for number in 1..=22 {
            let name = format!("q{number:02}");
            let path = repository().join(format!("sql/tpch/{name}.sql"));
            let query = fs::read_to_string(path).unwrap();
            let plan = explained(&session, &query).await.unwrap();
            assert!(plan.contains("Stage 1"), "{name} on {count}: {plan}");
            divided += usize::from(plan.contains("Stage 2"));
            let got = rows(&session, &query).await;
            let got = got.unwrap_or_else(|error| panic!("{name} on {count}: {error}\n{plan}"));
            let compared = tpch::compare(&got, &tpch::answer(&name).unwrap());
            compared.unwrap_or_else(|error| panic!("{name} on {count}: {error}\n{plan}"));
        }
        assert!(count == 1 || divided >= 20, "{divided} queries in several stages on {count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_source_gives_each_row_once_on_one_to_four_workers() {
    const ROWS: i64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let here = Session::new();
    for part in 0..3 {
        let rows = format!(
            "SELECT id, concat('row ', id) AS text FROM range({ROWS}) WHERE id % 3 = {part}"
        );
        for format in ["parquet", "csv", "json", "avro", "arrow"] {
            let copy = format!("COPY ({rows}) TO '{root}/{format}/{part}.{format}'");
            fs::create_dir_all(folder.path().join(format)).unwrap();
            here.sql(copy).collect().await.unwrap();
        }
        let lines: String =
            (0..ROWS).filter(|id| id % 3 == part).map(|id| format!("row {id}\n")).collect();
        fs::create_dir_all(folder.path().join("text")).unwrap();
        fs::write(folder.path().join(format!("text/{part}.txt")), lines).unwrap();
    }
    let all = workers::start(4).unwrap();
    for count in 1..=4 {
        let session = workers::session(&all[..count]).unwrap();
        for format in ["parquet", "csv", "json", "avro", "arrow"] {
            let query = format!(
                "SELECT count(*), count(DISTINCT text), sum(CAST(id AS BIGINT)) FROM {format}.`{root}/{format}`"
            );
            let plan = explained(&session, &query).await.unwrap();
            assert!(plan.contains("Stage 1"), "{plan}");
            let expected = [ROWS, ROWS, ROWS * (ROWS - 1) / 2].map(|n| n.to_string());
            let got = rows(&session, &query).await.unwrap();
            assert_eq!(got, [expected.to_vec()], "{format} on {count}");
        }
        let query = format!("SELECT count(*), count(DISTINCT value) FROM text.`{root}/text`");
        assert!(explained(&session, &query).await.unwrap().contains("Stage 1"));
        let got = rows(&session, &query).await.unwrap();
        assert_eq!(got, [vec![ROWS.to_string(); 2]], "text on {count}");
        // What is of this process only stays here.
        let query = format!("SELECT count(*), sum(id) FROM range({ROWS})");
        let plan = explained(&session, &query).await.unwrap();
        assert!(plan.contains("Not on the cluster: it reads no files"), "{plan}");
        let expected = [ROWS.to_string(), (ROWS * (ROWS - 1) / 2).to_string()];
        assert_eq!(rows(&session, &query).await.unwrap(), [expected.to_vec()]);
        let parallel = session.context().parallelize(0..ROWS);
        assert_eq!(parallel.count().await.unwrap(), ROWS as usize);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_was_offered_runs_on_workers_and_other_code_stays() {
    let all = workers::start(2).unwrap();
    let session = workers::session(&all).unwrap();
    let lines = data::test_data().unwrap().join("tpch/lineitem.parquet");
    let lines = format!("parquet.`{}`", lines.display());
    session.udf_offered("scaled", &workers::scaled(), 3).unwrap();
    session.udf("here", |number: i64| number * 3).unwrap();
    let sums = |name: &str| format!("SELECT sum({name}(l_orderkey)) FROM {lines}");
    assert!(explained(&session, &sums("scaled")).await.unwrap().contains("Stage 1"));
    let plan = explained(&session, &sums("here")).await.unwrap();
    assert!(
        plan.contains("`here` is of this process only") && plan.contains("offer_udf"),
        "{plan}"
    );
    let there = rows(&session, &sums("scaled")).await.unwrap();
    assert_eq!(there, rows(&session, &sums("here")).await.unwrap());

    // Batches of each partition: the first row of each, of which there are more than one in a task.
    let keys = session.sql(format!("SELECT l_orderkey FROM {lines}"));
    let schema = keys.schema().await.unwrap();
    for (rows, most) in [(1, 1000), (0, 0)] {
        let heads = keys.map_outside(Arc::clone(&schema), Arc::new(workers::Heads(rows)));
        heads.create_or_replace_temp_view("heads").await.unwrap();
        let plan = explained(&session, "SELECT count(*) FROM heads").await.unwrap();
        let stages = plan.split_once("Stage 1").map(|(_, stages)| stages).unwrap_or_default();
        assert!(stages.contains("MapBatchesExec"), "{plan}");
        let counted = heads.count().await.unwrap();
        assert!(counted <= most && (counted > 1) == (rows > 0), "{counted}");
    }
    let local = keys.map_batches(schema, |batches| batches);
    local.create_or_replace_temp_view("local").await.unwrap();
    let plan = explained(&session, "SELECT count(*) FROM local").await.unwrap();
    assert!(
        plan.contains("Not on the cluster: a step of the query is code of this process"),
        "{plan}"
    );
    assert_eq!(local.count().await.unwrap(), keys.count().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_give_the_rows_of_one_machine() {
    let workers = workers::start(3).unwrap();
    let session = workers::session(&workers).unwrap();
    let folder = data::test_data().unwrap();
    let (tpch, words) = (folder.join("tpch"), folder.join("words.txt"));
    let (tpch, words) = (tpch.display(), words.display());
    let lines = format!("parquet.`{tpch}/lineitem.parquet`");
    let queries = [
        format!(
            "SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS word FROM text.`{words}`) \
             WHERE word <> '' GROUP BY word ORDER BY n DESC, word LIMIT 20"
        ),
        format!("SELECT l_orderkey, l_linenumber, l_comment FROM {lines} LIMIT 7"),
        format!("SELECT * FROM {lines} WHERE l_quantity > 49"),
        format!("SELECT upper(l_comment) AS c FROM {lines} ORDER BY c DESC LIMIT 5"),
        format!(
            "SELECT l_returnflag, avg(l_discount), max(l_shipdate), sort_array(collect_set(l_linestatus)) \
             FROM {lines} GROUP BY l_returnflag ORDER BY 1"
        ),
        format!(
            "SELECT l_orderkey, row_number() OVER (PARTITION BY l_suppkey ORDER BY l_orderkey, l_linenumber) AS n \
             FROM {lines} ORDER BY n DESC, l_orderkey LIMIT 10"
        ),
        format!(
            "SELECT count(*) FROM {lines} a LEFT ANTI JOIN parquet.`{tpch}/part.parquet` b \
             ON a.l_partkey = b.p_partkey AND b.p_size > 10"
        ),
        format!(
            "SELECT count(*), sum(s) FROM (SELECT l_suppkey AS s FROM {lines} UNION ALL SELECT p_size FROM parquet.`{tpch}/part.parquet`)"
        ),
        format!(
            "SELECT count(*) FROM {lines} WHERE l_quantity > (SELECT avg(l_quantity) FROM {lines})"
        ),
        format!(
            "SELECT count(*), sum(CASE WHEN l_tax <> 0 AND l_discount / l_tax > 1 THEN 1 ELSE 0 END) FROM {lines}"
        ),
        format!(
            "SELECT l_shipmode, transform(array(l_linenumber), x -> x + 1) AS a, count(*) FROM {lines} GROUP BY 1, 2 ORDER BY 1, 2"
        ),
    ];
    for query in &queries {
        same_as_here(&session, query).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_depends_on_one_process_and_what_is_small_stays_here() {
    let workers = workers::start(2).unwrap();
    let session = workers::session(&workers).unwrap();
    let folder = data::test_data().unwrap();
    let lines = format!("parquet.`{}/tpch/lineitem.parquet`", folder.display());
    let query = format!(
        "SELECT count(DISTINCT id) FROM (SELECT monotonically_increasing_id() AS id FROM {lines})"
    );
    let plan = explained(&session, &query).await.unwrap();
    assert!(plan.contains("Not on the cluster: `monotonically_increasing_id`"), "{plan}");
    let here = rows(&Session::new(), &query).await.unwrap();
    assert_eq!(rows(&session, &query).await.unwrap(), here);
    session.set("vonk.cluster.task.bytes", "1GB").unwrap();
    let plan = explained(&session, &format!("SELECT sum(l_quantity) FROM {lines}")).await.unwrap();
    assert!(plan.contains("less than `vonk.cluster.task.bytes`"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_workers_are_those_of_one_machine() {
    let workers = workers::start(2).unwrap();
    let session = workers::session(&workers).unwrap();
    let folder = data::test_data().unwrap();
    let lines = format!("parquet.`{}/tpch/lineitem.parquet`", folder.display());
    let wrong = format!("SELECT sum(1 / (l_linenumber - 3)) FROM {lines}");
    let there = session.sql(&wrong).collect().await.unwrap_err();
    let here = Session::new().sql(&wrong).collect().await.unwrap_err();
    assert_eq!(there.condition(), Condition::DIVIDE_BY_ZERO);
    assert_eq!(there.to_string(), here.to_string());
    // The session and the workers go on.
    same_as_here(&session, &format!("SELECT sum(l_quantity) FROM {lines}")).await.unwrap();
    // Options of the session hold on the workers.
    session.set("spark.sql.ansi.enabled", "false").unwrap();
    let zone = format!(
        "SELECT max(date_format(CAST(l_shipdate AS TIMESTAMP), 'yyyy-MM-dd HH:mm VV')), \
         count(1 / (l_linenumber - 3)) FROM {lines}"
    );
    session.set("spark.sql.session.timeZone", "Asia/Tokyo").unwrap();
    let here = Session::new();
    here.set("spark.sql.ansi.enabled", "false").unwrap();
    here.set("spark.sql.session.timeZone", "Asia/Tokyo").unwrap();
    assert_eq!(rows(&session, &zone).await.unwrap(), rows(&here, &zone).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_times_of_stages_are_shown() {
    let workers = workers::start(2).unwrap();
    let session = workers::session(&workers).unwrap();
    let folder = data::test_data().unwrap();
    let query = format!(
        "EXPLAIN ANALYZE SELECT l_suppkey, count(*) FROM parquet.`{}/tpch/lineitem.parquet` GROUP BY 1",
        folder.display()
    );
    let text = rows(&session, &query).await.unwrap();
    let text = text.into_iter().flatten().collect::<Vec<_>>().join("\n");
    assert!(text.contains("100 rows") && text.contains("Stage 1"), "{text}");
    assert!(text.contains("elapsed_compute"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_secret_does_not_get_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "a secret of many letters\n").unwrap();
    let path = path.to_str().unwrap();
    let secret = [("VONK_TEST_SECRET", path)];
    let start = || workers::Worker::start_at("127.0.0.1:0", &secret);
    let workers = [start().unwrap(), start().unwrap()];
    let query = format!(
        "SELECT sum(l_quantity) FROM parquet.`{}/tpch/lineitem.parquet`",
        data::test_data().unwrap().display()
    );
    let error = workers::session(&workers).unwrap().sql(&query).collect().await.unwrap_err();
    assert_eq!(error.condition(), Condition::CLUSTER_UNREACHABLE);
    assert!(error.to_string().contains("refuses this process"), "{error}");
    let builder = workers::builder(&workers).config("vonk.cluster.secret.file", path);
    same_as_here(&builder.get_or_create().unwrap(), &query).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_speak_tls_with_who_trusts_their_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (certificate, secret) = (folder.path().join("certificate"), folder.path().join("secret"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(folder.path().join("key"), made.signing_key.serialize_pem()).unwrap();
    fs::write(&secret, "a secret of many letters\n").unwrap();
    let (certificate, secret) = (certificate.to_str().unwrap(), secret.to_str().unwrap());
    let guards = [("VONK_TEST_TLS", folder.path().to_str().unwrap()), ("VONK_TEST_SECRET", secret)];
    let start = || workers::Worker::start_at("127.0.0.1:0", &guards);
    let workers = [start().unwrap(), start().unwrap()];
    let query = format!(
        "SELECT l_suppkey, sum(l_quantity) FROM parquet.`{}/tpch/lineitem.parquet` GROUP BY 1 ORDER BY 1",
        data::test_data().unwrap().display()
    );
    let builder = || workers::builder(&workers).config("vonk.cluster.secret.file", secret);
    let trusting = builder().config("vonk.cluster.tls.ca", certificate).get_or_create().unwrap();
    same_as_here(&trusting, &query).await.unwrap();
    let stranger = builder().get_or_create().unwrap();
    let error = stranger.sql(&query).collect().await.unwrap_err();
    assert_eq!(error.condition(), Condition::CLUSTER_UNREACHABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_queries_at_once_wait_for_their_turn() {
    let workers = workers::start(2).unwrap();
    let session = workers::session(&workers).unwrap();
    let query = format!(
        "SELECT l_suppkey, count(*) FROM parquet.`{}/tpch/lineitem.parquet` GROUP BY 1 ORDER BY 1",
        data::test_data().unwrap().display()
    );
    let expected = rows(&Session::new(), &query).await.unwrap();
    let all = (0..20).map(|_| {
        let (session, query) = (session.clone(), query.clone());
        tokio::spawn(async move { session.sql(query).collect().await })
    });
    let all: Vec<_> = all.collect();
    for running in all {
        let batches = within(120, running).await.unwrap().unwrap();
        assert_eq!(render::rows(&batches).unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_of_the_rows_of_workers_is_whole() {
    let workers = workers::start(2).unwrap();
    let session = workers::session(&workers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lines = data::test_data().unwrap().join("tpch/lineitem.parquet");
    let (lines, target) = (lines.display(), folder.path().join("out"));
    let copy = format!(
        "COPY (SELECT l_suppkey, count(*) AS n FROM parquet.`{lines}` GROUP BY 1) TO '{}' (FORMAT parquet)",
        target.display()
    );
    session.sql(copy).collect().await.unwrap();
    let written = format!("SELECT count(*), sum(n) FROM parquet.`{}`", target.display());
    let expected = format!("SELECT count(DISTINCT l_suppkey), count(*) FROM parquet.`{lines}`");
    let here = Session::new();
    assert_eq!(rows(&here, &written).await.unwrap(), rows(&here, &expected).await.unwrap());
}

/// Ends the test instead of waiting for ever.
async fn within<T>(seconds: u64, work: impl Future<Output = T>) -> T {
    let work = tokio::time::timeout(Duration::from_secs(seconds), work);
    work.await.expect("it takes too long")
}
