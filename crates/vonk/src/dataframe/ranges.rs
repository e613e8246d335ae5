//! Partitions by ranges of keys, whose borders a sample of the rows gives.

use std::fmt;
use std::iter::repeat_n;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{SortColumn, concat, interleave, lexsort_to_indices, partition, take};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue, SplitPoint};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr, RangePartitioning};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{
    EmptyRecordBatchStream, ExecutionPlan, ExecutionPlanProperties, Partitioning,
};
use futures::{StreamExt, TryStreamExt};
use rand::RngExt;
use tokio::sync::OnceCell;

use crate::operators::slices;
use crate::rdd::sample::random;

/// Rows of a partition's sample for each partition of the result, and at least.
const SAMPLE_ROWS: (usize, usize) = (128, 8192);

/// The rows of a plan in so many partitions, those with the least keys in the first one, and equal keys together.
///
/// `keys` is a plan for the columns of the order alone, which is run for a sample when the first partition is asked for.
pub(super) fn by_range(
    input: Arc<dyn ExecutionPlan>,
    keys: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    count: usize,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let ranged = Arc::new(Ranged { input, keys, order, count, divided: OnceCell::new() });
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
    keys: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    count: usize,
    divided: OnceCell<Arc<dyn ExecutionPlan>>,
}

impl Ranged {
    async fn divided(&self, context: &Arc<TaskContext>) -> DfResult<&Arc<dyn ExecutionPlan>> {
        let divide = || async {
            let most = SAMPLE_ROWS.1.max(SAMPLE_ROWS.0 * self.count);
            let partitions = 0..self.keys.output_partitioning().partition_count();
            let samples = partitions.map(|partition| {
                let rows = self.keys.execute(partition, Arc::clone(context))?;
                Ok(SpawnedTask::spawn(sample(rows, most, partition)))
            });
            let samples = samples.collect::<DfResult<Vec<_>>>()?;
            let mut all = Vec::with_capacity(samples.len());
            for sample in samples {
                let sample = sample.join().await;
                all.push(sample.map_err(|error| DataFusionError::External(Box::new(error)))??);
            }
            let borders = borders(&all, &self.order, self.count)?;
            divided(Arc::clone(&self.input), self.order.clone(), borders)
        };
        self.divided.get_or_try_init(divide).await
    }
}

/// Some keys of a partition, column by column, and how many rows each of them stands for.
struct Sample {
    keys: Vec<ArrayRef>,
    weight: f64,
}

/// At most so many rows of a partition, each with the same chance, and the same ones every time (Vitter's algorithm R).
async fn sample(
    mut rows: SendableRecordBatchStream,
    most: usize,
    partition: usize,
) -> DfResult<Sample> {
    let mut held: Option<Vec<ArrayRef>> = None;
    let (mut seen, mut random) = (0_usize, random(0, partition));
    while let Some(batch) = rows.try_next().await? {
        let before = held.as_ref().and_then(|keys| keys.first()).map_or(0, |keys| keys.len());
        let mut places: Vec<(usize, usize)> = (0..before).map(|row| (0, row)).collect();
        for row in 0..batch.num_rows() {
            seen += 1;
            if places.len() < most {
                places.push((1, row));
                continue;
            }
            if let Some(place) = places.get_mut(random.random_range(0..seen)) {
                *place = (1, row);
            }
        }
        let columns = batch.columns().iter().enumerate().map(|(column, new)| {
            let old =
                held.as_ref().map_or_else(|| new.slice(0, 0), |held| Arc::clone(&held[column]));
            interleave(&[old.as_ref(), new.as_ref()], &places)
        });
        held = Some(columns.collect::<Result<Vec<_>, _>>()?);
    }
    let keys = held.unwrap_or_default();
    let count = keys.first().map_or(0, |keys| keys.len());
    Ok(Sample { keys, weight: seen as f64 / count.max(1) as f64 })
}

