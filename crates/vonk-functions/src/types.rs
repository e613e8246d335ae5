//! Types as text, in the words that Spark's users know.

use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit};

/// The key of a field's metadata under which Spark's name of its type stands, where Arrow's type
/// does not tell it: `interval day to hour` is a Duration as `interval day to second` is.
pub const TYPE_KEY: &str = "vonk.type";

/// Spark's name of the type of values that bring their type along; they are texts of JSON.
pub const VARIANT: &str = "variant";

/// Spark's name of a type, in lower case: `bigint`, `decimal(15,2)`, `array<string>`.
///
/// ```
/// use arrow::datatypes::DataType;
/// use vonk_functions::types;
/// assert_eq!(types::name(&DataType::Int64), "bigint");
/// assert_eq!(types::name(&DataType::Decimal128(15, 2)), "decimal(15,2)");
/// ```
pub fn name(data_type: &DataType) -> String {
    let plain = match data_type {
        DataType::Null => "void",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "int",
        DataType::Int64 | DataType::UInt32 => "bigint",
        DataType::UInt64 => "decimal(20,0)",
        DataType::Float16 | DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "binary",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(_, None) => "timestamp_ntz",
        DataType::Timestamp(_, Some(_)) => "timestamp",
        DataType::Time32(_) | DataType::Time64(_) => "time(6)",
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month",
        DataType::Duration(_) => "interval day to second",
        DataType::Interval(_) => "interval",
        DataType::Union(_, _) => "variant",
        nested => return nested_name(nested),
    };
    plain.to_owned()
}

fn nested_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("array<{}>", field_name(item)),
        DataType::Struct(fields) => format!("struct<{}>", fields_name(fields)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("map<{},{}>", field_name(&fields[0]), field_name(&fields[1]))
            }
            other => name(other),
        },
        DataType::Dictionary(_, value) => name(value),
        DataType::RunEndEncoded(_, values) => field_name(values),
        other => other.to_string(),
    }
}

/// Spark's name of a field's type, which may stand in its metadata.
///
/// ```
/// use arrow::datatypes::{DataType, Field, TimeUnit};
/// use vonk_functions::types;
/// let field = Field::new("d", DataType::Duration(TimeUnit::Microsecond), true);
/// assert_eq!(types::field_name(&field), "interval day to second");
/// let hours = types::with_name(field, "interval hour");
/// assert_eq!(types::field_name(&hours), "interval hour");
/// ```
pub fn field_name(field: &Field) -> String {
    match field.metadata().get(TYPE_KEY) {
        Some(given) if is_variant(field) => given.clone(),
        Some(given) if may_be_named(field.data_type()) => given.clone(),
        _ => name(field.data_type()),
    }
}

/// Whether a field's values are variants.
pub fn is_variant(field: &Field) -> bool {
    field.data_type().is_string()
        && field.metadata().get(TYPE_KEY).is_some_and(|given| given == VARIANT)
}

/// A field whose type has this name of Spark's.
#[must_use]
pub fn with_name(mut field: Field, type_name: &str) -> Field {
    field.metadata_mut().insert(TYPE_KEY.to_owned(), type_name.to_owned());
    field
}

/// The types that Spark has more of than Arrow.
fn may_be_named(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Duration(_)
            | DataType::Interval(IntervalUnit::YearMonth)
            | DataType::Time32(_)
            | DataType::Time64(_)
    )
}

fn fields_name(fields: &Fields) -> String {
    let name = |field: &FieldRef| format!("{}:{}", field.name(), field_name(field));
    fields.iter().map(name).collect::<Vec<_>>().join(",")
}

/// Whether values are bytes.
pub(crate) fn is_bytes(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

/// Whether values are maps, or hold some.
///
/// ```
/// use datafusion::arrow::datatypes::DataType;
/// assert!(!vonk_functions::types::has_map(&DataType::Int64));
/// ```
pub fn has_map(data_type: &DataType) -> bool {
    holds(data_type, |part| matches!(part, DataType::Map(..)))
}

/// Whether values are or hold floating numbers.
///
/// ```
/// use datafusion::arrow::datatypes::DataType;
/// assert!(vonk_functions::types::has_floats(&DataType::Float32));
/// ```
pub fn has_floats(data_type: &DataType) -> bool {
    holds(data_type, |part| matches!(part, DataType::Float32 | DataType::Float64))
}

/// Whether a type or a part of it is such.
fn holds(data_type: &DataType, is_it: fn(&DataType) -> bool) -> bool {
    is_it(data_type)
        || match data_type {
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::Map(item, _) => holds(item.data_type(), is_it),
            DataType::Struct(fields) => fields.iter().any(|field| holds(field.data_type(), is_it)),
            _ => false,
        }
}

/// Whether values are dates or timestamps.
pub(crate) fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

/// The name of a type as it stands in messages: `"BIGINT"`.
pub(crate) fn quoted(field: &Field) -> String {
    format!("\"{}\"", sql_name(field))
}

/// The name of a type as it stands in SQL: `BIGINT`, `STRUCT<a: INT NOT NULL>`.
pub fn sql_name(field: &Field) -> String {
    match field.data_type() {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("ARRAY<{}>", sql_name(item)),
        DataType::Struct(fields) => {
            let part = |field: &FieldRef| {
                let not_null = if field.is_nullable() { "" } else { " NOT NULL" };
                format!("{}: {}{not_null}", field.name(), sql_name(field))
            };
            format!("STRUCT<{}>", fields.iter().map(part).collect::<Vec<_>>().join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("MAP<{}, {}>", sql_name(&fields[0]), sql_name(&fields[1]))
            }
            _ => field_name(field).to_uppercase(),
        },
        _ => field_name(field).to_uppercase(),
    }
}

/// A nullable field of a type, where its name does not matter.
pub(crate) fn unnamed(data_type: DataType) -> Field {
    Field::new("", data_type, true)
}
