//! The values of the frames of windows, which leave in the order in which they came; `sum` and `avg` of
//! doubles over them.
//!
//! To subtract what leaves, as DataFusion does, gives NaN once an infinity or NaN has left, and nothing
//! of 1 once 1e20 has left `1e20 + 1`. Here values are only ever added up.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use crate::arithmetic::with_one_nan;

/// What is known of some values altogether.
pub(super) trait Summary<T>: Copy {
    /// What is known of none.
    const NONE: Self;

    /// Takes in one more value.
    fn add(&mut self, value: T);

    /// Takes in what is known of values that came later.
    fn with(self, later: Self) -> Self;
}

impl Summary<f64> for f64 {
    const NONE: Self = 0.0;

    fn add(&mut self, value: f64) {
        *self += value;
    }

    fn with(self, later: Self) -> Self {
        self + later
    }
}

/// The values of a frame: a queue of two stacks.
///
/// `front` holds, of each of the older values, the summary of it and all older values that came after
/// it, the next to leave on top. A value moves from one stack to the other once, so that a row costs the
/// same in frames of any size.
#[derive(Debug)]
pub(super) struct Frame<T, S> {
    front: Vec<S>,
    back: Vec<T>,
    back_summary: S,
}

impl<T: Copy, S: Summary<T>> Frame<T, S> {
    pub(super) fn new() -> Self {
        Self { front: Vec::new(), back: Vec::new(), back_summary: S::NONE }
    }

    pub(super) fn push(&mut self, value: T) {
        self.back.push(value);
        self.back_summary.add(value);
    }

    /// Takes the oldest value out.
    pub(super) fn pop(&mut self) {
        if self.front.is_empty() {
            let mut all = S::NONE;
            self.front.extend(self.back.drain(..).rev().map(|value| {
                let mut one = S::NONE;
                one.add(value);
                all = one.with(all);
                all
            }));
            self.back_summary = S::NONE;
        }
        self.front.pop();
    }

    pub(super) fn len(&self) -> usize {
        self.front.len() + self.back.len()
    }

    pub(super) fn summary(&self) -> S {
        self.front.last().map_or(self.back_summary, |front| front.with(self.back_summary))
    }

    /// The bytes of its stacks.
    pub(super) fn size(&self) -> usize {
        self.front.capacity() * size_of::<S>() + self.back.capacity() * size_of::<T>()
    }
}

/// The sum or average of the numbers of a frame.
#[derive(Debug)]
pub(super) struct SlidingDoubles {
    frame: Frame<f64, f64>,
    is_average: bool,
}

impl SlidingDoubles {
    pub(super) fn sum() -> Self {
        Self { frame: Frame::new(), is_average: false }
    }

    pub(super) fn average() -> Self {
        Self { frame: Frame::new(), is_average: true }
    }
}

/// The numbers among the values.
fn numbers(values: &[ArrayRef]) -> impl Iterator<Item = f64> {
    values[0].as_primitive::<Float64Type>().iter().flatten()
}

impl Accumulator for SlidingDoubles {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        numbers(values).for_each(|number| self.frame.push(number));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        numbers(values).for_each(|_| self.frame.pop());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let count = self.frame.len();
        let divisor = if self.is_average { count as f64 } else { 1.0 };
        let value = || with_one_nan(self.frame.summary() / divisor);
        Ok(ScalarValue::Float64((count > 0).then(value)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("the numbers of a frame have no state")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("the numbers of a frame have no state")
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.frame.size()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Float64Array;

    use super::*;

    /// The sums of the last three of each of the numbers, and what is added up anew.
    #[test]
    fn frames_are_the_sums_of_their_numbers() {
        let all = [Some(1e20), Some(1.0), None, Some(2.0), Some(f64::INFINITY), Some(3.0)];
        let all = all.into_iter().chain([Some(f64::NAN), Some(4.0), Some(-0.5), Some(8.0)]);
        let all: Vec<Option<f64>> = all.collect();
        let mut sliding = SlidingDoubles::sum();
        for end in 0..all.len() {
            let array = |value| -> [ArrayRef; 1] { [Arc::new(Float64Array::from(vec![value]))] };
            sliding.update_batch(&array(all[end])).unwrap();
            if end >= 3 {
                sliding.retract_batch(&array(all[end - 3])).unwrap();
            }
            let frame = &all[end.saturating_sub(2)..=end];
            let sum: f64 = frame.iter().flatten().sum();
            let ScalarValue::Float64(Some(found)) = sliding.evaluate().unwrap() else {
                panic!("row {end} has no sum");
            };
            assert!(found == sum || (found.is_nan() && sum.is_nan()), "row {end}: {found}, {sum}");
        }
    }
}
