//! What RDDs must give, by hand-made answers, under one thread and many, with memory and without.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::error::Condition;
use crate::session::Session;

use super::{SparkContext, StorageLevel};

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

#[tokio::test]
async fn sorting_is_stable_and_ascends_across_partitions_also_when_spilled() {
    // The multiples of 7919 run through all remainders of 50021, which is prime.
    let scattered = |n: i64| n * 7919 % 50_021;
    for context in [context(1), context(8), tight(8)] {
        let numbers = context.range_in(0, 50_021, 1, 7).map(scattered);
        let sorted = numbers.sort_by(|n| *n, true);
        assert_eq!(sorted.num_partitions().await.unwrap(), 7);
        assert!(sorted.collect().await.unwrap().into_iter().eq(0..50_021));
        let falling = numbers.sort_by(|n| *n, false).collect().await.unwrap();
        assert!(falling.into_iter().eq((0..50_021).rev()));
        let by_tail = numbers.sort_by(|n| n % 3, true).collect().await.unwrap();
        let order =
            (0..3).flat_map(|tail| (0..50_021).map(scattered).filter(move |n| n % 3 == tail));
        assert!(by_tail.into_iter().eq(order));
        let sizes = sorted.map_partitions(|rows| [rows.count()]).collect().await.unwrap();
        assert!(sizes.iter().all(|size| (3000..12_000).contains(size)), "{sizes:?}");
    }
}

#[tokio::test]
async fn grouping_keeps_values_in_order_also_when_spilled() {
    for context in [context(2), tight(8)] {
        let pairs = context.range_in(0, 40_000, 1, 5).map(|n| (n % 100, n));
        let groups = pairs.group_by_key().collect().await.unwrap();
        assert_eq!(groups.len(), 100);
        for (key, values) in groups {
            assert!(values.into_iter().eq((key..40_000).step_by(100)), "key {key}");
        }
    }
}

#[tokio::test]
async fn joins_pair_what_has_the_same_key() {
    for context in [context(1), tight(8)] {
        let left = context.parallelize([(1, 'a'), (2, 'b'), (2, 'c')]);
        let right = context.parallelize([(2, 10), (2, 20), (3, 30)]);
        let mut inner = left.join(&right).collect().await.unwrap();
        inner.sort();
        assert_eq!(inner, [(2, ('b', 10)), (2, ('b', 20)), (2, ('c', 10)), (2, ('c', 20))]);
        let mut all = left.full_outer_join(&right).collect().await.unwrap();
        all.sort();
        assert_eq!(all.first(), Some(&(1, (Some('a'), None))));
        assert_eq!(all.last(), Some(&(3, (None, Some(30)))));
        assert_eq!(all.len(), 6);
        assert_eq!(left.left_outer_join(&right).count().await.unwrap(), 5);
        assert_eq!(left.right_outer_join(&right).count().await.unwrap(), 5);
        assert_eq!(left.subtract_by_key(&right).collect().await.unwrap(), [(1, 'a')]);
    }
}

#[tokio::test]
async fn pairs_that_lie_by_key_are_read_again_without_loss() {
    let context = context(2);
    let placed = context.range(0, 100).map(|n| (n % 10, n)).partition_by(4);
    let sums = placed.reduce_by_key(|a, b| a + b);
    assert_eq!(sums.num_partitions().await.unwrap(), 4);
    // Both sides read the same exchange, and neither needs another.
    let joined = sums.join(&sums).join(&placed.map_values(|_| 1)).collect().await.unwrap();
    assert_eq!(joined.len(), 100);
    assert!(joined.iter().all(|(key, ((a, b), _))| *a == 450 + key * 10 && a == b));
    let doubled = sums.union(&sums).map(|(_, sum)| sum).sum().await.unwrap();
    assert_eq!(doubled, 2 * 4950);
    assert_eq!(placed.lookup(7).await.unwrap(), (7..100).step_by(10).collect::<Vec<_>>());
}

#[tokio::test]
async fn sets_count_elements_as_spark_does() {
    let context = context(2);
    let left = context.parallelize([1, 2, 2, 3, 3]);
    let right = context.parallelize([3, 4, 3]);
    let sorted = async |rdd: crate::rdd::Rdd<i32>| {
        let mut all = rdd.collect().await.unwrap();
        all.sort();
        all
    };
    assert_eq!(sorted(left.distinct()).await, [1, 2, 3]);
    assert_eq!(sorted(left.intersection(&right)).await, [3]);
    assert_eq!(sorted(left.subtract(&right)).await, [1, 2, 2]);
    assert_eq!(sorted(left.union(&right).repartition(5)).await, [1, 2, 2, 3, 3, 3, 3, 4]);
    assert_eq!(left.cartesian(&right).count().await.unwrap(), 15);
}

