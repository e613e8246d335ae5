//! Which casts Spark allows, and which of them Arrow does as Spark does.

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use datafusion::common::Result;

use crate::arithmetic::Mode;
use crate::failure::Failure;
use crate::interval::Range;
use crate::types;

/// The kinds of types that a cast tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Void,
    Text,
    Bytes,
    Boolean,
    Whole,
    Fraction,
    Decimal,
    Date,
    Timestamp,
    TimestampNtz,
    Time,
    Months,
    Micros,
    Calendar,
    Other,
}

fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Null => Kind::Void,
        text if text.is_string() => Kind::Text,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Kind::Bytes,
        DataType::Boolean => Kind::Boolean,
        DataType::UInt64 => Kind::Decimal,
        whole if whole.is_integer() => Kind::Whole,
        float if float.is_floating() => Kind::Fraction,
        decimal if decimal.is_decimal() => Kind::Decimal,
        DataType::Date32 | DataType::Date64 => Kind::Date,
        DataType::Timestamp(_, Some(_)) => Kind::Timestamp,
        DataType::Timestamp(_, None) => Kind::TimestampNtz,
        DataType::Time32(_) | DataType::Time64(_) => Kind::Time,
        DataType::Interval(IntervalUnit::YearMonth) => Kind::Months,
        DataType::Duration(_) => Kind::Micros,
        DataType::Interval(_) => Kind::Calendar,
        _ => Kind::Other,
    }
}

/// The element type of a list of any layout.
pub(crate) fn item(data_type: &DataType) -> Option<&Field> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(item),
        _ => None,
    }
}

