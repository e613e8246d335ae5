//! What RDDs must give, by hand-made answers, under one thread and many, with memory and without.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::error::Condition;
use crate::session::Session;

use super::SparkContext;

const THREADS: [usize; 3] = [1, 2, 8];

fn context(threads: usize) -> SparkContext {
    Session::builder().master(format!("local[{threads}]")).get_or_create().unwrap().context()
}

fn tight(threads: usize) -> SparkContext {
    let builder = Session::builder().master(format!("local[{threads}]"));
    builder.config("vonk.memory.limit", "1MB").get_or_create().unwrap().context()
}

fn spilled_files(context: &SparkContext) -> usize {
    context.session().runtime().disk_manager.spilling_progress().active_files_count
}

#[tokio::test]
async fn slices_are_spark_s() {
    let numbers = context(2).parallelize_in(0..10, 4);
    let slices = numbers.glom().collect().await.unwrap();
    assert_eq!(slices, [vec![0, 1], vec![2, 3, 4], vec![5, 6], vec![7, 8, 9]]);
    assert_eq!(context(3).range(0, 9).num_partitions().await.unwrap(), 3);
    let down = context(2).range_in(5, -5, -3, 2);
    assert_eq!(down.collect().await.unwrap(), [5, 2, -1, -4]);
    assert_eq!(context(2).range_in(0, 10, 0, 2).count().await.unwrap(), 0);
}

#[tokio::test]
async fn nothing_runs_before_an_action_and_take_runs_no_more_than_needed() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let numbers = context(2).range_in(0, 1000, 1, 10).map(move |n| {
        counter.fetch_add(1, Ordering::Relaxed);
        n
    });
    assert_eq!(seen.load(Ordering::Relaxed), 0);
    assert_eq!(numbers.take(5).await.unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(seen.load(Ordering::Relaxed), 5);
    assert_eq!(numbers.take(101).await.unwrap().last(), Some(&100));
}

#[tokio::test]
async fn counting_words_is_the_same_under_any_threads_and_memory() {
    // Word `w` of 5000 comes 1 + w % 7 times.
    let text: Vec<String> = (0..7)
        .flat_map(|round| (0..5000).filter(move |w| w % 7 >= round))
        .map(|w| format!("word-{w:08}"))
        .collect();
    for context in THREADS.map(context).into_iter().chain(THREADS.map(tight)) {
        let words = context.parallelize_in(text.clone(), 6);
        let counts = words.map(|word| (word, 1)).reduce_by_key(|a, b| a + b);
        let mut counts = counts.collect().await.unwrap();
        counts.sort();
        let expected: Vec<_> = (0..5000).map(|w| (format!("word-{w:08}"), 1 + w % 7)).collect();
        assert_eq!(counts, expected);
        assert_eq!(spilled_files(&context), 0, "spill files are gone after the action");
    }
}

#[tokio::test]
async fn combining_keeps_the_order_of_partitions_also_when_spilled() {
    for context in [context(8), tight(8), tight(1)] {
        let pairs = context.range_in(0, 60_000, 1, 5).map(|n| (n % 30_000, format!("{n:06}")));
        let joined = pairs.reduce_by_key(|a, b| a + "," + &b).collect().await.unwrap();
        assert_eq!(joined.len(), 30_000);
        for (key, text) in joined {
            assert_eq!(text, format!("{key:06},{:06}", key + 30_000));
        }
    }
}

#[tokio::test]
async fn a_panic_of_a_closure_is_an_error_of_the_first_such_partition() {
    for threads in THREADS {
        let numbers = context(threads).range_in(0, 100, 1, 10).map(|n| {
            assert!(n < 35, "{n} is too much");
            n
        });
        let error = numbers.count().await.unwrap_err();
        assert_eq!(error.condition(), Condition::USER_CODE_FAILED);
        assert!(error.message().contains("partition 3: 35 is too much"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_future_stops_the_tasks() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let endless = context(2).parallelize_in([0, 1], 2).flat_map(|_| 0u64..).map(move |n| {
        counter.fetch_add(1, Ordering::Relaxed);
        n
    });
    let action = endless.count();
    assert!(tokio::time::timeout(Duration::from_millis(100), action).await.is_err());
    let dropped = Instant::now();
    let mut last = usize::MAX;
    while last != seen.load(Ordering::Relaxed) {
        last = seen.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(dropped.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn lines_of_a_file_are_the_same_in_any_split() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let lines: Vec<String> = (0..300_000).map(|n| format!("line {n}")).collect();
    file.write_all(lines.join("\r\n").as_bytes()).unwrap();
    let path = file.path().to_str().unwrap();
    for (threads, min_partitions) in [(1, 1), (2, 2), (8, 7)] {
        let text = context(threads).text_file_in(path, min_partitions);
        assert!(text.num_partitions().await.unwrap() >= min_partitions);
        assert!(text.collect().await.unwrap() == lines);
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_an_error_with_file_and_place() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"fine\nnot \xff fine\n").unwrap();
    let path = file.path().to_str().unwrap();
    let error = context(1).text_file(path).count().await.unwrap_err();
    assert_eq!(error.file_path(), Some(file.path()));
    assert!(error.message().contains("offset 9"), "{error}");
    let error = context(1).text_file("/no/such/file").count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::PATH_NOT_FOUND);
}

#[tokio::test]
async fn actions_combine_partitions_in_order() {
    let letters = context(2).parallelize_in(["a", "b", "c", "d"].map(str::to_owned), 3);
    assert_eq!(letters.reduce(|a, b| a + &b).await.unwrap().unwrap(), "abcd");
    assert_eq!(letters.fold("-".to_owned(), |a, b| a + &b).await.unwrap(), "--a-b-cd");
    assert_eq!(letters.first().await.unwrap(), "a");
    let nothing = letters.filter(|letter| letter == "z");
    assert!(nothing.is_empty().await.unwrap());
    assert!(nothing.first().await.is_err());
    assert_eq!(nothing.reduce(|a, b| a + &b).await.unwrap(), None);
}
