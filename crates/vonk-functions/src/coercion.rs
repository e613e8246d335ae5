//! The type that values of different types have in common, by Spark's two matrices.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, TimeUnit};

use crate::arithmetic::Mode;
use crate::cast::{entry, item};
use crate::interval::Range;
use crate::parameters::timestamp;
use crate::types::{is_bytes, is_moment, sql_name};

/// The most digits that a decimal has.
const PRECISION_MAX: i32 = 38;

/// The field that values of both fields fit into, if Spark knows one: of CASE, UNION, arrays.
///
/// ```
/// use arrow::datatypes::{DataType, Field};
/// use vonk_functions::arithmetic::Mode;
/// use vonk_functions::coercion;
/// let field = |data_type| Field::new("", data_type, true);
/// let common = |a, b, mode| coercion::common(&field(a), &field(b), mode).map(|f| f.data_type().clone());
/// assert_eq!(common(DataType::Int32, DataType::Utf8View, Mode::Ansi), Some(DataType::Int64));
/// assert_eq!(common(DataType::Int32, DataType::Utf8View, Mode::Legacy), Some(DataType::Utf8View));
/// assert_eq!(common(DataType::Int32, DataType::Date32, Mode::Ansi), None);
/// ```
pub fn common(left: &Field, right: &Field, mode: Mode) -> Option<Field> {
    let widened = widened(left, right, mode);
    if widened.is_some() {
        return widened;
    }
    let (text, other) = match (left.data_type(), right.data_type()) {
        (l, r) if l.is_string() => (left, r),
        (l, r) if r.is_string() => (right, l),
        _ => return None,
    };
    let promoted = match mode {
        Mode::Ansi | Mode::Try => promoted(other)?,
        // Bytes and truth values were never text.
        Mode::Legacy if is_bytes(other) || *other == DataType::Boolean => return None,
        Mode::Legacy if other.is_nested() => return None,
        Mode::Legacy => text.data_type().clone(),
    };
    Some(Field::new("", promoted, true))
}

/// The common field of the two sides of a comparison.
///
/// Structs of the same types are compared by their places, whatever their fields are called.
///
/// ```
/// use datafusion::arrow::datatypes::{DataType, Field};
/// use vonk_functions::{arithmetic::Mode, coercion};
/// let point = |name| {
///     let fields = vec![Field::new(name, DataType::Int32, true)];
///     Field::new("", DataType::Struct(fields.into()), true)
/// };
/// assert!(coercion::comparison(&point("x"), &point("y"), Mode::Ansi).is_some());
/// ```
pub fn comparison(left: &Field, right: &Field, mode: Mode) -> Option<Field> {
    let (l, r) = (left.data_type(), right.data_type());
    if let Some(alike) = by_place(left, right) {
        return Some(alike);
    }
    let other = match (l.is_string(), r.is_string()) {
        (true, false) => r,
        (false, true) => l,
        _ if mode == Mode::Ansi && !is_tight(l, r) => return None,
        _ => return common(left, right, mode),
    };
    if mode != Mode::Legacy || other.is_null() {
        return common(left, right, mode);
    }
    // What text is compared with decides what it is read as.
    let read_as = match other {
        decimal if decimal.is_decimal() => DataType::Float64,
        nested if nested.is_nested() => return None,
        atom => atom.clone(),
    };
    Some(Field::new("", read_as, true))
}

/// The common field of nested values of the same types, by the places of their fields: with the names of
/// the left ones, and NULL where either may have it.
pub fn by_place(left: &Field, right: &Field) -> Option<Field> {
    let inner = |a: &FieldRef, b: &FieldRef| -> Option<FieldRef> {
        let one = by_place(a, b).or_else(|| {
            if sql_name(a) != sql_name(b) {
                return None;
            }
            let same = a.as_ref().clone();
            match a.data_type() == b.data_type() {
                true => Some(same),
                false if a.data_type().is_string() => Some(same.with_data_type(DataType::Utf8View)),
                false => None,
            }
        })?;
        let is_nullable = a.is_nullable() || b.is_nullable();
        Some(Arc::new(one.with_name(a.name()).with_nullable(is_nullable)))
    };
    let data_type = match (left.data_type(), right.data_type()) {
        (DataType::Struct(a), DataType::Struct(b)) if a.len() == b.len() => {
            let fields = a.iter().zip(b.iter()).map(|(a, b)| inner(a, b));
            DataType::Struct(fields.collect::<Option<Vec<_>>>()?.into())
        }
        (DataType::List(a), DataType::List(b)) => DataType::List(inner(a, b)?),
        _ => return None,
    };
    Some(left.clone().with_data_type(data_type))
}

