//! What is written reads back the same: every type, in every format that can hold it.

use vonk::Session;
use vonk_tests::render;

pub(crate) mod child;
mod failed;
mod kills;

/// Rows with the extremes of every type that has a place in one cell of a text.
const FLAT: &str = "SELECT * FROM (
    SELECT 1 AS n, CAST(-128 AS TINYINT) AS b, CAST(32767 AS SMALLINT) AS s,
      CAST(-2147483648 AS INT) AS i, 9223372036854775807L AS l, CAST('NaN' AS FLOAT) AS f,
      -0.0D AS d, CAST('-99999999999999999999999999999999999999' AS DECIMAL(38, 0)) AS p,
      true AS t, DATE '1582-10-15' AS day, TIMESTAMP '1969-12-31 23:59:59.999999' AS at, '' AS text
    UNION ALL SELECT 2, CAST(127 AS TINYINT), CAST(-32768 AS SMALLINT), CAST(2147483647 AS INT),
      -9223372036854775807L, CAST('-Infinity' AS FLOAT), CAST('NaN' AS DOUBLE),
      CAST('0' AS DECIMAL(38, 0)), false, DATE '9999-12-31', TIMESTAMP '2024-02-29 00:00:00',
      concat('a,b;\"c\"', char(10), 'd', char(13), char(9), 'é ')
    UNION ALL SELECT 3, NULL AS b, NULL AS s, NULL AS i, NULL AS l, NULL AS f, NULL AS d,
      NULL AS p, NULL AS t, NULL AS day, NULL AS at, NULL AS text
    UNION ALL SELECT 4, CAST(0 AS TINYINT), CAST(0 AS SMALLINT), CAST(0 AS INT), 0L,
      CAST(0.1 AS FLOAT), CAST('1e300' AS DOUBLE), CAST('7' AS DECIMAL(38, 0)), true,
      DATE '0001-01-01', TIMESTAMP '1700-01-01 00:00:00.000001', ' NULL '
  ) AS t";

const SCHEMA: &str = "n BIGINT, b TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, \
    p DECIMAL(38,0), t BOOLEAN, day DATE, at TIMESTAMP, text STRING";

/// A query's rows as texts, sorted.
async fn rows(session: &Session, query: &str) -> Vec<Vec<String>> {
    let batches = session.sql(query).collect().await.unwrap();
    let mut rows = render::rows(&batches).unwrap();
    rows.sort();
    rows
}

/// Writes a query to a file and to a directory and reads both, with a schema if it is given.
async fn check(query: &str, format: &str, schema: Option<&str>, ending: &str) {
    let session = Session::new();
    let expected = rows(&session, query).await;
    let folder = tempfile::tempdir().unwrap();
    for name in [ending, "directory"] {
        let path = folder.path().join(name).display().to_string();
        session.sql(query).write().format(format).option("header", true).save(&path).await.unwrap();
        let mut reader = session.read().format(format);
        if format == "csv" {
            reader = reader.option("header", true);
        }
        if let Some(schema) = schema {
            reader = reader.schema(schema);
        }
        let found = reader.load(path.as_str()).collect().await.unwrap();
        let mut found = render::rows(&found).unwrap();
        found.sort();
        assert_eq!(found, expected, "{format} {path}");
    }
}

#[tokio::test]
async fn flat_rows_come_back_from_binary_formats() {
    for format in ["parquet", "arrow"] {
        check(FLAT, format, None, &format!("file.{format}")).await;
    }
}

#[tokio::test]
async fn flat_rows_come_back_from_csv_with_their_schema() {
    check(FLAT, "csv", Some(SCHEMA), "file.csv.zst").await;
}

#[tokio::test]
async fn flat_rows_come_back_from_json_with_their_schema() {
    check(FLAT, "json", Some(SCHEMA), "file.json.zst").await;
}

#[tokio::test]
async fn flat_rows_come_back_from_avro() {
    check(FLAT, "avro", None, "file.avro").await;
}

#[tokio::test]
async fn nested_rows_come_back() {
    let nested = "SELECT array(1, NULL, 3) AS l, named_struct('x', 1, 'y', array('z', NULL)) AS s
      UNION ALL SELECT array(4), named_struct('x', NULL, 'y', array('w'))";
    for format in ["parquet", "arrow", "avro"] {
        check(nested, format, None, &format!("file.{format}")).await;
    }
    let schema = "l ARRAY<BIGINT>, s STRUCT<x: BIGINT, y: ARRAY<STRING>>";
    check(nested, "json", Some(schema), "file.json").await;
}
