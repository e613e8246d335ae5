//! Casts between numbers: those that have no room for a value, and those that round.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, PrimitiveArray};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Field, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, i256,
};
use datafusion::common::{Result, internal_err};

use super::{Caster, from_text, out_of_range, overflow};
use crate::arithmetic::Mode;
use crate::render;

/// Casts a column of numbers or booleans to another type of these.
pub(super) fn cast(
    caster: &Caster,
    array: &ArrayRef,
    from: &Field,
    to: &Field,
) -> Result<ArrayRef> {
    let numbers = Numbers { caster, array, from, to };
    match (array.data_type(), to.data_type()) {
        (_, DataType::Decimal128(precision, scale)) => numbers.decimals(*precision, *scale),
        (_, DataType::Boolean) => numbers.booleans(),
        (DataType::Decimal128(_, scale), DataType::Float32 | DataType::Float64) => {
            floats(array.as_primitive::<Decimal128Type>(), *scale, to.data_type())
        }
        (_, DataType::Int8) => {
            numbers.whole::<Int8Type>(|wide| wide as i8, |float| float as i32 as i8)
        }
        (_, DataType::Int16) => {
            numbers.whole::<Int16Type>(|wide| wide as i16, |float| float as i32 as i16)
        }
        (_, DataType::Int32) => {
            numbers.whole::<Int32Type>(|wide| wide as i32, |float| float as i32)
        }
        (_, DataType::Int64) => numbers.whole::<Int64Type>(|wide| wide, |float| float as i64),
        (whole, bytes) if whole.is_integer() && is_bytes(bytes) => big_endian(array),
        (_, DataType::Float32 | DataType::Float64) => Ok(arrow_cast(array, to.data_type())?),
        (from, to) => internal_err!("a cast from {from} to {to}"),
    }
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::BinaryView | DataType::LargeBinary)
}

struct Numbers<'a> {
    caster: &'a Caster,
    array: &'a ArrayRef,
    from: &'a Field,
    to: &'a Field,
}

