//! The values of a batch as text, with NULL kept apart from text.

use arrow::array::Array;
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use vonk::display::{Renderer, Style, Zone};

use crate::exit::Failure;

/// The values of a batch as text.
pub(super) struct Cells {
    columns: Vec<Column>,
    rows: usize,
}

struct Column {
    renderer: Renderer,
    nulls: Option<NullBuffer>,
}

impl Cells {
    pub(super) fn new(batch: &RecordBatch, zone: Zone) -> Result<Self, Failure> {
        let schema = batch.schema();
        let columns = batch.columns().iter().zip(schema.fields()).map(|(array, field)| {
            let renderer =
                Renderer::new(array, field, Style::show(zone)).map_err(vonk::Error::from)?;
            Ok(Column { renderer, nulls: array.logical_nulls() })
        });
        Ok(Self { columns: columns.collect::<Result<_, Failure>>()?, rows: batch.num_rows() })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The text of a value; `None` is NULL.
    pub(super) fn text(&self, row: usize, column: usize) -> Result<Option<String>, Failure> {
        let mut text = String::new();
        Ok(self.write(row, column, &mut text)?.then_some(text))
    }

    /// Appends the text of a value; false if it is NULL.
    pub(super) fn write(
        &self,
        row: usize,
        column: usize,
        text: &mut String,
    ) -> Result<bool, Failure> {
        let column = &self.columns[column];
        if column.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(false);
        }
        column.renderer.write(row, text);
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
