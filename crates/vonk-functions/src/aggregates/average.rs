//! `avg`: decimals are averaged exactly, everything else as doubles.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, PrimitiveArray};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Field, FieldRef, Int64Type, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF,
    Signature, Volatility,
};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::accumulate_indices;

use super::exact_or_double;
use super::sliding::SlidingDoubles;
use super::sum::{DistinctSum, GroupSums, SingleSum, Total};
use crate::arithmetic::{Mode, nearest_quotient};
use crate::failure::Failure;

/// Spark's `avg` or `try_avg`.
pub(super) fn udf(name: &'static str, mode: Mode) -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    AggregateUDF::new_from_impl(Average { name, mode, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Average {
    name: &'static str,
    mode: Mode,
    signature: Signature,
}

impl AggregateUDFImpl for Average {
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
        let coerced = coerce(self.name, &arguments[0])?;
        Ok(Quotient::new(self.mode, &coerced).map_or(coerced, |quotient| quotient.result_type()))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match Quotient::of(self.mode, &args)? {
            Some(quotient) if args.is_distinct => {
                let values = DistinctSum::new(quotient.total());
                Ok(Box::new(DistinctAverage { values, quotient }))
            }
            Some(quotient) => {
                let sum = SingleSum::new(quotient.total());
                Ok(Box::new(SingleAverage { sum, count: 0, quotient }))
            }
            None => avg_udaf().accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("`{}` of DISTINCT values has no sliding window", self.name);
        }
        match Quotient::of(self.mode, &args)? {
            None if args.return_field.data_type() == &DataType::Float64 => {
                Ok(Box::new(SlidingDoubles::average()))
            }
            _ => self.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let Some(quotient) = Quotient::new(self.mode, args.input_fields[0].data_type()) else {
            return avg_udaf().state_fields(args);
        };
        let state = quotient.total().state_type();
        if args.is_distinct {
            let name = format_state_name(args.name, "values");
            let item = Field::new_list_field(state, true);
            return Ok(vec![Arc::new(Field::new_list(name, item, false))]);
        }
        Ok(vec![
            Arc::new(Field::new(format_state_name(args.name, "sum"), state, true)),
            Arc::new(Field::new(format_state_name(args.name, "count"), DataType::Int64, false)),
        ])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        match Quotient::of(self.mode, &args) {
            Ok(Some(_)) => !args.is_distinct,
            _ => avg_udaf().groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match Quotient::of(self.mode, &args)? {
            Some(quotient) => {
                let sums = GroupSums::new(quotient.total());
                Ok(Box::new(GroupAverages { sums, counts: Vec::new(), quotient }))
            }
            None => avg_udaf().create_groups_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The type in which an argument is averaged.
fn coerce(name: &str, argument: &DataType) -> Result<DataType> {
    Ok(match argument {
        DataType::Interval(IntervalUnit::YearMonth) => argument.clone(),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        DataType::Timestamp(..) => DataType::Float64,
        DataType::Dictionary(_, value) => coerce(name, value)?,
        other => match exact_or_double(other) {
            Some(number) => number,
            None => return plan_err!("`{name}` averages numbers, not values of {other}"),
        },
    })
}

/// The division of a sum of decimals by their count.
#[derive(Debug, Clone)]
struct Quotient {
    mode: Mode,
    /// Precision and scale of the values.
    values: (u8, i8),
    /// The type of the values if they are intervals, whose averages are whole.
    interval: Option<DataType>,
}

impl Quotient {
    /// `None` for values that are no decimals and no intervals.
    fn new(mode: Mode, values: &DataType) -> Option<Self> {
        match values {
            DataType::Decimal128(precision, scale) => {
                Some(Self { mode, values: (*precision, *scale), interval: None })
            }
            DataType::Interval(IntervalUnit::YearMonth)
            | DataType::Duration(TimeUnit::Microsecond) => {
                Some(Self { mode, values: (38, 0), interval: Some(values.clone()) })
            }
            _ => None,
        }
    }

    fn of(mode: Mode, args: &AccumulatorArgs<'_>) -> Result<Option<Self>> {
        Ok(Self::new(mode, &args.exprs[0].data_type(args.schema)?))
    }

    /// Four more digits before the fraction and in it, as Spark's.
    fn result(&self) -> (u8, i8) {
        let (precision, scale) = self.values;
        ((precision + 4).min(38), (scale + 4).min(38))
    }

    fn result_type(&self) -> DataType {
        if let Some(interval) = &self.interval {
            return interval.clone();
        }
        let (precision, scale) = self.result();
        DataType::Decimal128(precision, scale)
    }

    /// How the values are added up.
    fn total(&self) -> Total {
        // Intervals are added as whole numbers of their unit.
        let (precision, scale) = self.values;
        Total::of_decimals(self.mode, (precision + 10).min(38), scale)
    }

    /// The averages; NULL where there is no sum.
    fn divide(&self, sums: &dyn Array, counts: &[i64]) -> Result<ArrayRef> {
        let (precision, scale) = self.result();
        let (shift, bound) = match &self.interval {
            None => (scale - self.values.1, 10_u128.pow(u32::from(precision))),
            Some(DataType::Interval(_)) => (0, u128::from(i32::MAX.unsigned_abs()) + 1),
            Some(_) => (0, u128::from(i64::MAX.unsigned_abs()) + 1),
        };
        // The total of intervals has to fit the type of an interval as well.
        let fits = |sum: i128| self.interval.is_none() || sum.unsigned_abs() < bound;
        let sums = sums.as_primitive::<Decimal128Type>();
        let averages = sums.iter().zip(counts).map(|(sum, count)| {
            let Some(sum) = sum.filter(|_| *count > 0) else { return Ok(None) };
            match nearest_quotient(sum, shift, i128::from(*count)).filter(|_| fits(sum)) {
                Some(average) if average.unsigned_abs() < bound => Ok(Some(average)),
                _ if self.mode == Mode::Ansi => Err(self.out_of_range()),
                _ => Ok(None),
            }
        });
        let averages: PrimitiveArray<Decimal128Type> = averages.collect::<Result<_, Failure>>()?;
        Ok(match &self.interval {
            None => Arc::new(averages.with_precision_and_scale(precision, scale)?),
            Some(DataType::Interval(_)) => {
                Arc::new(averages.unary::<_, IntervalYearMonthType>(|months| months as i32))
            }
            Some(_) => {
                Arc::new(averages.unary::<_, DurationMicrosecondType>(|micros| micros as i64))
            }
        })
    }

    fn out_of_range(&self) -> Failure {
        if self.interval.is_some() {
            let message = "the average of the intervals does not fit into an interval";
            return Failure::new("ARITHMETIC_OVERFLOW", message)
                .hint("use `try_avg` to get NULL instead");
        }
        let (precision, scale) = self.result();
        Failure::new(
            "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
            format!("the average does not fit into decimal({precision},{scale})"),
        )
        .hint("use `try_avg` to get NULL instead, or cast to double")
    }
}

/// Sums and counts of many groups.
#[derive(Debug)]
struct GroupAverages {
    sums: GroupSums,
    counts: Vec<i64>,
    quotient: Quotient,
}

impl GroupsAccumulator for GroupAverages {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.counts.resize(group_count, 0);
        let counts = &mut self.counts;
        accumulate_indices(group_indices, values[0].logical_nulls().as_ref(), filter, |group| {
            counts[group] += 1;
        });
        self.sums.update_batch(values, group_indices, filter, group_count)
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        group_count: usize,
    ) -> Result<()> {
        self.counts.resize(group_count, 0);
        let counts = states[1].as_primitive::<Int64Type>().values();
        for (group, count) in group_indices.iter().zip(counts) {
            self.counts[*group] += count;
        }
        self.sums.merge_batch(&states[..1], group_indices, group_count)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut state = self.sums.state(emit_to)?;
        state.push(Arc::new(Int64Array::from(emit_to.take_needed(&mut self.counts))));
        Ok(state)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = self.sums.evaluate(emit_to)?;
        self.quotient.divide(&sums, &emit_to.take_needed(&mut self.counts))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut state = self.sums.convert_to_state(values, filter)?;
        let counted = |row| i64::from(state[0].is_valid(row));
        let counts = Int64Array::from_iter_values((0..state[0].len()).map(counted));
        state.push(Arc::new(counts));
        Ok(state)
    }

    fn size(&self) -> usize {
        self.sums.size() + self.counts.capacity() * size_of::<i64>()
    }
}

/// The average of one group, also of a frame that rows leave.
#[derive(Debug)]
struct SingleAverage {
    sum: SingleSum,
    count: i64,
    quotient: Quotient,
}

/// How many values are not NULL.
fn count(values: &ArrayRef) -> i64 {
    (values.len() - values.null_count()) as i64
}

impl Accumulator for SingleAverage {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count += count(&values[0]);
        self.sum.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count -= count(&values[0]);
        self.sum.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.count += states[1].as_primitive::<Int64Type>().values().iter().sum::<i64>();
        self.sum.merge_batch(&states[..1])
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut state = self.sum.state()?;
        state.push(ScalarValue::Int64(Some(self.count)));
        Ok(state)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = self.sum.evaluate()?.to_array()?;
        ScalarValue::try_from_array(&self.quotient.divide(&sum, &[self.count])?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The average of the values that differ.
#[derive(Debug)]
struct DistinctAverage {
    values: DistinctSum,
    quotient: Quotient,
}

impl Accumulator for DistinctAverage {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.values.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.values.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = self.values.evaluate()?.to_array()?;
        ScalarValue::try_from_array(&self.quotient.divide(&sum, &[self.values.count()])?, 0)
    }

    fn size(&self) -> usize {
        self.values.size()
    }
}