impl Numbers<'_> {
    /// Whole numbers; what does not fit wraps or is cut outside of ANSI, as it did in Java.
    fn whole<T: ArrowPrimitiveType>(
        &self,
        wrap: impl Fn(i64) -> T::Native,
        cut: impl Fn(f64) -> T::Native,
    ) -> Result<ArrayRef>
    where
        T::Native: TryFrom<i64>,
    {
        let legacy = self.caster.mode == Mode::Legacy;
        match self.array.data_type() {
            DataType::Float32 | DataType::Float64 => {
                let floats = arrow_cast(self.array, &DataType::Float64)?;
                let floats = floats.as_primitive::<Float64Type>();
                self.map::<Float64Type, T>(floats, |float| match legacy {
                    true => Some(cut(float)),
                    false => T::Native::try_from(whole_of(float)?).ok(),
                })
            }
            DataType::Decimal128(_, scale) => {
                let unit = 10_i128.pow(u32::try_from(*scale).unwrap_or(0));
                let decimals = self.array.as_primitive::<Decimal128Type>();
                self.map::<Decimal128Type, T>(decimals, |value| match legacy {
                    true => Some(wrap((value / unit) as i64)),
                    false => T::Native::try_from(i64::try_from(value / unit).ok()?).ok(),
                })
            }
            _ => {
                let wide = arrow_cast(self.array, &DataType::Int64)?;
                self.map::<Int64Type, T>(wide.as_primitive(), |value| match legacy {
                    true => Some(wrap(value)),
                    false => T::Native::try_from(value).ok(),
                })
            }
        }
    }

    fn map<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        values: &PrimitiveArray<F>,
        cast: impl Fn(F::Native) -> Option<T::Native>,
    ) -> Result<ArrayRef> {
        let cast = values.iter().enumerate().map(|(row, value)| {
            let Some(value) = value else { return Ok(None) };
            match cast(value) {
                Some(value) => Ok(Some(value)),
                None => self.caster.none(|| overflow(&self.text(row), self.from, self.to)),
            }
        });
        Ok(Arc::new(cast.collect::<Result<PrimitiveArray<T>>>()?))
    }

    fn text(&self, row: usize) -> String {
        render::one(self.array, row, self.caster.zone)
    }

    /// Decimals, half rounded away from zero; a float is read as the shortest text of it.
    fn decimals(&self, precision: u8, scale: i8) -> Result<ArrayRef> {
        let scale_wide = i64::from(scale);
        let values: PrimitiveArray<Decimal128Type> = match self.array.data_type() {
            DataType::Float32 | DataType::Float64 => {
                let floats = arrow_cast(self.array, &DataType::Float64)?;
                let floats = floats.as_primitive::<Float64Type>();
                let decimals = floats.iter().enumerate().map(|(row, float)| {
                    let finite = float.filter(|float| float.is_finite());
                    let Some(digits) = finite.and_then(|f| from_text::digits(&format!("{f:e}")))
                    else {
                        return Ok(None);
                    };
                    self.fitting(row, digits.at_scale(scale_wide, precision), (precision, scale))
                });
                decimals.collect::<Result<_>>()?
            }
            DataType::Decimal128(_, from_scale) => {
                let moved = scale_wide - i64::from(*from_scale);
                self.rescaled(self.array.as_primitive(), moved, (precision, scale))?
            }
            _ => {
                let whole = arrow_cast(self.array, &DataType::Int64)?;
                let whole = whole.as_primitive::<Int64Type>();
                let whole = whole.unary::<_, Decimal128Type>(i128::from);
                self.rescaled(&whole, scale_wide, (precision, scale))?
            }
        };
        Ok(Arc::new(values.with_precision_and_scale(precision, scale)?))
    }

    fn rescaled(
        &self,
        values: &PrimitiveArray<Decimal128Type>,
        moved: i64,
        size: (u8, i8),
    ) -> Result<PrimitiveArray<Decimal128Type>> {
        let rescaled = values.iter().enumerate().map(|(row, value)| {
            let Some(value) = value else { return Ok(None) };
            let value = from_text::rescale(i256::from_i128(value), moved);
            self.fitting(row, value.and_then(|value| from_text::within(value, size.0)), size)
        });
        rescaled.collect()
    }

    fn fitting(
        &self,
        row: usize,
        value: Option<i128>,
        (precision, scale): (u8, i8),
    ) -> Result<Option<i128>> {
        match value {
            Some(value) => Ok(Some(value)),
            None => self.caster.none(|| out_of_range(&self.text(row), precision, scale)),
        }
    }

    fn booleans(&self) -> Result<ArrayRef> {
        let flags: BooleanArray = match self.array.data_type() {
            DataType::Decimal128(..) => {
                let values = self.array.as_primitive::<Decimal128Type>();
                values.iter().map(|value| value.map(|value| value != 0)).collect()
            }
            _ => {
                let values = arrow_cast(self.array, &DataType::Float64)?;
                let values = values.as_primitive::<Float64Type>();
                values.iter().map(|value| value.map(|value| value != 0.0)).collect()
            }
        };
        Ok(Arc::new(flags))
    }
}

/// The whole part of a float, if a long holds it.
fn whole_of(float: f64) -> Option<i64> {
    // 2^63 is the first double past the longs.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    let whole = float.trunc();
    (-BOUND..BOUND).contains(&whole).then_some(whole as i64)
}

/// The floats that are nearest to decimals.
fn floats(values: &PrimitiveArray<Decimal128Type>, scale: i8, to: &DataType) -> Result<ArrayRef> {
    // Both are exact up to here, and so their quotient is rounded once.
    const EXACT: u128 = 1 << 53;
    let power = 10_f64.powi(i32::from(scale));
    let nearest = |value: i128| match value.unsigned_abs() < EXACT && scale <= 22 {
        true => value as f64 / power,
        false => format!("{value}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN),
    };
    Ok(match to {
        DataType::Float32 => Arc::new(values.unary::<_, Float32Type>(|value| {
            format!("{value}e{}", -i32::from(scale)).parse().unwrap_or(f32::NAN)
        })),
        _ => Arc::new(values.unary::<_, Float64Type>(nearest)),
    })
}

/// The bytes of whole numbers, the highest first.
fn big_endian(array: &ArrayRef) -> Result<ArrayRef> {
    let width = array.data_type().primitive_width().unwrap_or(8);
    let wide = arrow_cast(array, &DataType::Int64)?;
    let bytes = wide.as_primitive::<Int64Type>().iter();
    let bytes = bytes.map(|value| value.map(|value| value.to_be_bytes()[8 - width..].to_vec()));
    Ok(Arc::new(bytes.collect::<BinaryArray>()))
}
