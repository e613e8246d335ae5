//! Partitions by ranges of keys, whose borders a sample of the rows gives.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::compute::{SortColumn, concat, lexsort_to_indices, partition, take};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{Result as DfResult, ScalarValue, SplitPoint};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr, RangePartitioning};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{
    EmptyRecordBatchStream, ExecutionPlan, ExecutionPlanProperties, Partitioning, execute_stream,
};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use crate::operators::slices;

/// Rows of a sample for each partition, and at least.
const SAMPLE_ROWS: (usize, usize) = (128, 8192);

/// The rows of a plan in so many partitions, those with the least keys in the first one, and equal keys together.
///
/// The plan is run once more for the sample, when the first partition is asked for.
pub(super) fn by_range(
    input: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    count: usize,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let ranged = Arc::new(Ranged { input, order, count, divided: OnceCell::new() });
    let slice = |index| Slice { ranged: Arc::clone(&ranged), schema: Arc::clone(&schema), index };
    Ok(Arc::new(slices::scan(&schema, count, slice, None, None)?))
}

/// The rows of a plan in so many partitions: each in that whose number its key is, or in the first one.
pub(super) fn by_number(
    input: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    data_type: &DataType,
    count: usize,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let border = |number: usize| {
        let number = ScalarValue::UInt64(Some(number as u64)).cast_to(data_type)?;
        Ok(SplitPoint::new(vec![number]))
    };
    let borders = (1..count).map(border).collect::<DfResult<Vec<_>>>()?;
    divided(input, order, borders)
}

fn divided(
    input: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    borders: Vec<SplitPoint>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let ranges = Partitioning::Range(RangePartitioning::try_new(order, borders)?);
    Ok(Arc::new(RepartitionExec::try_new(input, ranges)?))
}

/// A plan that is divided once it is run.
struct Ranged {
    input: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    count: usize,
    divided: OnceCell<Arc<dyn ExecutionPlan>>,
}

impl Ranged {
    async fn divided(&self, context: &Arc<TaskContext>) -> DfResult<&Arc<dyn ExecutionPlan>> {
        let divide = || async {
            let most = SAMPLE_ROWS.1.max(SAMPLE_ROWS.0 * self.count);
            let keys = sample(&self.input, &self.order, most, context).await?;
            let borders = borders(&keys, &self.order, self.count)?;
            divided(Arc::clone(&self.input), self.order.clone(), borders)
        };
        self.divided.get_or_try_init(divide).await
    }
}

/// The keys of at most twice so many rows that are equally far from each other, column by column.
async fn sample(
    plan: &Arc<dyn ExecutionPlan>,
    order: &[PhysicalSortExpr],
    most: usize,
    context: &Arc<TaskContext>,
) -> DfResult<Vec<ArrayRef>> {
    let plan = reset_plan_states(Arc::clone(plan))?;
    let mut rows = execute_stream(plan, Arc::clone(context))?;
    let mut held: Option<Vec<ArrayRef>> = None;
    // Every so manieth row is held, the first one among them.
    let (mut seen, mut step) = (0, 1);
    while let Some(batch) = rows.try_next().await? {
        let count = batch.num_rows();
        let taken = every((step - seen % step) % step, count, step);
        seen += count;
        let keys = order.iter().map(|key| {
            let keys = key.expr.evaluate(&batch)?.into_array(count)?;
            Ok(take(&keys, &taken, None)?)
        });
        let keys = keys.collect::<DfResult<Vec<_>>>()?;
        let mut all = match held.take() {
            None => keys,
            Some(before) => {
                let both = before.iter().zip(&keys);
                let both = both.map(|(before, keys)| concat(&[before, keys]));
                both.collect::<Result<Vec<_>, _>>()?
            }
        };
        while all.first().is_some_and(|keys| keys.len() > 2 * most) {
            step *= 2;
            let second = every(0, all[0].len(), 2);
            let halved = all.iter().map(|keys| take(keys, &second, None));
            all = halved.collect::<Result<Vec<_>, _>>()?;
        }
        held = Some(all);
    }
    Ok(held.unwrap_or_default())
}

