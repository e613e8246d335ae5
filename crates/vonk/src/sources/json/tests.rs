//! Whole JSON files through SQL: types, layouts, Spark's modes, and every split alike.

use std::fmt::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::super::testing::Files;

fn json(content: impl AsRef<[u8]>) -> Files {
    Files::of("json", content)
}

async fn all(files: &Files) -> Vec<String> {
    files.rows("SELECT * FROM t").await.unwrap()
}

fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
    let fields = fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[tokio::test]
async fn lines_and_documents_are_found() {
    let expect = ["1|x", "2|"];
    for text in [
        "{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n",
        "{\"a\":1,\"b\":\"x\"}\r\n\r\n{\"b\":null,\"a\":2}",
        "[{\"a\":1,\"b\":\"x\"},\n {\"a\":2}]",
        "{\n  \"a\": 1,\n  \"b\": \"x\"\n}\n{\n  \"a\": 2\n}\n",
        "\u{feff}{'a':1,'b':'x'}\n{\"a\":2}\n",
    ] {
        assert_eq!(all(&json(text)).await, expect, "{text}");
        assert_eq!(json(text).columns().await.unwrap(), ["a|Int64", "b|Utf8"], "{text}");
    }
    let one = json("{\"a\":1,\n\"b\":\"x\"}").set("multiLine", "true");
    assert_eq!(all(&one).await, ["1|x"]);
}

#[tokio::test]
async fn nested_values() {
    let files = json(
        "{\"p\":{\"x\":1,\"y\":[1,2]},\"l\":[{\"k\":\"a\"},{\"k\":null}]}\n{\"p\":{\"x\":2.5}}\n{\"l\":[]}\n",
    );
    let rows = files.rows("SELECT p['x'], p['y'][2], cardinality(l), l[1]['k'] FROM t").await;
    assert_eq!(rows.unwrap(), ["1.0|2|2|a", "2.5|||", "||0|"]);
}

#[tokio::test]
async fn columns_of_several_files_are_united() {
    let files = json("{\"a\":1}\n").and("b", "{\"b\":true,\"a\":2.5}\n").and("c", "");
    assert_eq!(files.columns().await.unwrap(), ["a|Float64", "b|Boolean"]);
    assert_eq!(all(&files).await, ["1.0|", "2.5|true"]);
}

#[tokio::test]
async fn errors_name_file_line_and_column() {
    let error = json("{\"a\":1}\n{\"a\":}\n").error().await;
    assert!(error.message().contains("line 2: expected a value"), "{error}");
    let error = json("[{\"a\":1},\n{\"a\":2}").error().await;
    assert!(error.message().contains("the file ends within an array"), "{error}");
    let error = json("{\"a\":1}\n[1]\n").set("multiLine", "false").error().await;
    assert!(error.message().contains("line 2: expected an object"), "{error}");
    let error = json(b"{\"a\":1}\n{\"a\":\"\xff\"}\n").error().await;
    assert!(error.message().contains("line 2: byte 0xFF is not valid UTF-8"), "{error}");
    let strict = schema(&[("a", DataType::Int32)]);
    let files = json("{\"a\":1}\n{\"a\":\"x\"}\n").schema(&strict).set("mode", "FAILFAST");
    let error = files.error().await;
    assert!(error.message().contains("line 2: column `a`: `x` is not of type int"), "{error}");
}

#[tokio::test]
async fn modes_of_spark() {
    let schema = schema(&[
        ("a", DataType::Int64),
        ("b", DataType::Utf8),
        ("_corrupt_record", DataType::Utf8),
    ]);
    let text = "{\"a\":1,\"b\":{\"x\": 1}}\n{\"a\":\"no\",\"b\":2}\n{\"a\":3\n{\"a\":4,\"z\":0}\n";
    let files = || json(text).schema(&schema);
    assert_eq!(
        all(&files()).await,
        ["1|{\"x\":1}|", "|2|{\"a\":\"no\",\"b\":2}", "||{\"a\":3", "4||"]
    );
    assert_eq!(all(&files().set("mode", "DROPMALFORMED")).await, ["1|{\"x\":1}|", "4||"]);
    assert_eq!(
        files().set("mode", "DROPMALFORMED").rows("SELECT count(*) FROM t").await.unwrap(),
        ["2"]
    );
    // Without a schema the column of corrupt records appears by itself.
    let found = json("{\"a\":1}\n{\"a\":\n").set("mode", "PERMISSIVE");
    assert_eq!(all(&found).await, ["1|", "|{\"a\":"]);
}

#[tokio::test]
async fn given_types() {
    let schema = schema(&[
        ("d", DataType::Date32),
        ("p", DataType::Decimal128(10, 2)),
        ("f", DataType::Float64),
        ("i", DataType::Int8),
        ("l", DataType::List(Arc::new(Field::new("element", DataType::Int32, true)))),
    ]);
    let files =
        json("{\"d\":\"2020-01-31\",\"p\":1.005,\"f\":\"NaN\",\"i\":300,\"l\":[1,\"x\",3]}\n")
            .schema(&schema);
    assert_eq!(all(&files).await, ["2020-01-31|1.01|NaN||[1, , 3]"]);
}

#[tokio::test]
async fn splits_never_change_rows() {
    let mut text = String::new();
    for id in 0..60_000 {
        let _ =
            writeln!(text, "{{\"id\":{id},\"note\":\"a text with \\n escapes and }} brackets\"}}");
    }
    let query = "SELECT count(*), sum(id), sum(length(note)) FROM t";
    for threads in [1, 2, 4] {
        let files = json(&text).threads(threads);
        let rows = files.rows(query).await.unwrap();
        assert_eq!(rows, ["60000|1799970000|2160000"], "{threads}");
        let document = json(format!("[{}]", text.trim_end().replace('\n', ",\n"))).threads(threads);
        assert_eq!(document.rows(query).await.unwrap(), ["60000|1799970000|2160000"]);
    }
    text.push_str("{\"id\":1,\"new\":2}\n{\"id\":\"x\"}\n");
    let error = json(&text).threads(4).set("samplingRatio", "0.1").error().await;
    assert!(error.message().contains("line 60001: column `new`: is not in the schema"), "{error}");
}
