//! `sum` and `avg` of doubles over the frames of windows, which rows leave as others come.
//!
//! To subtract what leaves, as DataFusion does, gives NaN once an infinity or NaN has left, and nothing
//! of 1 once 1e20 has left `1e20 + 1`. Here sums are only ever added up.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

/// The numbers of a frame, in the order in which they came.
///
/// They are a queue of two stacks: `front` holds, of each of the older numbers, the sum of it and all
/// older numbers that came after it, the next to leave on top. A number moves from one stack to the
/// other once, so that a row costs the same in frames of any size.
#[derive(Debug)]
pub(super) struct SlidingDoubles {
    front: Vec<f64>,
    back: Vec<f64>,
    back_sum: f64,
    is_average: bool,
}

impl SlidingDoubles {
    pub(super) fn sum() -> Self {
        Self { front: Vec::new(), back: Vec::new(), back_sum: 0.0, is_average: false }
    }

    pub(super) fn average() -> Self {
        Self { is_average: true, ..Self::sum() }
    }

    fn leave(&mut self) {
        if self.front.is_empty() {
            let mut sum = 0.0;
            self.front.extend(self.back.drain(..).rev().map(|number| {
                sum += number;
                sum
            }));
            self.back_sum = 0.0;
        }
        self.front.pop();
    }
}

/// The numbers among the values.
fn numbers(values: &[ArrayRef]) -> impl Iterator<Item = f64> {
    values[0].as_primitive::<Float64Type>().iter().flatten()
}

impl Accumulator for SlidingDoubles {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for number in numbers(values) {
            self.back.push(number);
            self.back_sum += number;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for _ in numbers(values) {
            self.leave();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let count = self.front.len() + self.back.len();
        let sum = self.front.last().copied().unwrap_or_default() + self.back_sum;
        let divisor = if self.is_average { count as f64 } else { 1.0 };
        Ok(ScalarValue::Float64((count > 0).then_some(sum / divisor)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("the numbers of a frame have no state")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("the numbers of a frame have no state")
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.front.capacity() + self.back.capacity()) * size_of::<f64>()
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
