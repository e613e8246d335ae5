//! The RDD API name by name, on data small enough to know the answers by hand, and its limits.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vonk::prelude::*;
use vonk::{Condition, StorageLevel};

fn context() -> SparkContext {
    Session::builder().master("local[2]").get_or_create().unwrap().context()
}

/// A context with so little memory that what a test makes does not fit.
fn tight() -> SparkContext {
    let session = Session::builder().master("local[2]").config("vonk.memory.limit", "2MB");
    session.get_or_create().unwrap().context()
}

async fn sorted<T: Ord + Send + 'static>(rdd: Rdd<T>) -> Vec<T> {
    let mut elements = rdd.collect().await.unwrap();
    elements.sort();
    elements
}

#[tokio::test]
async fn map_flat_map_and_filter() {
    let numbers = context().parallelize([1, 2, 3]);
    assert_eq!(numbers.map(|n| n * 2).collect().await.unwrap(), [2, 4, 6]);
    assert_eq!(numbers.flat_map(|n| 0..n).collect().await.unwrap(), [0, 0, 1, 0, 1, 2]);
    assert_eq!(numbers.filter(|n| n % 2 == 1).collect().await.unwrap(), [1, 3]);
}

#[tokio::test]
async fn whole_partitions() {
    let numbers = context().parallelize_in([1, 2, 3, 4], 2);
    let sums = numbers.map_partitions(|rows| [rows.sum::<i32>()]);
    assert_eq!(sums.collect().await.unwrap(), [3, 7]);
    let indexed = numbers.map_partitions_with_index(|part, rows| [(part, rows.count())]);
    assert_eq!(indexed.collect().await.unwrap(), [(0, 2), (1, 2)]);
    assert_eq!(numbers.glom().collect().await.unwrap(), [[1, 2], [3, 4]]);
    assert_eq!(numbers.num_partitions().await.unwrap(), 2);
}

#[tokio::test]
async fn narrow_steps_run_in_one_pass() {
    let order = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let (first, second) = (Arc::clone(&order), Arc::clone(&order));
    let steps = context().parallelize_in([1, 2], 1).map(move |n| {
        first.lock().push(format!("map {n}"));
        n
    });
    let steps = steps.filter(move |n| {
        second.lock().push(format!("filter {n}"));
        true
    });
    assert_eq!(steps.count().await.unwrap(), 2);
    assert_eq!(*order.lock(), ["map 1", "filter 1", "map 2", "filter 2"]);
}

#[tokio::test]
async fn unions_and_sets() {
    let context = context();
    let (a, b) = (context.parallelize([1, 1, 2]), context.parallelize([1, 3]));
    assert_eq!(a.union(&b).collect().await.unwrap(), [1, 1, 2, 1, 3]);
    assert_eq!(sorted(a.distinct()).await, [1, 2]);
    assert_eq!(sorted(a.intersection(&b)).await, [1]);
    assert_eq!(sorted(a.subtract(&b)).await, [2]);
    assert_eq!(a.cartesian(&b).count().await.unwrap(), 6);
}

#[tokio::test]
async fn zips_and_numbers() {
    let letters = context().parallelize_in(['a', 'b', 'c'], 2);
    let indexed = letters.zip_with_index();
    assert_eq!(indexed.collect().await.unwrap(), [('a', 0), ('b', 1), ('c', 2)]);
    let upper = letters.map(|letter| letter.to_ascii_uppercase());
    assert_eq!(letters.zip(&upper).collect().await.unwrap()[2], ('c', 'C'));
}

#[tokio::test]
async fn samples() {
    let numbers = context().range(0, 1000);
    let half = numbers.sample(false, 0.5, 7).count().await.unwrap();
    assert!((400..600).contains(&half), "{half}");
    assert_eq!(numbers.take_sample(false, 10, 7).await.unwrap().len(), 10);
    let parts = numbers.random_split(&[1.0, 3.0], 7);
    let sizes = [parts[0].count().await.unwrap(), parts[1].count().await.unwrap()];
    assert_eq!(sizes[0] + sizes[1], 1000);
    assert!((180..320).contains(&sizes[0]), "{sizes:?}");
}

