//! `sum`: whole numbers and decimals are added in 128 bits, and the total must fit its type.
//!
//! DataFusion's sum wraps around. Adding in a wider type has a second use: whether a total fits
//! does not depend on the order of its parts, so threads and batches cannot change the answer.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Field, FieldRef, Int64Type, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
    Volatility,
};

use super::exact_or_double;
use super::sliding::SlidingDoubles;
use crate::arithmetic::{Mode, magnitude};
use crate::failure::Failure;
use crate::types;

mod groups;
mod single;

pub(super) use groups::GroupSums;
pub(super) use single::{DistinctSum, SingleSum};

/// The type of sums on their way; decimals keep their scale.
const WIDE: DataType = DataType::Decimal128(38, 0);

/// Spark's `sum` or `try_sum`.
pub(super) fn udf(name: &'static str, mode: Mode) -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    AggregateUDF::new_from_impl(Sum { name, mode, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sum {
    name: &'static str,
    mode: Mode,
    signature: Signature,
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [argument] = arguments else {
            return plan_err!("`{}` takes one argument, not {}", self.name, arguments.len());
        };
        coerce(self.name, argument).map(|coerced| vec![coerced])
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(match coerce(self.name, &arguments[0])? {
            DataType::Decimal128(precision, scale) => {
                DataType::Decimal128((precision + 10).min(38), scale)
            }
            other => other,
        })
    }

    /// A sum of intervals has the fields of the interval that it is of.
    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        let field = Field::new(self.name, self.return_type(&types)?, true);
        let named = fields.first().and_then(|field| field.metadata().get(types::TYPE_KEY));
        Ok(Arc::new(match named.filter(|_| !field.data_type().is_numeric()) {
            Some(named) => types::with_name(field, named),
            None => field,
        }))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match Total::new(self.mode, args.return_field.data_type()) {
            Some(total) if args.is_distinct => Ok(Box::new(DistinctSum::new(total))),
            Some(total) => Ok(Box::new(SingleSum::new(total))),
            None => sum_udaf().accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        match Total::new(self.mode, args.return_field.data_type()) {
            Some(total) if !args.is_distinct => Ok(Box::new(SingleSum::new(total))),
            Some(_) => plan_err!("`{}` of DISTINCT values has no sliding window", self.name),
            None if args.return_field.data_type() == &DataType::Float64 && !args.is_distinct => {
                Ok(Box::new(SlidingDoubles::sum()))
            }
            None => sum_udaf().create_sliding_accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let Some(total) = Total::new(self.mode, args.return_field.data_type()) else {
            return sum_udaf().state_fields(args);
        };
        let name = format_state_name(args.name, self.name);
        let state = total.state_type();
        Ok(vec![Arc::new(match args.is_distinct {
            true => Field::new_list(name, Field::new_list_field(state, true), false),
            false => Field::new(name, state, true),
        })])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match Total::new(self.mode, args.return_field.data_type()) {
            Some(total) => Ok(Box::new(GroupSums::new(total))),
            None => sum_udaf().create_groups_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> datafusion::logical_expr::utils::AggregateOrderSensitivity {
        datafusion::logical_expr::utils::AggregateOrderSensitivity::Insensitive
    }
}

/// The type in which an argument is added.
fn coerce(name: &str, argument: &DataType) -> Result<DataType> {
    Ok(match argument {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => DataType::Int64,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Duration(_) | DataType::Interval(_) => argument.clone(),
        DataType::Dictionary(_, value) => coerce(name, value)?,
        other => match exact_or_double(other) {
            Some(number) => number,
            None => return plan_err!("`{name}` adds numbers, not values of {other}"),
        },
    })
}

/// What a sum is once it left even 128 bits: it fits no type, whatever else is added.
const LOST: i128 = i128::MAX;

/// A sum with one more value; `LOST` if that is no sum of 128 bits.
fn add(sum: i128, value: i128) -> i128 {
    if sum == LOST { LOST } else { sum.checked_add(value).unwrap_or(LOST) }
}

/// How far from zero sums can have come: as long as that fits into 128 bits, none needs a look.
#[derive(Debug, Default)]
struct Reach(u128);

impl Reach {
    /// Whether no sum that these values are added to, or taken from, can leave the 128 bits.
    fn covers(&mut self, values: &dyn Array) -> bool {
        let greatest = match values.as_primitive_opt::<Decimal128Type>() {
            Some(values) => magnitude(values.values()),
            // Whole numbers have 64 bits.
            None => 1 << 63,
        };
        self.0 = self.0.saturating_add(greatest.saturating_mul(values.len() as u128));
        self.0 < LOST.unsigned_abs()
    }
}

/// The sum of whole numbers: their halves are added in 64 bits each, many at a time.
fn sum_of_whole(values: &[i64]) -> i128 {
    // A sum of so many halves fits.
    const HALVES_MAX: usize = 1 << 31;
    let sum = |part: &[i64]| {
        let (low, high) = part.iter().fold((0_i64, 0_i64), |(low, high), value| {
            (low + (value & 0xffff_ffff), high + (value >> 32))
        });
        i128::from(low) + (i128::from(high) << 32)
    };
    values.chunks(HALVES_MAX).map(sum).sum()
}

/// How sums of one type are kept and finished.
#[derive(Debug, Clone)]
pub(super) struct Total {
    mode: Mode,
    result_type: DataType,
}

impl Total {
    /// `None` for results that are added in their own type.
    fn new(mode: Mode, result_type: &DataType) -> Option<Self> {
        let is_exact = matches!(
            result_type,
            DataType::Int64
                | DataType::Decimal128(..)
                | DataType::Interval(IntervalUnit::YearMonth)
                | DataType::Duration(TimeUnit::Microsecond)
        );
        is_exact.then(|| Self { mode, result_type: result_type.clone() })
    }

    /// Sums of decimals of a scale whose results have so many digits.
    pub(super) fn of_decimals(mode: Mode, precision: u8, scale: i8) -> Self {
        Self { mode, result_type: DataType::Decimal128(precision, scale) }
    }

    pub(super) fn state_type(&self) -> DataType {
        match &self.result_type {
            DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
            _ => WIDE,
        }
    }

    /// Whether a sum that does not fit is an error.
    fn is_strict(&self) -> bool {
        self.mode == Mode::Ansi
    }

    fn overflow(&self) -> Failure {
        let what = match &self.result_type {
            DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
            DataType::Interval(_) | DataType::Duration(_) => "interval".to_owned(),
            _ => "bigint".to_owned(),
        };
        Failure::new("ARITHMETIC_OVERFLOW", format!("the sum does not fit into {what}"))
            .hint("use `try_sum` to get NULL instead, or cast to a wider type first")
    }

    /// Sums as a state that other sums can be made of.
    fn state(&self, sums: PrimitiveArray<Decimal128Type>) -> ArrayRef {
        Arc::new(sums.with_data_type(self.state_type()))
    }

    /// Sums as results; those that do not fit are what the mode says.
    fn finish(&self, sums: &PrimitiveArray<Decimal128Type>) -> Result<ArrayRef> {
        match &self.result_type {
            DataType::Decimal128(precision, _) => {
                let bound = 10_u128.pow(u32::from(*precision));
                let fits = |sum: i128| sum.unsigned_abs() < bound;
                let finished = self.fitting::<Decimal128Type>(sums, |sum| (sum, fits(sum)))?;
                Ok(Arc::new(finished.with_data_type(self.result_type.clone())))
            }
            DataType::Interval(_) => {
                let narrow = |sum: i128| (sum as i32, i32::try_from(sum).is_ok());
                Ok(Arc::new(self.fitting::<IntervalYearMonthType>(sums, narrow)?))
            }
            DataType::Duration(_) => {
                let narrow = |sum: i128| (sum as i64, i64::try_from(sum).is_ok());
                Ok(Arc::new(self.fitting::<DurationMicrosecondType>(sums, narrow)?))
            }
            _ => {
                let narrow = |sum: i128| (sum as i64, i64::try_from(sum).is_ok());
                Ok(Arc::new(self.fitting::<Int64Type>(sums, narrow)?))
            }
        }
    }

    fn fitting<T: ArrowPrimitiveType>(
        &self,
        sums: &PrimitiveArray<Decimal128Type>,
        narrow: impl Fn(i128) -> (T::Native, bool),
    ) -> Result<PrimitiveArray<T>> {
        let keeps = self.mode == Mode::Legacy && self.result_type == DataType::Int64;
        sums.iter()
            .map(|sum| match sum.map(&narrow) {
                None => Ok(None),
                Some((value, fits)) if fits || keeps => Ok(Some(value)),
                Some(_) if self.mode == Mode::Ansi => Err(self.overflow().into()),
                Some(_) => Ok(None),
            })
            .collect()
    }
}

/// Intervals as whole numbers of their unit, other values as they are.
fn unwrapped(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = values.as_primitive::<IntervalYearMonthType>();
            Arc::new(months.unary::<_, Int64Type>(i64::from))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            let micros = values.as_primitive::<DurationMicrosecondType>();
            Arc::new(micros.reinterpret_cast::<Int64Type>())
        }
        _ => Arc::clone(values),
    }
}

