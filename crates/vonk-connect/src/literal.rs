//! Constants of the protocol as literals of SQL, so that they mean and are named the same.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use spark_connect_proto as proto;
use spark_connect_proto::expression::Literal;
use spark_connect_proto::expression::literal::specialized_array::ValueType;
use spark_connect_proto::expression::literal::{self, LiteralType};
use vonk::dataframe::{Column, expr, lit};
use vonk::display::{Renderer, Style, Zone};
use vonk::{Result, Session, functions};

use crate::errors::{self, required};
use crate::expression;
use crate::types;

/// The expression of a constant.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if it has no value, `UNSUPPORTED_FEATURE` for nanoseconds.
pub(crate) fn column(session: &Session, value: &Literal) -> Result<Column> {
    use LiteralType as Type;
    Ok(match required(value.literal_type.as_ref(), "value of a literal")? {
        Type::Null(data_type) => null(data_type)?,
        Type::Boolean(value) => lit(*value),
        Type::Byte(value) => number(i64::from(*value), "Y"),
        Type::Short(value) => number(i64::from(*value), "S"),
        Type::Integer(value) => number(i64::from(*value), ""),
        Type::Long(value) => number(*value, "L"),
        Type::Float(value) if value.is_finite() => expr(&format!("{value:e}F")),
        Type::Float(value) => lit(value.to_string()).cast_unnamed("float"),
        Type::Double(value) if value.is_finite() => expr(&format!("{value:e}D")),
        Type::Double(value) => lit(value.to_string()).cast_unnamed("double"),
        Type::Decimal(value) => decimal(value),
        Type::String(text) => lit(text.as_str()),
        Type::Binary(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            expr(&format!("X'{digits}'"))
        }
        Type::Date(days) => typed("DATE", &(Arc::new(Date32Array::from(vec![*days])) as ArrayRef))?,
        Type::Timestamp(micros) => timestamp(session, *micros)?,
        Type::TimestampNtz(micros) => typed(
            "TIMESTAMP_NTZ",
            &(Arc::new(TimestampMicrosecondArray::from(vec![*micros])) as ArrayRef),
        )?,
        Type::Time(time) => typed(
            "TIME",
            &(Arc::new(Time64MicrosecondArray::from(vec![time.nano / 1000])) as ArrayRef),
        )?,
        Type::CalendarInterval(interval) => calendar_interval(interval),
        Type::YearMonthInterval(months) => year_month(*months),
        Type::DayTimeInterval(micros) => day_time(*micros),
        Type::Array(array) => self::array(session, array, value.data_type.as_ref())?,
        Type::SpecializedArray(array) => specialized(array)?,
        Type::Map(map) => self::map(session, map)?,
        Type::Struct(fields) => structure(session, fields, value.data_type.as_ref())?,
        Type::TimestampNtzNanos(_) | Type::TimestampLtzNanos(_) => {
            return Err(errors::unsupported("timestamps in nanoseconds"));
        }
    })
}

fn null(data_type: &proto::DataType) -> Result<Column> {
    let null = lit(None::<i32>);
    Ok(match types::ddl(data_type)?.as_str() {
        "void" => null,
        name => null.cast_unnamed(name),
    })
}

fn number(value: i64, suffix: &str) -> Column {
    expr(&format!("{value}{suffix}"))
}

fn decimal(value: &literal::Decimal) -> Column {
    let text = value.value.as_str();
    let is_plain =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    match (is_plain, value.precision, value.scale) {
        (true, None, _) | (true, _, None) => expr(&format!("{text}BD")),
        (_, precision, scale) => {
            let (precision, scale) = (precision.unwrap_or(10), scale.unwrap_or(0));
            lit(text).cast_unnamed(&format!("decimal({precision},{scale})"))
        }
    }
}

/// `DATE '…'` and the like, of the one value of an array.
fn typed(name: &str, value: &ArrayRef) -> Result<Column> {
    Ok(expr(&format!("{name} '{}'", text(value)?)))
}

/// A moment as the clock of UTC shows it; the text says so unless the session's zone is UTC.
fn timestamp(session: &Session, micros: i64) -> Result<Column> {
    let value: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![micros]));
    let config = session.config();
    let zone = match config.get(vonk::config::TIME_ZONE) {
        Some("UTC" | "Etc/UTC" | "GMT") | None => "",
        Some(_) => "Z",
    };
    Ok(expr(&format!("TIMESTAMP_LTZ '{}{zone}'", text(&value)?)))
}

fn text(value: &ArrayRef) -> Result<String> {
    let field = Field::new("value", value.data_type().clone(), true);
    Ok(Renderer::new(value, &field, Style::show(Zone::UTC))?.text(0))
}

fn calendar_interval(interval: &literal::CalendarInterval) -> Column {
    let seconds = interval.microseconds.unsigned_abs();
    let sign = if interval.microseconds < 0 { "-" } else { "" };
    let seconds = format!("{sign}{}.{:06}", seconds / 1_000_000, seconds % 1_000_000);
    let (zero, days) = (lit(0), lit(interval.days));
    let parts = [
        zero.clone(),
        lit(interval.months),
        zero.clone(),
        days,
        zero.clone(),
        zero,
        expr(&format!("{seconds}BD")),
    ];
    functions::call("make_interval", parts)
}

