//! Small queries that each stress one part: the scan of text, counting words, and a shuffle.
//!
//! `cargo bench -p vonk-benches` measures them; the tests run each of them once.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run has to say so")]

use criterion::{Criterion, Throughput};
use tokio::runtime::Runtime;
use vonk::Session;
use vonk_tests::data;

/// Name, and the query over the text `TEXT`.
const TEXT_QUERIES: &[(&str, &str)] = &[
    ("scan", "SELECT count(*), max(length(value)) FROM text.`TEXT`"),
    (
        "word_count",
        "SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS word FROM text.`TEXT`) \
         GROUP BY word",
    ),
];

/// A group per row, so that nothing is combined before the rows change threads.
const SHUFFLE: &str = "SELECT count(*) FROM (SELECT l_orderkey, l_linenumber, sum(l_quantity) AS q \
                       FROM parquet.`LINEITEM` GROUP BY l_orderkey, l_linenumber)";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    text(&mut criterion);
    shuffle(&mut criterion);
    criterion.final_summary();
}

fn text(criterion: &mut Criterion) {
    let path = data::test_data().expect("test data").join("words.txt");
    let bytes = path.metadata().expect("words.txt").len();
    let mut group = criterion.benchmark_group("text");
    group.throughput(Throughput::Bytes(bytes));
    for (name, query) in TEXT_QUERIES {
        let query = query.replace("TEXT", &path.display().to_string());
        bench_query(&mut group, name, &query);
    }
    group.finish();
}

fn shuffle(criterion: &mut Criterion) {
    let path = data::test_data().expect("test data").join("tpch/lineitem.parquet");
    let query = SHUFFLE.replace("LINEITEM", &path.display().to_string());
    let mut group = criterion.benchmark_group("shuffle");
    bench_query(&mut group, "one_group_per_row", &query);
    group.finish();
}

fn bench_query(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    query: &str,
) {
    let runtime = Runtime::new().expect("a runtime");
    let session = Session::new();
    group.bench_function(name, |bencher| {
        bencher.iter(|| runtime.block_on(session.sql(query).collect()).expect("rows"));
    });
}