/// Whether values within arrays, structs and maps may be compared under ANSI: there a type is widened,
/// but text is read as nothing else and a number becomes no decimal.
fn is_tight(left: &DataType, right: &DataType) -> bool {
    let leaf = |a: &DataType, b: &DataType| match (a, b) {
        (a, b) if a.is_nested() && b.is_nested() => is_tight(a, b),
        (a, b) => {
            a.is_null()
                || b.is_null()
                || a.is_string() == b.is_string() && a.is_decimal() == b.is_decimal()
        }
    };
    if let (Some(a), Some(b)) = (item(left), item(right)) {
        return leaf(a.data_type(), b.data_type());
    }
    match (left, right) {
        (DataType::Struct(a), DataType::Struct(b)) => {
            a.iter().zip(b.iter()).all(|(a, b)| leaf(a.data_type(), b.data_type()))
        }
        _ => true,
    }
}

/// What text becomes beside a value of another type, under ANSI.
fn promoted(other: &DataType) -> Option<DataType> {
    Some(match other {
        DataType::Duration(_) | DataType::Interval(_) => return None,
        whole if whole.is_integer() => DataType::Int64,
        number if number.is_numeric() => DataType::Float64,
        nested if nested.is_nested() => return None,
        atom => atom.clone(),
    })
}

/// The common field of two that are alike: numbers, moments, intervals, and what holds such.
///
/// ```
/// use datafusion::arrow::datatypes::{DataType, Field};
/// use vonk_functions::{arithmetic::Mode, coercion};
/// let field = |data_type| Field::new("", data_type, true);
/// assert!(coercion::widened(&field(DataType::Int32), &field(DataType::Utf8View), Mode::Ansi).is_none());
/// ```
pub fn widened(left: &Field, right: &Field, mode: Mode) -> Option<Field> {
    let (l, r) = (left.data_type(), right.data_type());
    if let (Some(a), Some(b)) = (Range::of(left), Range::of(right)) {
        return (a.start.is_months() == b.start.is_months()).then(|| a.union(b).field(""));
    }
    if l == r {
        return Some(left.clone());
    }
    let data_type = match (l, r) {
        (DataType::Null, _) => return Some(right.clone().with_nullable(true)),
        (_, DataType::Null) => return Some(left.clone().with_nullable(true)),
        (l, r) if l.is_string() && r.is_string() => DataType::Utf8View,
        (l, r) if is_bytes(l) && is_bytes(r) => DataType::Binary,
        (l, r) if l.is_numeric() && r.is_numeric() => numbers(l, r, mode)?,
        (l, r) if is_moment(l) && is_moment(r) => moments(l, r),
        (DataType::Time32(_) | DataType::Time64(_), DataType::Time32(_) | DataType::Time64(_)) => {
            DataType::Time64(TimeUnit::Microsecond)
        }
        (DataType::Interval(IntervalUnit::MonthDayNano), DataType::Interval(_)) => l.clone(),
        _ => nested(l, r, mode)?,
    };
    Some(Field::new("", data_type, true))
}

fn nested(left: &DataType, right: &DataType, mode: Mode) -> Option<DataType> {
    if let (Some(a), Some(b)) = (item(left), item(right)) {
        let common = common(a, b, mode)?.with_name("item");
        return Some(DataType::List(Arc::new(common.with_nullable(true))));
    }
    if let (DataType::Struct(a), DataType::Struct(b)) = (left, right) {
        if a.len() != b.len() {
            return None;
        }
        let fields = a.iter().zip(b.iter()).map(|(a, b)| {
            let same_name = a.name().eq_ignore_ascii_case(b.name());
            let nullable = a.is_nullable() || b.is_nullable();
            let common = common(a, b, mode).filter(|_| same_name)?;
            Some(common.with_name(a.name()).with_nullable(nullable))
        });
        return fields.collect::<Option<Vec<_>>>().map(|fields| DataType::Struct(fields.into()));
    }
    let (DataType::Map(entries, sorted), Some((k1, v1)), Some((k2, v2))) =
        (left, entry(left), entry(right))
    else {
        return None;
    };
    let key = common(k1, k2, mode)?.with_name(k1.name()).with_nullable(false);
    let value = common(v1, v2, mode)?.with_name(v1.name()).with_nullable(true);
    let fields = DataType::Struct(Fields::from(vec![key, value]));
    let entries = entries.as_ref().clone().with_data_type(fields);
    Some(DataType::Map(Arc::new(entries), *sorted))
}

