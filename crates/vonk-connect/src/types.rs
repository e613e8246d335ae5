//! Spark's types in the protocol's words, to and from Arrow's.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema};
use spark_connect_proto as proto;
use spark_connect_proto::data_type::{self, Kind};
use vonk::display::field_type_name;
use vonk::{Result, Session};

use crate::errors::{self, required};
use crate::expression::quoted;

mod json;

/// The names of the fields of a day-time interval, by Spark's numbers.
const DAY_TIME_FIELDS: [&str; 4] = ["day", "hour", "minute", "second"];

/// The names of the fields of a year-month interval, by Spark's numbers.
const YEAR_MONTH_FIELDS: [&str; 2] = ["year", "month"];

/// A schema as a struct type.
pub(crate) fn of_schema(schema: &Schema) -> proto::DataType {
    struct_of(schema.fields())
}

/// The type of a field.
pub(crate) fn of_field(field: &Field) -> proto::DataType {
    typed(kind(field))
}

fn typed(kind: Kind) -> proto::DataType {
    proto::DataType { kind: Some(kind) }
}

fn struct_of(fields: &[FieldRef]) -> proto::DataType {
    let fields = fields.iter().map(|field| data_type::StructField {
        name: field.name().clone(),
        data_type: Some(of_field(field)),
        nullable: field.is_nullable(),
        metadata: field.metadata().get(METADATA_KEY).cloned(),
    });
    typed(Kind::Struct(data_type::Struct { fields: fields.collect(), type_variation_reference: 0 }))
}

/// The key of a field's metadata under which the JSON stands that a program gave it.
pub(crate) const METADATA_KEY: &str = "spark.metadata";

fn kind(field: &Field) -> Kind {
    let name = field_type_name(field);
    if name == "variant" {
        return Kind::Variant(data_type::Variant::default());
    }
    match field.data_type() {
        DataType::Null => Kind::Null(data_type::Null::default()),
        DataType::Boolean => Kind::Boolean(data_type::Boolean::default()),
        DataType::Int8 => Kind::Byte(data_type::Byte::default()),
        DataType::Int16 | DataType::UInt8 => Kind::Short(data_type::Short::default()),
        DataType::Int32 | DataType::UInt16 => Kind::Integer(data_type::Integer::default()),
        DataType::Int64 | DataType::UInt32 => Kind::Long(data_type::Long::default()),
        DataType::UInt64 => decimal(20, 0),
        DataType::Float16 | DataType::Float32 => Kind::Float(data_type::Float::default()),
        DataType::Float64 => Kind::Double(data_type::Double::default()),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => decimal(*precision, *scale),
        DataType::Date32 | DataType::Date64 => Kind::Date(data_type::Date::default()),
        DataType::Timestamp(_, Some(_)) => Kind::Timestamp(data_type::Timestamp::default()),
        DataType::Timestamp(_, None) => Kind::TimestampNtz(data_type::TimestampNtz::default()),
        DataType::Time32(_) | DataType::Time64(_) => Kind::Time(time(&name)),
        DataType::Duration(_) => Kind::DayTimeInterval(day_time(&name)),
        DataType::Interval(IntervalUnit::YearMonth) => Kind::YearMonthInterval(year_month(&name)),
        DataType::Interval(_) => Kind::CalendarInterval(data_type::CalendarInterval::default()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Kind::String(data_type::String {
                type_variation_reference: 0,
                collation: "UTF8_BINARY".to_owned(),
            })
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Kind::Binary(data_type::Binary::default()),
        nested => nested_kind(nested),
    }
}

fn nested_kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Kind::Array(Box::new(data_type::Array {
            element_type: Some(Box::new(of_field(item))),
            contains_null: item.is_nullable(),
            type_variation_reference: 0,
        })),
        DataType::Struct(fields) => match struct_of(fields).kind {
            Some(kind) => kind,
            None => Kind::Null(data_type::Null::default()),
        },
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Kind::Map(Box::new(data_type::Map {
                key_type: Some(Box::new(of_field(&fields[0]))),
                value_type: Some(Box::new(of_field(&fields[1]))),
                value_contains_null: fields[1].is_nullable(),
                type_variation_reference: 0,
            })),
            _ => Kind::Null(data_type::Null::default()),
        },
        DataType::Dictionary(_, value) => kind(&Field::new("", value.as_ref().clone(), true)),
        DataType::RunEndEncoded(_, values) => kind(values),
        DataType::Union(..) => Kind::Variant(data_type::Variant::default()),
        _ => Kind::Null(data_type::Null::default()),
    }
}

fn decimal(precision: u8, scale: i8) -> Kind {
    Kind::Decimal(data_type::Decimal {
        precision: Some(i32::from(precision)),
        scale: Some(i32::from(scale)),
        type_variation_reference: 0,
    })
}

