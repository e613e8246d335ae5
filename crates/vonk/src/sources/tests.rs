//! Reading real files through SQL: what comes out, and what the errors say.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use crate::{Condition, Error, Session};

/// The rows of a query as text, columns parted by `|`, NULL as `-`.
async fn rows(session: &Session, sql: &str) -> Result<Vec<String>, Error> {
    let mut rows = Vec::new();
    for batch in session.sql(sql).collect().await? {
        let columns: Vec<ArrayRef> =
            batch.columns().iter().map(|column| cast(column, &DataType::Utf8).unwrap()).collect();
        let columns: Vec<&StringArray> =
            columns.iter().map(|column| column.as_any().downcast_ref().unwrap()).collect();
        for row in 0..batch.num_rows() {
            let values =
                columns.iter().map(|column| column.iter().nth(row).flatten().unwrap_or("-"));
            rows.push(values.collect::<Vec<_>>().join("|"));
        }
    }
    Ok(rows)
}

fn batch(column: impl arrow::array::Array + 'static) -> RecordBatch {
    RecordBatch::try_from_iter([("x", Arc::new(column) as ArrayRef)]).unwrap()
}

/// Writes a Parquet file of the column `x`, ten rows to a row group.
fn write_parquet(path: &Path, column: impl arrow::array::Array + 'static) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = batch(column);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(10)).build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn directory() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

#[tokio::test]
async fn a_file_added_to_a_directory_is_seen_by_the_next_query() {
    let (_dir, path) = directory();
    let session = Session::new();
    write_parquet(&path.join("b.parquet"), Int64Array::from(vec![3, 4]));
    let sql = format!("SELECT count(*), sum(x) FROM '{}'", path.display());
    assert_eq!(rows(&session, &sql).await.unwrap(), ["2|7"]);
    write_parquet(&path.join("a.parquet"), Int64Array::from(vec![1, 2]));
    assert_eq!(rows(&session, &sql).await.unwrap(), ["4|10"]);
    let sql = format!("SELECT x FROM '{}/*.parquet'", path.display());
    assert_eq!(rows(&session, &sql).await.unwrap(), ["1", "2", "3", "4"]);
    fs::remove_file(path.join("b.parquet")).unwrap();
    assert_eq!(rows(&session, &sql).await.unwrap(), ["1", "2"]);
}

#[tokio::test]
async fn directories_are_columns_and_prune_files() {
    let (_dir, path) = directory();
    let session = Session::new();
    let day = |name: &str| path.join(format!("t/day={name}/f.parquet"));
    write_parquet(&day("2024-01-01"), Int64Array::from(vec![1]));
    write_parquet(&day("2024-01-02"), Int64Array::from(vec![2]));
    write_parquet(&day("__HIVE_DEFAULT_PARTITION__"), Int64Array::from(vec![3]));
    let table = format!("'{}/t'", path.display());
    let all = format!("SELECT x, day FROM {table} ORDER BY x");
    let expected = ["1|2024-01-01", "2|2024-01-02", "3|-"];
    assert_eq!(rows(&session, &all).await.unwrap(), expected);
    let one = format!("SELECT x FROM {table} WHERE day = DATE '2024-01-02'");
    assert_eq!(rows(&session, &one).await.unwrap(), ["2"]);
    let null = format!("SELECT x FROM {table} WHERE day IS NULL");
    assert_eq!(rows(&session, &null).await.unwrap(), ["3"]);
    let count = format!("SELECT count(*), count(day), max(day) FROM {table}");
    assert_eq!(rows(&session, &count).await.unwrap(), ["3|2|2024-01-02"]);
    // A file that is pruned is not opened: this one could not be read.
    fs::create_dir_all(path.join("t/day=2024-01-03")).unwrap();
    fs::write(path.join("t/day=2024-01-03/f.parquet"), "torn").unwrap();
    assert_eq!(rows(&session, &one).await.unwrap(), ["2"]);
    assert!(rows(&session, &all).await.is_err());
}

#[tokio::test]
async fn partition_values_are_decoded_and_typed() {
    let (_dir, path) = directory();
    write_parquet(&path.join("n=01/s=a%20b/f.parquet"), Int64Array::from(vec![1]));
    write_parquet(&path.join("n=2/s=ü/f.parquet"), Int64Array::from(vec![2]));
    let sql = format!("SELECT n + 1, s FROM '{}' ORDER BY x", path.display());
    assert_eq!(rows(&Session::new(), &sql).await.unwrap(), ["2|a b", "3|ü"]);
    write_parquet(&path.join("f.parquet"), Int64Array::from(vec![2]));
    let error = rows(&Session::new(), &sql).await.unwrap_err();
    assert!(error.message().contains("disagree about the partition columns"), "{error}");
}

#[tokio::test]
async fn nan_is_neither_pruned_nor_taken_for_the_other_values() {
    let (_dir, path) = directory();
    let file = path.join("f.parquet");
    let session = Session::new();
    write_parquet(&file, Float64Array::from(vec![1.0, f64::NAN, 1.0]));
    let sql = format!("SELECT x FROM '{}'", file.display());
    assert_eq!(rows(&session, &sql).await.unwrap(), ["1.0", "NaN", "1.0"]);
    let greater = format!("SELECT count(*) FROM '{}' WHERE x > 5", file.display());
    assert_eq!(rows(&session, &greater).await.unwrap(), ["1"]);
    let less = format!("SELECT count(*) FROM '{}' WHERE x < 5 AND x = 1", file.display());
    assert_eq!(rows(&session, &less).await.unwrap(), ["2"]);
}

#[tokio::test]
async fn a_torn_parquet_file_is_named() {
    let (_dir, path) = directory();
    let session = Session::new();
    let file = path.join("f.parquet");
    let query = format!("SELECT sum(x) FROM '{}'", file.display());
    write_parquet(&file, Int64Array::from_iter_values(0..100));
    let whole = fs::read(&file).unwrap();
    let texts: [&[u8]; 3] = [b"", b"a,b\n1,2\n", &whole[..whole.len() / 2]];
    for text in texts {
        fs::write(&file, text).unwrap();
        let error = rows(&session, &query).await.unwrap_err();
        assert_eq!(error.condition(), Condition::CANNOT_PARSE_FILE, "{error}");
        assert_eq!(error.file_path(), Some(file.as_path()));
    }
}

/// Each byte of a small file set to something else gives the right rows or an error with the file.
#[tokio::test]
async fn damaged_parquet_files_never_panic() {
    let (_dir, path) = directory();
    let session = Session::new();
    let file = path.join("f.parquet");
    write_parquet(&file, StringArray::from_iter_values((0..20).map(|i| i.to_string())));
    let whole = fs::read(&file).unwrap();
    for index in (4..whole.len()).step_by(11) {
        let mut damaged = whole.clone();
        damaged[index] ^= 0x55;
        fs::write(&file, damaged).unwrap();
        let sql = format!("SELECT x FROM '{}'", file.display());
        if let Err(error) = rows(&session, &sql).await {
            assert_eq!(error.file_path(), Some(file.as_path()), "byte {index}: {error}");
        }
    }
}

#[tokio::test]
async fn text_is_split_over_threads_and_keeps_its_lines() {
    let (_dir, path) = directory();
    let file = path.join("big.txt");
    let lines = 200_000_u64;
    let mut text = String::new();
    for line in 0..lines {
        text.push_str(&format!("line number {line} with some more text\r\n"));
    }
    text.push_str("the last has no end");
    fs::write(&file, &text).unwrap();
    for threads in ["local[1]", "local[7]"] {
        let session = Session::builder().master(threads).get_or_create().unwrap();
        let sql = format!("SELECT count(*) FROM '{}'", file.display());
        assert_eq!(rows(&session, &sql).await.unwrap(), ["200001"]);
        let sql = format!(
            "SELECT count(DISTINCT value), sum(length(value)), max(value) FROM '{}'",
            file.display()
        );
        let bytes = text.len() as u64 - 2 * lines;
        let expected = format!("200001|{bytes}|the last has no end");
        assert_eq!(rows(&session, &sql).await.unwrap(), [expected]);
    }
}

#[tokio::test]
async fn compressed_text_is_read_by_its_ending() {
    let (_dir, path) = directory();
    let gzip = File::create(path.join("a.txt.gz")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(gzip, flate2::Compression::fast());
    gzip.write_all(b"one\ntwo\n").unwrap();
    gzip.finish().unwrap();
    fs::write(path.join("b.log.zst"), zstd::encode_all(&b"three"[..], 1).unwrap()).unwrap();
    let session = Session::new();
    let sql = format!("SELECT value FROM '{}'", path.display());
    assert_eq!(rows(&session, &sql).await.unwrap(), ["one", "two", "three"]);
    fs::write(path.join("a.txt.gz"), "no gzip").unwrap();
    let error = rows(&session, &sql).await.unwrap_err();
    assert_eq!(error.file_path(), Some(path.join("a.txt.gz").as_path()), "{error}");
}

#[tokio::test]
async fn binary_files_are_rows() {
    let (_dir, path) = directory();
    fs::write(path.join("a b.bin"), [0, 255]).unwrap();
    let session = Session::new();
    let sql =
        format!("SELECT path, length, content = X'00FF' FROM binaryFile.`{}`", path.display());
    let expected = format!("file:{}/a b.bin|2|true", path.display());
    assert_eq!(rows(&session, &sql).await.unwrap(), [expected]);
    let sql = format!("SELECT count(*) FROM binaryFile.`{}`", path.display());
    assert_eq!(rows(&session, &sql).await.unwrap(), ["1"]);
}

#[tokio::test]
async fn the_format_has_to_be_told_or_tellable() {
    let (_dir, path) = directory();
    let session = Session::new();
    write_parquet(&path.join("data"), Int64Array::from(vec![1]));
    let sql = format!("SELECT x FROM '{}'", path.join("data").display());
    assert_eq!(rows(&session, &sql).await.unwrap(), ["1"]);
    fs::write(path.join("notes"), "text").unwrap();
    let error = rows(&session, &format!("SELECT * FROM '{}/notes'", path.display())).await;
    assert!(error.unwrap_err().hint_text().unwrap().contains("text.`"));
    fs::write(path.join("notes.txt"), "text").unwrap();
    fs::remove_file(path.join("notes")).unwrap();
    let error = rows(&session, &format!("SELECT * FROM '{}'", path.display())).await.unwrap_err();
    assert!(error.message().contains("several formats"), "{error}");
    let error = rows(&session, &format!("SELECT * FROM parket.`{}`", path.display())).await;
    assert_eq!(error.unwrap_err().hint_text(), Some("did you mean `parquet`?"));
}

/// Each file is there when the query is planned, and torn or gone when it is run.
#[tokio::test]
async fn a_file_that_vanishes_or_shrinks_before_it_is_read_is_named() {
    for format in ["parquet", "csv", "json", "text", "avro", "arrow"] {
        for shrinks in [false, true] {
            let (_dir, path) = directory();
            let ending = if format == "text" { "txt" } else { format };
            let file = path.join(format!("gone.{ending}"));
            let session = Session::new();
            let texts = session.range(0, 1000).select_expr(["concat('text ', id) AS text"]);
            texts.write().save(file.to_str().unwrap()).await.unwrap();
            let frame = session.sql(format!("SELECT * FROM '{}'", file.display()));
            let state = session.state();
            let plan = frame.logical_plan().await.unwrap();
            let plan = state.create_physical_plan(plan).await.unwrap();
            match shrinks {
                true => fs::write(&file, &fs::read(&file).unwrap()[..10]).unwrap(),
                false => fs::remove_file(&file).unwrap(),
            }
            let outcome = datafusion::physical_plan::collect(plan, state.task_ctx()).await;
            let error = Error::from(outcome.unwrap_err());
            let case = format!("{format} {shrinks}: {error}");
            assert_eq!(error.file_path(), Some(file.as_path()), "{case}");
        }
    }
}

/// Every row comes once and in order, however many threads share the files.
#[tokio::test]
async fn many_files_keep_their_order_under_any_number_of_threads() {
    let (_dir, path) = directory();
    let line = |number: usize| format!("{number:06} {}\r\n", "x".repeat(number % 97));
    for file in 0..20 {
        let text: String = (0..3000).map(|n| line(file * 3000 + n)).collect();
        fs::write(path.join(format!("{file:02}.txt")), text).unwrap();
    }
    for threads in 1..9 {
        let session =
            Session::builder().master(format!("local[{threads}]")).get_or_create().unwrap();
        let sql = format!("SELECT substr(value, 1, 6) FROM '{}'", path.display());
        let found = rows(&session, &sql).await.unwrap();
        let expected: Vec<String> = (0..60_000).map(|n| format!("{n:06}")).collect();
        assert!(found == expected, "{threads} threads");
        let first = rows(&session, &format!("{sql} LIMIT 5000")).await.unwrap();
        assert!(first == expected[..5000], "limit with {threads} threads");
    }
}