#[tokio::test]
async fn keys_and_groups() {
    let words = context().parallelize(["pear", "fig", "plum"].map(str::to_owned));
    let by_length = words.key_by(|word| word.len());
    assert_eq!(sorted(by_length.keys()).await, [3, 4, 4]);
    let groups = sorted(words.group_by(|word| word.len())).await;
    let expected = [(3, vec!["fig".to_owned()]), (4, vec!["pear".to_owned(), "plum".to_owned()])];
    assert_eq!(groups, expected);
    assert_eq!(by_length.lookup(3).await.unwrap(), ["fig"]);
    assert_eq!(by_length.count_by_key().await.unwrap()[&4], 2);
}

#[tokio::test]
async fn sorts() {
    let words = context().parallelize(["pear", "fig", "apple"].map(str::to_owned));
    let by_length = words.sort_by(|word| word.len(), true);
    assert_eq!(by_length.collect().await.unwrap(), ["fig", "pear", "apple"]);
    let pairs = context().parallelize([(2, 'b'), (3, 'c'), (1, 'a')]).sort_by_key(false);
    assert_eq!(pairs.collect().await.unwrap(), [(3, 'c'), (2, 'b'), (1, 'a')]);
}

#[tokio::test]
async fn partitions_change() {
    let numbers = context().parallelize_in(0..10, 5);
    assert_eq!(numbers.coalesce(2).num_partitions().await.unwrap(), 2);
    let spread = numbers.repartition(3);
    assert_eq!(spread.num_partitions().await.unwrap(), 3);
    assert_eq!(sorted(spread).await, (0..10).collect::<Vec<_>>());
    let by_key = numbers.map(|n| (n % 2, n)).partition_by(4);
    assert_eq!(by_key.num_partitions().await.unwrap(), 4);
    let keys = by_key.keys().glom().collect().await.unwrap();
    assert_eq!(keys.iter().filter(|part| part.contains(&0)).count(), 1);
}

