//! `hash` and `xxhash64`: Spark's hashes of any values, where NULL leaves the hash as it was.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::common::{Result, not_impl_err};
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::types::has_map;

const PARAMETERS: Parameters = Parameters::with_any_number(&[Kind::Any], Kind::Any);

/// What Spark begins with.
const SEED: i64 = 42;

/// Spark's `hash`.
pub(super) fn hash() -> ScalarUDF {
    Kernel::new(
        "hash",
        PARAMETERS,
        |types| of_no_maps(types, DataType::Int32),
        |call| {
            let hashes = hashes_of::<Murmur3>(call)?;
            Ok(Arc::new(Int32Array::from_iter_values(hashes.into_iter().map(|hash| hash as i32))))
        },
    )
    .udf()
}

/// Spark's `xxhash64`.
pub(super) fn xxhash64() -> ScalarUDF {
    Kernel::new(
        "xxhash64",
        PARAMETERS,
        |types| of_no_maps(types, DataType::Int64),
        |call| Ok(Arc::new(Int64Array::from(hashes_of::<XxHash>(call)?))),
    )
    .udf()
}

/// The type of a hash; equal maps may have their entries in any order, and so have no hash.
fn of_no_maps(types: &[DataType], hash: DataType) -> Result<DataType> {
    if types.iter().any(has_map) {
        let message = "a map has no hash, as its entries have no order";
        return Err(Failure::new("DATATYPE_MISMATCH.HASH_MAP_TYPE", message)
            .hint("hash `map_entries(…)`, sorted")
            .into());
    }
    Ok(hash)
}

/// The `xxhash64` of each value of a column.
pub(crate) fn xxhash64_of(column: &ArrayRef) -> Result<Vec<i64>> {
    let column = plain(column)?;
    (0..column.len()).map(|row| value::<XxHash>(&column, row, SEED)).collect()
}

fn hashes_of<H: Hasher>(call: &Call<'_>) -> Result<Vec<i64>> {
    let mut hashes = vec![SEED; call.rows];
    for column in call.arrays()? {
        let column = plain(&column)?;
        for (row, hash) in hashes.iter_mut().enumerate() {
            *hash = value::<H>(&column, row, *hash)?;
        }
    }
    Ok(hashes)
}

/// The three forms in which values meet a hash.
trait Hasher {
    fn int(value: i32, seed: i64) -> i64;
    fn long(value: i64, seed: i64) -> i64;
    fn bytes(value: &[u8], seed: i64) -> i64;
}

/// The array in the layout that [`value`] reads, one for each kind of values.
fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    let plain = match array.data_type() {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Date32
        | DataType::Interval(IntervalUnit::YearMonth) => DataType::Int32,
        DataType::Timestamp(..) | DataType::Duration(_) | DataType::Time64(_) => {
            return microseconds(array);
        }
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => {
            return Ok(Arc::new(
                cast(array, &DataType::Utf8View)?.as_string_view().clone().to_binary_view(),
            ));
        }
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => {
            DataType::BinaryView
        }
        _ => return Ok(Arc::clone(array)),
    };
    Ok(match array.data_type() {
        DataType::Interval(_) => Arc::new(
            array
                .as_primitive::<arrow::datatypes::IntervalYearMonthType>()
                .reinterpret_cast::<Int32Type>(),
        ),
        _ => cast(array, &plain)?,
    })
}

fn microseconds(array: &ArrayRef) -> Result<ArrayRef> {
    let array = match array.data_type() {
        DataType::Timestamp(_, zone) => {
            cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?
        }
        DataType::Duration(_) => cast(array, &DataType::Duration(TimeUnit::Microsecond))?,
        // Spark's times have nanoseconds within.
        _ => cast(array, &DataType::Time64(TimeUnit::Nanosecond))?,
    };
    Ok(cast(&array, &DataType::Int64)?)
}