fn time(name: &str) -> data_type::Time {
    let digits = name.trim_start_matches("time(").trim_end_matches(')');
    data_type::Time { precision: Some(digits.parse().unwrap_or(6)), type_variation_reference: 0 }
}

/// The numbers of the first and last field of an interval's name, such as `interval day to hour`.
fn fields_of(name: &str, fields: &[&str]) -> (Option<i32>, Option<i32>) {
    let name = name.trim_start_matches("interval ");
    let (first, last) = name.split_once(" to ").unwrap_or((name, name));
    let number = |word: &str| {
        let at = fields.iter().position(|field| *field == word)?;
        i32::try_from(at).ok()
    };
    (number(first), number(last))
}

fn day_time(name: &str) -> data_type::DayTimeInterval {
    let (start_field, end_field) = fields_of(name, &DAY_TIME_FIELDS);
    data_type::DayTimeInterval { start_field, end_field, type_variation_reference: 0 }
}

fn year_month(name: &str) -> data_type::YearMonthInterval {
    let (start_field, end_field) = fields_of(name, &YEAR_MONTH_FIELDS);
    data_type::YearMonthInterval { start_field, end_field, type_variation_reference: 0 }
}

/// The type in words of SQL, which give it its meaning.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` for a type that vonk does not have.
pub(crate) fn ddl(data_type: &proto::DataType) -> Result<String> {
    let plain = match required(data_type.kind.as_ref(), "type")? {
        Kind::Null(_) => "void",
        Kind::Binary(_) => "binary",
        Kind::Boolean(_) => "boolean",
        Kind::Byte(_) => "tinyint",
        Kind::Short(_) => "smallint",
        Kind::Integer(_) => "int",
        Kind::Long(_) => "bigint",
        Kind::Float(_) => "float",
        Kind::Double(_) => "double",
        Kind::String(_) | Kind::Char(_) | Kind::VarChar(_) => "string",
        Kind::Date(_) => "date",
        Kind::Timestamp(_) => "timestamp_ltz",
        Kind::TimestampNtz(_) => "timestamp_ntz",
        Kind::CalendarInterval(_) => "interval",
        Kind::Variant(_) => "variant",
        Kind::Unparsed(unparsed) => &unparsed.data_type_string,
        nested => return nested_ddl(nested),
    };
    Ok(plain.to_owned())
}

fn nested_ddl(kind: &Kind) -> Result<String> {
    Ok(match kind {
        Kind::Decimal(decimal) => {
            format!("decimal({},{})", decimal.precision.unwrap_or(10), decimal.scale.unwrap_or(0))
        }
        Kind::Time(time) => format!("time({})", time.precision.unwrap_or(6)),
        Kind::DayTimeInterval(interval) => {
            interval_ddl(interval.start_field, interval.end_field, &DAY_TIME_FIELDS)
        }
        Kind::YearMonthInterval(interval) => {
            interval_ddl(interval.start_field, interval.end_field, &YEAR_MONTH_FIELDS)
        }
        Kind::Array(array) => {
            format!("array<{}>", ddl(required(array.element_type.as_deref(), "element type")?)?)
        }
        Kind::Map(map) => {
            let key = ddl(required(map.key_type.as_deref(), "key type")?)?;
            format!("map<{key},{}>", ddl(required(map.value_type.as_deref(), "value type")?)?)
        }
        Kind::Struct(fields) => {
            format!("struct<{}>", fields_ddl(&fields.fields, ": ")?)
        }
        Kind::Udt(udt) => ddl(required(udt.sql_type.as_deref(), "type of a user's type")?)?,
        _ => return Err(errors::unsupported("geometries and nanoseconds")),
    })
}

/// The fields of a struct in words of SQL, with what stands between a name and its type.
fn fields_ddl(fields: &[data_type::StructField], between: &str) -> Result<String> {
    let fields = fields.iter().map(|field| {
        let data_type = ddl(required(field.data_type.as_ref(), "type of a field")?)?;
        Ok(format!("{}{between}{data_type}", quoted(&field.name)))
    });
    Ok(fields.collect::<Result<Vec<_>>>()?.join(", "))
}

/// The columns of a table whose rows are of a struct type, in words of SQL.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if it is no struct, those of [`ddl`].
pub(crate) fn columns_ddl(data_type: &proto::DataType) -> Result<String> {
    match &data_type.kind {
        Some(Kind::Struct(fields)) => fields_ddl(&fields.fields, " "),
        // A client may send the words themselves, with or without the struct around its columns.
        Some(Kind::Unparsed(text)) => {
            let text = text.data_type_string.trim();
            let inner = text.get(..7).filter(|start| start.eq_ignore_ascii_case("struct<"));
            Ok(match inner.and_then(|_| text[7..].strip_suffix('>')) {
                Some(inner) => inner.to_owned(),
                None => text.to_owned(),
            })
        }
        _ => Err(errors::missing("struct as its schema")),
    }
}

