//! The sums of many groups at once.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array};
use arrow::compute::{and, is_not_null, nullif};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::NullState;

use super::{LOST, Total, unwrapped};

/// A sum for each group.
#[derive(Debug)]
pub(in crate::aggregates) struct GroupSums {
    total: Total,
    sums: Vec<i128>,
    seen: NullState,
    /// A sum left even the 128 bits.
    overflows: bool,
}

impl GroupSums {
    pub(in crate::aggregates) fn new(total: Total) -> Self {
        Self { total, sums: Vec::new(), seen: NullState::new(), overflows: false }
    }

    fn take(&mut self, emit_to: EmitTo) -> Decimal128Array {
        let sums = emit_to.take_needed(&mut self.sums);
        Decimal128Array::new(sums.into(), self.seen.build(emit_to))
    }
}

impl GroupsAccumulator for GroupSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.sums.resize(group_count, 0);
        let (sums, overflows) = (&mut self.sums, &mut self.overflows);
        let mut add = |group: usize, value: i128| {
            sums[group] = super::add(sums[group], value);
            *overflows |= sums[group] == LOST;
        };
        let values = unwrapped(&values[0]);
        match values.data_type() {
            DataType::Int64 => {
                let values = values.as_primitive::<Int64Type>();
                let add = |group, value| add(group, i128::from(value));
                self.seen.accumulate(group_indices, values, filter, group_count, add);
            }
            _ => {
                let values = values.as_primitive::<Decimal128Type>();
                self.seen.accumulate(group_indices, values, filter, group_count, &mut add);
            }
        }
        if self.overflows && self.total.is_strict() {
            return Err(self.total.overflow().into());
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        group_count: usize,
    ) -> Result<()> {
        self.update_batch(states, group_indices, None, group_count)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let sums = self.take(emit_to);
        Ok(vec![self.total.state(sums)])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = self.take(emit_to);
        self.total.finish(&sums)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = unwrapped(&values[0]);
        let wide: Decimal128Array = match values.data_type() {
            DataType::Int64 => values.as_primitive::<Int64Type>().unary(i128::from),
            _ => values.as_primitive::<Decimal128Type>().clone(),
        };
        let state = self.total.state(wide);
        let Some(filter) = filter else { return Ok(vec![state]) };
        let keeps = and(&is_not_null(filter)?, &BooleanArray::new(filter.values().clone(), None))?;
        Ok(vec![nullif(&state, &arrow::compute::not(&keeps)?)?])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.seen.size()
    }
}
