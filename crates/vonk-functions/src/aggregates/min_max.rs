//! `min` and `max`: DataFusion's, with groups of doubles in Spark's order, where NaN is largest.
//!
//! DataFusion 55 starts the groups of floating-point numbers at the largest and smallest finite
//! numbers, so that the minimum of infinity is 1.8E308, and takes what comes after a NaN, whatever
//! it is. sql/functions/aggregates/min_max.slt shows it.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, FieldRef, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, SetMonotonicity,
    Signature, StatisticsArgs,
};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::prim_op::PrimitiveGroupsAccumulator;

use crate::collections::keys::Keys;
use crate::types;

/// `min(value)`
pub(super) fn min() -> AggregateUDF {
    AggregateUDF::new_from_impl(Extreme { of: min_udaf(), is_max: false })
}

/// `max(value)`
pub(super) fn max() -> AggregateUDF {
    AggregateUDF::new_from_impl(Extreme { of: max_udaf(), is_max: true })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme {
    of: Arc<AggregateUDF>,
    is_max: bool,
}

impl Extreme {
    /// The extremes of groups of floating-point numbers.
    fn of_floats<T>(&self, data_type: &DataType, lowest: T::Native) -> Box<dyn GroupsAccumulator>
    where
        T: ArrowPrimitiveType + Send,
        T::Native: Float,
    {
        let highest = T::Native::NAN;
        match self.is_max {
            true => Box::new(
                PrimitiveGroupsAccumulator::<T, _>::new(data_type, |most, value| {
                    if most.is_below(value) {
                        *most = value;
                    }
                })
                .with_starting_value(lowest),
            ),
            false => Box::new(
                PrimitiveGroupsAccumulator::<T, _>::new(data_type, |least, value| {
                    if value.is_below(*least) {
                        *least = value;
                    }
                })
                .with_starting_value(highest),
            ),
        }
    }
}

/// Numbers in Spark's order: NaN is equal to itself and above all others, and both zeros are equal.
trait Float: Copy + PartialOrd {
    const NAN: Self;

    fn is_below(self, other: Self) -> bool {
        // Only NaN is not equal to itself.
        self < other || (is_nan(other) && !is_nan(self))
    }
}

#[expect(clippy::eq_op, reason = "no trait knows NaN of both types")]
fn is_nan<F: PartialOrd>(number: F) -> bool {
    number != number
}

impl Float for f32 {
    const NAN: Self = Self::NAN;
}

impl Float for f64 {
    const NAN: Self = Self::NAN;
}

impl AggregateUDFImpl for Extreme {
    fn name(&self) -> &str {
        self.of.name()
    }

    fn signature(&self) -> &Signature {
        self.of.signature()
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.of.coerce_types(arguments)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.of.return_type(arguments)
    }

    /// The type keeps its name, as that of an interval.
    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        let field = Field::new(self.name(), self.return_type(&types)?, true);
        let named = fields.first().and_then(|field| field.metadata().get(types::TYPE_KEY));
        Ok(Arc::new(match named {
            Some(named) => types::with_name(field, named),
            None => field,
        }))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_field.data_type();
        match data_type.is_nested() {
            true => Ok(Box::new(NestedExtreme {
                is_max: self.is_max,
                best: ScalarValue::try_new_null(data_type)?,
            })),
            false => self.of.accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        self.of.create_sliding_accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.of.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.return_field.data_type().is_nested() && self.of.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match args.return_field.data_type() {
            kind @ DataType::Float32 => Ok(self.of_floats::<Float32Type>(kind, f32::NEG_INFINITY)),
            kind @ DataType::Float64 => Ok(self.of_floats::<Float64Type>(kind, f64::NEG_INFINITY)),
            _ => self.of.create_groups_accumulator(args),
        }
    }

    /// Not told: of groups in the order of their extremes, DataFusion's heap loses those of infinity
    /// and NaN.
    fn is_descending(&self) -> Option<bool> {
        None
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.of.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.of.reverse_udf()
    }

    fn value_from_stats(&self, statistics: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.of.value_from_stats(statistics)
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.of.inner().set_monotonicity(data_type)
    }
}

/// The extreme of structs and arrays, by Spark's order, in which a part that is NULL comes first.
#[derive(Debug)]
struct NestedExtreme {
    is_max: bool,
    best: ScalarValue,
}

impl Accumulator for NestedExtreme {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let array = concat(&[&self.best.to_array()?, &values[0]])?;
        let keys = Keys::new(&array)?;
        let known = (0..array.len()).filter(|row| !keys.is_null(*row));
        let best = known.reduce(|best, next| {
            let is_better = match self.is_max {
                true => keys.get(next) > keys.get(best),
                false => keys.get(next) < keys.get(best),
            };
            if is_better { next } else { best }
        });
        if let Some(best) = best {
            self.best = ScalarValue::try_from_array(&array, best)?.compacted();
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.best.clone()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.best.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) - size_of_val(&self.best) + self.best.size()
    }
}
