//! The tables that the statements of a recording name without making them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Array, Int32Array, Int32Builder, ListArray, ListBuilder, MapBuilder,
    RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::Int32Type;
use vonk::Session;
use vonk_tests::BoxError;

use crate::golden::Record;

type Make = fn(&Path) -> Result<RecordBatch, BoxError>;

/// The names of the tables and what makes them, given the folder of data.
const TABLES: &[(&str, Make)] = &[
    ("testdata", test_data),
    ("arraydata", array_data),
    ("mapdata", map_data),
    ("aggtest", aggregated),
    ("onek", |data| counted(&data.join("onek.data"))),
    ("tenk1", |data| counted(&data.join("tenk.data"))),
];

/// The columns of `onek` and `tenk1`, the last three of which are texts.
const COUNTED: &[&str] = &[
    "unique1",
    "unique2",
    "two",
    "four",
    "ten",
    "twenty",
    "hundred",
    "thousand",
    "twothousand",
    "fivethous",
    "tenthous",
    "odd",
    "even",
    "stringu1",
    "stringu2",
    "string4",
];

/// Makes those tables that a statement names, and all for statements that list tables.
pub(crate) async fn make(
    session: &Session,
    root: &Path,
    records: &[Record],
) -> Result<(), BoxError> {
    let text: String = records.iter().map(|record| record.sql.to_lowercase() + "\n").collect();
    let lists_tables = text.contains("show t");
    let data = root.join("test-data").join("postgresql");
    for (name, make) in TABLES {
        if text.contains(name) || lists_tables {
            let frame = session.from_batches(vec![make(&data)?])?;
            frame.write().mode("overwrite").save_as_table(name).await?;
        }
    }
    Ok(())
}

fn test_data(_: &Path) -> Result<RecordBatch, BoxError> {
    let keys: ArrayRef = Arc::new(Int32Array::from_iter_values(1..=100));
    let values = (1..=100).map(|key: i32| key.to_string());
    let values: ArrayRef = Arc::new(StringArray::from_iter_values(values));
    batch(vec![("key", keys), ("value", values)])
}

fn array_data(_: &Path) -> Result<RecordBatch, BoxError> {
    let row = |start: i32| Some((start..start + 3).map(Some));
    let flat = ListArray::from_iter_primitive::<Int32Type, _, _>([row(1), row(2)]);
    let mut nested = ListBuilder::new(ListBuilder::new(Int32Builder::new()));
    for start in [1, 2] {
        nested.values().values().append_slice(&[start, start + 1, start + 2]);
        nested.values().append(true);
        nested.append(true);
    }
    let columns: Vec<(&str, ArrayRef)> =
        vec![("arraycol", Arc::new(flat)), ("nestedarraycol", Arc::new(nested.finish()))];
    batch(columns)
}

fn map_data(_: &Path) -> Result<RecordBatch, BoxError> {
    let mut maps = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    for row in 1..=5 {
        for (key, letter) in (1..7 - row).zip(["a", "b", "c", "d", "e"]) {
            maps.keys().append_value(key);
            maps.values().append_value(format!("{letter}{row}"));
        }
        maps.append(true)?;
    }
    let maps: ArrayRef = Arc::new(maps.finish());
    batch(vec![("mapcol", maps)])
}

fn aggregated(data: &Path) -> Result<RecordBatch, BoxError> {
    let lines = lines(&data.join("agg.data"))?;
    let a = lines.iter().map(|line| line.first().and_then(|text| text.parse().ok()));
    let b = lines.iter().map(|line| line.get(1).and_then(|text| text.parse().ok()));
    let a: ArrayRef = Arc::new(a.collect::<Int32Array>());
    let b: ArrayRef = Arc::new(b.collect::<Float32Array>());
    batch(vec![("a", a), ("b", b)])
}

fn counted(path: &Path) -> Result<RecordBatch, BoxError> {
    let lines = lines(path)?;
    let column = |at: usize| -> ArrayRef {
        let values = lines.iter().map(|line| line.get(at));
        match COUNTED.len() - at {
            ..=3 => Arc::new(values.collect::<StringArray>()),
            _ => Arc::new(
                values.map(|text| text.and_then(|t| t.parse().ok())).collect::<Int32Array>(),
            ),
        }
    };
    batch(COUNTED.iter().enumerate().map(|(at, name)| (*name, column(at))).collect())
}

fn lines(path: &Path) -> Result<Vec<Vec<String>>, BoxError> {
    let text = std::fs::read_to_string(path)?;
    Ok(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, BoxError> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
