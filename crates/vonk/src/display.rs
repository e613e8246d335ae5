//! Types as text, in the words that Spark's users know.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

/// Spark's name of a type, in lower case: `bigint`, `decimal(15,2)`, `array<string>`.
///
/// ```
/// use vonk::arrow::datatypes::DataType;
/// assert_eq!(vonk::display::type_name(&DataType::Int64), "bigint");
/// assert_eq!(vonk::display::type_name(&DataType::Decimal128(15, 2)), "decimal(15,2)");
/// ```
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "int".to_owned(),
        DataType::Int64 | DataType::UInt32 => "bigint".to_owned(),
        DataType::UInt64 => "decimal(20,0)".to_owned(),
        DataType::Float16 | DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "binary".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, None) => "timestamp_ntz".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month".to_owned(),
        DataType::Duration(TimeUnit::Microsecond) => "interval day to second".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".to_owned(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("array<{}>", type_name(item.data_type())),
        DataType::Struct(fields) => format!("struct<{}>", fields_name(fields)),
        DataType::Map(entries, _) => map_name(entries.data_type()),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::RunEndEncoded(_, values) => type_name(values.data_type()),
        DataType::Union(_, _) => "variant".to_owned(),
    }
}

fn fields_name(fields: &Fields) -> String {
    let fields =
        fields.iter().map(|field| format!("{}:{}", field.name(), type_name(field.data_type())));
    fields.collect::<Vec<_>>().join(",")
}

fn map_name(entries: &DataType) -> String {
    match entries {
        DataType::Struct(fields) if fields.len() == 2 => format!(
            "map<{},{}>",
            type_name(fields[0].data_type()),
            type_name(fields[1].data_type())
        ),
        other => type_name(other),
    }
}

/// Stands between a column's name and a number where a result has the same name twice.
///
/// Plans need distinct names, results do not: the mark and what follows never reach a user.
pub(crate) const DUPLICATE_MARK: char = '\u{2063}';

/// The schema of a result, with the names that the user wrote.
pub(crate) fn result_schema(schema: &SchemaRef) -> SchemaRef {
    if !schema.fields().iter().any(|field| field.name().contains(DUPLICATE_MARK)) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().map(|field| {
        let name = field.name().split(DUPLICATE_MARK).next().unwrap_or_default();
        field.as_ref().clone().with_name(name)
    });
    let fields = fields.collect::<Vec<Field>>();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// A stream of batches with the names that the user wrote.
pub(crate) fn result_stream(stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let schema = result_schema(&stream.schema());
    if Arc::ptr_eq(&schema, &stream.schema()) || schema == stream.schema() {
        return stream;
    }
    let renamed = Arc::clone(&schema);
    let batches = stream.map(move |batch| {
        let batch = batch?;
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        Ok(RecordBatch::try_new_with_options(Arc::clone(&renamed), columns, &rows)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}
