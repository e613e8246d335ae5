//! Bad input through the library: each is an error with Spark's condition that names file and place.

use std::fs;
use std::path::Path;

use vonk::{Condition, Error, Session};
use vonk_tests::data;

mod damaged;

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
async fn a_missing_file_is_named_with_its_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sales.csv"), "n\n1\n").unwrap();
    let file = folder.path().join("slaes.csv");
    let error = failure("SELECT * FROM 'FILE'", &file).await;
    assert_tells(&error, Condition::PATH_NOT_FOUND, &["slaes.csv", "did you mean `sales.csv`?"]);
    assert_eq!(error.file_path(), Some(file.as_path()));
    let deep = folder.path().join("no/such/file.csv");
    let error = failure("SELECT * FROM 'FILE'", &deep).await;
    assert_eq!(error.file_path(), Some(deep.as_path()));
}

#[tokio::test]
async fn a_directory_without_files_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("_SUCCESS"), "").unwrap();
    let error = failure("SELECT * FROM csv.`FILE`", folder.path()).await;
    assert_tells(&error, Condition::PATH_NOT_FOUND, &["holds no files"]);
    assert_eq!(error.file_path(), Some(folder.path()));
}

#[tokio::test]
async fn an_empty_file_of_each_format_is_an_error_or_has_no_rows() {
    for format in ["parquet", "avro", "arrow", "csv", "json"] {
        let (_folder, file) = written("empty", b"");
        let error = failure(&format!("SELECT * FROM {format}.`FILE`"), &file).await;
        assert_eq!(error.file_path(), Some(file.as_path()), "{format}: {error}");
    }
    let (_folder, file) = written("empty.txt", b"");
    let query = format!("SELECT * FROM '{}'", file.display());
    let batches = Session::new().sql(query).collect().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 0);
}

#[tokio::test]
async fn garbage_in_the_place_of_each_binary_format_is_named() {
    let garbage: Vec<u8> = (0..5000_u32).map(|n| (n * 7919 % 251) as u8).collect();
    for (format, magic) in
        [("parquet", &b"PAR1"[..]), ("avro", b"Obj\x01"), ("arrow", b"ARROW1\0\0")]
    {
        for start in [&b""[..], magic] {
            let (_folder, file) = written("garbage", &[start, &garbage].concat());
            let error = failure(&format!("SELECT * FROM {format}.`FILE`"), &file).await;
            assert_eq!(error.file_path(), Some(file.as_path()), "{format}: {error}");
            assert_eq!(error.condition(), Condition::CANNOT_PARSE_FILE, "{format}: {error}");
        }
    }
}

#[tokio::test]
async fn files_cut_anywhere_are_errors_that_name_them() {
    let session = Session::new();
    let folder = tempfile::tempdir().unwrap();
    for format in ["parquet", "avro", "arrow"] {
        let whole = folder.path().join(format!("whole.{format}"));
        let rows = session.range(0, 3000).select_expr(["id", "concat('text ', id) AS text"]);
        rows.write().save(whole.to_str().unwrap()).await.unwrap();
        let bytes = fs::read(&whole).unwrap();
        for part in [1, 10, 50, 90, 99] {
            let (_folder, file) = written("cut", &bytes[..bytes.len() * part / 100]);
            let query = format!("SELECT max(text), sum(id) FROM {format}.`FILE`");
            let error = failure(&query, &file).await;
            assert_eq!(error.file_path(), Some(file.as_path()), "{format} {part} %: {error}");
        }
    }
}

#[tokio::test]
async fn a_file_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, file) = written("secret.csv", b"n\n1\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read everything.
    if fs::read(&file).is_ok() {
        return;
    }
    let error = failure("SELECT * FROM 'FILE'", &file).await;
    assert_tells(&error, Condition::CANNOT_READ_FILE, &["secret.csv"]);
}

#[tokio::test]
async fn a_csv_line_with_too_many_fields_is_treated_as_the_mode_says() {
    let (_folder, file) = written("wide.csv", b"a,b\n1,2\n3,4,5\n6,7\n");
    let error = failure("SELECT * FROM 'FILE'", &file).await;
    let parts = ["wide.csv", "line 3: expected 2 fields, found 3", "mode"];
    assert_tells(&error, Condition::MALFORMED_RECORD, &parts);
    let session = Session::new();
    let count = async |mode: &str| {
        let view = format!(
            "CREATE OR REPLACE TEMP VIEW wide USING csv OPTIONS (path '{}', mode '{mode}')",
            file.display()
        );
        session.sql(view).collect().await?;
        session.sql("SELECT a, b FROM wide").count().await
    };
    assert_eq!(count("PERMISSIVE").await.unwrap(), 3);
    assert_eq!(count("DROPMALFORMED").await.unwrap(), 2);
    assert_tells(&count("FAILFAST").await.unwrap_err(), Condition::MALFORMED_RECORD, &parts[..2]);
}

#[tokio::test]
async fn a_byte_that_is_no_utf8_is_named_in_csv_and_json() {
    let (_folder, file) = written("latin1.csv", b"name\nfine\ncaf\xe9\n");
    let error = failure("SELECT * FROM 'FILE'", &file).await;
    assert_tells(&error, Condition::MALFORMED_RECORD, &["latin1.csv", "line 3"]);
    let (_folder, file) = written("latin1.json", b"{\"a\": \"fine\"}\n{\"a\": \"caf\xe9\"}\n");
    let error = failure("SELECT * FROM 'FILE'", &file).await;
    assert_tells(&error, Condition::MALFORMED_RECORD, &["latin1.json", "line 2"]);
}

#[tokio::test]
async fn a_device_is_not_written_to() {
    // A device is no place for files, even one on which every write fails for want of space.
    let error = Session::new().sql("SELECT 1 AS a").write().csv("/dev/full").await.unwrap_err();
    assert!(error.to_string().contains("/dev/full"), "{error}");
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
async fn a_parquet_file_with_damaged_pages_is_named() {
    let mut bytes = fs::read(data::test_data().unwrap().join("tpch/orders.parquet")).unwrap();
    bytes[4..20_000].fill(0xff);
    let (_folder, file) = written("damaged.parquet", &bytes);
    let error = failure("SELECT max(o_comment), sum(o_orderkey) FROM parquet.`FILE`", &file).await;
    assert!(error.to_string().contains("damaged.parquet"), "{error}");
}

#[tokio::test]
async fn an_empty_parquet_file_is_named() {
    let (_folder, file) = written("empty.parquet", b"");
    let error = failure("SELECT * FROM parquet.`FILE`", &file).await;
    assert!(error.to_string().contains("empty.parquet"), "{error}");
}

#[tokio::test]
async fn a_byte_that_is_no_utf8_is_named_with_its_place() {
    let (_folder, file) = written("latin1.txt", b"fine\ncaf\xe9\n");
    let error = failure("SELECT * FROM text.`FILE`", &file).await;
    assert_tells(&error, Condition::MALFORMED_RECORD, &["latin1.txt", "line 2"]);
}

#[tokio::test]
async fn a_type_that_does_not_fit_names_the_value() {
    let (_folder, file) = written("words.txt", b"12\ntwelve\n");
    let error = failure("SELECT sum(CAST(value AS INT)) FROM text.`FILE`", &file).await;
    assert_tells(&error, Condition::CAST_INVALID_INPUT, &["twelve"]);
}