fn year_month(months: i32) -> Column {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    expr(&format!("INTERVAL '{sign}{}-{}' YEAR TO MONTH", months / 12, months % 12))
}

fn day_time(micros: i64) -> Column {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (minutes, hours, days) = (seconds / 60 % 60, seconds / 3600 % 24, seconds / 86_400);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    let text = format!("{sign}{days} {hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60);
    expr(&format!("INTERVAL '{text}' DAY TO SECOND"))
}

fn array(
    session: &Session,
    array: &literal::Array,
    data_type: Option<&proto::DataType>,
) -> Result<Column> {
    let items =
        array.elements.iter().map(|item| column(session, item)).collect::<Result<Vec<_>>>()?;
    let is_empty = items.is_empty();
    let items = functions::call("array", items);
    #[expect(deprecated, reason = "clients before 4.1 give the type of the elements here")]
    let element_type = array.element_type.as_ref();
    match (is_empty, data_type, element_type) {
        (true, Some(data_type), _) => Ok(items.cast_unnamed(&types::ddl(data_type)?)),
        (true, None, Some(element)) => {
            Ok(items.cast_unnamed(&format!("array<{}>", types::ddl(element)?)))
        }
        _ => Ok(items),
    }
}

fn specialized(array: &literal::SpecializedArray) -> Result<Column> {
    let items: Vec<Column> = match required(array.value_type.as_ref(), "values of an array")? {
        ValueType::Bools(values) => values.values.iter().map(|value| lit(*value)).collect(),
        ValueType::Ints(values) => values.values.iter().map(|value| lit(*value)).collect(),
        ValueType::Longs(values) => values.values.iter().map(|value| number(*value, "L")).collect(),
        ValueType::Floats(values) => values.values.iter().map(|value| lit(*value)).collect(),
        ValueType::Doubles(values) => values.values.iter().map(|value| lit(*value)).collect(),
        ValueType::Strings(values) => {
            values.values.iter().map(|value| lit(value.as_str())).collect()
        }
    };
    Ok(functions::call("array", items))
}

fn map(session: &Session, map: &literal::Map) -> Result<Column> {
    let mut parts = Vec::new();
    for (key, value) in map.keys.iter().zip(&map.values) {
        parts.extend([column(session, key)?, column(session, value)?]);
    }
    Ok(functions::call("map", parts))
}

fn structure(
    session: &Session,
    fields: &literal::Struct,
    data_type: Option<&proto::DataType>,
) -> Result<Column> {
    #[expect(deprecated, reason = "clients before 4.1 give the type here")]
    let data_type = data_type.or(fields.struct_type.as_ref());
    let names: Vec<String> = match data_type.and_then(|data_type| data_type.kind.as_ref()) {
        Some(proto::data_type::Kind::Struct(named)) => {
            named.fields.iter().map(|field| field.name.clone()).collect()
        }
        _ => (1..=fields.elements.len()).map(|at| format!("col{at}")).collect(),
    };
    let values = fields.elements.iter().map(|value| column(session, value));
    Ok(expression::structure(names.iter().zip(values.collect::<Result<Vec<_>>>()?)))
}

/// The one value of a column as a constant of the protocol; what it has no form for is text.
///
/// # Errors
/// An internal error if the column has no value.
pub(crate) fn of_value(field: &Field, column: &ArrayRef) -> Result<Literal> {
    use LiteralType as Type;
    let is_null = column.is_empty() || column.is_null(0);
    let literal_type = match column.data_type() {
        _ if is_null => Type::Null(types::of_field(field)),
        DataType::Boolean => Type::Boolean(column.as_boolean().value(0)),
        DataType::Int8 => Type::Byte(column.as_primitive::<Int8Type>().value(0).into()),
        DataType::Int16 => Type::Short(column.as_primitive::<Int16Type>().value(0).into()),
        DataType::Int32 => Type::Integer(column.as_primitive::<Int32Type>().value(0)),
        DataType::Int64 => Type::Long(column.as_primitive::<Int64Type>().value(0)),
        DataType::Float32 => Type::Float(column.as_primitive::<Float32Type>().value(0)),
        DataType::Float64 => Type::Double(column.as_primitive::<Float64Type>().value(0)),
        DataType::Date32 => Type::Date(column.as_primitive::<Date32Type>().value(0)),
        DataType::Decimal128(precision, scale) => Type::Decimal(literal::Decimal {
            value: column.as_primitive::<Decimal128Type>().value_as_string(0),
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
        }),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(0);
            match zone {
                Some(_) => Type::Timestamp(micros),
                None => Type::TimestampNtz(micros),
            }
        }
        _ => Type::String(Renderer::new(column, field, Style::show(Zone::UTC))?.text(0)),
    };
    Ok(Literal { literal_type: Some(literal_type), data_type: None })
}