fn value<H: Hasher>(array: &ArrayRef, row: usize, seed: i64) -> Result<i64> {
    if array.is_null(row) {
        return Ok(seed);
    }
    Ok(match array.data_type() {
        DataType::Null => seed,
        DataType::Int32 => H::int(array.as_primitive::<Int32Type>().value(row), seed),
        DataType::Int64 => H::long(array.as_primitive::<Int64Type>().value(row), seed),
        DataType::Float32 => {
            let number = array.as_primitive::<Float32Type>().value(row);
            let bits = if number == 0.0 {
                0
            } else if number.is_nan() {
                0x7fc0_0000
            } else {
                number.to_bits() as i32
            };
            H::int(bits, seed)
        }
        DataType::Float64 => {
            let number = array.as_primitive::<Float64Type>().value(row);
            let bits = match number {
                0.0 => 0,
                _ if number.is_nan() => 0x7ff8_0000_0000_0000,
                _ => number.to_bits() as i64,
            };
            H::long(bits, seed)
        }
        DataType::BinaryView => H::bytes(array.as_binary_view().value(row), seed),
        DataType::Decimal128(precision, _) => {
            let number = array.as_primitive::<Decimal128Type>().value(row);
            match *precision <= 18 {
                true => H::long(number as i64, seed),
                false => H::bytes(shortest(&number.to_be_bytes()), seed),
            }
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let interval = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            let hash = H::long(interval.nanoseconds / 1_000, seed);
            let hash = H::int(interval.days, hash);
            H::int(interval.months, hash)
        }
        DataType::List(_) => nested::<H>(&array.as_list::<i32>().value(row), seed)?,
        DataType::LargeList(_) => nested::<H>(&array.as_list::<i64>().value(row), seed)?,
        DataType::FixedSizeList(..) => nested::<H>(&array.as_fixed_size_list().value(row), seed)?,
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let columns = entries.columns().iter().map(plain).collect::<Result<Vec<_>>>()?;
            let mut hash = seed;
            for entry in 0..entries.len() {
                for column in &columns {
                    hash = value::<H>(column, entry, hash)?;
                }
            }
            hash
        }
        DataType::Struct(_) => {
            let mut hash = seed;
            for column in array.as_struct().columns() {
                hash = value::<H>(&plain(&column.slice(row, 1))?, 0, hash)?;
            }
            hash
        }
        other => return not_impl_err!("values of {other} have no hash"),
    })
}

fn nested<H: Hasher>(items: &ArrayRef, seed: i64) -> Result<i64> {
    let items = plain(items)?;
    (0..items.len()).try_fold(seed, |hash, at| value::<H>(&items, at, hash))
}

/// The fewest bytes that hold a number with its sign, as of Java's `BigInteger`.
fn shortest(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [first, next, ..] = rest
        && (*first == 0 && *next < 0x80 || *first == 0xFF && *next >= 0x80)
    {
        rest = &rest[1..];
    }
    rest
}

/// Murmur3 of 32 bits, whose last bytes are mixed in one by one, as Spark does.
struct Murmur3;

impl Murmur3 {
    fn mix(hash: u32, block: u32) -> u32 {
        let block = block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        (hash ^ block).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    }

    fn finish(hash: u32, length: u32) -> i64 {
        let hash = hash ^ length;
        let hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
        let hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
        i64::from((hash ^ hash >> 16) as i32)
    }
}

impl Hasher for Murmur3 {
    fn int(value: i32, seed: i64) -> i64 {
        Self::finish(Self::mix(seed as u32, value as u32), 4)
    }

    fn long(value: i64, seed: i64) -> i64 {
        let hash = Self::mix(seed as u32, value as u32);
        Self::finish(Self::mix(hash, (value >> 32) as u32), 8)
    }

    fn bytes(value: &[u8], seed: i64) -> i64 {
        let (blocks, rest) = value.as_chunks::<4>();
        let hash = blocks
            .iter()
            .fold(seed as u32, |hash, block| Self::mix(hash, u32::from_le_bytes(*block)));
        let hash = rest.iter().fold(hash, |hash, byte| Self::mix(hash, *byte as i8 as u32));
        Self::finish(hash, value.len() as u32)
    }
}

/// xxHash of 64 bits.
struct XxHash;

impl Hasher for XxHash {
    /// Spark hashes the four bytes of an INT.
    fn int(value: i32, seed: i64) -> i64 {
        Self::bytes(&value.to_le_bytes(), seed)
    }

    fn long(value: i64, seed: i64) -> i64 {
        Self::bytes(&value.to_le_bytes(), seed)
    }

    fn bytes(value: &[u8], seed: i64) -> i64 {
        twox_hash::XxHash64::oneshot(seed as u64, value) as i64
    }
}

/// MurmurHash 3 of a number, as an INT.
pub(crate) fn murmur3_of_int(value: i32, seed: i32) -> i32 {
    Murmur3::int(value, i64::from(seed)) as i32
}

/// MurmurHash 3 of bytes, as an INT.
pub(crate) fn murmur3_of_bytes(value: &[u8], seed: i32) -> i32 {
    Murmur3::bytes(value, i64::from(seed)) as i32
}

#[cfg(test)]
mod tests {
    use super::{Hasher, Murmur3, XxHash, shortest};

    #[test]
    fn the_examples_of_the_documentation_hold() {
        // hash('Spark', array(123), 2) and xxhash64 of the same.
        let murmur3 = Murmur3::int(2, Murmur3::int(123, Murmur3::bytes(b"Spark", 42)));
        assert_eq!(murmur3, -1321691492);
        let xxhash = XxHash::int(2, XxHash::int(123, XxHash::bytes(b"Spark", 42)));
        assert_eq!(xxhash, 5602566077635097486);
    }

    #[test]
    fn numbers_lose_the_bytes_that_say_nothing() {
        assert_eq!(shortest(&(-1_i128).to_be_bytes()), [0xFF]);
        assert_eq!(shortest(&128_i128.to_be_bytes()), [0, 128]);
        assert_eq!(shortest(&0_i128.to_be_bytes()), [0]);
    }
}