fn interval_ddl(start: Option<i32>, end: Option<i32>, fields: &[&str]) -> String {
    let name = |at: Option<i32>, default: usize| {
        let at = at.and_then(|at| usize::try_from(at).ok()).unwrap_or(default);
        fields.get(at).copied().unwrap_or_default()
    };
    match (name(start, 0), name(end, fields.len() - 1)) {
        (first, last) if first == last => format!("interval {first}"),
        (first, last) => format!("interval {first} to {last}"),
    }
}

/// The Arrow field, without a name, that a type of the protocol means.
///
/// # Errors
/// Those of [`ddl`], and of reading the words.
pub(crate) fn to_field(session: &Session, data_type: &proto::DataType) -> Result<Field> {
    if let Some(Kind::Struct(columns)) = &data_type.kind
        && columns.fields.is_empty()
    {
        // SQL has no words for a struct of nothing, which `foreach` gives.
        return Ok(Field::new("", DataType::Struct(Fields::empty()), true));
    }
    with_nullability(session.type_of_ddl(&ddl(data_type)?)?, data_type)
}

/// The Arrow schema that a struct type means.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if it is no struct, those of [`to_field`].
pub(crate) fn to_schema(session: &Session, data_type: &proto::DataType) -> Result<Schema> {
    match to_field(session, data_type)?.data_type() {
        DataType::Struct(fields) => Ok(Schema::new(fields.clone())),
        _ => Err(errors::missing("struct as its schema")),
    }
}

/// Says of every field within whether it may be NULL, which the words of SQL leave out.
fn with_nullability(field: Field, data_type: &proto::DataType) -> Result<Field> {
    let inner = |field: &FieldRef, data_type: Option<&proto::DataType>, is_nullable: bool| {
        let field = field.as_ref().clone().with_nullable(is_nullable);
        let data_type = required(data_type, "type")?;
        Ok::<FieldRef, vonk::Error>(Arc::new(with_nullability(field, data_type)?))
    };
    let data_type = match (field.data_type(), &data_type.kind) {
        (DataType::List(item), Some(Kind::Array(array))) => {
            DataType::List(inner(item, array.element_type.as_deref(), array.contains_null)?)
        }
        (DataType::Struct(fields), Some(Kind::Struct(given))) => {
            let fields = fields.iter().zip(&given.fields).map(|(field, given)| {
                let field = inner(field, given.data_type.as_ref(), given.nullable)?;
                Ok::<FieldRef, vonk::Error>(match &given.metadata {
                    None => field,
                    Some(json) => Arc::new(with_metadata(field.as_ref().clone(), json)),
                })
            });
            DataType::Struct(fields.collect::<Result<_>>()?)
        }
        (DataType::Map(entries, is_sorted), Some(Kind::Map(map))) => {
            let DataType::Struct(fields) = entries.data_type() else { return Ok(field) };
            let key = inner(&fields[0], map.key_type.as_deref(), false)?;
            let value = inner(&fields[1], map.value_type.as_deref(), map.value_contains_null)?;
            let pair = DataType::Struct(vec![key, value].into());
            DataType::Map(Arc::new(entries.as_ref().clone().with_data_type(pair)), *is_sorted)
        }
        _ => return Ok(field),
    };
    Ok(field.with_data_type(data_type))
}

fn with_metadata(mut field: Field, json: &str) -> Field {
    field.metadata_mut().insert(METADATA_KEY.to_owned(), json.to_owned());
    field
}

/// The Arrow schema that a text of Spark's JSON means.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if it means none, those of [`to_schema`].
pub(crate) fn schema_of_json(session: &Session, text: &str) -> Result<Schema> {
    to_schema(session, &json::parse(text)?)
}

/// A text of Spark's JSON in words of SQL.
///
/// # Errors
/// As [`schema_of_json`].
pub(crate) fn ddl_of_json(text: &str) -> Result<String> {
    let data_type = json::parse(text)?;
    let Some(Kind::Struct(fields)) = &data_type.kind else { return ddl(&data_type) };
    let fields = fields.fields.iter().map(|field| {
        let data_type = ddl(required(field.data_type.as_ref(), "type of a field")?)?;
        let not_null = if field.nullable { "" } else { " NOT NULL" };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts_with_digit = field.name.starts_with(|c: char| c.is_ascii_digit());
        let name = match field.name.chars().all(is_plain) && !starts_with_digit {
            true => field.name.clone(),
            false => quoted(&field.name),
        };
        Ok(format!("{name} {}{not_null}", data_type.to_uppercase()))
    });
    Ok(fields.collect::<Result<Vec<_>>>()?.join(","))
}
