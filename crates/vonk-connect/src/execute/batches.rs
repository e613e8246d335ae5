//! Rows as the client reads them: Arrow streams of a few megabytes with the types that it knows.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use vonk::{Error, Result};

/// Bytes of rows that one answer aims at.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// The schema with types that the client knows; moments are shown in `zone`.
pub(crate) fn client_schema(schema: &Schema, zone: &str) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| client_field(field, zone));
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

fn client_field(field: &FieldRef, zone: &str) -> FieldRef {
    let data_type = client_type(field.data_type(), zone);
    // Spark's schema goes along and tells what may be NULL.
    Arc::new(Field::new(field.name(), data_type, true))
}

fn client_type(data_type: &DataType, zone: &str) -> DataType {
    let inner = |field: &FieldRef, name: &str| {
        let data_type = client_type(field.data_type(), zone);
        Arc::new(Field::new(name, data_type, true))
    };
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, Some(_)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()))
        }
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Nanosecond),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        DataType::Dictionary(_, value) => client_type(value, zone),
        DataType::RunEndEncoded(_, values) => client_type(values.data_type(), zone),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(inner(item, "element")),
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| client_field(field, zone));
            DataType::Struct(fields.collect())
        }
        DataType::Map(entries, is_sorted) => map_type(entries, *is_sorted, zone),
        other => other.clone(),
    }
}

fn map_type(entries: &FieldRef, is_sorted: bool, zone: &str) -> DataType {
    let DataType::Struct(fields) = entries.data_type() else {
        return DataType::Map(Arc::clone(entries), is_sorted);
    };
    let part = |at: usize, name: &str, is_nullable| {
        let data_type = fields.get(at).map_or(DataType::Null, |f| client_type(f.data_type(), zone));
        Arc::new(Field::new(name, data_type, is_nullable))
    };
    let fields: Fields = vec![part(0, "key", false), part(1, "value", true)].into();
    let entries = Field::new("entries", DataType::Struct(fields), false);
    DataType::Map(Arc::new(entries), is_sorted)
}

/// The rows of a batch with the types of a schema of as many columns.
///
/// # Errors
/// Those of the casts: a value that has no place in its type is one.
pub(crate) fn with_schema(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
        true => Ok(Arc::clone(column)),
        false => cast_with_options(column, field.data_type(), &options),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
}

/// About how many bytes the rows of a batch take.
pub(crate) fn bytes_of(batch: &RecordBatch) -> usize {
    let sizes = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size());
    sizes.map(|size| size.unwrap_or(0)).sum()
}

/// A batch in so many parts of about as many rows, none of them empty but for the only one.
pub(crate) fn slices(batch: &RecordBatch, count: usize) -> impl Iterator<Item = RecordBatch> {
    let rows = batch.num_rows();
    let count = count.clamp(1, rows.max(1));
    let border = move |part: usize| part * rows / count;
    (0..count).map(move |part| batch.slice(border(part), border(part + 1) - border(part)))
}

/// The rows of a batch as Arrow streams of about [`BATCH_BYTES`] each, with how many rows they have.
///
/// # Errors
/// `INTERNAL_ERROR` if a column cannot be given in the client's type.
pub(crate) fn ipc_batches(batch: &RecordBatch, schema: &SchemaRef) -> Result<Vec<(usize, Bytes)>> {
    let batch = with_schema(batch, schema)?;
    let slices = slices(&batch, bytes_of(&batch).div_ceil(BATCH_BYTES));
    slices.map(|slice| Ok((slice.num_rows(), ipc_stream(&slice)?))).collect()
}

fn ipc_stream(batch: &RecordBatch) -> Result<Bytes> {
    let failed = |error| Error::internal(format!("rows cannot be written as Arrow: {error}"));
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    Ok(writer.into_inner().map_err(failed)?.into())
}

/// All rows of batches as one Arrow stream, for relations that hold their rows.
///
/// # Errors
/// As [`ipc_batches`].
pub(crate) fn ipc_batches_of(batch: &RecordBatch, zone: &str) -> Result<Bytes> {
    let schema = client_schema(&batch.schema(), zone);
    ipc_stream(&with_schema(batch, &schema)?)
}
