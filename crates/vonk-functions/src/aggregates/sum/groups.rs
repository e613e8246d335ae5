//! The sums of many groups at once.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array};
use arrow::compute::{and, is_not_null, nullif};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::NullState;

use super::{LOST, Reach, Total, unwrapped};

/// A sum for each group.
#[derive(Debug)]
pub(in crate::aggregates) struct GroupSums {
    total: Total,
    sums: Vec<i128>,
    seen: NullState,
    reach: Reach,
    /// A sum left even the 128 bits.
    overflows: bool,
}

impl GroupSums {
    pub(in crate::aggregates) fn new(total: Total) -> Self {
        let (sums, seen, reach) = (Vec::new(), NullState::new(), Reach::default());
        Self { total, sums, seen, reach, overflows: false }
    }

    fn take(&mut self, emit_to: EmitTo) -> Decimal128Array {
        let sums = emit_to.take_needed(&mut self.sums);
        if self.sums.is_empty() {
            self.reach = Reach::default();
        }
        Decimal128Array::new(sums.into(), self.seen.build(emit_to))
    }
}

/// The values of some rows, and the groups that they belong to.
struct Rows<'a> {
    values: &'a ArrayRef,
    groups: &'a [usize],
    filter: Option<&'a BooleanArray>,
    group_count: usize,
}

impl Rows<'_> {
    /// Gives each value that counts with its group to `add`.
    fn for_each(&self, seen: &mut NullState, mut add: impl FnMut(usize, i128) + Send) {
        let Self { groups, filter, group_count, .. } = *self;
        if let Some(whole) = self.values.as_primitive_opt::<Int64Type>() {
            let add = |group, value| add(group, i128::from(value));
            seen.accumulate(groups, whole, filter, group_count, add);
        } else {
            let values = self.values.as_primitive::<Decimal128Type>();
            seen.accumulate(groups, values, filter, group_count, add);
        }
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
        let values = unwrapped(&values[0]);
        let rows = Rows { values: &values, groups: group_indices, filter, group_count };
        let (sums, overflows) = (&mut self.sums, &mut self.overflows);
        if self.reach.covers(&values) {
            let add = |group: usize, value| sums[group] = sums[group].wrapping_add(value);
            rows.for_each(&mut self.seen, add);
            return Ok(());
        }
        let add = |group: usize, value| {
            sums[group] = super::add(sums[group], value);
            *overflows |= sums[group] == LOST;
        };
        rows.for_each(&mut self.seen, add);
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
