//! Whole CSV files through SQL: what DuckDB reads in them, Spark's modes, and every split alike.

use std::fmt::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::super::testing::Files;

fn csv(content: impl AsRef<[u8]>) -> Files {
    Files::of("csv", content)
}

async fn all(files: &Files) -> Vec<String> {
    files.rows("SELECT * FROM t").await.unwrap()
}

fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
    let fields = fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[tokio::test]
async fn types_are_found() {
    let files = csv(
        "b,i,d,day,t,s\ntrue,1,1.5,2020-01-31,2020-01-31 10:00:00,x\n,,,,,\nfalse,-2,3,1999-12-31,2020-01-31T10:00:00.25,\"\"\n",
    );
    let expect = ["b|Boolean", "i|Int64", "d|Float64", "day|Date32", "t|Timestamp(µs)", "s|Utf8"];
    assert_eq!(files.columns().await.unwrap(), expect);
    let expect = [
        "true|1|1.5|2020-01-31|2020-01-31T10:00:00|x",
        "|||||",
        "false|-2|3.0|1999-12-31|2020-01-31T10:00:00.250|",
    ];
    assert_eq!(all(&files).await, expect);
    let nulls = files.rows("SELECT count(*), count(s), count(b) FROM t").await.unwrap();
    assert_eq!(nulls, ["3|2|2"]);
}

#[tokio::test]
async fn ugly_files() {
    assert_eq!(all(&csv("a;b\n1,5;2\n2,5;3\n")).await, ["1,5|2", "2,5|3"]);
    assert_eq!(all(&csv("zip,n\n01234,1\n10115,2\n")).await, ["01234|1", "10115|2"]);
    assert_eq!(all(&csv("\u{feff}a,b\r\n1,2\r\n\r\n3,4")).await, ["1|2", "3|4"]);
    assert_eq!(all(&csv("a,b\n1,2,\n3,4,\n")).await, ["1|2", "3|4"]);
    assert_eq!(all(&csv("a,b\n\"x, \"\"y\"\"\",1\n\"z\",2\n")).await, ["x, \"y\"|1", "z|2"]);
    assert_eq!(all(&csv("a,b\r1,2\r3,4\r")).await, ["1|2", "3|4"]);
    assert_eq!(all(&csv("1,2\n3,4\n")).await, ["1|2", "3|4"]);
    assert_eq!(csv("1,2\n3,4\n").columns().await.unwrap(), ["_c0|Int64", "_c1|Int64"]);
    assert_eq!(csv("a,a,b\n1,2,3\n").columns().await.unwrap(), ["a|Int64", "a_1|Int64", "b|Int64"]);
    assert_eq!(csv("a,b\n").columns().await.unwrap(), ["a|Utf8", "b|Utf8"]);
    assert!(all(&csv("a,b\n")).await.is_empty());
    assert_eq!(all(&csv("n\n12345678901234567890\n1\n")).await, ["12345678901234567890", "1"]);
    let newline = csv("a,b\n\"x\ny\",1\n").rows("SELECT length(a), b FROM t").await.unwrap();
    assert_eq!(newline, ["3|1"]);
}

#[tokio::test]
async fn errors_name_file_and_line() {
    let error = csv("a,b\n1,2\n3\n").error().await;
    assert!(error.message().contains("line 3: expected 2 fields, found 1"), "{error}");
    let error = csv("a,b\n1,2\n3,4,5\n").error().await;
    assert!(error.message().contains("line 3: expected 2 fields, found 3"), "{error}");
    let error = csv(b"a,b\n1,2\n\xff,4\n").error().await;
    assert!(error.message().contains("line 3: byte 0xFF is not valid UTF-8"), "{error}");
    let error = csv("a,b\n1,2\n\"x,4\n").error().await;
    assert!(error.message().contains("line 3: a quoted field is not closed"), "{error}");
    let error = csv("a,b\n1,2\n\"x\"y,4\n").set("quote", "\"").error().await;
    assert!(error.message().contains("line 3: text after a closing quote"), "{error}");
    let error = csv("").query("SELECT * FROM t").await.unwrap_err();
    assert_eq!(error.condition(), crate::Condition::UNABLE_TO_INFER_SCHEMA);
}

#[tokio::test]
async fn a_value_beyond_the_sample_that_does_not_fit_is_named() {
    let mut text = "n,s\n".to_owned();
    for n in 0..600_000 {
        let _ = writeln!(text, "{n},a text to fill");
    }
    text.push_str("oops,last\n");
    let files = csv(&text).threads(4);
    let error = files.error().await;
    assert!(error.message().contains("line 600002: column `n`: `oops` is not"), "{error}");
    let files = files.set("samplingRatio", "1.0");
    assert_eq!(files.columns().await.unwrap(), ["n|Utf8", "s|Utf8"]);
    let files = csv(&text).threads(4).set("mode", "PERMISSIVE");
    assert_eq!(files.rows("SELECT count(*), count(n) FROM t").await.unwrap(), ["600001|600000"]);
    let files = csv(&text).threads(4).set("mode", "DROPMALFORMED");
    assert_eq!(files.rows("SELECT count(*) FROM t").await.unwrap(), ["600000"]);
}

