//! The queries of TPC-H at scale 0.01, under every mode, against the answers of DuckDB.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::csv::ReaderBuilder;
use arrow::datatypes::{DataType, Field, Schema};
use vonk::{Session, config};
use vonk_tests::mode::MODES;
use vonk_tests::{BoxError, data, render, repository};

macro_rules! queries {
    ($($name:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            check(stringify!($name)).await.unwrap();
        })*
    };
}

queries! {
    q01 q02 q03 q04 q05 q06 q07 q08 q09 q10 q11 q12 q13 q14 q15 q16 q17 q18 q19 q20 q21 q22
}

async fn check(name: &str) -> Result<(), BoxError> {
    let folder = repository().join("sql/tpch");
    let query = fs::read_to_string(folder.join(format!("{name}.sql")))?;
    let expected = answer(name)?;
    for mode in MODES {
        let session = mode.session("unused-warehouse")?;
        widen_batches(&session)?;
        register(&session).await?;
        let got = render::rows(&session.sql(&query).collect().await?)?;
        compare(&got, &expected).map_err(|error| format!("{name} under {}: {error}", mode.name))?;
    }
    Ok(())
}

/// Every batch that a join has built holds on to the text of all batches before it, so the time grows
/// with the square of their number: for these tables, batches of three rows are too small.
fn widen_batches(session: &Session) -> Result<(), BoxError> {
    if session.config().count(config::BATCH_SIZE)?.is_some_and(|rows| rows < 100) {
        session.set(config::BATCH_SIZE, "100")?;
    }
    Ok(())
}

pub(super) async fn register(session: &Session) -> Result<(), BoxError> {
    let folder = data::test_data()?.join("tpch");
    for table in data::TPCH_TABLES {
        let path = folder.join(format!("{table}.parquet"));
        let view =
            format!("CREATE TEMP VIEW {table} AS SELECT * FROM parquet.`{}`", path.display());
        session.sql(view).collect().await?;
    }
    Ok(())
}

/// The rows that `cargo xtask answers` recorded, as texts.
pub(super) fn answer(name: &str) -> Result<Vec<Vec<String>>, BoxError> {
    let path = repository().join(format!("sql/tpch/answers/{name}.csv"));
    let header = fs::read_to_string(&path)?.lines().next().unwrap_or_default().to_owned();
    let fields: Vec<_> =
        header.split(',').map(|name| Field::new(name, DataType::Utf8, true)).collect();
    let reader = ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(true)
        .build(File::open(&path)?)?;
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok(render::rows(&batches)?)
}

/// Compares row by row in order; numbers may differ by what the scale of an average cuts off.
pub(super) fn compare(got: &[Vec<String>], expected: &[Vec<String>]) -> Result<(), String> {
    if got.len() != expected.len() {
        return Err(format!("{} rows instead of {}", got.len(), expected.len()));
    }
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        let same = got.len() == expected.len()
            && got.iter().zip(expected).all(|(got, expected)| same_value(got, expected));
        if !same {
            return Err(format!("row {}: {got:?} instead of {expected:?}", index + 1));
        }
    }
    Ok(())
}

fn same_value(got: &str, expected: &str) -> bool {
    match (got.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(got), Ok(expected)) => (got - expected).abs() <= 1e-6 * expected.abs().max(1.0),
        _ => got == expected,
    }
}

#[test]
fn another_number_text_or_row_is_seen() {
    let row = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let expected = [row(&["FRANCE", "1.5"])];
    assert!(compare(&[row(&["FRANCE", "1.500000"])], &expected).is_ok());
    assert!(compare(&[row(&["FRANCE", "1.51"])], &expected).is_err());
    assert!(compare(&[row(&["france", "1.5"])], &expected).is_err());
    assert!(compare(&[], &expected).is_err());
}
