//! Variances, standard deviations, covariances and correlations, by the formulas that Spark uses.
//!
//! DataFusion's `corr` of groups subtracts squares of sums from each other, which leaves nothing of numbers that
//! are far from zero and close together; and all of its functions subtract what leaves the frame of a window, so
//! that infinities and NaN stay. sql/functions/aggregates/spread.slt shows it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::sliding::{Frame, Summary};
use super::whole::{self, Group};
use crate::arithmetic::with_one_nan;

/// What is told of the spread of numbers, or of pairs of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Measure {
    VarianceOfSample,
    VarianceOfPopulation,
    DeviationOfSample,
    DeviationOfPopulation,
    CovarianceOfSample,
    CovarianceOfPopulation,
    Correlation,
}

impl Measure {
    /// How many numbers a row gives.
    fn columns(self) -> usize {
        match self {
            Self::CovarianceOfSample | Self::CovarianceOfPopulation | Self::Correlation => 2,
            _ => 1,
        }
    }

    /// `None` for too few rows, and for the correlation with numbers that are all the same.
    fn of(self, spread: &Spread) -> Option<f64> {
        let Spread { count, xx, yy, xy, .. } = *spread;
        let is_sample = !matches!(
            self,
            Self::VarianceOfPopulation | Self::DeviationOfPopulation | Self::CovarianceOfPopulation
        );
        if count < if is_sample { 2.0 } else { 1.0 } {
            return None;
        }
        let divisor = if is_sample { count - 1.0 } else { count };
        Some(with_one_nan(match self {
            Self::VarianceOfSample | Self::VarianceOfPopulation => xx / divisor,
            Self::DeviationOfSample | Self::DeviationOfPopulation => (xx / divisor).sqrt(),
            Self::CovarianceOfSample | Self::CovarianceOfPopulation => xy / divisor,
            Self::Correlation => {
                let both = (xx * yy).sqrt();
                return (both != 0.0).then(|| with_one_nan(xy / both));
            }
        }))
    }
}

/// The count and the averages of pairs of numbers, and the sums of the products of their distances from
/// these.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Summary<(f64, f64)> for Spread {
    const NONE: Self = Self { count: 0.0, x: 0.0, y: 0.0, xx: 0.0, yy: 0.0, xy: 0.0 };

    fn add(&mut self, (x, y): (f64, f64)) {
        self.count += 1.0;
        let (dx, dy) = (x - self.x, y - self.y);
        let (dx_n, dy_n) = (dx / self.count, dy / self.count);
        self.x += dx_n;
        self.y += dy_n;
        self.xx += dx * (dx - dx_n);
        self.yy += dy * (dy - dy_n);
        self.xy += dx * (y - self.y);
    }

    fn with(self, later: Self) -> Self {
        if self.count == 0.0 {
            return later;
        }
        if later.count == 0.0 {
            return self;
        }
        let count = self.count + later.count;
        let (dx, dy) = (later.x - self.x, later.y - self.y);
        let (dx_n, dy_n) = (dx / count, dy / count);
        let weight = self.count * later.count;
        Self {
            count,
            x: self.x + dx_n * later.count,
            y: self.y + dy_n * later.count,
            xx: self.xx + later.xx + dx * dx_n * weight,
            yy: self.yy + later.yy + dy * dy_n * weight,
            xy: self.xy + later.xy + dx * dy_n * weight,
        }
    }
}

impl Spread {
    /// The parts of a state, those of pairs last.
    fn parts(&self) -> [f64; 6] {
        [self.count, self.x, self.xx, self.y, self.yy, self.xy]
    }

    fn of_parts(parts: [f64; 6]) -> Self {
        let [count, x, xx, y, yy, xy] = parts;
        Self { count, x, y, xx, yy, xy }
    }
}

/// The names of the parts of a state.
const PARTS: [&str; 6] = ["count", "x", "xx", "y", "yy", "xy"];