/// The keys by which each partition but the first one begins, of which there may be fewer.
fn borders(
    samples: &[Sample],
    order: &[PhysicalSortExpr],
    count: usize,
) -> DfResult<Vec<SplitPoint>> {
    let samples = samples.iter().filter(|sample| sample.keys.iter().any(|keys| !keys.is_empty()));
    let samples: Vec<&Sample> = samples.collect();
    if samples.is_empty() {
        return Ok(Vec::new());
    }
    let rows = |sample: &Sample| sample.keys.first().map_or(0, |keys| keys.len());
    let weights: Vec<f64> =
        samples.iter().flat_map(|sample| repeat_n(sample.weight, rows(sample))).collect();
    let columns = (0..order.len()).map(|column| {
        let parts = samples.iter().map(|sample| sample.keys[column].as_ref());
        concat(&parts.collect::<Vec<_>>())
    });
    let keys = columns.collect::<Result<Vec<_>, _>>()?;
    let columns = keys
        .iter()
        .zip(order)
        .map(|(keys, order)| SortColumn { values: Arc::clone(keys), options: Some(order.options) });
    let places = lexsort_to_indices(&columns.collect::<Vec<_>>(), None)?;
    let sorted = keys.iter().map(|keys| take(keys, &places, None));
    let sorted = sorted.collect::<Result<Vec<_>, _>>()?;
    let share = weights.iter().sum::<f64>() / count as f64;
    let (mut begins, mut passed, mut wanted) = (Vec::new(), 0.0, share);
    for group in partition(&sorted)?.ranges() {
        let group_weight = |place: usize| weights[places.value(place) as usize];
        passed += group.clone().map(group_weight).sum::<f64>();
        // As in Spark, the key at the border is the last one before it.
        if passed >= wanted && group.end < weights.len() {
            begins.push(group.end);
        }
        while passed >= wanted {
            wanted += share;
        }
    }
    begins.truncate(count - 1);
    let border = |row: usize| {
        let values = sorted.iter().map(|keys| ScalarValue::try_from_array(keys, row));
        Ok(SplitPoint::new(values.collect::<DfResult<_>>()?))
    };
    begins.into_iter().map(border).collect()
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
    use arrow::array::{AsArray, Int64Array, RecordBatch};
    use arrow::compute::SortOptions;
    use arrow::datatypes::{Field, Int64Type, Schema};
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
            let found =
                borders(&[Sample { keys, weight: 1.0 }], &order(descending), count).unwrap();
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

    /// The numbers from 0 on, in batches of a thousand.
    fn numbers(count: i64) -> SendableRecordBatchStream {
        let batches = (0..count / 1000).map(|batch| {
            let numbers = Int64Array::from_iter_values(batch * 1000..(batch + 1) * 1000);
            Ok(RecordBatch::try_new(numbers_schema(), vec![Arc::new(numbers)])?)
        });
        let batches = futures::stream::iter(batches.collect::<Vec<_>>());
        Box::pin(RecordBatchStreamAdapter::new(numbers_schema(), batches))
    }

    fn numbers_schema() -> SchemaRef {
        Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, false)]))
    }

    #[tokio::test]
    async fn every_row_has_the_same_chance_and_each_sample_its_weight() {
        let taken = sample(numbers(100_000), 1000, 7).await.unwrap();
        let again = sample(numbers(100_000), 1000, 7).await.unwrap();
        assert_eq!((taken.keys[0].len(), taken.weight), (1000, 100.0));
        assert_eq!(taken.keys, again.keys);
        // The sum of 1,000 even numbers up to 100,000 has a deviation of 0.9 millions.
        let found = taken.keys[0].as_primitive::<Int64Type>().values().iter();
        let (sum, residues) = found.fold((0, [0; 16]), |(sum, mut residues), number| {
            residues[(number % 16) as usize] += 1;
            (sum + number, residues)
        });
        assert!((46_000_000..54_000_000).contains(&sum), "{sum}");
        assert!(residues.iter().all(|count| (25..110).contains(count)), "{residues:?}");

        let few = sample(numbers(1000), 1000, 7).await.unwrap();
        assert_eq!((few.keys[0].len(), few.weight), (1000, 1.0));
        // 100,000 rows against 1,000 of the same range: the middle is that of the former.
        let order = [PhysicalSortExpr {
            expr: Arc::new(Column::new("a", 0)),
            options: SortOptions::default(),
        }];
        let found = borders(&[few, taken], &order, 2).unwrap();
        let [ScalarValue::Int64(Some(middle))] = found[0].values() else { unreachable!() };
        assert!((44_000..55_000).contains(middle), "{middle}");
        let nothing = sample(numbers(0), 10, 0).await.unwrap();
        assert!(borders(&[nothing], &order, 2).unwrap().is_empty());
    }
}
