//! Rows that lie in the order of their keys as groups, each a row with the list of its rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, RecordBatch, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, concat_batches, partition, take};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use futures::{StreamExt, stream};
use vonk::dataframe::Batches;
use vonk::{Error, Result};

/// The columns of groups: the keys, and the lists of what the column behind them holds.
pub(crate) fn schema(rows: &Schema, keys: usize) -> SchemaRef {
    let fields = rows.fields().iter().take(keys + 1).enumerate().map(|(at, field)| {
        let field = field.as_ref().clone().with_nullable(true);
        match at == keys {
            true => list_of(&field),
            false => field,
        }
    });
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

fn list_of(rows: &Field) -> Field {
    let item = Field::new("item", rows.data_type().clone(), true);
    Field::new(rows.name(), DataType::List(Arc::new(item)), true)
}

/// Gathers the rows of each key, which is the first columns of the input and in order there.
pub(crate) fn gather(schema: SchemaRef, keys: usize, input: Batches) -> Batches {
    let gathering = Gathering { schema, keys, open: Vec::new(), input: Some(input) };
    let groups = stream::try_unfold(gathering, |mut gathering| async move {
        Ok(gathering.next().await?.map(|groups| (groups, gathering)))
    });
    groups.boxed()
}

struct Gathering {
    schema: SchemaRef,
    keys: usize,
    /// Parts of the group that may go on.
    open: Vec<RecordBatch>,
    input: Option<Batches>,
}

impl Gathering {
    /// The groups that are complete next.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(input) = &mut self.input {
            match input.next().await.transpose()? {
                Some(batch) if batch.num_rows() == 0 => {}
                Some(batch) => {
                    if let Some(groups) = self.add(batch)? {
                        return Ok(Some(groups));
                    }
                }
                None => {
                    self.input = None;
                    let Some(first) = self.open.first() else { return Ok(None) };
                    let last = concat_batches(&first.schema(), &self.open)?;
                    let whole = 0..last.num_rows();
                    return self.groups(&last, &[whole]).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// Adds rows; gives the groups that they complete.
    fn add(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        let mut ranges = self.ranges(&batch)?;
        if !self.goes_on(&batch)? {
            ranges.insert(0, 0..0);
        }
        let Some(last) = ranges.pop() else { return Ok(None) };
        let open_rows = self.open.iter().map(RecordBatch::num_rows).sum::<usize>();
        let next = batch.slice(last.start, last.len());
        self.open.push(batch);
        if ranges.is_empty() {
            return Ok(None);
        }
        // The groups that end here: the first one begins in the open batches.
        let rows = concat_batches(&next.schema(), &std::mem::replace(&mut self.open, vec![next]))?;
        for range in &mut ranges {
            *range = range.start + open_rows..range.end + open_rows;
        }
        ranges[0].start = 0;
        self.groups(&rows, &ranges).map(Some)
    }

    /// Whether the first rows of a batch are of the group that is open.
    fn goes_on(&self, batch: &RecordBatch) -> Result<bool> {
        let Some(last) = self.open.last() else { return Ok(true) };
        let ends = [last.slice(last.num_rows() - 1, 1), batch.slice(0, 1)];
        Ok(self.ranges(&concat_batches(&batch.schema(), &ends)?)?.len() == 1)
    }

    /// The rows of each key.
    fn ranges(&self, rows: &RecordBatch) -> Result<Vec<Range<usize>>> {
        match self.keys {
            0 => Ok(std::iter::once(0..rows.num_rows()).collect()),
            keys => Ok(partition(&rows.columns()[..keys])?.ranges()),
        }
    }

    fn groups(&self, rows: &RecordBatch, ranges: &[Range<usize>]) -> Result<RecordBatch> {
        let starts = ranges.iter().map(|range| u32::try_from(range.start));
        let starts = starts.collect::<std::result::Result<Vec<u32>, _>>();
        let starts = starts.map_err(|_| Error::internal("a group has too many rows"))?;
        let starts = UInt32Array::from(starts);
        let keys = rows.columns()[..self.keys].iter().map(|key| take(key, &starts, None));
        let mut columns = keys.collect::<std::result::Result<Vec<ArrayRef>, _>>()?;
        let end = ranges.last().map_or(0, |range| range.end);
        let values = rows.column(self.keys).slice(0, end);
        let DataType::List(item) = self.schema.field(self.keys).data_type() else {
            return Err(Error::internal("the rows of groups are no lists"));
        };
        // The planner may have said less exactly than the rows do what may be NULL.
        let values = cast(&values, item.data_type())?;
        let offsets = OffsetBuffer::from_lengths(ranges.iter().map(Range::len));
        columns.push(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None)?));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array};
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn a_group_goes_on_over_batches() {
        let fields = ["key", "row"].map(|name| Field::new(name, DataType::Int64, true));
        let rows = Arc::new(Schema::new(fields.to_vec()));
        let batch = |keys: Vec<Option<i64>>| {
            let numbers = Arc::new(Int64Array::from(keys));
            RecordBatch::try_new(Arc::clone(&rows), vec![numbers.clone(), numbers]).unwrap()
        };
        let batches =
            [vec![None, Some(1)], vec![Some(1)], vec![Some(1), Some(2)], vec![], vec![Some(2)]];
        for keys in [0, 1] {
            let input = stream::iter(batches.clone().map(batch).map(Ok)).boxed();
            let groups = gather(schema(&rows, keys), keys, input);
            let groups: Vec<RecordBatch> = groups.try_collect().await.unwrap();
            let sizes = groups.iter().flat_map(|groups| {
                let lists = groups.column(keys).as_list::<i32>();
                lists.iter().map(|list| list.unwrap().len()).collect::<Vec<_>>()
            });
            let expected = if keys == 0 { vec![6] } else { vec![1, 3, 2] };
            assert_eq!(sizes.collect::<Vec<_>>(), expected);
        }
    }
}