#[tokio::test]
async fn numbering_follows_partitions() {
    let letters = context(2).parallelize_in(["a", "b", "c", "d", "e"], 2);
    let ids = letters.zip_with_unique_id().collect().await.unwrap();
    assert_eq!(ids, [("a", 0), ("b", 2), ("c", 1), ("d", 3), ("e", 5)]);
    let places = letters.zip_with_index().values().collect().await.unwrap();
    assert_eq!(places, [0, 1, 2, 3, 4]);
    let error = letters.zip(&letters.filter(|l| *l != "d")).count().await.unwrap_err();
    assert!(error.message().contains("partition 1"), "{error}");
}

#[tokio::test]
async fn cached_partitions_are_computed_once() {
    for level in [StorageLevel::MemoryOnly, StorageLevel::MemoryAndDisk, StorageLevel::DiskOnly] {
        let context = context(2);
        let made = context.long_accumulator();
        let counter = made.clone();
        let squares = context.range_in(0, 1000, 1, 4).map(move |n| {
            counter.add(1);
            n * n
        });
        let squares = squares.persist(level);
        for _ in 0..3 {
            assert_eq!(squares.sum().await.unwrap(), 332_833_500);
        }
        assert_eq!(made.value(), 1000);
        squares.unpersist();
        assert_eq!(squares.count().await.unwrap(), 1000);
        assert_eq!(made.value(), 2000);
        assert_eq!(context.session().runtime().memory_pool.reserved(), 0);
        assert_eq!(spilled_files(&context), 0);
    }
}

#[tokio::test]
async fn what_a_cache_cannot_hold_is_computed_again_or_on_disk() {
    for level in [StorageLevel::MemoryOnly, StorageLevel::MemoryAndDisk] {
        let words = tight(2).range_in(0, 60_000, 1, 3).map(|n| format!("word {n}")).persist(level);
        for _ in 0..2 {
            let all = words.collect().await.unwrap();
            assert!(all.into_iter().eq((0..60_000).map(|n| format!("word {n}"))));
        }
    }
}

#[tokio::test]
async fn a_failed_action_adds_nothing_to_accumulators() {
    let context = context(4);
    let sum = context.accumulator(0i64);
    let adder = sum.clone();
    let broken = context.range_in(0, 100, 1, 10).map(move |n| {
        adder.add(n);
        assert!(n != 99);
    });
    assert!(broken.count().await.is_err());
    assert_eq!(sum.value(), 0);
}

#[tokio::test]
async fn sums_that_do_not_fit_are_errors() {
    let large = context(2).parallelize([i64::MAX, 1]);
    assert_eq!(large.sum().await.unwrap_err().condition(), Condition::ARITHMETIC_OVERFLOW);
    let (borders, counts) =
        context(2).parallelize([1.0, 2.0, 3.0, 5.0]).histogram(2).await.unwrap();
    assert_eq!((borders, counts), (vec![1.0, 3.0, 5.0], vec![2, 2]));
}

#[tokio::test]
async fn samples_are_as_large_as_asked() {
    let numbers = context(3).range(0, 1000);
    let sample = numbers.take_sample(false, 100, 1).await.unwrap();
    let distinct: std::collections::HashSet<_> = sample.iter().collect();
    assert_eq!(distinct.len(), 100);
    assert_eq!(numbers.take_sample(true, 1500, 1).await.unwrap().len(), 1500);
    let twice = numbers.sample(true, 2.0, 5).count().await.unwrap();
    assert!((1800..2200).contains(&twice), "{twice}");
}

#[tokio::test]
async fn a_program_that_fails_makes_the_action_fail() {
    let lines = context(2).parallelize(["b", "a"].map(str::to_owned)).coalesce(1);
    assert_eq!(lines.pipe("sort").collect().await.unwrap(), ["a", "b"]);
    let error = lines.pipe("ls /no/such/place").collect().await.unwrap_err();
    assert_eq!(error.condition(), Condition::USER_CODE_FAILED);
    assert!(error.message().contains("/no/such/place"), "{error}");
    assert!(lines.pipe("no-such-program-here").count().await.is_err());
}
