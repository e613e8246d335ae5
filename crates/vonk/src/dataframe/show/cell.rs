//! One value as Spark's `show` writes it.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::Result;

/// What stands for NULL.
const NULL: &str = "NULL";

/// How leaves are written; nested values are taken apart here.
const OPTIONS: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(true)
    .with_null(NULL)
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"));

/// The value of a row as text.
pub(super) fn cell(array: &ArrayRef, row: usize) -> Result<String> {
    if array.is_null(row) {
        return Ok(NULL.to_owned());
    }
    match array.data_type() {
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row)),
        DataType::Struct(_) => {
            let fields = array.as_struct().columns().iter();
            let values = fields.map(|field| cell(field, row)).collect::<Result<Vec<_>>>()?;
            Ok(format!("{{{}}}", values.join(", ")))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs = (0..entries.len())
                .map(|entry| Ok(format!("{} -> {}", cell(keys, entry)?, cell(values, entry)?)))
                .collect::<Result<Vec<_>>>()?;
            Ok(format!("{{{}}}", pairs.join(", ")))
        }
        DataType::Binary => Ok(hex(array.as_binary::<i32>().value(row))),
        DataType::LargeBinary => Ok(hex(array.as_binary::<i64>().value(row))),
        DataType::BinaryView => Ok(hex(array.as_binary_view().value(row))),
        _ => Ok(ArrayFormatter::try_new(array.as_ref(), &OPTIONS)?.value(row).to_string()),
    }
}

fn list(items: &ArrayRef) -> Result<String> {
    let values = (0..items.len()).map(|item| cell(items, item)).collect::<Result<Vec<_>>>()?;
    Ok(format!("[{}]", values.join(", ")))
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("[{}]", digits.join(" "))
}
