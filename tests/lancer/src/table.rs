//! Generated tables: as SQL, as Arrow batches, and as files.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, Int64Builder,
    ListBuilder, RecordBatch, RecordBatchOptions, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;

use crate::print::Dialect;
use crate::value::{Kind, Value};

/// A table of a few rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name: `t0`, `t1`, ….
    pub name: String,
    /// Names and kinds of its columns.
    pub columns: Vec<(String, Kind)>,
    /// A value per column and row.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// A query that gives the table, each column of exactly its type.
    #[must_use]
    pub fn as_values(&self, dialect: Dialect) -> String {
        let empty: Vec<Value> = vec![Value::Null; self.columns.len()];
        let rows = if self.rows.is_empty() { std::slice::from_ref(&empty) } else { &self.rows };
        let rows: Vec<String> = rows.iter().map(|row| self.row_sql(row, dialect)).collect();
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let only = if self.rows.is_empty() { " WHERE false" } else { "" };
        format!("SELECT * FROM (VALUES {}) AS v({}){only}", rows.join(", "), names.join(", "))
    }

    fn row_sql(&self, row: &[Value], dialect: Dialect) -> String {
        let values = self.columns.iter().zip(row).map(|((_, kind), value)| match value {
            // A bare number would be an INT.
            Value::Integer(number) => format!("CAST({number} AS BIGINT)"),
            value => value.sql(*kind, dialect),
        });
        format!("({})", values.collect::<Vec<_>>().join(", "))
    }

    /// The columns as `name TYPE, …`.
    #[must_use]
    pub fn ddl(&self, dialect: Dialect) -> String {
        let columns =
            self.columns.iter().map(|(name, kind)| format!("{name} {}", kind.sql_type(dialect)));
        columns.collect::<Vec<_>>().join(", ")
    }

    /// The rows as one batch.
    ///
    /// # Errors
    /// If a value is not of its column's kind.
    pub fn batch(&self) -> Result<RecordBatch, ArrowError> {
        let mut fields = Vec::with_capacity(self.columns.len());
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (index, (name, kind)) in self.columns.iter().enumerate() {
            let values: Vec<&Value> = self.rows.iter().map(|row| &row[index]).collect();
            let array = array(*kind, &values)?;
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
    }
}

macro_rules! pick {
    ($values:expr, $variant:ident) => {
        $values.iter().map(|value| match value {
            Value::$variant(inner) => Some(inner.clone()),
            _ => None,
        })
    };
}

fn array(kind: Kind, values: &[&Value]) -> Result<ArrayRef, ArrowError> {
    Ok(match kind {
        Kind::Boolean => Arc::new(pick!(values, Boolean).collect::<BooleanArray>()),
        Kind::Integer => Arc::new(pick!(values, Integer).collect::<Int64Array>()),
        Kind::Double | Kind::Ratio => Arc::new(pick!(values, Double).collect::<Float64Array>()),
        Kind::Decimal => {
            let hundredths = pick!(values, Decimal).map(|value| value.map(i128::from));
            let array = hundredths.collect::<Decimal128Array>();
            Arc::new(array.with_precision_and_scale(9, 2)?)
        }
        Kind::Text => Arc::new(pick!(values, Text).collect::<StringArray>()),
        Kind::Date => Arc::new(pick!(values, Date).collect::<Date32Array>()),
        Kind::Timestamp => {
            let micros = pick!(values, Timestamp).map(|value| value.map(|s| s * 1_000_000));
            Arc::new(micros.collect::<TimestampMicrosecondArray>())
        }
        Kind::List => Arc::new(list(values)),
        Kind::Struct => Arc::new(structs(values)?),
    })
}

fn list(values: &[&Value]) -> arrow::array::ListArray {
    let mut builder = ListBuilder::new(Int64Builder::new());
    for value in values {
        match value {
            Value::List(items) => {
                items.iter().for_each(|item| builder.values().append_option(*item));
                builder.append(true);
            }
            _ => builder.append(false),
        }
    }
    builder.finish()
}

fn structs(values: &[&Value]) -> Result<StructArray, ArrowError> {
    let parts = |value: &&Value| match value {
        Value::Struct(x, s) => (*x, s.clone(), true),
        _ => (None, None, false),
    };
    let x: Int64Array = values.iter().map(|value| parts(value).0).collect();
    let s: StringArray = values.iter().map(|value| parts(value).1).collect();
    let nulls: NullBuffer = values.iter().map(|value| parts(value).2).collect();
    let fields = Fields::from(vec![
        Field::new("x", DataType::Int64, true),
        Field::new("s", DataType::Utf8, true),
    ]);
    StructArray::try_new(fields, vec![Arc::new(x), Arc::new(s)], Some(nulls))
}
