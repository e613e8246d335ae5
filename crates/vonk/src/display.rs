//! Types as text, in the words that Spark's users know.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use vonk_functions::types;

pub use vonk_functions::datetime::Zone;
pub use vonk_functions::render::{JsonValues, Renderer, Style};

/// Spark's name of a type, in lower case: `bigint`, `decimal(15,2)`, `array<string>`.
///
/// ```
/// use vonk::arrow::datatypes::DataType;
/// assert_eq!(vonk::display::type_name(&DataType::Int64), "bigint");
/// assert_eq!(vonk::display::type_name(&DataType::Decimal128(15, 2)), "decimal(15,2)");
/// ```
pub fn type_name(data_type: &DataType) -> String {
    types::name(data_type)
}

/// Spark's name of a field's type, which may say more than its Arrow type: `interval day`.
///
/// ```
/// use vonk::arrow::datatypes::{DataType, Field};
/// let field = Field::new("a", DataType::Int64, true);
/// assert_eq!(vonk::display::field_type_name(&field), "bigint");
/// ```
pub fn field_type_name(field: &Field) -> String {
    types::field_name(field)
}

/// Stands between a column's name and a number where a result has the same name twice.
///
/// Plans need distinct names, results do not: the mark and what follows never reach a user.
pub(crate) const DUPLICATE_MARK: char = '\u{2063}';

/// Stands between a recursive query's name and the deepest level that it may have.
pub(crate) const LEVEL_MARK: char = '\u{2064}';

/// A name as the user wrote it, without the mark.
pub(crate) fn shown(name: &str) -> &str {
    name.split(DUPLICATE_MARK).next().unwrap_or_default()
}

/// The schema of a result, with the names that the user wrote.
pub(crate) fn result_schema(schema: &SchemaRef) -> SchemaRef {
    if !schema.fields().iter().any(|field| field.name().contains(DUPLICATE_MARK)) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter();
    let fields = fields.map(|field| field.as_ref().clone().with_name(shown(field.name())));
    let fields = fields.collect::<Vec<Field>>();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// A stream of batches with the names that the user wrote.
pub(crate) fn result_stream(stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let schema = result_schema(&stream.schema());
    if Arc::ptr_eq(&schema, &stream.schema()) || schema == stream.schema() {
        return stream;
    }
    let renamed = Arc::clone(&schema);
    let batches = stream.map(move |batch| {
        let batch = batch?;
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        Ok(RecordBatch::try_new_with_options(Arc::clone(&renamed), columns, &rows)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

/// A schema as Spark's tree: `root`, and a line for each column and what is in it.
pub(crate) fn tree(schema: &Schema) -> String {
    let mut text = String::from("root\n");
    for field in schema.fields() {
        branch(&mut text, field.name(), field, ("nullable", 1));
    }
    text
}

/// One line of a schema's tree, and the lines below it; `note` is the word for NULL and the depth.
fn branch(text: &mut String, name: &str, field: &Field, (word, depth): (&str, usize)) {
    let indent = " |   ".repeat(depth - 1);
    let kind = tree_type(field);
    let note = match word {
        "" => String::new(),
        word => format!(" ({word} = {})", field.is_nullable()),
    };
    text.push_str(&format!("{indent} |-- {name}: {kind}{note}\n"));
    match field.data_type() {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::FixedSizeList(item, _) => {
            branch(text, "element", item, ("containsNull", depth + 1));
        }
        DataType::Struct(fields) => {
            for field in fields {
                branch(text, field.name(), field, ("nullable", depth + 1));
            }
        }
        DataType::Map(entries, _) => {
            if let DataType::Struct(fields) = entries.data_type()
                && let [key, value] = fields.as_ref()
            {
                branch(text, "key", key, ("", depth + 1));
                branch(text, "value", value, ("valueContainsNull", depth + 1));
            }
        }
        _ => {}
    }
}

/// The type as Spark's tree writes it.
fn tree_type(field: &Field) -> String {
    match field.data_type() {
        DataType::Int8 => "byte",
        DataType::Int16 => "short",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::FixedSizeList(..) => "array",
        DataType::Struct(_) => "struct",
        DataType::Map(..) => "map",
        _ => return field_type_name(field),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_indent_below_their_branch() {
        let item = Field::new("item", DataType::Int64, true);
        let mut text = String::new();
        let field = Field::new("a", DataType::List(item.into()), false);
        branch(&mut text, "a", &field, ("nullable", 1));
        let expected = " |-- a: array (nullable = false)\n \
                        |    |-- element: long (containsNull = true)\n";
        assert_eq!(text, expected);
    }
}
