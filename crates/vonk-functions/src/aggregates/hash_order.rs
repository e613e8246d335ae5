//! The order in which Spark's hash table of the values of `mode` gives them back: of values that are
//! there as often, the first in it is the mode.
//!
//! The table has 64 places at first and twice as many whenever 7 of 10 are taken. A value stands at
//! the place that the hash of its Java hash says, or at the next free one by steps that grow by one.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, TimeUnit,
    TimestampMicrosecondType,
};

use crate::hashes::{murmur3_of_bytes, murmur3_of_int};

/// How many places the table has at first.
const PLACES: usize = 64;

/// The values of these rows, each another, in the order of Spark's table that they were put into one
/// by one; `None` for types whose Java hash is not known here.
pub(super) fn in_hash_order(array: &ArrayRef, rows: &[usize]) -> Option<Vec<usize>> {
    let hashes = rows.iter().map(|row| java_hash(array, *row).map(|hash| murmur3_of_int(hash, 0)));
    let hashes: Vec<i32> = hashes.collect::<Option<_>>()?;
    let mut places: Vec<Option<usize>> = vec![None; PLACES];
    for at in 0..rows.len() {
        put(&mut places, &hashes, at);
        if (at + 1) * 10 > places.len() * 7 {
            let mut wider = vec![None; places.len() * 2];
            places.iter().flatten().for_each(|at| put(&mut wider, &hashes, *at));
            places = wider;
        }
    }
    Some(places.into_iter().flatten().map(|at| rows[at]).collect())
}

fn put(places: &mut [Option<usize>], hashes: &[i32], at: usize) {
    let mask = places.len() - 1;
    let mut place = hashes[at] as u32 as usize & mask;
    let mut step = 1;
    while places[place].is_some() {
        place = (place + step) & mask;
        step += 1;
    }
    places[place] = Some(at);
}

/// What `hashCode` says of a value as Spark holds it.
fn java_hash(array: &ArrayRef, row: usize) -> Option<i32> {
    Some(match array.data_type() {
        DataType::Boolean => {
            if array.as_boolean().value(row) {
                1231
            } else {
                1237
            }
        }
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row),
        DataType::Date32 => array.as_primitive::<Date32Type>().value(row),
        DataType::Interval(IntervalUnit::YearMonth) => {
            array.as_primitive::<IntervalYearMonthType>().value(row)
        }
        DataType::Int64 => of_long(array.as_primitive::<Int64Type>().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            of_long(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            of_long(array.as_primitive::<DurationMicrosecondType>().value(row))
        }
        DataType::Float32 => of_float(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => of_double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => of_text(array.as_string::<i32>().value(row)),
        DataType::Utf8View => of_text(array.as_string_view().value(row)),
        DataType::Decimal128(_, scale) => {
            of_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)?
        }
        _ => return None,
    })
}

/// The seed by which Spark hashes its texts.
const TEXT_SEED: i32 = 42;

fn of_text(text: &str) -> i32 {
    murmur3_of_bytes(text.as_bytes(), TEXT_SEED)
}

fn of_long(value: i64) -> i32 {
    (value ^ (value as u64 >> 32) as i64) as i32
}

fn of_float(value: f32) -> i32 {
    if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() as i32 }
}

fn of_double(value: f64) -> i32 {
    of_long(if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() as i64 })
}

/// A decimal hashes as the number that it is equal to.
fn of_decimal(value: i128, scale: i8) -> Option<i32> {
    /// The most digits that every double keeps.
    const DIGITS: u32 = 15;
    let unit = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
    if value % unit == 0 {
        let whole = i64::try_from(value / unit).ok()?;
        return Some(i32::try_from(whole).unwrap_or_else(|_| of_long(whole)));
    }
    if value.unsigned_abs() >= 10_u128.pow(DIGITS) {
        return None;
    }
    let double = value as f64 / unit as f64;
    let float = double as f32;
    Some(if f64::from(float) == double { of_float(float) } else { of_double(double) })
}
