//! Values of any type as keys that compare as Spark compares: -0.0 is 0.0, NaN is NaN and the greatest.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float32Array, Float64Array, ListArray, MapArray, StructArray,
};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::row::{Row, RowConverter, Rows, SortField};
use datafusion::common::Result;

use crate::types::has_floats;

/// The values of a column as keys; NULL is equal to NULL and comes first.
pub(crate) struct Keys {
    rows: Rows,
    nulls: Vec<bool>,
}

impl Keys {
    /// The keys of a column, in ascending order.
    pub(crate) fn new(array: &ArrayRef) -> Result<Self> {
        let [keys] = Self::of([array])?;
        Ok(keys)
    }

    /// The keys of columns of one type, comparable with each other.
    pub(crate) fn of<const N: usize>(arrays: [&ArrayRef; N]) -> Result<[Self; N]> {
        let data_type = arrays.first().map_or(DataType::Null, |array| array.data_type().clone());
        let options = SortOptions { descending: false, nulls_first: true };
        let converter = RowConverter::new(vec![SortField::new_with_options(data_type, options)])?;
        let mut keys = Vec::with_capacity(N);
        for array in arrays {
            let nulls = match array.logical_nulls() {
                Some(nulls) => nulls.iter().map(|valid| !valid).collect(),
                None => vec![false; array.len()],
            };
            keys.push(Self { rows: converter.convert_columns(&[canonical(array)?])?, nulls });
        }
        keys.try_into().map_err(|_| {
            datafusion::common::DataFusionError::Internal("keys went missing".to_owned())
        })
    }

    /// The key of a value.
    pub(crate) fn get(&self, index: usize) -> Row<'_> {
        self.rows.row(index)
    }

    pub(crate) fn is_null(&self, index: usize) -> bool {
        self.nulls[index]
    }
}

/// The same values with one zero and one NaN.
pub(crate) fn canonical(array: &ArrayRef) -> Result<ArrayRef> {
    if !has_floats(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    Ok(match array.data_type() {
        DataType::Float64 => {
            let floats: Float64Array = array
                .as_primitive::<Float64Type>()
                .unary(|value| if value.is_nan() { f64::NAN } else { value + 0.0 });
            Arc::new(floats)
        }
        DataType::Float32 => {
            let floats: Float32Array = array
                .as_primitive::<Float32Type>()
                .unary(|value| if value.is_nan() { f32::NAN } else { value + 0.0 });
            Arc::new(floats)
        }
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            let items = canonical(list.values())?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, nulls)?)
        }
        DataType::Struct(fields) => Arc::new(canonical_struct(fields, array.as_struct())?),
        DataType::Map(entries, sorted) => {
            let map = array.as_map();
            let fields = map.entries().fields().clone();
            let parts = canonical_struct(&fields, map.entries())?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::try_new(Arc::clone(entries), offsets, parts, nulls, *sorted)?)
        }
        _ => Arc::clone(array),
    })
}

fn canonical_struct(fields: &arrow::datatypes::Fields, array: &StructArray) -> Result<StructArray> {
    let columns = array.columns().iter().map(canonical).collect::<Result<Vec<_>>>()?;
    Ok(StructArray::try_new(fields.clone(), columns, array.nulls().cloned())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_equal_and_nan_is_the_greatest() {
        let floats: ArrayRef =
            Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY]));
        let keys = Keys::new(&floats).unwrap();
        assert_eq!(keys.get(0), keys.get(1));
        assert_eq!(keys.get(2), keys.get(3));
        assert!(keys.get(4) < keys.get(2));
    }
}
