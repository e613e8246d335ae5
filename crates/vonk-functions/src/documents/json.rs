//! `from_json`, `to_json`, `schema_of_json` and what counts and names the parts of JSON.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, StringBuilder, StructArray, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use super::build::Builder;
use super::json_text::{self, Leniency};
use super::moments::Moments;
use super::options::Options;
use super::schema;
use super::tree::Tree;
use super::write::Writer;
use crate::ddl;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const JSON: Parameters = Parameters::exact(&[Kind::OnlyText]);

/// Spark's `json_array_length`.
pub(super) fn array_length() -> ScalarUDF {
    Kernel::new("json_array_length", JSON, rows::int, |call| {
        let texts = call.text(0)?;
        rows::numbers::<Int32Type>(call, |row| {
            Ok(match json_text::read(texts.value(row), Leniency::DEFAULT) {
                Some((Tree::Array(items), _)) => Some(items.len() as i32),
                _ => None,
            })
        })
    })
    .udf()
}

/// Spark's `json_object_keys`.
pub(super) fn object_keys() -> ScalarUDF {
    let returns =
        |_: &[DataType]| Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))));
    Kernel::new("json_object_keys", JSON, returns, |call| {
        let texts = call.text(0)?;
        let mut keys = ListBuilder::new(StringBuilder::new());
        for text in &texts {
            let tree = text.and_then(|text| json_text::read(text, Leniency::DEFAULT));
            match tree {
                Some((Tree::Object(members), _)) => {
                    members.iter().for_each(|(name, _)| keys.values().append_value(name));
                    keys.append(true);
                }
                _ => keys.append_null(),
            }
        }
        Ok(Arc::new(keys.finish()))
    })
    .udf()
}

/// Spark's `from_json(json, schema[, options])`.
pub(super) fn from_json() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text, Kind::Any], &[Kind::Options]);
    Kernel::by_value("from_json", parameters, |_, literals| schema_type(literals), parsed).udf()
}

/// The type that a literal names.
pub(super) fn schema_type(literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    match literals.get(1).copied().flatten().map(ScalarValue::try_as_str) {
        Some(Some(Some(text))) => ddl::parse(text),
        _ => Err(Failure::new("INVALID_SCHEMA.NON_STRING_LITERAL", "the schema is not a text")
            .hint("write it as in 'a INT, b STRING'")
            .into()),
    }
}

fn parsed(call: &Call<'_>) -> Result<ArrayRef> {
    let options = Options::of(call, 2)?;
    let moments = Moments::to_read(&options, call.time_zone())?;
    let texts = call.text(0)?;
    let leniency = options.leniency();
    let trees: Vec<Option<Tree>> = texts
        .iter()
        .map(|text| text.and_then(|text| json_text::read(text, leniency)).map(|(tree, _)| tree))
        .collect();
    let rows: Vec<Option<&Tree>> =
        trees.iter().map(|tree| root(tree.as_ref(), call.returns)).collect();
    let mut misfits: Vec<bool> = trees.iter().map(Option::is_none).collect();
    let lists_singles =
        matches!(call.returns, DataType::List(item) if item.data_type().is_nested());
    let builder =
        Builder { moments: &moments, reads_texts: false, null_text: "", lists_singles: false };
    let singles = lists_singles.then(|| as_lists(&rows));
    let rows = match &singles {
        Some(lists) => lists.iter().map(Option::as_ref).collect(),
        None => rows,
    };
    let values = builder.column(call.returns, &rows, &mut misfits)?;
    if options.fails_fast()
        && let Some(row) = (0..texts.len()).find(|row| texts.is_valid(*row) && misfits[*row])
    {
        let message = format!("`{}` is malformed, or does not fit the schema", texts.value(row));
        return Err(Failure::new("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", message)
            .hint("set the option `mode` to `PERMISSIVE` to get NULL instead")
            .into());
    }
    Ok(permissive(values, &texts_valid(&texts)))
}

fn texts_valid(texts: &arrow::array::StringViewArray) -> NullBuffer {
    texts.nulls().cloned().unwrap_or_else(|| NullBuffer::new_valid(texts.len()))
}

/// The one item of an array is the struct that is asked for.
fn root<'a>(tree: Option<&'a Tree>, returns: &DataType) -> Option<&'a Tree> {
    match (tree, returns) {
        (Some(Tree::Array(items)), DataType::Struct(_)) => {
            items.first().filter(|_| items.len() == 1)
        }
        (tree, _) => tree,
    }
}

/// An object where an array of objects is asked for is an array of one.
fn as_lists(rows: &[Option<&Tree>]) -> Vec<Option<Tree>> {
    let lists = rows.iter().map(|tree| {
        Some(match tree.as_ref()? {
            list @ Tree::Array(_) => (*list).clone(),
            single => Tree::Array(vec![(*single).clone()]),
        })
    });
    lists.collect()
}

/// A malformed text gives a struct of NULLs, not NULL; NULL gives NULL.
pub(super) fn permissive(values: ArrayRef, valid: &NullBuffer) -> ArrayRef {
    match values.as_struct_opt() {
        Some(structs) => {
            let (fields, columns, _) = structs.clone().into_parts();
            match fields.is_empty() {
                true => values,
                false => match StructArray::try_new(fields, columns, Some(valid.clone())) {
                    Ok(structs) => Arc::new(structs),
                    Err(_) => values,
                },
            }
        }
        None => values,
    }
}

/// Spark's `to_json(value[, options])`.
pub(super) fn to_json() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Any], &[Kind::Options]);
    Kernel::new("to_json", parameters, rows::text, |call| {
        let options = Options::of(call, 1)?;
        let writer = Writer {
            moments: Moments::to_write(&options, call.time_zone())?,
            ignores_null: options.is_on("ignorenullfields", true),
            pretty: options.is_on("pretty", false),
        };
        let values = call.array(0)?;
        let mut texts = StringBuilder::new();
        let mut text = String::new();
        for row in 0..values.len() {
            if values.is_null(row) {
                texts.append_null();
                continue;
            }
            text.clear();
            writer.push((call.field(0), &values), row, 0, &mut text)?;
            texts.append_value(&text);
        }
        Ok(Arc::new(texts.finish()))
    })
    .udf()
}

/// Spark's `schema_of_json(json[, options])`.
pub(super) fn schema_of_json() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::OnlyText], &[Kind::Options]);
    Kernel::new("schema_of_json", parameters, rows::text, |call| {
        let options = Options::of(call, 1)?;
        let texts = call.text(0)?;
        if call.constant(0).is_some_and(ScalarValue::is_null) {
            return Err(
                Failure::new("DATATYPE_MISMATCH.UNEXPECTED_NULL", "the JSON is NULL").into()
            );
        }
        if call.rows == 0 {
            return Ok(new_null_array(call.returns, 0));
        }
        rows::texts(call, |row, output| {
            let Some(tree) = json_text::read_all(texts.value(row), options.leniency()) else {
                let message = format!("`{}` is no JSON", texts.value(row));
                return Err(Failure::new("INVALID_PARAMETER_VALUE", message).into());
            };
            output.push_str(&schema::of_json(&tree, &options).ddl());
            Ok(true)
        })
    })
    .udf()
}
