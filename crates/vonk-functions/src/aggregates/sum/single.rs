//! The sum of one group: whole inputs, frames of windows, and distinct values.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::ListArray;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Field;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::{LOST, Reach, Total, add, for_each_value, sum_of};

/// A sum that grows, and shrinks when rows leave the frame of a window.
#[derive(Debug)]
pub(in crate::aggregates) struct SingleSum {
    total: Total,
    sum: i128,
    reach: Reach,
    /// Values that are not NULL; without any the sum is NULL.
    values: u64,
}

impl SingleSum {
    pub(in crate::aggregates) fn new(total: Total) -> Self {
        Self { total, sum: 0, reach: Reach::default(), values: 0 }
    }

    fn current(&self) -> Decimal128Array {
        Decimal128Array::from(vec![(self.values > 0).then_some(self.sum)])
    }
}

impl Accumulator for SingleSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.reach.covers(&values[0]) {
            self.sum += sum_of(&values[0])?;
        } else {
            for_each_value(&values[0], |value| self.sum = add(self.sum, value))?;
        }
        self.values += (values[0].len() - values[0].null_count()) as u64;
        let fails = self.sum == LOST && self.total.is_strict();
        if fails { Err(self.total.overflow().into()) } else { Ok(()) }
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.reach.covers(&values[0]) {
            self.sum -= sum_of(&values[0])?;
        } else {
            for_each_value(&values[0], |value| self.sum = add(self.sum, value.wrapping_neg()))?;
        }
        self.values -= (values[0].len() - values[0].null_count()) as u64;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let state = self.total.state(self.current());
        Ok(vec![ScalarValue::try_from_array(&state, 0)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.total.finish(&self.current())?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The sum of the values that differ.
#[derive(Debug)]
pub(in crate::aggregates) struct DistinctSum {
    total: Total,
    values: HashSet<i128>,
}

impl DistinctSum {
    pub(in crate::aggregates) fn new(total: Total) -> Self {
        Self { total, values: HashSet::new() }
    }

    /// How many values differ.
    pub(in crate::aggregates) fn count(&self) -> i64 {
        self.values.len() as i64
    }
}

impl Accumulator for DistinctSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for_each_value(&values[0], |value| {
            self.values.insert(value);
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[values])?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.total.state(self.values.iter().copied().map(Some).collect());
        let item = Arc::new(Field::new_list_field(self.total.state_type(), true));
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        let list = ListArray::new(item, offsets, values, None);
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // In order, so that whether it fits does not depend on how values are hashed.
        let mut values: Vec<i128> = self.values.iter().copied().collect();
        values.sort_unstable();
        let sum = values.into_iter().fold(0, add);
        if sum == LOST && self.total.is_strict() {
            return Err(self.total.overflow().into());
        }
        let sum = Decimal128Array::from(vec![(!self.values.is_empty()).then_some(sum)]);
        ScalarValue::try_from_array(&self.total.finish(&sum)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * (size_of::<i128>() + size_of::<u64>())
    }
}
