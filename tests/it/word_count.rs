//! The same word count in SQL, as a DataFrame and as an RDD, against a plain count of the file.

use std::collections::HashMap;
use std::fs;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;
use vonk::prelude::*;
use vonk_tests::mode::MODES;
use vonk_tests::{BoxError, data};

type Counts = HashMap<String, i64>;

/// What a loop over the file counts.
fn counted_by_hand() -> Result<Counts, BoxError> {
    let text = fs::read_to_string(data::test_data()?.join("words.txt"))?;
    let mut counts = Counts::new();
    for word in text.lines().flat_map(|line| line.split(' ')) {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    Ok(counts)
}

fn path() -> Result<String, BoxError> {
    Ok(data::test_data()?.join("words.txt").display().to_string())
}

fn counts(batches: &[RecordBatch]) -> Result<Counts, BoxError> {
    let mut counts = Counts::new();
    for batch in batches {
        let words = cast(batch.column(0), &DataType::Utf8)?;
        let numbers = batch.column(1).as_primitive::<Int64Type>();
        for (word, number) in words.as_string::<i32>().iter().zip(numbers.values()) {
            let before = counts.insert(word.unwrap_or("NULL").to_owned(), *number);
            assert!(before.is_none(), "`{word:?}` comes twice");
        }
    }
    Ok(counts)
}

#[test]
fn the_text_is_like_a_language() {
    let counts = counted_by_hand().unwrap();
    let words: i64 = counts.values().sum();
    let most = counts.values().max().copied().unwrap_or_default();
    assert!(counts.len() > 10_000, "{} different words", counts.len());
    assert!(most > words / 20 && most < words / 5, "{most} of {words}");
    assert!(counts.keys().any(|word| !word.is_ascii()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_sql() {
    let query = format!(
        "SELECT word, count(*) AS n
         FROM (SELECT explode(split(value, ' ')) AS word FROM text.`{}`) GROUP BY word",
        path().unwrap()
    );
    let expected = counted_by_hand().unwrap();
    for mode in MODES {
        let session = mode.session("unused-warehouse").unwrap();
        let got = counts(&session.sql(&query).collect().await.unwrap()).unwrap();
        assert!(got == expected, "another count under {}", mode.name);
    }
}

/// What stands between a scan and its rows must not hide from the rule that counts words.
#[tokio::test(flavor = "multi_thread")]
async fn words_of_a_file_are_counted_before_they_are_rows() {
    let query = format!(
        "EXPLAIN SELECT word, count(*) AS n
         FROM (SELECT explode(split(value, ' ')) AS word FROM text.`{}`) GROUP BY word",
        path().unwrap()
    );
    let plan = Session::new().sql(&query).show_string(100, None).await.unwrap();
    assert!(plan.contains("TokenCountExec"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_data_frame() {
    let expected = counted_by_hand().unwrap();
    for mode in MODES {
        let session = mode.session("unused-warehouse").unwrap();
        let words = session
            .read()
            .text(path().unwrap())
            .select([functions::explode(functions::split("value", " ")).alias("word")]);
        let frame = words.group_by(["word"]).agg([functions::count("*").alias("n")]);
        let got = counts(&frame.collect().await.unwrap()).unwrap();
        assert!(got == expected, "another count under {}", mode.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_an_rdd() {
    let expected = counted_by_hand().unwrap();
    for mode in MODES {
        let session = mode.session("unused-warehouse").unwrap();
        let pairs = session
            .context()
            .text_file(path().unwrap())
            .flat_map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .map(|word| (word, 1i64))
            .reduce_by_key(|a, b| a + b)
            .collect()
            .await
            .unwrap();
        let distinct = pairs.len();
        let got: Counts = pairs.into_iter().collect();
        assert_eq!(distinct, got.len(), "a word comes twice under {}", mode.name);
        assert!(got == expected, "another count under {}", mode.name);
    }
}
