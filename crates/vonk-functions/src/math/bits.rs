//! Functions of single bits, of shifts, and of bitmaps.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int8Type, Int32Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// How many numbers a bitmap is for: 4 KiB of bits.
const BITMAP_BITS: i64 = 4096 * 8;

/// Spark's `bit_count`; a negative number has the bits of its BIGINT.
pub(super) fn bit_count() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::WholeOrBoolean]);
    Kernel::new("bit_count", parameters, rows::int, |call| {
        let numbers = cast(&call.array(0)?, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        rows::numbers::<Int32Type>(call, |row| Ok(Some(numbers.value(row).count_ones() as i32)))
    })
    .udf()
}

const VALUE_AND_POSITION: Parameters = Parameters::exact(&[Kind::Whole, Kind::Int]);

/// Spark's `bit_get`.
pub(super) fn bit_get() -> ScalarUDF {
    Kernel::new("bit_get", VALUE_AND_POSITION, tinyint, |call| bits_at(call, "bit_get")).udf()
}

/// Spark's `getbit`.
pub(super) fn getbit() -> ScalarUDF {
    Kernel::new("getbit", VALUE_AND_POSITION, tinyint, |call| bits_at(call, "getbit")).udf()
}

fn tinyint(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Int8)
}

fn bits_at(call: &Call<'_>, name: &str) -> Result<ArrayRef> {
    let values = call.array(0)?;
    let bits = values.data_type().primitive_width().unwrap_or(8) as i32 * 8;
    let values = cast(&values, &DataType::Int64)?;
    let values = values.as_primitive::<Int64Type>();
    let positions = call.primitive::<Int32Type>(1)?;
    rows::numbers::<Int8Type>(call, |row| {
        let position = positions.value(row);
        if !(0..bits).contains(&position) {
            let message = format!("`{name}` has positions from 0 to {}, not {position}", bits - 1);
            return Err(Failure::new("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", message).into());
        }
        Ok(Some((values.value(row) >> position & 1) as i8))
    })
}

const SHIFT: Parameters = Parameters::exact(&[Kind::IntOrLong, Kind::Int]);

fn same(types: &[DataType]) -> Result<DataType> {
    Ok(types[0].clone())
}

/// Spark's `shiftleft` and `<<`; of the number of bits the lowest 5 or 6 bits count.
pub(super) fn shiftleft() -> ScalarUDF {
    Kernel::new("shiftleft", SHIFT, same, |call| {
        shift(call, |a, n| a.wrapping_shl(n), |a, n| a.wrapping_shl(n))
    })
    .udf()
}

/// Spark's `shiftright` and `>>`.
pub(super) fn shiftright() -> ScalarUDF {
    Kernel::new("shiftright", SHIFT, same, |call| {
        shift(call, |a, n| a.wrapping_shr(n), |a, n| a.wrapping_shr(n))
    })
    .udf()
}

/// Spark's `shiftrightunsigned` and `>>>`.
pub(super) fn shiftrightunsigned() -> ScalarUDF {
    Kernel::new("shiftrightunsigned", SHIFT, same, |call| {
        shift(
            call,
            |a, n| (a as u32).wrapping_shr(n) as i32,
            |a, n| (a as u64).wrapping_shr(n) as i64,
        )
    })
    .udf()
}

fn shift(call: &Call<'_>, int: fn(i32, u32) -> i32, long: fn(i64, u32) -> i64) -> Result<ArrayRef> {
    match call.returns {
        DataType::Int64 => shift_of::<Int64Type>(call, long),
        _ => shift_of::<Int32Type>(call, int),
    }
}

fn shift_of<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    shift: fn(T::Native, u32) -> T::Native,
) -> Result<ArrayRef> {
    let (values, bits) = (call.primitive::<T>(0)?, call.primitive::<Int32Type>(1)?);
    rows::numbers::<T>(call, |row| Ok(Some(shift(values.value(row), bits.value(row) as u32))))
}

/// Spark's `bitmap_bit_position`.
pub(super) fn bit_position() -> ScalarUDF {
    Kernel::new("bitmap_bit_position", Parameters::exact(&[Kind::Long]), rows::long, |call| {
        let numbers = call.primitive::<Int64Type>(0)?;
        rows::numbers::<Int64Type>(call, |row| {
            Ok(Some(match numbers.value(row) {
                number if number > 0 => (number - 1) % BITMAP_BITS,
                number => number.wrapping_neg() % BITMAP_BITS,
            }))
        })
    })
    .udf()
}

/// Spark's `bitmap_bucket_number`.
pub(super) fn bucket_number() -> ScalarUDF {
    Kernel::new("bitmap_bucket_number", Parameters::exact(&[Kind::Long]), rows::long, |call| {
        let numbers = call.primitive::<Int64Type>(0)?;
        rows::numbers::<Int64Type>(call, |row| {
            Ok(Some(match numbers.value(row) {
                number if number > 0 => 1 + (number - 1) / BITMAP_BITS,
                number => number / BITMAP_BITS,
            }))
        })
    })
    .udf()
}

/// Spark's `bitmap_count`.
pub(super) fn bitmap_count() -> ScalarUDF {
    Kernel::new("bitmap_count", Parameters::exact(&[Kind::Bytes]), rows::long, |call| {
        let bitmaps = call.bytes(0)?;
        rows::numbers::<Int64Type>(call, |row| {
            Ok(Some(bitmaps.value(row).iter().map(|byte| i64::from(byte.count_ones())).sum()))
        })
    })
    .udf()
}
