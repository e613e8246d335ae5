//! The rows that Spark's generators make of a list or map: the kernel below `explode` and its kin.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Builder, ListArray, StructArray, UInt64Builder};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::failure::Failure;
use crate::types;

/// How a generator makes rows of a list or map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RowsOptions {
    /// Whether each row begins with its position, from 0.
    pub with_position: bool,
    /// Whether NULL and what is empty give one row of NULLs, instead of none.
    pub keeps_empty: bool,
}

/// The columns of the rows that a generator makes of a value: `col`, or `key` and `value`.
///
/// ```
/// use arrow::datatypes::DataType;
/// use vonk_functions::generators::{RowsOptions, columns};
/// let list = DataType::new_list(DataType::Utf8, true);
/// let options = RowsOptions { with_position: true, ..Default::default() };
/// let names: Vec<String> =
///     columns(&list, options).unwrap().iter().map(|field| field.name().clone()).collect();
/// assert_eq!(names, ["pos", "col"]);
/// ```
///
/// # Errors
/// A value that is neither a list nor a map.
pub fn columns(value: &DataType, options: RowsOptions) -> Result<Fields> {
    let column = |name: &str, data_type: &DataType| {
        Arc::new(Field::new(name, data_type.clone(), true)) as FieldRef
    };
    let mut columns = Vec::new();
    if options.with_position {
        columns.push(column("pos", &DataType::Int32));
    }
    match value {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            columns.push(column("col", item.data_type()));
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else {
                return plan_err!("a map without keys and values");
            };
            let names = ["key", "value"];
            columns.extend(
                names.iter().zip(fields).map(|(name, field)| column(name, field.data_type())),
            );
        }
        other => {
            let name = types::name(other);
            let message = format!("an array or a map is needed to make rows, not {name}");
            return Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", message).into());
        }
    }
    Ok(columns.into())
}

/// A function from a list or map to the list of the rows that a generator makes of it.
///
/// Its items are values if the rows have one column, structs otherwise. `name` shows in plans.
pub fn rows(name: &'static str, options: RowsOptions) -> ScalarUDF {
    let signature = Signature::any(1, Volatility::Immutable);
    ScalarUDF::new_from_impl(Rows { name, options, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rows {
    name: &'static str,
    options: RowsOptions,
    signature: Signature,
}

impl ScalarUDFImpl for Rows {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item_of(columns(&arguments[0], self.options)?)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = args.args[0].to_array(args.number_rows)?;
        let fields = columns(value.data_type(), self.options)?;
        let (list, values) = parts(&value)?;
        let picked = pick(&list, self.options);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(fields.len());
        if let Some(positions) = picked.positions {
            columns.push(positions);
        }
        for column in values {
            columns.push(take(&column, &picked.items, None)?);
        }
        let item = item_of(fields.clone());
        let items = match columns.as_slice() {
            [only] => Arc::clone(only),
            _ => Arc::new(StructArray::try_new(fields, columns, None)?) as ArrayRef,
        };
        Ok(ColumnarValue::Array(Arc::new(ListArray::try_new(item, picked.offsets, items, None)?)))
    }
}

fn item_of(columns: Fields) -> FieldRef {
    let data_type = match columns.as_ref() {
        [only] => only.data_type().clone(),
        _ => DataType::Struct(columns),
    };
    Arc::new(Field::new_list_field(data_type, true))
}

/// A list or map as a list, and the columns of its items.
fn parts(value: &ArrayRef) -> Result<(ListArray, Vec<ArrayRef>)> {
    match value.data_type() {
        DataType::Map(entries, _) => {
            let map = value.as_map();
            let items = Arc::new(map.entries().clone());
            let columns = map.entries().columns().to_vec();
            let nulls = map.nulls().cloned();
            let offsets = map.offsets().clone();
            Ok((ListArray::try_new(Arc::clone(entries), offsets, items, nulls)?, columns))
        }
        DataType::List(_) => {
            let list = value.as_list::<i32>().clone();
            let values = Arc::clone(list.values());
            Ok((list, vec![values]))
        }
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            parts(&cast(value, &DataType::List(Arc::clone(item)))?)
        }
        other => exec_err!("an array or a map is needed to make rows, not {other}"),
    }
}

/// Which items make rows: indices into the items (NULL for a row without one) and positions.
struct Picked {
    items: ArrayRef,
    positions: Option<ArrayRef>,
    offsets: OffsetBuffer<i32>,
}

fn pick(list: &ListArray, options: RowsOptions) -> Picked {
    let mut items = UInt64Builder::with_capacity(list.values().len());
    let mut positions = Int32Builder::new();
    let mut lengths = Vec::with_capacity(list.len());
    for (row, bounds) in list.offsets().windows(2).enumerate() {
        let (begin, end) = if list.is_null(row) { (0, 0) } else { (bounds[0], bounds[1]) };
        if begin == end && options.keeps_empty {
            items.append_null();
            positions.append_null();
            lengths.push(1);
            continue;
        }
        for index in begin..end {
            items.append_value(u64::try_from(index).unwrap_or_default());
            if options.with_position {
                positions.append_value(index - begin);
            }
        }
        lengths.push(usize::try_from(end - begin).unwrap_or_default());
    }
    Picked {
        items: Arc::new(items.finish()),
        positions: options.with_position.then(|| Arc::new(positions.finish()) as ArrayRef),
        offsets: OffsetBuffer::from_lengths(lengths),
    }
}