#[tokio::test]
async fn a_program_sees_the_lines() {
    let shouted = context().parallelize_in(["b", "a"], 1).pipe("sort");
    assert_eq!(shouted.collect().await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn values_are_combined_by_key() {
    let pairs = context().parallelize([('a', 1), ('b', 2), ('a', 3)]);
    let expected = [('a', 4), ('b', 2)];
    assert_eq!(sorted(pairs.reduce_by_key(|a, b| a + b)).await, expected);
    assert_eq!(sorted(pairs.fold_by_key(0, |a, b| a + b)).await, expected);
    assert_eq!(sorted(pairs.aggregate_by_key(0, |a, b| a + b, |a, b| a + b)).await, expected);
    let means =
        pairs.combine_by_key(|v| (v, 1), |c, v| (c.0 + v, c.1 + 1), |c, d| (c.0 + d.0, c.1 + d.1));
    assert_eq!(sorted(means.map_values(|(sum, n)| sum / n)).await, [('a', 2), ('b', 2)]);
    assert_eq!(sorted(pairs.group_by_key()).await, [('a', vec![1, 3]), ('b', vec![2])]);
    assert_eq!(sorted(pairs.values()).await, [1, 2, 3]);
    let repeated = pairs.flat_map_values(|n| 0..n);
    assert_eq!(repeated.count().await.unwrap(), 6);
    assert_eq!(pairs.reduce_by_key_locally(|a, b| a + b).await.unwrap()[&'a'], 4);
}

#[tokio::test]
async fn joins_and_cogroup() {
    let context = context();
    let left = context.parallelize([(1, 'a'), (2, 'b')]);
    let right = context.parallelize([(2, 20), (3, 30)]);
    assert_eq!(sorted(left.join(&right)).await, [(2, ('b', 20))]);
    let outer = sorted(left.left_outer_join(&right)).await;
    assert_eq!(outer, [(1, ('a', None)), (2, ('b', Some(20)))]);
    let outer = sorted(left.right_outer_join(&right)).await;
    assert_eq!(outer, [(2, (Some('b'), 20)), (3, (None, 30))]);
    assert_eq!(left.full_outer_join(&right).count().await.unwrap(), 3);
    let groups = sorted(left.cogroup(&right)).await;
    let expected = [(1, (vec!['a'], vec![])), (2, (vec!['b'], vec![20])), (3, (vec![], vec![30]))];
    assert_eq!(groups, expected);
    assert_eq!(sorted(left.subtract_by_key(&right)).await, [(1, 'a')]);
}

#[tokio::test]
async fn actions_give_one_answer() {
    let numbers = context().parallelize_in([4, 1, 3, 2], 2);
    assert_eq!(numbers.count().await.unwrap(), 4);
    assert_eq!(numbers.first().await.unwrap(), 4);
    assert_eq!(numbers.take(2).await.unwrap(), [4, 1]);
    assert_eq!(numbers.top(2).await.unwrap(), [4, 3]);
    assert_eq!(numbers.take_ordered(2).await.unwrap(), [1, 2]);
    assert_eq!(numbers.reduce(|a, b| a + b).await.unwrap(), Some(10));
    assert_eq!(numbers.fold(0, |a, b| a + b).await.unwrap(), 10);
    assert_eq!(numbers.aggregate(0, |n, _| n + 1, |a, b| a + b).await.unwrap(), 4);
    assert_eq!((numbers.min().await.unwrap(), numbers.max().await.unwrap()), (Some(1), Some(4)));
    assert_eq!(numbers.sum().await.unwrap(), 10);
    assert_eq!(context().parallelize([7, 7]).count_by_value().await.unwrap()[&7], 2);
    assert!(context().empty_rdd::<i32>().is_empty().await.unwrap());
}

#[tokio::test]
async fn figures() {
    let stats = context().parallelize([1.0, 2.0, 3.0]).stats().await.unwrap();
    let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
    assert_eq!(stats.count(), 3);
    assert!(close(stats.mean(), 2.0) && close(stats.sum(), 6.0));
    // Squares of -1, 0, 1: 2 in all, over 3 of a population and over 2 of a sample.
    assert!(close(stats.variance(), 2.0 / 3.0) && close(stats.sample_variance(), 1.0));
    assert!(close(stats.min(), 1.0) && close(stats.max(), 3.0));
}

#[tokio::test]
async fn effects_broadcasts_and_accumulators() {
    let context = context();
    let (sum, names) = (context.long_accumulator(), context.broadcast(["zero", "one"]));
    let adder = sum.clone();
    let numbers = context.parallelize_in([0_i64, 1, 1], 2);
    numbers.foreach(move |n| adder.add(n)).await.unwrap();
    assert_eq!(sum.value(), 2);
    let named = numbers.map(move |n| names.value()[usize::try_from(n).unwrap()]);
    assert_eq!(named.collect().await.unwrap(), ["zero", "one", "one"]);
    let parts = context.long_accumulator();
    let counter = parts.clone();
    numbers.for_each_partition(move |_| counter.add(1)).await.unwrap();
    assert_eq!(parts.value(), 2);
}

#[tokio::test]
async fn text_files_and_saving() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out").display().to_string();
    context().parallelize_in(["a", "b"], 2).save_as_text_file(&path).await.unwrap();
    assert_eq!(context().text_file(path.as_str()).collect().await.unwrap(), ["a", "b"]);
    assert!(context().parallelize(["c"]).save_as_text_file(&path).await.is_err());
    let marked = folder.path().join("marked.txt").display().to_string();
    fs::write(&marked, "\u{feff}a\n\u{feff}b\n").unwrap();
    let lines = context().text_file(marked.as_str()).collect().await.unwrap();
    assert_eq!(lines, ["a", "\u{feff}b"]);
}

#[tokio::test]
async fn compressed_lines_and_whole_files() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::new();
    let lines = session.sql("SELECT * FROM VALUES ('one'), ('two') AS t(value)").coalesce(1);
    for codec in ["gzip", "bzip2", "xz", "zstd", "lz4", "snappy"] {
        let path = folder.path().join(codec).display().to_string();
        lines.write().option("compression", codec).text(&path).await.unwrap();
        let context = session.context();
        let read = context.text_file(path.as_str()).collect().await.unwrap();
        assert_eq!(read, ["one", "two"], "{codec}");
        let whole = context.whole_text_files(path.as_str()).values().collect().await.unwrap();
        assert_eq!(whole, ["one\ntwo\n"], "{codec}");
    }
}

