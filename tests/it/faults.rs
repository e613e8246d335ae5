//! Bad input through the library: each is an error with Spark's condition that names file and place.

use std::fs;
use std::path::Path;

use vonk::{Condition, Error, Session};
use vonk_tests::data;

/// Runs a query that must fail, with `FILE` for the path of `file`.
async fn failure(query: &str, file: &Path) -> Error {
    let query = query.replace("FILE", &file.display().to_string());
    let outcome = Session::new().sql(query).collect().await;
    outcome.expect_err("the input is bad")
}

/// Asserts the condition, and that the text for the user holds every one of `parts`.
fn assert_tells(error: &Error, condition: Condition, parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.condition(), condition, "{text}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, bytes).unwrap();
    (folder, file)
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("absent.parquet");
    let error = failure("SELECT * FROM parquet.`FILE`", &file).await;
    assert_tells(&error, Condition::PATH_NOT_FOUND, &["absent.parquet"]);
}

#[tokio::test]
async fn a_wrong_column_gets_the_likely_one() {
    let file = data::test_data().unwrap().join("tpch/nation.parquet");
    let error = failure("SELECT n_nmae FROM parquet.`FILE`", &file).await;
    assert_tells(&error, Condition::UNRESOLVED_COLUMN, &["`n_nmae`", "did you mean", "n_name"]);
}

#[tokio::test]
async fn a_torn_parquet_file_is_named() {
    let whole = fs::read(data::test_data().unwrap().join("tpch/orders.parquet")).unwrap();
    let (_folder, file) = written("torn.parquet", &whole[..whole.len() / 2]);
    let error = failure("SELECT count(*) FROM parquet.`FILE`", &file).await;
    assert_tells(&error, Condition::CANNOT_PARSE_FILE, &["torn.parquet"]);
}

#[tokio::test]
async fn an_empty_parquet_file_is_named() {
    let (_folder, file) = written("empty.parquet", b"");
    let error = failure("SELECT * FROM parquet.`FILE`", &file).await;
    assert!(error.to_string().contains("empty.parquet"), "{error}");
}