/// The sum of values of a type that is added in 128 bits, where no sum of them leaves these.
fn sum_of(array: &dyn Array) -> Result<i128> {
    let whole = array.as_primitive_opt::<Int64Type>().filter(|whole| whole.null_count() == 0);
    if let Some(whole) = whole {
        return Ok(sum_of_whole(whole.values()));
    }
    let mut sum = 0_i128;
    for_each_value(array, |value| sum = sum.wrapping_add(value))?;
    Ok(sum)
}

/// Values of a type that is added in 128 bits.
fn for_each_value(array: &dyn Array, mut each: impl FnMut(i128)) -> Result<()> {
    match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = array.as_primitive::<IntervalYearMonthType>();
            months.iter().flatten().for_each(|v| each(i128::from(v)));
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            let micros = array.as_primitive::<DurationMicrosecondType>();
            micros.iter().flatten().for_each(|v| each(i128::from(v)));
        }
        DataType::Int64 => {
            array.as_primitive::<Int64Type>().iter().flatten().for_each(|v| each(i128::from(v)));
        }
        DataType::Decimal128(..) => {
            array.as_primitive::<Decimal128Type>().iter().flatten().for_each(each);
        }
        other => return internal_err!("{other} is not added in 128 bits"),
    }
    Ok(())
}