fn every(first: usize, count: usize, step: usize) -> UInt64Array {
    (first..count).step_by(step).map(|row| row as u64).collect::<Vec<_>>().into()
}

/// The keys by which each partition but the first one begins, of which there may be fewer.
fn borders(
    keys: &[ArrayRef],
    order: &[PhysicalSortExpr],
    count: usize,
) -> DfResult<Vec<SplitPoint>> {
    let Some(rows) = keys.first().map(|keys| keys.len()).filter(|rows| *rows > 0) else {
        return Ok(Vec::new());
    };
    let columns = keys
        .iter()
        .zip(order)
        .map(|(keys, order)| SortColumn { values: Arc::clone(keys), options: Some(order.options) });
    let sorted = lexsort_to_indices(&columns.collect::<Vec<_>>(), None)?;
    let sorted = keys.iter().map(|keys| take(keys, &sorted, None));
    let sorted = sorted.collect::<Result<Vec<_>, _>>()?;
    let equal = partition(&sorted)?.ranges();
    let mut places = Vec::new();
    for number in 1..count {
        // As in Spark, the key at the border is the last one before it.
        let last = (number * rows).div_ceil(count) - 1;
        let group = equal.partition_point(|range| range.end <= last);
        let begin = equal[group].end;
        if begin < rows && places.last() != Some(&begin) {
            places.push(begin);
        }
    }
    let border = |row: usize| {
        let values = sorted.iter().map(|keys| ScalarValue::try_from_array(keys, row));
        Ok(SplitPoint::new(values.collect::<DfResult<_>>()?))
    };
    places.into_iter().map(border).collect()
}

/// One partition.
struct Slice {
    ranged: Arc<Ranged>,
    schema: SchemaRef,
    index: usize,
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slice").field("index", &self.index).finish_non_exhaustive()
    }
}

impl PartitionStream for Slice {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (ranged, schema, index) =
            (Arc::clone(&self.ranged), Arc::clone(&self.schema), self.index);
        let rows = async move {
            let plan = ranged.divided(&context).await?;
            // There may be fewer keys than partitions.
            if index < plan.output_partitioning().partition_count() {
                plan.execute(index, context)
            } else {
                Ok(Box::pin(EmptyRecordBatchStream::new(schema)) as SendableRecordBatchStream)
            }
        };
        let rows = futures::stream::once(rows).try_flatten().boxed();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::compute::SortOptions;
    use datafusion::physical_expr::expressions::Column;

    use super::*;

    #[test]
    fn borders_are_the_keys_behind_equal_shares() {
        let order = |descending| {
            let options = SortOptions { descending, nulls_first: !descending };
            [PhysicalSortExpr { expr: Arc::new(Column::new("a", 0)), options }]
        };
        let check = |keys: Vec<Option<i64>>, descending, count, expected: &[i64]| {
            let keys: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(keys))];
            let found = borders(&keys, &order(descending), count).unwrap();
            let expected = expected.iter().map(|key| SplitPoint::new(vec![(*key).into()]));
            assert_eq!(found, expected.collect::<Vec<_>>());
        };
        check(vec![Some(14), Some(23), Some(16)], false, 2, &[23]);
        check((0..100).map(Some).collect(), false, 4, &[25, 50, 75]);
        check((0..100).map(Some).collect(), true, 4, &[74, 49, 24]);
        // Equal keys stay together, also where there is nothing else.
        check(vec![Some(1); 9], false, 3, &[]);
        check([vec![Some(1); 9], vec![Some(2)]].concat(), false, 3, &[2]);
        check(vec![None, None, None, Some(5)], false, 2, &[5]);
        check(Vec::new(), false, 3, &[]);
    }
}
