//! `container[key]`: an element of an array by its place from zero, or a value of a map by its key.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, OffsetSizeTrait, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::arithmetic::Mode;
use crate::failure::Failure;

/// The function behind brackets on an array; outside of ANSI a place that is not there gives NULL.
pub fn udf(mode: Mode) -> ScalarUDF {
    ScalarUDF::new_from_impl(Item {
        mode,
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

/// The function behind brackets on a map: NULL for a key that it does not have.
pub fn value_of_key() -> ScalarUDF {
    crate::collections::element::element_at()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Item {
    mode: Mode,
    signature: Signature,
}

impl ScalarUDFImpl for Item {
    fn name(&self) -> &str {
        match self.mode {
            Mode::Ansi | Mode::Try => "item",
            Mode::Legacy => "legacy item",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [container, key] = arguments else {
            return plan_err!("brackets take one key, not {}", arguments.len());
        };
        match (container, key) {
            (DataType::List(_) | DataType::LargeList(_), key)
                if key.is_integer() || key.is_null() =>
            {
                Ok(vec![container.clone(), DataType::Int64])
            }
            (DataType::FixedSizeList(item, _) | DataType::ListView(item), key)
                if key.is_integer() =>
            {
                Ok(vec![DataType::List(Arc::clone(item)), DataType::Int64])
            }
            (container, key) => plan_err!("a value of {container} has no element [{key}]"),
        }
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match &arguments[0] {
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item) => Ok(item.data_type().clone()),
            other => plan_err!("a value of {other} has no elements"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> =
            args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let containers = args.args[0].to_array(args.number_rows)?;
        let places = args.args[1].to_array(args.number_rows)?;
        let places = places.as_primitive::<Int64Type>();
        let items = match containers.data_type() {
            DataType::LargeList(_) => self.elements::<i64>(&containers, places),
            _ => self.elements::<i32>(&containers, places),
        }?;
        Ok(ColumnarValue::Array(items))
    }
}

impl Item {
    fn elements<O: OffsetSizeTrait>(
        &self,
        containers: &ArrayRef,
        places: &Int64Array,
    ) -> Result<ArrayRef> {
        let lists = containers.as_list::<O>();
        let offsets = lists.value_offsets();
        let mut indices = UInt64Array::builder(lists.len());
        for row in 0..lists.len() {
            if lists.is_null(row) || places.is_null(row) {
                indices.append_null();
                continue;
            }
            let (begin, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
            let place = places.value(row);
            match usize::try_from(place).ok().filter(|place| *place < end - begin) {
                Some(place) => indices.append_value((begin + place) as u64),
                None if self.mode == Mode::Legacy => indices.append_null(),
                None => return Err(out_of_bounds(place, end - begin).into()),
            }
        }
        Ok(take(lists.values(), &indices.finish(), None)?)
    }
}

fn out_of_bounds(place: i64, length: usize) -> Failure {
    let message = format!("the index {place} is out of bounds: the array has {length} elements");
    Failure::new("INVALID_ARRAY_INDEX", message)
        .hint("count from 0, or use `get` to get NULL instead")
}