#[tokio::test]
async fn modes_of_spark() {
    let schema = schema(&[
        ("a", DataType::Int32),
        ("b", DataType::Utf8),
        ("_corrupt_record", DataType::Utf8),
    ]);
    let files = || csv("1,x\ny,z\n2\n3,x,w\n").schema(&schema);
    assert_eq!(all(&files()).await, ["1|x|", "|z|y,z", "2||2", "3|x|3,x,w"]);
    assert_eq!(all(&files().set("mode", "DROPMALFORMED")).await, ["1|x|"]);
    let count = files().set("mode", "dropMalformed").rows("SELECT count(*) FROM t").await.unwrap();
    assert_eq!(count, ["1"]);
    let error = files().set("mode", "FAILFAST").error().await;
    assert!(error.message().contains("line 2: column `a`: `y` is not of type int"), "{error}");
    assert_eq!(files().rows("SELECT b FROM t").await.unwrap(), ["x", "z", "", "x"]);
}

#[tokio::test]
async fn options_are_obeyed() {
    let files = csv("1#x\n2#NA\n").set("sep", "#").set("header", "false").set("nullValue", "NA");
    assert_eq!(files.rows("SELECT count(_c0), count(_c1) FROM t").await.unwrap(), ["2|1"]);
    let files = csv("d,t\n31/01/2020,1/2/2020 10:30\n")
        .set("dateFormat", "dd/MM/yyyy")
        .set("timestampFormat", "d/M/yyyy HH:mm");
    assert_eq!(all(&files).await, ["2020-01-31|2020-02-01T10:30:00"]);
    assert_eq!(all(&csv("a,b\n 1 , x \n").set("ignoreLeadingWhiteSpace", "true")).await, ["1|x"]);
    let latin = csv(b"a\ncaf\xe9\n").set("encoding", "ISO-8859-1");
    assert_eq!(all(&latin).await, ["café"]);
    assert_eq!(csv("a\n1\n").set("inferSchema", "false").columns().await.unwrap(), ["a|Utf8"]);
    let error = csv("a\n1\n").set("heder", "true").query("SELECT 1").await.unwrap_err();
    assert_eq!(error.hint_text(), Some("did you mean `header`?"));
    let long = format!("a\n1\n\"{}\n", "x\n".repeat(4 << 20));
    let error = csv(long).set("maxRecordBytes", "100000").set("header", "true").error().await;
    assert!(error.hint_text().unwrap_or_default().contains("maxRecordBytes"), "{error}");
}

#[tokio::test]
async fn files_are_matched_by_name() {
    let files = csv("a,b\n1,x\n").and("b", "b,a,c\ny,2.5,3\n").and("c", "");
    assert_eq!(files.columns().await.unwrap(), ["a|Float64", "b|Utf8", "c|Int64"]);
    assert_eq!(all(&files).await, ["1.0|x|", "2.5|y|3"]);
    let error = csv("a,b\n1,x\n").set("inferSchema", "false").and("b", "q,r\n1,2\n");
    assert_eq!(error.columns().await.unwrap().len(), 4);
}

/// Quoted line breaks around every border: all threads together must see the rows of one.
#[tokio::test]
async fn splits_never_change_rows() {
    let mut text = "id,note\n".to_owned();
    for id in 0..60_000 {
        let note = match id % 7 {
            0 => "\"two\nlines, and a comma\"",
            1 => "\"an \"\"inner\"\" quote\n\"",
            2 => "5\" pipe",
            3 => "\"\n1,2\n3,4\n\"",
            _ => "plain text that fills the file a little more than others do",
        };
        let _ = writeln!(text, "{id},{note}");
    }
    let query = "SELECT count(*), sum(id), sum(length(note)), max(id) FROM t";
    let one = csv(&text).rows(query).await.unwrap();
    assert!(one[0].starts_with("60000|1799970000|"), "{one:?}");
    for threads in [2, 3, 4] {
        let many = csv(&text).threads(threads);
        assert_eq!(many.rows(query).await.unwrap(), one, "{threads}");
    }
}

#[tokio::test]
async fn compressed_files_are_read() {
    let mut text = "n,s\n".to_owned();
    for n in 0..300_000 {
        let _ = writeln!(text, "{n},some text");
    }
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let files = csv(packed).set("compression", "zstd").threads(4);
    assert_eq!(files.rows("SELECT count(*), sum(n) FROM t").await.unwrap(), ["300000|44999850000"]);
}