#[tokio::test]
async fn whole_files_are_pairs_of_path_and_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    fs::write(folder.path().join("a.txt"), "ä\r\n").unwrap();
    fs::write(folder.path().join("b.txt"), "").unwrap();
    let files = context().whole_text_files(path.as_str()).collect().await.unwrap();
    assert!(files[0].0.ends_with("a.txt") && files[1].0.ends_with("b.txt"));
    assert_eq!((files[0].1.as_str(), files[1].1.as_str()), ("ä\r\n", ""));
    fs::write(folder.path().join("c.bin"), [b'o', b'k', 0xff]).unwrap();
    let bytes = context().binary_files(format!("{path}/*.bin")).values().collect().await.unwrap();
    assert_eq!(bytes, [[b'o', b'k', 0xff]]);
    let error = context().whole_text_files(path).count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::MALFORMED_RECORD);
    let text = error.to_string();
    assert!(text.contains("c.bin") && text.contains("offset 2"), "{text}");
}

#[tokio::test]
async fn rows_of_a_query() {
    let session = Session::new();
    let data = session.sql("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(n, s)");
    let names = data.rdd().map(|row| row.get::<String>("s").unwrap());
    assert_eq!(sorted(names).await, ["a", "b"]);
    assert_eq!(sorted(data.rdd_of::<(i64, String)>().keys()).await, [1, 2]);
    // Rows may cross a shuffle.
    let grouped = data.rdd().group_by(|row| row.get::<i64>("n").unwrap() % 2);
    let mut texts: Vec<String> =
        grouped.collect().await.unwrap().iter().map(|(k, rows)| format!("{k} {rows:?}")).collect();
    texts.sort();
    assert_eq!(texts, ["0 [Row(n=2, s='b')]", "1 [Row(n=1, s='a')]"]);
    let error = data.rdd_of::<(i64, i64)>().collect().await.unwrap_err();
    assert!(error.to_string().contains("column `s`"), "{error}");
}

#[tokio::test]
async fn elements_become_queries() {
    let context = context();
    let pairs = context.parallelize_in([(1_i64, Some("a".to_owned())), (2, None)], 2);
    let data = pairs.to_df(["n", "s"]);
    assert_eq!(data.columns().await.unwrap(), ["n", "s"]);
    assert_eq!(data.filter("s IS NULL").select(["n"]).rows::<i64>().await.unwrap(), [2]);
    let tuple = pairs.to_df::<&str>([]);
    assert_eq!(tuple.columns().await.unwrap(), ["_1", "_2"]);
    assert_eq!(tuple.rdd_of::<(i64, Option<String>)>().count().await.unwrap(), 2);
    let error = pairs.to_df(["one"]).collect().await.unwrap_err();
    assert_eq!(error.condition(), Condition::INVALID_PARAMETER);
    let error = context.range(0, 2).to_df(["n"]).collect().await.unwrap_err();
    assert_eq!(error.condition(), Condition::UNABLE_TO_INFER_SCHEMA);
    assert!(error.hint_text().unwrap_or_default().contains("tuple"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_over_elements_is_lazy_and_passes_failures_on() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let numbers = context().range_in(0, 1_000_000, 1, 50).map(move |n| {
        counter.fetch_add(1, Ordering::Relaxed);
        (n,)
    });
    let data = numbers.to_df(["n"]);
    data.check().await.unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 0);
    assert_eq!(data.limit(3).rows::<i64>().await.unwrap().len(), 3);
    assert!(seen.load(Ordering::Relaxed) < 500_000);
    assert_eq!(
        data.agg([vonk::functions::sum("n")]).rows::<i64>().await.unwrap(),
        [499_999_500_000]
    );
    let failing = context().range(0, 10).map(|n| (10 / (n - 5),)).to_df(["q"]);
    let error = failing.count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::USER_CODE_FAILED);
}