/// The key and value fields of a map.
pub(crate) fn entry(data_type: &DataType) -> Option<(&Field, &Field)> {
    match data_type {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Some((&fields[0], &fields[1])),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a cast may be asked for at all.
fn is_allowed(from: &DataType, to: &DataType, mode: Mode) -> bool {
    if let (Some(from), Some(to)) = (item(from), item(to)) {
        return is_allowed(from.data_type(), to.data_type(), mode);
    }
    if let (Some((from_key, from_value)), Some((to_key, to_value))) = (entry(from), entry(to)) {
        return is_allowed(from_key.data_type(), to_key.data_type(), mode)
            && is_allowed(from_value.data_type(), to_value.data_type(), mode);
    }
    if let (DataType::Struct(from), DataType::Struct(to)) = (from, to) {
        let same = |(from, to): (&_, &_)| {
            let (from, to): (&std::sync::Arc<Field>, &std::sync::Arc<Field>) = (from, to);
            is_allowed(from.data_type(), to.data_type(), mode)
        };
        return from.len() == to.len() && from.iter().zip(to.iter()).all(same);
    }
    is_atom_allowed(kind(from), kind(to), mode == Mode::Legacy, from == to)
}

fn is_atom_allowed(from: Kind, to: Kind, legacy: bool, same: bool) -> bool {
    use Kind::{
        Boolean, Bytes, Calendar, Date, Decimal, Fraction, Micros, Months, Other, Text, Time,
        Timestamp, TimestampNtz, Void, Whole,
    };
    match (from, to) {
        (Other, Other) => same,
        (Void, _) | (_, Text) => true,
        (Text, to) => to != Other && to != Void,
        (Bytes, Bytes) | (Calendar, Calendar) | (Months, Months) | (Micros, Micros) => true,
        (Boolean | Whole | Fraction | Decimal, Boolean | Whole | Fraction | Decimal) => true,
        (Whole | Fraction | Decimal, Timestamp) => true,
        (Timestamp, Whole | Fraction | Decimal) => true,
        (Date | Timestamp | TimestampNtz, Date | Timestamp | TimestampNtz) => true,
        (Time, Time | Whole | Decimal) => true,
        (Timestamp | TimestampNtz, Time) => true,
        (Months | Micros, Whole | Decimal) | (Whole | Decimal, Months | Micros) => true,
        (Whole, Bytes) | (Boolean, Timestamp) => legacy,
        (Date, Whole | Fraction | Decimal | Boolean) | (Timestamp, Boolean) => legacy,
        _ => false,
    }
}

/// The functions that do what a cast is not allowed to.
fn instead(from: Kind, to: Kind) -> Option<&'static str> {
    match (from, to) {
        (Kind::Date, Kind::Whole | Kind::Fraction | Kind::Decimal) => Some("unix_date"),
        (Kind::Whole | Kind::Fraction | Kind::Decimal, Kind::Date) => Some("date_from_unix_date"),
        _ => None,
    }
}

/// Whether Spark allows a cast.
///
/// # Errors
/// `DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION` and its kin, which say what to do instead.
pub(crate) fn check(from: &Field, to: &Field, mode: Mode) -> Result<()> {
    let (from_type, to_type) = (from.data_type(), to.data_type());
    let is_variant = types::is_variant(from) || types::is_variant(to);
    if is_variant || is_allowed(from_type, to_type, mode) {
        return Ok(());
    }
    let message = format!("{} cannot be cast to {}", types::quoted(from), types::quoted(to));
    let failure = match instead(kind(from_type), kind(to_type)) {
        Some(function) => Failure::new("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", message)
            .hint(format!("use `{function}` instead")),
        None if mode == Mode::Ansi && is_allowed(from_type, to_type, Mode::Legacy) => {
            Failure::new("DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", message)
                .hint("set `spark.sql.ansi.enabled` to `false` to cast it as Spark 3 did")
        }
        None => Failure::new("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", message),
    };
    Err(failure.into())
}

/// Whether Arrow's cast means what Spark's means, so that DataFusion's rules may reason about it.
pub fn is_plain(from: &Field, to: &Field) -> bool {
    let (from_type, to_type) = (from.data_type(), to.data_type());
    if Range::of(to).is_some() && Range::of(from) != Range::of(to) {
        return from_type.is_null();
    }
    if types::is_variant(from) != types::is_variant(to) {
        return false;
    }
    if from_type.is_null() {
        return true;
    }
    // Times of day may have fewer digits than the type of their values can hold.
    if kind(to_type) == Kind::Time && types::field_name(from) != types::field_name(to) {
        return false;
    }
    if from_type == to_type {
        return true;
    }
    match (kind(from_type), kind(to_type)) {
        (Kind::Text, Kind::Text) | (Kind::Text, Kind::Bytes) => true,
        (Kind::Whole | Kind::Boolean, Kind::Text) => !is_unsigned(from_type),
        (Kind::Whole, Kind::Whole) => {
            from_type.primitive_width() <= to_type.primitive_width()
                && !is_unsigned(to_type)
                && (!is_unsigned(from_type)
                    || from_type.primitive_width() < to_type.primitive_width())
        }
        (Kind::Whole, Kind::Fraction) => true,
        (Kind::Fraction, Kind::Fraction) => true,
        (Kind::Boolean, Kind::Whole | Kind::Fraction) => true,
        (Kind::Whole, Kind::Boolean) => true,
        (Kind::Date, Kind::TimestampNtz) => is_micros(to_type),
        (Kind::Timestamp, Kind::Timestamp) | (Kind::TimestampNtz, Kind::TimestampNtz) => true,
        (Kind::Bytes, Kind::Bytes) => true,
        (Kind::Decimal, Kind::Decimal) => widens(from_type, to_type),
        (Kind::Whole, Kind::Decimal) => holds_whole(from_type, to_type),
        _ => false,
    }
}

fn is_micros(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Microsecond, _))
}

fn is_unsigned(data_type: &DataType) -> bool {
    data_type.is_unsigned_integer()
}

/// Whether every value of a decimal type is one of another.
fn widens(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)) => {
            s2 >= s1 && i16::from(*p2) - i16::from(*s2) >= i16::from(*p1) - i16::from(*s1)
        }
        _ => false,
    }
}

/// Whether a decimal type holds every value of a type of whole numbers.
fn holds_whole(from: &DataType, to: &DataType) -> bool {
    let digits = match from {
        DataType::Int8 => 3,
        DataType::Int16 => 5,
        DataType::Int32 => 10,
        DataType::Int64 => 19,
        _ => return false,
    };
    matches!(to, DataType::Decimal128(p, s) if i16::from(*p) - i16::from(*s) >= digits)
}
