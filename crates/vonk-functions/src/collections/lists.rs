//! Columns of arrays taken apart, and put together again from items that are there already.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};

/// A column of arrays: where each of them begins and ends among the items.
pub(crate) struct Lists {
    list: ListArray,
}

impl Lists {
    /// Reads a column of arrays; one of NULLs alone is that, too.
    pub(crate) fn new(array: &ArrayRef) -> Result<Self> {
        let list = match array.data_type() {
            DataType::List(_) => array.as_list::<i32>().clone(),
            DataType::Null => {
                new_null_array(&list_of(DataType::Null), array.len()).as_list::<i32>().clone()
            }
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                cast(array, &DataType::List(Arc::clone(item)))?.as_list::<i32>().clone()
            }
            other => return exec_err!("an array is needed, not {other}"),
        };
        Ok(Self { list })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.list.is_null(row)
    }

    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        self.list.nulls()
    }

    /// The items of all rows; [`Lists::range`] tells which are whose.
    pub(crate) fn items(&self) -> &ArrayRef {
        self.list.values()
    }

    /// Where a row's items stand; NULL has none.
    pub(crate) fn range(&self, row: usize) -> Range<usize> {
        if self.list.is_null(row) {
            return 0..0;
        }
        let offsets = self.list.value_offsets();
        let place = |at: usize| usize::try_from(offsets[at]).unwrap_or_default();
        place(row)..place(row + 1)
    }
}

/// Arrays under construction: for each row, which items it has.
#[derive(Default)]
pub(crate) struct Picker {
    indices: Vec<Option<u64>>,
    lengths: Vec<usize>,
    validity: Vec<bool>,
    begin: usize,
}

impl Picker {
    /// Adds the item at an index to the row under construction.
    pub(crate) fn push(&mut self, index: usize) {
        self.indices.push(Some(index as u64));
    }

    /// Adds a NULL to the row under construction.
    pub(crate) fn push_null(&mut self) {
        self.indices.push(None);
    }

    /// Adds items that stand behind each other.
    pub(crate) fn extend(&mut self, range: Range<usize>) {
        self.indices.extend(range.map(|index| Some(index as u64)));
    }

    /// Ends a row.
    pub(crate) fn end(&mut self) {
        self.lengths.push(self.indices.len() - self.begin);
        self.begin = self.indices.len();
        self.validity.push(true);
    }

    /// Ends a row that is NULL.
    pub(crate) fn end_null(&mut self) {
        self.indices.truncate(self.begin);
        self.lengths.push(0);
        self.validity.push(false);
    }

    /// The arrays, of the type `returns`, from the items of all `sources` behind each other.
    pub(crate) fn finish(self, sources: &[&ArrayRef], returns: &DataType) -> Result<ArrayRef> {
        let DataType::List(item) = returns else {
            return exec_err!("an array is made, not a value of {returns}");
        };
        let sources = sources.iter().map(|source| fit(source, item.data_type()));
        let sources = sources.collect::<Result<Vec<_>>>()?;
        let pool = match sources.as_slice() {
            [only] => Arc::clone(only),
            several => {
                let several: Vec<&dyn Array> = several.iter().map(AsRef::as_ref).collect();
                concat(&several)?
            }
        };
        let items = take(&pool, &UInt64Array::from(self.indices), None)?;
        let nulls = NullBuffer::from(self.validity);
        list(item, self.lengths, items, Some(nulls))
    }
}

/// Arrays of these lengths over items behind each other.
pub(crate) fn list(
    item: &FieldRef,
    lengths: impl IntoIterator<Item = usize>,
    items: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    let items = fit(&items, item.data_type())?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, nulls)?))
}

/// An array as the type that differs from its own in no more than layout or nullability.
pub(crate) fn fit(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if array.data_type() == data_type {
        return Ok(Arc::clone(array));
    }
    Ok(cast(array, data_type)?)
}

/// The type of arrays of a type, whose items may be NULL.
pub(crate) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// The item type of an array type.
pub(crate) fn item_of(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().clone()
        }
        _ => DataType::Null,
    }
}
