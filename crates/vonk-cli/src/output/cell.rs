//! The values of a batch as text, with NULL kept apart from text.

use arrow::array::Array;
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::ArrayFormatter;

use super::value;

/// The values of a batch as text.
pub(super) struct Cells<'a> {
    columns: Vec<Column<'a>>,
    rows: usize,
}

struct Column<'a> {
    formatter: ArrayFormatter<'a>,
    nulls: Option<NullBuffer>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let columns = batch.columns().iter().map(|array| {
            let formatter = value::formatter(array.as_ref())?;
            Ok(Column { formatter, nulls: array.logical_nulls() })
        });
        Ok(Self { columns: columns.collect::<Result<_, ArrowError>>()?, rows: batch.num_rows() })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The text of a value; `None` is NULL.
    pub(super) fn text(&self, row: usize, column: usize) -> Result<Option<String>, ArrowError> {
        let mut text = String::new();
        Ok(self.write(row, column, &mut text)?.then_some(text))
    }

    /// Appends the text of a value; false if it is NULL.
    pub(super) fn write(
        &self,
        row: usize,
        column: usize,
        text: &mut String,
    ) -> Result<bool, ArrowError> {
        let column = &self.columns[column];
        if column.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(false);
        }
        column.formatter.value(row).write(text)?;
        Ok(true)
    }
}

/// Whether values of a type are set to the right, as numbers are.
pub(super) fn is_right_aligned(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_right_aligned(value),
        other => other.is_numeric(),
    }
}