/// A measure under one of its names.
pub(super) fn udf(name: &'static str, measure: Measure) -> AggregateUDF {
    let arguments = vec![DataType::Float64; measure.columns()];
    let signature = Signature::exact(arguments, Volatility::Immutable);
    AggregateUDF::new_from_impl(SpreadUdf { name, measure, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SpreadUdf {
    name: &'static str,
    measure: Measure,
    signature: Signature,
}

impl SpreadUdf {
    /// How many parts a state has.
    fn parts(&self) -> usize {
        self.measure.columns() * 3
    }
}

impl AggregateUDFImpl for SpreadUdf {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            let measure = self.measure;
            let finish = move |group: &Group<'_>| {
                let mut spread = Spread::NONE;
                pairs(&group.columns).flatten().for_each(|pair| spread.add(pair));
                Ok(ScalarValue::Float64(measure.of(&spread)))
            };
            return Ok(whole::collected(&args, finish));
        }
        Ok(Box::new(One { measure: self.measure, parts: self.parts(), spread: Spread::NONE }))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("`{}` of DISTINCT values has no sliding window", self.name);
        }
        Ok(Box::new(Sliding { measure: self.measure, frame: Frame::new() }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if args.is_distinct {
            return Ok(whole::states_of_collected(&args, self.name));
        }
        let field = |part: &&str| {
            Arc::new(Field::new(format_state_name(args.name, part), DataType::Float64, false))
        };
        Ok(PARTS[..self.parts()].iter().map(|part| field(part) as FieldRef).collect())
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let (measure, parts) = (self.measure, self.parts());
        Ok(Box::new(Groups { measure, parts, spreads: Vec::new() }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The pairs of the rows, `None` where a number is NULL; of one column, its numbers beside zeros.
fn pairs(columns: &[ArrayRef]) -> Box<dyn Iterator<Item = Option<(f64, f64)>> + '_> {
    let x = columns[0].as_primitive::<Float64Type>().iter();
    match columns.get(1) {
        Some(y) => Box::new(x.zip(y.as_primitive::<Float64Type>()).map(|(x, y)| x.zip(y))),
        None => Box::new(x.map(|x| x.map(|x| (x, 0.0)))),
    }
}

/// The spreads of the rows of a state.
fn spreads(states: &[ArrayRef]) -> impl Iterator<Item = Spread> {
    let columns: Vec<&Float64Array> = states.iter().map(|state| state.as_primitive()).collect();
    (0..states[0].len()).map(move |row| {
        let mut parts = [0.0; 6];
        for (part, column) in parts.iter_mut().zip(&columns) {
            *part = column.value(row);
        }
        Spread::of_parts(parts)
    })
}

/// The state of some spreads.
fn states(spreads: &[Spread], parts: usize) -> Vec<ArrayRef> {
    let column = |part: usize| {
        let values = spreads.iter().map(|spread| spread.parts()[part]);
        Arc::new(Float64Array::from_iter_values(values)) as ArrayRef
    };
    (0..parts).map(column).collect()
}

/// The spread of one group.
#[derive(Debug)]
struct One {
    measure: Measure,
    parts: usize,
    spread: Spread,
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        pairs(values).flatten().for_each(|pair| self.spread.add(pair));
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.spread = spreads(states).fold(self.spread, Spread::with);
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts = self.spread.parts().into_iter().take(self.parts);
        Ok(parts.map(|part| ScalarValue::Float64(Some(part))).collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.measure.of(&self.spread)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The spread of the rows of a frame.
#[derive(Debug)]
struct Sliding {
    measure: Measure,
    frame: Frame<(f64, f64), Spread>,
}

impl Accumulator for Sliding {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        pairs(values).flatten().for_each(|pair| self.frame.push(pair));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        pairs(values).flatten().for_each(|_| self.frame.pop());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        plan_err!("the numbers of a frame have no state")
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        plan_err!("the numbers of a frame have no state")
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.measure.of(&self.frame.summary())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.frame.size()
    }
}

/// The spreads of many groups.
#[derive(Debug)]
struct Groups {
    measure: Measure,
    parts: usize,
    spreads: Vec<Spread>,
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.spreads.resize(group_count, Spread::NONE);
        for (row, (pair, group)) in pairs(values).zip(group_indices).enumerate() {
            if let Some(pair) = pair.filter(|_| passes(filter, row)) {
                self.spreads[*group].add(pair);
            }
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        group_count: usize,
    ) -> Result<()> {
        self.spreads.resize(group_count, Spread::NONE);
        for (spread, group) in spreads(states).zip(group_indices) {
            self.spreads[*group] = self.spreads[*group].with(spread);
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(states(&emit_to.take_needed(&mut self.spreads), self.parts))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let spreads = emit_to.take_needed(&mut self.spreads);
        let measured = spreads.iter().map(|spread| self.measure.of(spread));
        Ok(Arc::new(measured.collect::<Float64Array>()))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let spread = |(row, pair): (usize, Option<(f64, f64)>)| {
            let mut spread = Spread::NONE;
            if let Some(pair) = pair.filter(|_| passes(filter, row)) {
                spread.add(pair);
            }
            spread
        };
        Ok(states(&pairs(values).enumerate().map(spread).collect::<Vec<_>>(), self.parts))
    }

    fn size(&self) -> usize {
        self.spreads.capacity() * size_of::<Spread>()
    }
}

/// Whether a row passes the filter of an aggregate.
fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}