fn moments(left: &DataType, right: &DataType) -> DataType {
    let zoned = |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, Some(_)));
    match zoned(left) || zoned(right) {
        true => timestamp(),
        false => match (left, right) {
            (DataType::Timestamp(..), _) | (_, DataType::Timestamp(..)) => {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            _ => DataType::Date32,
        },
    }
}

/// The common type of two numbers.
fn numbers(left: &DataType, right: &DataType, mode: Mode) -> Option<DataType> {
    if left.is_floating() || right.is_floating() {
        let single = |data_type: &DataType| {
            matches!(data_type, DataType::Float32 | DataType::Float16)
                || (mode == Mode::Legacy && data_type.is_integer())
        };
        return Some(match single(left) && single(right) {
            true => DataType::Float32,
            false => DataType::Float64,
        });
    }
    if left.is_decimal()
        || right.is_decimal()
        || *left == DataType::UInt64
        || *right == DataType::UInt64
    {
        let ((p1, s1), (p2, s2)) = (decimal_size(left)?, decimal_size(right)?);
        let scale = s1.max(s2);
        let precision = (p1 - s1).max(p2 - s2) + scale;
        // Digits in front of the point are worth more than those behind it.
        let lost = (precision - PRECISION_MAX).max(0);
        let (precision, scale) = (precision - lost, (scale - lost).max(0));
        return Some(DataType::Decimal128(precision as u8, scale as i8));
    }
    let width = signed_width(left).max(signed_width(right));
    Some(match width {
        1 => DataType::Int8,
        2 => DataType::Int16,
        4 => DataType::Int32,
        _ => DataType::Int64,
    })
}

/// The bytes of the signed type that holds all values.
fn signed_width(data_type: &DataType) -> usize {
    let width = data_type.primitive_width().unwrap_or(8);
    if data_type.is_unsigned_integer() { width * 2 } else { width }
}

/// Precision and scale of the decimal that holds all values of a type.
fn decimal_size(data_type: &DataType) -> Option<(i32, i32)> {
    Some(match data_type {
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => (i32::from(*p), i32::from(*s)),
        DataType::Int8 => (3, 0),
        DataType::Int16 | DataType::UInt8 => (5, 0),
        DataType::Int32 | DataType::UInt16 => (10, 0),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => (20, 0),
        _ => return None,
    })
}

/// The common field of any number of fields.
pub fn common_of<'a>(fields: impl IntoIterator<Item = &'a Field>, mode: Mode) -> Option<Field> {
    let fields: Vec<&Field> = fields.into_iter().collect();
    // Text decides for the whole list under the legacy rules, so it is met first.
    let (texts, others): (Vec<&Field>, Vec<&Field>) =
        fields.into_iter().partition(|field| field.data_type().is_string());
    let ordered = others.into_iter().chain(texts);
    let mut so_far: Option<Field> = None;
    for field in ordered {
        so_far = Some(match so_far {
            None => field.clone(),
            Some(common_field) => common(&common_field, field, mode)?,
        });
    }
    so_far
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(left: DataType, right: DataType, mode: Mode) -> Option<DataType> {
        let field = |data_type| Field::new("", data_type, true);
        common(&field(left), &field(right), mode).map(|field| field.data_type().clone())
    }

    #[test]
    fn numbers_widen() {
        let decimal = DataType::Decimal128;
        let cases = [
            (DataType::Int8, DataType::Int32, DataType::Int32),
            (DataType::Int32, DataType::Float32, DataType::Float64),
            (decimal(5, 2), DataType::Int32, decimal(12, 2)),
            (decimal(38, 10), decimal(20, 15), decimal(38, 10)),
            (decimal(5, 2), DataType::Float64, DataType::Float64),
        ];
        for (left, right, expected) in cases {
            assert_eq!(types(left, right, Mode::Ansi), Some(expected));
        }
        assert_eq!(
            types(DataType::Int32, DataType::Float32, Mode::Legacy),
            Some(DataType::Float32)
        );
    }

    #[test]
    fn text_yields_to_what_stands_beside_it() {
        let cases = [
            (DataType::Int8, Some(DataType::Int64)),
            (DataType::Decimal128(3, 1), Some(DataType::Float64)),
            (DataType::Date32, Some(DataType::Date32)),
            (DataType::Boolean, Some(DataType::Boolean)),
            (DataType::Duration(TimeUnit::Microsecond), None),
        ];
        for (other, expected) in cases {
            assert_eq!(types(DataType::Utf8, other, Mode::Ansi), expected);
        }
    }
}