#[tokio::test(flavor = "multi_thread")]
async fn shuffled_elements_become_queries() {
    let counts = context().range(0, 1000).map(|n| (n % 10, 1_i64)).reduce_by_key(|a, b| a + b);
    let data = counts.to_df(["k", "n"]).order_by(["k"]);
    let expected: Vec<(i64, i64)> = (0..10).map(|k| (k, 100)).collect();
    assert_eq!(data.rows::<(i64, i64)>().await.unwrap(), expected);
    assert_eq!(data.rows::<(i64, i64)>().await.unwrap(), expected);
}

/// 300,000 pairs of about 50 bytes each are more than seven times the limit.
const PAIRS: i64 = 300_000;

fn many(context: &SparkContext) -> Rdd<(i64, String)> {
    context.range_in(0, PAIRS, 1, 8).map(|n| (n * 7919 % PAIRS, format!("value number {n:020}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn reduce_by_key_spills_past_the_memory_limit() {
    let reduced = many(&tight()).reduce_by_key(|a, _| a);
    assert_eq!(reduced.count().await.unwrap(), 300_000);
    let keys = reduced.keys().reduce(|a, b| a + b).await.unwrap();
    assert_eq!(keys, Some(PAIRS * (PAIRS - 1) / 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn sort_by_key_spills_past_the_memory_limit() {
    let keys = many(&tight()).sort_by_key(true).keys().collect().await.unwrap();
    assert_eq!(keys, (0..PAIRS).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn group_by_key_spills_past_the_memory_limit() {
    let groups = many(&tight()).map(|(k, v)| (k / 100, v)).group_by_key();
    let sizes = groups.map_values(|values| values.len()).values().distinct();
    assert_eq!(sizes.collect().await.unwrap(), [100]);
    assert_eq!(groups.count().await.unwrap(), 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_past_the_memory_limit_gives_the_same_elements() {
    for level in [StorageLevel::MemoryOnly, StorageLevel::MemoryAndDisk, StorageLevel::DiskOnly] {
        let kept = many(&tight()).persist(level);
        for _ in 0..2 {
            let sum = kept.keys().reduce(|a, b| a + b).await.unwrap();
            assert_eq!(sum, Some(PAIRS * (PAIRS - 1) / 2), "{level:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_is_dropped_ends() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let endless = context().range(0, i64::MAX).map(move |n| {
        counter.fetch_add(1, Ordering::Relaxed);
        (n,)
    });
    let started = Instant::now();
    let short = Duration::from_millis(200);
    assert!(tokio::time::timeout(short, endless.count()).await.is_err());
    let query = endless.filter(|(n,)| *n < 0).to_df(["n"]);
    assert!(tokio::time::timeout(short, query.collect()).await.is_err());
    assert!(started.elapsed() < Duration::from_secs(2));
    tokio::time::sleep(short).await;
    let before = seen.load(Ordering::Relaxed);
    tokio::time::sleep(short).await;
    assert_eq!(seen.load(Ordering::Relaxed), before, "a task runs on");
}
